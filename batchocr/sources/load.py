"""Read the bytes of a scan once, and pass them to the decoder of their format."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import replace

from batchocr.errors import ScanError, UsageError
from batchocr.records import Page, Scan
from batchocr.sources.formats import SUFFIXES, Kind, Refused, kind_of
from batchocr.sources.source import MAX_MEGAPIXELS, BadPage, Source
from batchocr.stores.read_file import FileChanged, FileTooLarge, read_start, read_url
from batchocr.stores.retries import FINAL, cause_of

_MAX_BYTES_PER_PIXEL = 8  # a PNG of noise with four channels of 16 bits
_MAX_OTHER_BYTES = 64 << 20  # thumbnails, profiles, metadata of cameras
_MAX_BYTES_OF_PAGES = 2 << 30  # a file of many pages may be larger than its largest page
_WITH_PAGES = (Kind.TIFF, Kind.PDF)
_SUFFIXES_WITH_PAGES = (".tif", ".tiff", ".pdf")
_START_LENGTH = 1040  # bytes that `kind_of` needs


def load_pages(
    scan: Scan,
    *,
    max_megapixels: float = MAX_MEGAPIXELS,
    first: int = 1,
    last: int | None = None,
    pdf_password: str | None = None,
) -> Iterator[Page | BadPage]:
    """Yield the pages of a scan. Each is decoded when it is requested.

    A page is 8-bit grey, upright by EXIF, with white paper where it is transparent. A TIFF frame or PDF page that
    cannot be read is a BadPage, and the next pages follow.

    Args:
        scan: The file.
        max_megapixels: Size of the largest page. The size is checked in the header, before anything is decoded.
        first: Number of the first page, from 1.
        last: Number of the last page; None for all.
        pdf_password: The password that opens a PDF.

    Raises:
        ScanError: The file as a whole cannot be read, with one of the reasons `not-found`, `no-permission`,
            `not-a-file`, `unreadable`, `changed` (since it was listed, or while it was read), `empty-file`,
            `not-a-picture`, `unsupported`, `password`, `damaged`, `too-large`, `too-many-pages`, `no-memory` and
            `unreachable` (a store that does not answer).
    """
    data = scan.data
    if data is None:
        data = _read_from_store(scan, max_megapixels) if scan.url else _read(scan, max_megapixels)
    source = Source(scan, data, hashlib.sha256(data).hexdigest(), max_megapixels, pdf_password)
    del data
    kind = _readable_kind(source)
    if kind is Kind.TIFF:
        from batchocr.sources.tiff import load_frames

        yield from load_frames(source, first, last)
    elif kind is Kind.PDF:
        from batchocr.sources.pdf import load_pdf

        yield from load_pdf(source, first, last)
    elif first <= 1 and (last is None or last >= 1):
        from batchocr.sources.single_image import load_image

        yield load_image(source, kind)


def has_pages(scan: Scan) -> bool:
    """Return whether the scan is of a format with pages, TIFF or PDF. A file that cannot be opened has none.

    A file in a store is not opened if its suffix says it, because each request takes time.
    """
    if scan.url:
        suffix = scan.path.suffix.lower()
        if suffix in SUFFIXES:
            return suffix in _SUFFIXES_WITH_PAGES
        try:
            return kind_of(read_start(scan.url, _START_LENGTH), scan.path) in _WITH_PAGES
        except Exception:  # of the store's library; reading the scan reports the reason
            return False
    try:
        if not scan.path.is_file():
            return False  # reading from a pipe would block
        with open(scan.path, "rb", opener=_open) as file:
            return kind_of(file.read(_START_LENGTH), scan.path) in _WITH_PAGES
    except OSError:
        return False


def _read(scan: Scan, max_megapixels: float) -> bytes:
    """Return the bytes of the scan, if they are not more than its pixels can need. Raises ScanError."""
    try:
        _check_is_file(scan, scan.path.stat())  # before it is opened, because opening a device may have effects
        with open(scan.path, "rb", opener=_open) as file:
            before = os.fstat(file.fileno())
            _check_is_file(scan, before)
            _check_unchanged(scan, before)
            start = file.read(_START_LENGTH)
            _check_length(scan, start, before.st_size, max_megapixels)
            data = start + file.read(max(before.st_size - len(start), 0))
            _check_unchanged(replace(scan, size=before.st_size, modified=before.st_mtime_ns), os.fstat(file.fileno()))
            return data
    except FileNotFoundError as error:
        raise ScanError("not-found", f"{scan.name}: there is no such file: run again when it exists") from error
    except PermissionError as error:
        fix = "give read permission to the user who runs batchocr"
        raise ScanError("no-permission", f"{scan.name}: no permission to read it: {fix}") from error
    except OSError as error:
        raise ScanError("unreadable", f"{scan.name}: {error.strerror}: check the disk") from error
    except MemoryError as error:
        raise _no_memory(scan) from error


def _read_from_store(scan: Scan, max_megapixels: float) -> bytes:
    """Return the bytes of a scan in an object store, if they are not more than its pixels can need. Raises ScanError.

    One request is enough unless the file is larger than an image can be.
    """
    try:
        if scan.size is not None and scan.size > _max_length(max_megapixels, has_pages=False):
            _check_length(scan, read_start(scan.url, _START_LENGTH), scan.size, max_megapixels)
        data = read_url(scan.url, tag=scan.tag, max_bytes=_max_length(max_megapixels, has_pages=True))
    except ScanError:
        raise
    except UsageError as error:  # the library of this store is missing on this machine of a cluster
        raise ScanError("unreadable", f"{scan.name}: {error}") from error
    except FileNotFoundError as error:
        raise ScanError("not-found", f"{scan.name}: there is no such file: run again when it exists") from error
    except PermissionError as error:
        raise ScanError("no-permission", f"{scan.name}: access denied: give credentials that may read it") from error
    except FileChanged as error:
        raise _changed(scan) from error
    except FileTooLarge as error:
        raise _too_large(scan, error.size) from error
    except MemoryError as error:
        raise _no_memory(scan) from error
    except FINAL as error:
        what = f"the store refuses to send it ({cause_of(error)})"
        raise ScanError("unreadable", f"{scan.name}: {what}: check the URL") from error
    except Exception as error:  # of the store's library
        what = f"the store did not answer as it should, also when tried again ({cause_of(error)})"
        raise ScanError("unreachable", f"{scan.name}: {what}: run again, which reads it") from error
    if scan.size not in (None, len(data)):
        raise _changed(scan)
    _check_length(scan, data[:_START_LENGTH], len(data), max_megapixels)
    return data


def _no_memory(scan: Scan) -> ScanError:
    return ScanError("no-memory", f"{scan.name}: needs more memory than the machine has: give fewer --jobs")


def _changed(scan: Scan) -> ScanError:
    return ScanError("changed", f"{scan.name}: changed during this run: run again, which reads it")


def _too_large(scan: Scan, length: int) -> ScanError:
    return ScanError("too-large", f"{scan.name}: is a file of {length / 1e6:.0f} MB: split it into several files")


def _open(path: str, flags: int) -> int:
    """Open without blocking, also if the file has become a pipe since it was checked."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_is_file(scan: Scan, now: os.stat_result) -> None:
    if stat.S_ISDIR(now.st_mode):
        next(scan.path.iterdir(), None)  # a folder is a scan only if it cannot be listed, which raises OSError
        raise ScanError("not-a-file", f"{scan.name}: a folder: give an image file")
    if not stat.S_ISREG(now.st_mode):
        raise ScanError("not-a-file", f"{scan.name}: not a regular file: give an image file")


def _check_unchanged(scan: Scan, now: os.stat_result) -> None:
    """Raise ScanError if the file changed, because half of a file that is being written must not be read."""
    if scan.size not in (None, now.st_size) or scan.modified not in (None, now.st_mtime_ns):
        raise _changed(scan)


def _check_length(scan: Scan, start: bytes, length: int, max_megapixels: float) -> None:
    is_of_pages = kind_of(start, scan.path) in _WITH_PAGES
    if length <= _max_length(max_megapixels, has_pages=is_of_pages):
        return
    if is_of_pages:
        raise _too_large(scan, length)
    what = f"{scan.name}: is a file of {length / 1e6:.0f} MB"
    raise ScanError("too-large", f"{what}: raise --max-megapixels (now {max_megapixels:g}) if that is right")


def _max_length(max_megapixels: float, *, has_pages: bool) -> int:
    """Return the bytes that an image, or a file of many pages, can have at most."""
    length = int(max_megapixels * 1e6 * _MAX_BYTES_PER_PIXEL) + _MAX_OTHER_BYTES
    return max(length, _MAX_BYTES_OF_PAGES) if has_pages else length


def _readable_kind(source: Source) -> Kind:
    """Return the format of the scan. Raises ScanError if it cannot be read."""
    if not source.data:
        raise source.fault("empty-file", "the file is empty", "scan or copy it again")
    kind = kind_of(source.data, source.scan.path)
    if isinstance(kind, Refused):
        raise source.fault("unsupported", f"{kind.name}, which cannot be read", kind.fix)
    if kind is None:
        raise source.fault("not-a-picture", "not an image that can be read", "save it as PNG, JPEG or PDF")
    return kind
