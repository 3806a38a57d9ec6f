"""A folder on a disk or in an object store, with the few operations that a run needs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from batchocr.errors import OutputError
from batchocr.stores.filesystem import filesystem_of
from batchocr.stores.retries import retried
from batchocr.stores.urls import is_url, shown_url

T = TypeVar("T")


class Store(Protocol):
    """A folder. Names of files are relative, with `/` between their parts. Errors of the store are OutputErrors."""

    def names(self, below: str = "") -> Iterator[str]:
        """Yield the names of all files below a folder of it, in no order. A missing folder has none."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError if there is none."""
        ...

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a file. It appears whole or not at all, and replaces another of this name."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Remove files. A file that is not there is removed already."""
        ...

    def upload(self, path: Path, name: str) -> None:
        """Copy a file from the disk. It appears whole or not at all."""
        ...

    def download(self, name: str, path: Path) -> None:
        """Copy a file to the disk. Raises FileNotFoundError if there is none."""
        ...


def open_store(place: str | Path) -> Store:
    """Return the folder at this path or URL. It need not exist.

    Raises:
        UsageError: The URL is of an unknown kind of store, or the library for it is not installed.
    """
    return ObjectStore(str(place)) if is_url(place) else DiskStore(Path(place))


class DiskStore:
    """A folder on a disk, which may be shared by several machines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def names(self, below: str = "") -> Iterator[str]:
        """See `Store`."""
        folders = [below.strip("/")]
        while folders:
            folder = folders.pop()
            try:
                entries = os.scandir(self._folder / folder)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as fault:
                raise self._error(fault) from fault
            with entries:
                for entry in entries:
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir():
                        folders.append(name)
                    elif not entry.name.endswith(_UNFINISHED):
                        yield name

    def read(self, name: str) -> bytes:
        """See `Store`."""
        return self._converted(lambda: (self._folder / name).read_bytes())

    def exists(self, name: str) -> bool:
        """See `Store`."""
        return self._converted((self._folder / name).is_file)

    def write(self, name: str, data: bytes) -> None:
        """See `Store`."""
        self._converted(lambda: self._write(name, data))

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{uuid.uuid4().hex}{_UNFINISHED}")
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def remove(self, names: Iterable[str]) -> None:
        """See `Store`."""
        for name in names:
            path = self._folder / name
            self._converted(lambda path=path: path.unlink(missing_ok=True))  # type: ignore[misc]

    def upload(self, path: Path, name: str) -> None:
        """See `Store`."""
        self.write(name, self._converted(path.read_bytes))

    def download(self, name: str, path: Path) -> None:
        """See `Store`."""
        path.write_bytes(self.read(name))

    def _converted(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except FileNotFoundError:
            raise
        except OSError as fault:
            raise self._error(fault) from fault

    def _error(self, fault: OSError) -> OutputError:
        what = fault.strerror or fault
        return OutputError(f"{self}: cannot be read or written ({what}): check the folder, and make room")


_UNFINISHED = ".tmp"


class ObjectStore:
    """A folder in an object store."""

    def __init__(self, url: str) -> None:
        self._shown = shown_url(url).rstrip("/")
        self._files, path = filesystem_of(url)
        self._path = path.rstrip("/")

    def __str__(self) -> str:
        return self._shown

    def names(self, below: str = "") -> Iterator[str]:
        """See `Store`."""
        from batchocr.stores.listing import list_files

        base = self._at(below)
        start = len(self._path) + 1
        try:
            for found in list_files(self._files, base):
                yield found.path[start:]
        except FileNotFoundError:
            return
        except Exception as fault:
            raise self._error(fault) from fault

    def read(self, name: str) -> bytes:
        """See `Store`."""
        return self._retried(lambda: self._files.cat_file(self._at(name)))

    def exists(self, name: str) -> bool:
        """See `Store`."""
        try:
            self._retried(lambda: self._files.info(self._at(name)))
        except FileNotFoundError:
            return False
        return True

    def write(self, name: str, data: bytes) -> None:
        """See `Store`."""
        self._retried(lambda: self._files.pipe_file(self._at(name), data))

    def remove(self, names: Iterable[str]) -> None:
        """See `Store`."""
        paths = [self._at(name) for name in names]
        for start in range(0, len(paths), _REMOVED_AT_ONCE):
            self._remove(paths[start : start + _REMOVED_AT_ONCE])

    def _remove(self, paths: list[str]) -> None:
        try:
            self._retried(lambda: self._files.rm(paths))
        except FileNotFoundError:
            for path in paths:
                with suppress(FileNotFoundError):
                    self._retried(lambda path=path: self._files.rm_file(path))  # type: ignore[misc]

    def upload(self, path: Path, name: str) -> None:
        """See `Store`."""
        self._retried(lambda: self._files.put_file(str(path), self._at(name)))

    def download(self, name: str, path: Path) -> None:
        """See `Store`."""
        self._retried(lambda: self._files.get_file(self._at(name), str(path)))

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    def _retried(self, work: Callable[[], Any]) -> Any:
        try:
            return retried(work, self._shown)
        except FileNotFoundError:
            raise
        except Exception as fault:
            raise self._error(fault) from fault

    def _error(self, fault: Exception) -> OutputError:
        if isinstance(fault, PermissionError):
            return OutputError(f"{self}: access denied: give credentials that may read and write there")
        why = type(fault).__name__
        return OutputError(f"{self}: the store cannot be used ({why}): check its address, the bucket and credentials")


_REMOVED_AT_ONCE = 1000
