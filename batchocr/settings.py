"""The settings of a run."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pydantic.dataclasses import dataclass

from batchocr.checked_settings import (
    CONFIG,
    AnyPath,
    BatchSize,
    Count,
    Megapixels,
    ModelPath,
    Pages,
    Place,
    Places,
    Seconds,
    Shard,
    Share,
    checked,
)
from batchocr.executors.local import PAGE_TIMEOUT
from batchocr.records import CsvDialect, Printed
from batchocr.sources import MAX_MEGAPIXELS

DeviceName = Literal["auto", "cpu", "gpu"]
Engine = Literal["local", "ray"]


@checked
@dataclass(frozen=True, config=CONFIG)
class Settings:
    """The settings of `batchocr.run`. The names and limits are those of the options of `batchocr run`.

    Raises:
        UsageError: If a name is unknown, or a value has the wrong type or is out of range.
    """

    recursive: bool = True
    """Read folders within folders."""
    model: ModelPath | None = None
    """The classifier, a `.keras` file. None: the classifier of this package."""
    detector: ModelPath | None = None
    """The detector, a `.keras` file. None: the detector of this package."""
    device: DeviceName = "auto"
    """Where the networks run. `auto`: on a GPU if there is one. `gpu` without a GPU is an error."""
    batch_size: BatchSize | None = None
    """Crops that are classified at once. None: 256 on the CPU, 4096 on a GPU."""
    jobs: Count | None = None
    """Worker processes that decode pages and turn them level. None: one for each core."""
    min_confidence: Share | None = None
    """Digits with a lower confidence are marked for review. None: the threshold of `reading.json`."""
    max_error: Share | None = None
    """Alternative to `min_confidence`: use the lowest confidence above which, with 95% certainty, no greater share of
    digits is wrong. The confidence is taken from the table in `reading.json`."""
    certificate: AnyPath | None = None
    """Alternative to both: use the threshold of this certificate, the file of `batchocr certify`, unless the run's
    models, forms or scores are not those that it rests on."""
    max_megapixels: Megapixels = MAX_MEGAPIXELS
    """Images with more megapixels are refused before they are decoded."""
    pages: Pages = ()
    """Pages that are read of each TIFF and PDF, from 1. Empty: all pages."""
    pdf_password: str | None = field(default=None, repr=False)
    """Password that opens protected PDFs. It is not written to any file."""
    printed: Printed = "keep"
    """What happens to printed digits: `keep` gives rows for them, `drop` leaves them out, `only` leaves out all
    handwritten digits."""
    blank: Places = ()
    """Blank forms. Digits that are printed on the form get no rows."""
    form: Places = ()
    """Form files, and folders of them. Each page is read as the form that fits it, and its fields get rows."""
    numbers_out: Place | None = None
    """A second place for the table of numbers, in the format of its suffix; `-` for CSV on standard output."""
    csv_dialect: CsvDialect = "plain"
    """`excel` writes CSV files with a byte-order mark, semicolons, decimal commas and CRLF."""
    delta: bool = False
    """Write the rows of the pages that are new, changed or removed to `OUT.delta` too."""
    page_timeout: Seconds = PAGE_TIMEOUT
    """Seconds that a page may take before its worker is ended. The page is then tried once more, alone."""
    max_failures: Count | None = None
    """Number of failed pages after which the run reads no more pages. The remaining pages fail too. None: no limit."""
    limit: Count | None = None
    """Number of pages that this run reads at most. The other pages are left for the next run and have no rows."""
    report: Place | None = None
    """An HTML file that shows the run: counts, reasons, confidences, the pages with the most to check, failures, speed.
    Not with a journal in a store: a cluster, shards, results in an object store or in a folder."""
    state: Place | None = None
    """Folder of the journal, as a path or URL. None: `OUT.journal` next to the output."""
    engine: Engine = "local"
    """What reads the pages: `local`, the processes of this machine; `ray`, a cluster of Ray."""
    ray_address: str | None = None
    """Address of the cluster, such as `auto` on one of its machines, or `host:6379`. None: what RAY_ADDRESS says, or a
    cluster on this machine alone, which ends with the run."""
    ray_actors: Count | None = None
    """Processes of the cluster that hold the networks. None: one for each GPU, or one for each machine without."""
    shard: Shard | None = None
    """Read only one share of the scans: its number from 1, and the number of shares. `merge` writes the results."""
    fresh: bool = False
    """Forget what earlier runs have read, and read everything again."""
    retry_failed: bool = False
    """Read the pages again that failed in earlier runs."""
