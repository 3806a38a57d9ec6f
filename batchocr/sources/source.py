"""The bytes of a scan that is being decoded, and the errors that it may have."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels, Scan
from batchocr.sources.resolution import Resolution

MAX_MEGAPIXELS = 250.0
"""Size of the largest page by default. A0 at 200 dpi has 62, A3 at 600 dpi 70."""

MAX_PAGES = 10_000
"""Pages of one scan. More are an attack, or should be in several files."""

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Pillow's errors are written to standard error too

_MAX_QUOTED = 200  # characters of a decoder's own message, which may repeat the file's content
_COPY_AGAIN = "scan or copy it again"


@dataclass(frozen=True)
class BadPage:
    """A page that cannot be read. Other pages of its scan may be readable."""

    number: int
    """From 1."""
    error: ScanError
    pages: int = 1
    """Number of pages of the scan."""
    sha256: str = ""
    """Hash of the scan's bytes."""


@dataclass(frozen=True)
class Source:
    """A scan whose bytes are read but not decoded yet. The methods take the number of a page, or None for the scan."""

    scan: Scan
    data: bytes
    sha256: str
    max_megapixels: float
    pdf_password: str | None = field(default=None, repr=False)

    def page(self, pixels: Pixels, resolution: Resolution | None = None, *, number: int = 1, pages: int = 1) -> Page:
        """Return a decoded page of the scan, which has that many pages."""
        known = resolution or Resolution()
        return Page(self.scan, number, pixels, self.sha256, known.dpi, pages, known.pixel_aspect)

    def bad_page(self, error: ScanError, *, number: int, pages: int) -> BadPage:
        """Return a page that cannot be decoded, of a scan with that many pages."""
        return BadPage(number, error, pages, self.sha256)

    def fault(self, reason: str, what: str, fix: str, number: int | None = None) -> ScanError:
        """Return the error that names the file, the fault and the fix.

        Args:
            reason: The value of the column `error`.
            what: The fault.
            fix: What the user can do.
            number: The page, from 1.
        """
        where = self.scan.name if number is None else f"{self.scan.name}: page {number}"
        return ScanError(reason, f"{where}: {what}: {fix}", self.sha256)

    def damaged(self, what: str, number: int | None = None) -> ScanError:
        """Return the error for bytes that do not follow their format."""
        return self.fault("damaged", what, _COPY_AGAIN, number)

    def too_large(self, what: str, number: int | None = None) -> ScanError:
        """Return the error for more than `max_megapixels`."""
        fix = f"raise --max-megapixels (now {self.max_megapixels:g}) if that is right"
        return self.fault("too-large", what, fix, number)

    def too_many_pages(self, count: str) -> ScanError:
        """Return the error for more than MAX_PAGES; `count` is their number in words."""
        return self.fault("too-many-pages", f"has {count} pages, more than {MAX_PAGES}", "split it into several files")

    def check_size(self, width: float, height: float, number: int | None = None, what: str = "has") -> None:
        """Raise an error for too many pixels. It must be called before anything is decoded.

        Args:
            width: Pixels.
            height: Pixels.
            number: The page, from 1.
            what: The verb before the size in the message.

        Raises:
            ScanError: `too-large` if there are more than `max_megapixels`.
        """
        megapixels = width * height / 1e6
        if not megapixels <= self.max_megapixels:  # refuses NaN too
            size = f"{width:.0f} x {height:.0f} pixels ({megapixels:.0f} megapixels)"
            raise self.too_large(f"{what} {size}", number)

    @contextmanager
    def decoding(self, number: int | None = None) -> Iterator[None]:
        """Convert all exceptions of a decoder to ScanError, because hostile bytes may cause any of them."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except ScanError:
            raise
        except MemoryError as error:
            fix = "give fewer --jobs"
            raise self.fault("no-memory", "needs more memory than the machine has", fix, number) from error
        except Exception as error:
            quoted = str(error)[:_MAX_QUOTED] or type(error).__name__
            raise self.damaged(f"its image cannot be decoded ({quoted})", number) from error
