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
    """A file for each of the paths, all of one folder, to be filled within.

    They are written under other names and are on the disk before the first gets its own; the last gets it last. Where
    an exception leaves the block, none appears. Raises OutputError where the disk is full or does not take them.
    """
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
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def unfinished_name(path: Path) -> Path:
    """What it is called until it is whole: always the same, so that what a killed run left is overwritten."""
    return path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.tmp")


def cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written ({error.strerror or error}): make room or give --out another folder")


def _sync(folder: Path) -> None:
    """So that the names too are on the disk, where the file system knows of that: some of networks refuse it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
