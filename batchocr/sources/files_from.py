"""The option `--files-from`: a list of scans in a file."""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path

from batchocr.errors import UsageError
from batchocr.stores.urls import is_url


def read_files_from(source: str) -> list[str | Path]:
    """Read a list of paths and URLs: one per line, or separated by NUL (`find -print0`).

    A byte-order mark is not part of the first path. A list with the mark of UTF-16 is decoded as UTF-16, because some
    editors on Windows save it so.

    Args:
        source: The file that holds the list, or `-` for standard input.

    Returns:
        A Path for each path, and a string for each URL.

    Raises:
        UsageError: The list cannot be read, or it is UTF-16 without a byte-order mark.
    """
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from {source}: {error.strerror}: give a file with one path per line") from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "surrogateescape").encode("utf-8", "surrogateescape")
    elif len(content) > 3 and content.count(b"\0") * 2 >= len(content) - 1:
        raise UsageError(f"--files-from {source}: looks like UTF-16: save it as UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)
    lines = content.split(b"\0") if b"\0" in content else (line.removesuffix(b"\r") for line in content.split(b"\n"))
    names = (os.fsdecode(line) for line in lines if line)
    return [name if is_url(name) else Path(name) for name in names]
