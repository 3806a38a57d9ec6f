"""Read the pages that the journal lacks, and add them to it: scans → workers → networks → decoding → journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from batchocr.batch.journal import Journal
from batchocr.batch.resume_plan import count_pages, gaps, hash_of, limited, pages_of, wanted_ranges
from batchocr.decoding.marking import Marking, mark_rows
from batchocr.errors import ScanError, Stopped
from batchocr.executors import Executor
from batchocr.executors.local import LocalExecutor
from batchocr.executors.page_task import failed
from batchocr.output.outputs import Outputs, remove_results
from batchocr.reading_file import Reading
from batchocr.recognition.networks import Models
from batchocr.records import PageResult, Part, PreparedPage
from batchocr.settings import Settings

NOT_READ = "not-read"
"""Error of pages that were not read because too many others failed."""
TEMPORARY = frozenset(
    f"not-found no-permission not-a-file unreadable unreachable changed no-memory empty-file no-page {NOT_READ}".split()
)
"""Errors that may be gone the next time: these pages are always read again, others only with --retry-failed."""
_WORKER_ENDED = frozenset(("crashed", "timeout"))
"""Errors after which the worker cannot report the SHA-256 of the scan."""
STOPPED = "stopped; the pages read so far are kept, and the same command resumes with the rest"


@dataclass
class MissingPages:
    """Reads pages into the journal."""

    journal: Journal
    settings: Settings
    models: Models
    reading: Reading
    marking: Marking
    """How the pages that `on_page` receives are marked."""
    batch_size: int | None
    on_total: Callable[[int], None]
    """Receives the number of pages to be read, each time that it changes."""
    on_page: Callable[[PageResult], None]
    should_stop: Callable[[], bool]

    def __post_init__(self) -> None:
        self.stages = dict.fromkeys(("start", "vision", "detector", "crops", "classifier", "decoding"), 0.0)
        """Seconds."""
        self._read = self._failures = 0

    def read(self, parts: Sequence[Part], outputs: Outputs, clock: float) -> None:
        """Read these pages, at most `settings.limit` of them.

        Args:
            parts: What is to be read.
            outputs: The files of the results; those of an earlier run are removed once the networks are loaded.
            clock: Time at which the run started, of `time.perf_counter`.

        Raises:
            Stopped: `should_stop` returned True before all pages were read.
        """
        if self.should_stop():  # before seconds are spent on Keras
            raise Stopped(STOPPED)
        settings, limit = self.settings, self.settings.limit
        if limit is not None:
            parts = limited(parts, limit)
        total = count_pages(parts)
        unknown = {part.scan.place: part for part in parts if part.pages is None}
        self.on_total(total)
        local: Executor = LocalExecutor(
            parts,
            jobs=settings.jobs,
            max_megapixels=settings.max_megapixels,
            page_timeout=settings.page_timeout,
            should_stop=self.should_stop,
            pdf_password=settings.pdf_password,
        )
        with local as executor:
            # imported here, so that the workers decode while Keras starts
            from batchocr.decoding.rows import page_result
            from batchocr.executors.blank_forms import load_blanks
            from batchocr.pipeline import Seconds, read_pages
            from batchocr.recognition.multi_gpu import MultiGpuNetworks

            decoding = self.reading.decoding()
            blanks = load_blanks(settings.blank, settings.max_megapixels, settings.pdf_password)
            with closing(
                MultiGpuNetworks(self.reading.models(self.models), device=settings.device, batch_size=self.batch_size)
            ) as networks:
                batch_size = networks.classifier.batch_size
                self.journal.note(batch_size=batch_size, device=networks.device)
                remove_results(outputs)
                self.stages["start"] = time.perf_counter() - clock
                between = Seconds()
                for page, detections, probabilities in read_pages(executor.pages(), networks, seconds=between):
                    if page.scan and page.scan.place in unknown:
                        total += pages_of(unknown.pop(page.scan.place), page.pages) - 1
                        self.on_total(total if limit is None else min(total, limit))
                    began = time.perf_counter()
                    result = page_result(page, detections, probabilities, decoding, blanks)
                    self.stages["decoding"] += time.perf_counter() - began
                    self._keep(page, result)
                    if self._failures == settings.max_failures or self._read == limit:
                        break
                self.stages |= {**networks.seconds, "crops": between.crops}
                self.stages["vision"] += between.tiles
                if networks.classifier.batch_size != batch_size:
                    self.journal.note(batch_size=networks.classifier.batch_size)
        if self._failures == settings.max_failures:
            if limit is None:
                self._give_up(parts)
        elif self._read != limit and self.should_stop():
            raise Stopped(STOPPED)

    def left(self, parts: Sequence[Part]) -> int:
        """Return how many pages of these parts are not in the journal; an unopened scan counts as one page."""
        entries = self.journal.entries()
        scans = {part.scan.place: part.scan for part in parts}
        return sum(
            count_pages(gaps(scan, entries.get(place, []), wanted_ranges(scan, self.settings.pages)))
            for place, scan in scans.items()
        )

    def _keep(self, prepared: PreparedPage, result: PageResult) -> None:
        if prepared.scan is None:
            raise ValueError("a page without a scan")
        page = result.page
        self._read += 1
        if page.status == "failed":
            self._failures += 1
            is_of_selection = page.page is None and self.settings.pages  # other pages may be readable
            if not page.sha256 and page.error in _WORKER_ENDED and not is_of_selection:
                page = replace(page, sha256=hash_of(prepared.scan))
                result = replace(result, page=page)
        sha256 = "" if page.error in TEMPORARY else page.sha256
        self.journal.add(prepared.scan, result, pages=prepared.pages, sha256=sha256)
        self.stages["vision"] += page.seconds
        self.on_page(mark_rows(result, self.marking))

    def _give_up(self, parts: Sequence[Part]) -> None:
        """Add a failed row for each page that was not read."""
        entries = self.journal.entries()
        reason = f"not read, for {self._failures} pages failed before (--max-failures): fix these and run again"
        with self.journal.at_once():
            for scan in {part.scan.place: part.scan for part in parts}.values():
                if self.should_stop():
                    raise Stopped(STOPPED)
                for part in gaps(scan, entries.get(scan.place, []), wanted_ranges(scan, self.settings.pages)):
                    for number in range(part.first, part.last + 1) if part.pages and part.last else [None]:
                        page = failed(scan, number, ScanError(NOT_READ, f"{scan.name}: {reason}"))
                        result = PageResult(page.row)
                        self.journal.add(scan, result, pages=part.pages or 1, sha256="")
                        self.on_page(result)
