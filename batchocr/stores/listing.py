"""List the files of an object store, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file in a store."""

    path: str
    """Its path in the file system, without the scheme."""
    size: int | None
    tag: str
    """What identifies its content without reading it; empty if the store reports nothing of this kind."""


def list_files(files: Any, folder: str) -> Iterator[FoundFile]:
    """Yield all files below a folder.

    Args:
        files: A file system of fsspec.
        folder: A path in it.
    """
    for path, info in files.find(folder, detail=True).items():
        yield FoundFile(path, info.get("size"), str(info.get("ETag", "")))
