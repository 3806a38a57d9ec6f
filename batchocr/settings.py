"""What can be chosen of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from batchocr.executors.local import PAGE_TIMEOUT
from batchocr.records import CsvDialect, Printed
from batchocr.sources import MAX_MEGAPIXELS


@dataclass(frozen=True)
class Settings:
    """What can be chosen of a run; the names are the command's options."""

    recursive: bool = True
    model: Path | None = None
    """The classifier, a `.keras` file; None for the one that comes with the package."""
    detector: Path | None = None
    """The detector, likewise."""
    device: str = "auto"
    batch_size: int | None = None
    jobs: int | None = None
    min_confidence: float | None = None
    """Digits below are marked for review; None for the model's own, above which at most 3% were wrong when measured."""
    max_error: float | None = None
    """Instead of `min_confidence`: the lowest from which, with 95% certainty, no greater share of digits is wrong.

    By the model's own table, of what was measured when its confidences were calibrated.
    """
    max_megapixels: float = MAX_MEGAPIXELS
    pages: tuple[int, ...] = ()
    """Pages, from 1, that are read of each TIFF and PDF; empty for all."""
    pdf_password: str | None = field(default=None, repr=False)
    """Password that opens protected PDFs. It is not written to any file."""
    printed: Printed = "keep"
    """What becomes of printed digits: `drop` leaves them out, `only` leaves all others out."""
    blank: tuple[Path, ...] = ()
    """Forms that nobody has filled in: what is printed there gives no rows."""
    numbers_out: Path | None = None
    """A second place for the table of numbers, in the format of its suffix; `-` for CSV on standard output."""
    csv_dialect: CsvDialect = "plain"
    """`excel` writes CSV files with a byte-order mark, semicolons, decimal commas and CRLF."""
    delta: bool = False
    """Write the rows of the pages that are new, changed or removed to `OUT.delta` too."""
    page_timeout: float = PAGE_TIMEOUT
    """Seconds that a page may take before its worker is ended; it is tried once more alone."""
    max_failures: int | None = None
    """Failed pages of this run after which no more is read; what was not read are failed pages too."""
    state: Path | None = None
    """Folder of the journal; None for `OUT.journal` beside the output."""
    fresh: bool = False
    """Forget what earlier runs have read."""
    retry_failed: bool = False
    """Read again what failed in earlier runs."""
