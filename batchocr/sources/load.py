"""From a scan to its pages: the bytes are read once, and handed to what knows their format."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import replace

from batchocr.errors import ScanError
from batchocr.records import Page, Scan
from batchocr.sources.formats import Kind, Refused, kind_of
from batchocr.sources.source import MAX_MEGAPIXELS, BadPage, Source

_MOST_BYTES_A_PIXEL = 8  # a PNG of noise, four channels of 16 bits
_BYTES_BESIDE_PIXELS = 64 << 20  # thumbnails, profiles, what cameras add
_MOST_BYTES_OF_PAGES = 2 << 30  # what has many pages may be larger than its largest page
_OF_PAGES = (Kind.TIFF, Kind.PDF)
_BYTES_TO_TELL = 1040


def load_pages(
    scan: Scan, *, max_megapixels: float = MAX_MEGAPIXELS, first: int = 1, last: int | None = None
) -> Iterator[Page | BadPage]:
    """The pages `first` to `last` (from 1; None for all) of `scan`, decoded one at a time as they are asked for.

    A page is 8-bit grey, upright by EXIF, its transparent parts white paper. A TIFF frame or PDF page that cannot be
    read is a BadPage, and the next ones follow; each tells how many pages the scan has.

    Raises ScanError for a fault of the file as a whole, with one of the reasons `not-found`, `no-permission`,
    `not-a-file`, `unreadable`, `changed` (since it was listed, or while it was read), `empty-file`, `not-a-picture`,
    `unsupported`, `password`, `damaged`, `too-large` (more than `max_megapixels`, told from the header before anything
    is decoded), `too-many-pages` and `no-memory`.
    """
    data = _read(scan, max_megapixels) if scan.data is None else scan.data
    source = Source(scan, data, hashlib.sha256(data).hexdigest(), max_megapixels)
    del data
    kind = _readable(source)
    if kind is Kind.TIFF:
        from batchocr.sources.tiff import load_frames

        yield from load_frames(source, first, last)
    elif kind is Kind.PDF:
        from batchocr.sources.pdf import load_pdf

        yield from load_pdf(source, first, last)
    elif first <= 1 and (last is None or last >= 1):
        from batchocr.sources.single_image import load_picture

        yield load_picture(source, kind)


def _read(scan: Scan, max_megapixels: float) -> bytes:
    """The scan's bytes, where there are not more than its pixels could need."""
    try:
        _check_kind(scan, scan.path.stat())  # before it is opened: opening a device may do something
        with open(scan.path, "rb", opener=_open) as file:
            before = os.fstat(file.fileno())
            _check_kind(scan, before)
            _check_unchanged(scan, before)
            start = file.read(_BYTES_TO_TELL)
            _check_bytes(scan, start, before.st_size, max_megapixels)
            data = start + file.read(max(before.st_size - len(start), 0))
            _check_unchanged(replace(scan, size=before.st_size, modified=before.st_mtime_ns), os.fstat(file.fileno()))
            return data
    except FileNotFoundError as error:
        raise ScanError(
            "not-found", f"{scan.name}: there is no such file, or no more: run again if it comes"
        ) from error
    except PermissionError as error:
        fix = "let the user who runs batchocr read it"
        raise ScanError("no-permission", f"{scan.name}: no permission to read it: {fix}") from error
    except OSError as error:
        raise ScanError("unreadable", f"{scan.name}: {error.strerror}: see whether the disk is well") from error
    except MemoryError as error:
        raise ScanError("no-memory", f"{scan.name}: needs more memory than there is: give fewer --jobs") from error


def _open(path: str, flags: int) -> int:
    """Never waits, also where the file has become a pipe since it was looked at."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_kind(scan: Scan, now: os.stat_result) -> None:
    if stat.S_ISDIR(now.st_mode):
        next(scan.path.iterdir(), None)  # from a folder of scans comes only one that cannot be listed
        raise ScanError("not-a-file", f"{scan.name}: a folder: give a picture file")
    if not stat.S_ISREG(now.st_mode):
        raise ScanError("not-a-file", f"{scan.name}: not a regular file: give a picture file")


def _check_unchanged(scan: Scan, now: os.stat_result) -> None:
    """Half a scan, which somebody is still writing, must not be taken for a whole one."""
    if scan.size not in (None, now.st_size) or scan.modified not in (None, now.st_mtime_ns):
        left = "it is left for the next one; run again"
        raise ScanError("changed", f"{scan.name}: changed while this run was going on: {left}")


def _check_bytes(scan: Scan, start: bytes, size: int, max_megapixels: float) -> None:
    most = max_megapixels * 1e6 * _MOST_BYTES_A_PIXEL + _BYTES_BESIDE_PIXELS
    of_pages = kind_of(start, scan.path) in _OF_PAGES
    if size <= (max(most, _MOST_BYTES_OF_PAGES) if of_pages else most):
        return
    how = f"{scan.name}: is a file of {size / 1e6:.0f} MB"
    if of_pages:
        raise ScanError("too-large", f"{how}: split it into several files")
    raise ScanError("too-large", f"{how}: raise --max-megapixels (now {max_megapixels:g}) if that is right")


def _readable(source: Source) -> Kind:
    """The kind of the scan, where it is one that can be read."""
    if not source.data:
        raise source.fault("empty-file", "the file is empty", "scan or copy it again")
    kind = kind_of(source.data, source.scan.path)
    if isinstance(kind, Refused):
        raise source.fault("unsupported", f"{kind.name}, which cannot be read", kind.fix)
    if kind is None:
        raise source.fault("not-a-picture", "not a picture that can be read", "save it as PNG, JPEG or PDF")
    return kind
