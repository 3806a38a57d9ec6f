"""What can be chosen of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batchocr.executors.local import PAGE_TIMEOUT
from batchocr.records import Printed
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
    printed: Printed = "keep"
    """What becomes of printed digits: `drop` leaves them out, `only` leaves all others out."""
    blank: tuple[Path, ...] = ()
    """Forms that nobody has filled in: what is printed there gives no rows."""
    page_timeout: float = PAGE_TIMEOUT
    """Seconds that a page may take before its worker is ended; it is tried once more alone."""
    max_failures: int | None = None
    """Failed pages of this run after which no more is read; what was not read are failed pages too."""
    limit: int | None = None
    """Pages that this run reads at most; the rest is left for the next run and has no rows."""
    state: Path | None = None
    """Folder of the journal; None for `OUT.journal` beside the output."""
    fresh: bool = False
    """Forget what earlier runs have read."""
    retry_failed: bool = False
    """Read again what failed in earlier runs."""
