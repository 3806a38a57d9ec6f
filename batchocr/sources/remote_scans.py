"""Find the scans that an argument stands for in an object store: a folder, a file or a glob pattern."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import PurePosixPath
from typing import Literal

from batchocr.errors import UsageError
from batchocr.sources.scan_names import has_image_name, is_entered
from batchocr.stores.filesystem import filesystem_of
from batchocr.stores.listing import check_folder, list_files
from batchocr.stores.read_file import file_info
from batchocr.stores.retries import cause_of
from batchocr.stores.urls import is_web, shown_url, without_user

_REQUESTS_AT_ONCE = 16
_BATCH = 256
_ANY_FOLDERS = "**"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in a store that was found."""

    url: str
    """The whole URL, which may have a signature."""
    is_scan: bool
    size: int | None = None
    tag: str = ""
    has_info: bool = False
    """Whether size and tag are what the store reports. Else they were not asked for."""

    @property
    def is_web(self) -> bool:
        """Whether it is an http or https URL."""
        return is_web(self.url)


@dataclass(frozen=True)
class RemoteFiles:
    """The files that one URL stands for."""

    url: str
    """URL of the file, or of the folder that is searched; that of a folder ends with `/`."""
    kind: Literal["file", "folder", "pattern"]
    pattern: tuple[str, ...] = ()
    """The parts of the pattern below the folder."""
    file: RemoteFile | None = None

    @property
    def base(self) -> tuple[str, ...]:
        """The URL of the folder below which files are named, in parts: `s3:`, an empty part, the bucket, folders."""
        address = shown_url(self.url)
        if is_web(address):
            address = address.partition("?")[0]
        return tuple(address.rpartition("/")[0].split("/"))

    def found(self, *, recursive: bool) -> Iterator[RemoteFile]:
        """Yield the files.

        Raises:
            UsageError: The store refuses access or does not answer.
        """
        if self.file is not None:
            yield self.file
            return
        files, folder = filesystem_of(self.url)
        folder = folder.rstrip("/")
        any_name = not self.pattern or _takes_any_name(self.pattern)
        is_flat = len(self.pattern) == 1 and any_name if self.pattern else not recursive
        denied: list[str] = []
        listed = list_files(files, folder, recursive=not is_flat, beginning=_literal_start(self.pattern), denied=denied)
        with _as_usage_error(self.url):
            for each in listed:
                below = each.path[len(folder) + 1 :]
                is_scan = self._is_scan(_parts(below, self.url), recursive)
                if is_scan is not None:
                    has_info = not is_web(self.url)
                    yield RemoteFile(self.url + below, is_scan, each.size, each.tag, has_info)
        for path in denied:  # reading it as a scan reports the reason
            yield RemoteFile(self.url + path[len(folder) + 1 :], True, has_info=True)

    def _is_scan(self, parts: Sequence[str], recursive: bool) -> bool | None:
        """Return whether a file below the folder is a scan, or None if it is not found at all."""
        name = PurePosixPath(parts[-1])
        if not self.pattern:
            return has_image_name(name) if all(map(is_entered, parts[:-1])) else None
        hidden_allowed = any(part.startswith(".") for part in self.pattern)
        visible = next((place for place, part in enumerate(parts) if part.startswith(".")), len(parts))
        shown = len(parts) if hidden_allowed else visible
        if shown == len(parts) and _matches(parts, self.pattern):
            return _takes_any_name(self.pattern) or has_image_name(name)
        for depth in range(1, min(shown, len(parts) - 1) + 1):  # a folder that matches
            if (recursive or depth == len(parts) - 1) and _matches(parts[:depth], self.pattern):
                return has_image_name(name) if all(map(is_entered, parts[depth:-1])) else None
        return None


def resolve(given: str) -> RemoteFiles:
    """Return the file or folder with exactly this URL, or else what the pattern matches.

    Raises:
        UsageError: There is nothing at this URL, access is denied, or the store does not answer.
    """
    clean = _checked(given)
    with _as_usage_error(clean):
        try:
            if not _is_folder_url(clean):
                try:
                    info = file_info(clean)
                except IsADirectoryError:
                    clean += "/"
                else:
                    file = RemoteFile(clean, True, info.size, info.tag, has_info=True)
                    return RemoteFiles(clean, "file", file=file)
            _check_folder(clean)
            return RemoteFiles(clean, "folder")
        except FileNotFoundError:
            pattern = _pattern(clean.rstrip("/"))
            if pattern is None:
                raise
            _check_folder(pattern.url)
            return pattern


def resolve_listed(given: str) -> RemoteFiles:
    """Return a folder if the URL ends with `/`, else a file; reading it reports what is wrong.

    Raises:
        UsageError: The kind of store is unknown.
    """
    clean = _checked(given)
    filesystem_of(clean)
    if _is_folder_url(clean):
        return RemoteFiles(clean, "folder")
    return RemoteFiles(clean, "file", file=RemoteFile(clean, True))


def with_info(found: Iterable[RemoteFile]) -> Iterator[RemoteFile]:
    """Yield the files, each scan with its size and tag, for which some stores need a request each.

    A file whose size and tag are not to be had is yielded without them. Reading it reports the reason.
    """
    failing: set[str] = set()  # stores that do not answer: waiting for each file again would take days

    def completed(file: RemoteFile) -> RemoteFile:
        store = shown_url(file.url).split("/", 3)[2]
        if store in failing:
            return file
        try:
            info = file_info(file.url)
        except (OSError, ValueError) as fault:
            if not isinstance(fault, (FileNotFoundError, PermissionError, IsADirectoryError, ValueError)):
                failing.add(store)
            return file
        except UsageError:
            raise
        except Exception:  # of the store's library
            failing.add(store)
            return file
        return replace(file, size=info.size, tag=info.tag, has_info=True)

    found = iter(found)
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        while batch := list(islice(found, _BATCH)):
            lacking = pool.map(completed, [file for file in batch if file.is_scan and not file.has_info])
            yield from (next(lacking) if file.is_scan and not file.has_info else file for file in batch)


def _checked(given: str) -> str:
    """Return the URL in its usual form: a lower-case scheme, and `/` at the end of a bucket or host."""
    scheme, _, rest = given.partition("://")
    bucket = shown_url(given).partition("://")[2].partition("/")[0].partition("?" if is_web(given) else "\0")[0]
    if not bucket and scheme.lower() not in ("memory", "file"):
        raise UsageError(f"{shown_url(given)}: names no bucket or host: give for example s3://bucket/folder/")
    if "*" in bucket or (glob.has_magic(bucket) and not is_web(given)):  # an address of IPv6 has brackets
        raise UsageError(f"{shown_url(given)}: a pattern in the name of the bucket or host: give one URL for each")
    clean = f"{scheme.lower()}://{rest}"
    if is_web(clean):
        address, question, query = clean.partition("#")[0].partition("?")
        is_host = "/" not in address.partition("://")[2]
        return f"{address}{'/' if is_host else ''}{question}{query}"
    is_bucket = "/" not in without_user(clean)[0].partition("://")[2]
    return f"{clean.rstrip('/')}/" if is_bucket or clean.endswith("/") else clean


def _is_folder_url(url: str) -> bool:
    return url.endswith("/") and not (is_web(url) and "?" in url)


def _check_folder(url: str) -> None:
    files, path = filesystem_of(url)
    check_folder(files, path)


def _pattern(url: str) -> RemoteFiles | None:
    """Return the pattern in a URL; None if there is none. `?` is no wildcard in URLs of the web."""
    is_magic = (lambda part: "*" in part or "[" in part) if is_web(url) else glob.has_magic
    clean, _, _ = without_user(url)
    start = len(url) - len(clean.partition("://")[2].partition("/")[2])
    parts = _parts(url[start:], url)
    wild = next((place for place, part in enumerate(parts) if is_magic(part)), None)
    if wild is None:
        return None
    folder = "/".join((*parts[:wild], ""))
    return RemoteFiles(url[:start] + folder, "pattern", tuple(parts[wild:]))


def _takes_any_name(pattern: Sequence[str]) -> bool:
    """Return whether a pattern takes all files that it matches, because it ends with a suffix, as `*.scan` does."""
    suffix = PurePosixPath(pattern[-1]).suffix
    return bool(suffix) and not glob.has_magic(suffix)


def _literal_start(pattern: Sequence[str]) -> str:
    """Return what is before the first wildcard, so that S3 lists only keys that start so."""
    if not pattern or pattern[0] == _ANY_FOLDERS:
        return ""
    return pattern[0][: min(pattern[0].find(sign) % (len(pattern[0]) + 1) for sign in "*?[")]


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path match those of a pattern; `**` stands for any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == _ANY_FOLDERS:
        return any(_matches(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _parts(below: str, url: str) -> list[str]:
    return (below.partition("?")[0] if is_web(url) else below).split("/")


@contextmanager
def _as_usage_error(url: str) -> Iterator[None]:
    """Convert the errors of a store to UsageError."""
    shown = shown_url(url)
    try:
        yield
    except UsageError:
        raise
    except FileNotFoundError as fault:
        raise UsageError(f"{shown}: there is nothing at this URL: give a folder, a file or a glob") from fault
    except PermissionError as fault:
        fix = "give credentials that may list and read it, as the store's own command line tool takes them"
        raise UsageError(f"{shown}: access denied: {fix}") from fault
    except Exception as fault:
        why = f"the store does not answer as it should ({cause_of(fault)})"
        raise UsageError(f"{shown}: {why}: check the address and the network, and run again") from fault
