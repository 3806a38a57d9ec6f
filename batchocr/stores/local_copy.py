"""Copies of files in object stores on the disk, until this process ends."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from batchocr.errors import BatchocrError
from batchocr.stores.store import open_store
from batchocr.stores.urls import is_url, shown_url


def local_copy(place: str | Path, *beside: str) -> Path:
    """Return the path of a file; for a URL, that of a copy on the disk, which is made once.

    Args:
        place: A path or URL.
        beside: Names of files in the same folder that are copied too, if they are there.

    Raises:
        BatchocrError: There is no such file in the store.
        OutputError: The store cannot be read.
    """
    return _copy(str(place), beside) if is_url(place) else Path(place)


@cache
def _copy(url: str, beside: tuple[str, ...]) -> Path:
    folder, _, name = url.rpartition("/")
    store, copies = open_store(folder), Path(tempfile.mkdtemp(prefix="batchocr-"))
    atexit.register(shutil.rmtree, copies, ignore_errors=True)
    for each in (name, *beside):
        try:
            store.download(each, copies / each)
        except FileNotFoundError:
            if each == name:
                raise BatchocrError(f"{shown_url(url)}: there is no such file: check the URL") from None
    return copies / name
