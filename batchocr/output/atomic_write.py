"""Files that appear whole under their names, all together, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from batchocr.errors import OutputError


@contextmanager
def whole_files(paths: Sequence[Path]) -> Iterator[list[BinaryIO]]:
    """Open a new file for each path, and give all files their names when the block ends without an exception.

    The files are written under other names. All of them are on the disk before the first gets its own name; the last
    path gets its name last. After an exception, none appears.

    Args:
        paths: The paths, which may exist and may be in several folders. There may be none.

    Yields:
        The files, open for writing, in the order of the paths.

    Raises:
        OutputError: If the disk is full or the files cannot be written.
    """
    if not paths:
        yield []
        return
    paths = [followed(path) for path in paths]
    unfinished = {path: unfinished_name(path) for path in paths}
    path = paths[0]
    try:
        with ExitStack() as opened:
            files: list[BinaryIO] = []
            for path in paths:
                files.append(opened.enter_context(unfinished[path].open("wb")))
            yield files
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for path in paths:
            unfinished[path].replace(path)
        for folder in {path.parent for path in paths}:
            _sync(folder)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        for temporary in unfinished.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def followed(path: Path) -> Path:
    """Return the target of a symbolic link, which need not exist; any other path as it is."""
    is_link = os.path.islink(path)  # noqa: PTH114  Path.is_symlink raises an exception if the name is too long
    return Path(os.path.realpath(path)) if is_link else path


def unfinished_name(path: Path) -> Path:
    """Return the name of a file until it is whole.

    It is always the same for a path, so that a run overwrites what a killed run has left.
    """
    return path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.tmp")


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return the error that says that a file of the results cannot be written."""
    return OutputError(f"{path}: cannot be written ({error.strerror or error}): make room or give --out another folder")


def _sync(folder: Path) -> None:
    """Write the names of the files to the disk too. Some network file systems refuse to do so."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
