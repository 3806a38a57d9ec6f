"""A scan's bytes on their way to pages, and the faults they may have."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels, Scan

MAX_MEGAPIXELS = 250.0
"""A0 at 200 dpi is 62, A3 at 600 dpi 70."""

MAX_PAGES = 10_000
"""More pages in one scan are a trap, or wanted in parts."""

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Pillow's errors go to standard error too

_MOST_TOLD = 200  # letters of a decoder's own words, which may repeat the file's
_AGAIN = "scan or copy it again"


@dataclass(frozen=True)
class BadPage:
    """A page that cannot be read in a scan whose other pages may well be."""

    number: int
    """From 1."""
    error: ScanError
    pages: int = 1
    """Pages of the scan."""
    sha256: str = ""
    """Of the scan's bytes."""


@dataclass(frozen=True)
class Source:
    """A scan that was read, not yet decoded. `number` is a page of it, None the scan as a whole."""

    scan: Scan
    data: bytes
    sha256: str
    max_megapixels: float

    def page(self, pixels: Pixels, dpi: float | None, *, number: int = 1, pages: int = 1) -> Page:
        """A page that was decoded."""
        return Page(self.scan, number, pixels, self.sha256, dpi, pages)

    def bad_page(self, error: ScanError, *, number: int, pages: int) -> BadPage:
        """A page that was not."""
        return BadPage(number, error, pages, self.sha256)

    def fault(self, reason: str, what: str, fix: str, number: int | None = None) -> ScanError:
        """The error that names the file, the fault and the fix."""
        where = self.scan.name if number is None else f"{self.scan.name}: page {number}"
        return ScanError(reason, f"{where}: {what}: {fix}", self.sha256)

    def damaged(self, how: str, number: int | None = None) -> ScanError:
        """The error for bytes that are not what their format asks for."""
        return self.fault("damaged", how, _AGAIN, number)

    def too_large(self, how: str, number: int | None = None) -> ScanError:
        """The error for more than `max_megapixels`."""
        fix = f"raise --max-megapixels (now {self.max_megapixels:g}) if that is right"
        return self.fault("too-large", how, fix, number)

    def too_many_pages(self, count: str) -> ScanError:
        """The error for more than MAX_PAGES; `count` says how many."""
        return self.fault("too-many-pages", f"has {count} pages, more than {MAX_PAGES}", "split it into several files")

    def check_size(self, width: float, height: float, number: int | None = None, what: str = "has") -> None:
        """Raise ScanError `too-large` for more pixels than wanted: to be called before anything is decoded."""
        megapixels = width * height / 1e6
        if not megapixels <= self.max_megapixels:  # so that not-a-number is refused too
            size = f"{width:.0f} x {height:.0f} pixels ({megapixels:.0f} megapixels)"
            raise self.too_large(f"{what} {size}", number)

    @contextmanager
    def decoding(self, number: int | None = None) -> Iterator[None]:
        """Whatever a decoder raises within becomes a ScanError: of hostile bytes, any exception may come."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except ScanError:
            raise
        except MemoryError as error:
            fix = "give fewer --jobs"
            raise self.fault("no-memory", "needs more memory than there is", fix, number) from error
        except Exception as error:
            told = str(error)[:_MOST_TOLD] or type(error).__name__
            raise self.damaged(f"its picture cannot be decoded ({told})", number) from error
