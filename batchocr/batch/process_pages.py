"""What the journal lacks is read and put into it: scans → workers → networks → decoding → journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from batchocr.batch.journal import Journal
from batchocr.batch.resume_plan import count_pages, gaps, hash_of, wanted_ranges
from batchocr.decoding.marking import Marking, marked
from batchocr.errors import ScanError, Stopped
from batchocr.executors import Executor
from batchocr.executors.local import LocalExecutor
from batchocr.executors.page_task import failed
from batchocr.output.outputs import Outputs, remove_results
from batchocr.reading_file import Reading
from batchocr.recognition.networks import Models
from batchocr.records import PageResult, Part, PreparedPage
from batchocr.settings import Settings

PASSING = frozenset(
    "not-found no-permission not-a-file unreadable changed no-memory empty-file no-page not-read".split()
)
"""Faults that may be gone the next time: such pages are always read again. Others with --retry-failed."""
_NOBODY_TELLS = frozenset(("crashed", "timeout"))
"""Faults with which the worker's knowledge of what it read went too."""
STOPPED = "stopped; what was read is kept, and the same command goes on with the rest"


@dataclass
class MissingPages:
    """Reads what is missing, into the journal."""

    journal: Journal
    settings: Settings
    models: Models
    reading: Reading
    marking: Marking
    """Of what `on_page` is told."""
    batch_size: int | None
    on_total: Callable[[int], None]
    on_page: Callable[[PageResult], None]
    should_stop: Callable[[], bool]

    def __post_init__(self) -> None:
        self.stages = dict.fromkeys(("start", "vision", "detector", "crops", "classifier", "decoding"), 0.0)
        """Seconds."""
        self._failures = 0

    def read(self, parts: Sequence[Part], outputs: Outputs, clock: float) -> None:
        """Raises Stopped where the run is to stop before all is read."""
        if self.should_stop():  # before seconds are spent on Keras
            raise Stopped(STOPPED)
        settings = self.settings
        total = sum(count_pages(part, part.pages or 1) for part in parts)
        unknown = {part.scan.path: part for part in parts if part.pages is None}
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
                    if page.scan and page.scan.path in unknown:
                        total += count_pages(unknown.pop(page.scan.path), page.pages) - 1
                        self.on_total(total)
                    began = time.perf_counter()
                    result = page_result(page, detections, probabilities, decoding, blanks)
                    self.stages["decoding"] += time.perf_counter() - began
                    self._keep(page, result)
                    if self._failures == settings.max_failures:
                        break
                self.stages |= {**networks.seconds, "crops": between.crops}
                self.stages["vision"] += between.tiles
                if networks.classifier.batch_size != batch_size:
                    self.journal.note(batch_size=networks.classifier.batch_size)
        if self._failures == settings.max_failures:
            self._give_up(parts)
        elif self.should_stop():
            raise Stopped(STOPPED)

    def _keep(self, prepared: PreparedPage, result: PageResult) -> None:
        if prepared.scan is None:
            raise ValueError("a page of no scan")
        page = result.page
        if page.status == "failed":
            self._failures += 1
            is_of_selection = page.page is None and self.settings.pages  # says nothing of the other pages
            if not page.sha256 and page.error in _NOBODY_TELLS and not is_of_selection:
                page = replace(page, sha256=hash_of(prepared.scan))
                result = replace(result, page=page)
        sha256 = "" if page.error in PASSING else page.sha256
        self.journal.add(prepared.scan, result, pages=prepared.pages, sha256=sha256)
        self.stages["vision"] += page.seconds
        self.on_page(marked(result, self.marking))

    def _give_up(self, parts: Sequence[Part]) -> None:
        """What was not read is a row too."""
        entries = self.journal.entries()
        why = f"not read, for {self._failures} pages failed before (--max-failures): fix these and run again"
        with self.journal.at_once():
            for scan in {part.scan.path: part.scan for part in parts}.values():
                if self.should_stop():
                    raise Stopped(STOPPED)
                for part in gaps(scan, entries.get(scan.path, []), wanted_ranges(scan, self.settings.pages)):
                    for number in range(part.first, part.last + 1) if part.pages and part.last else [None]:
                        seen = failed(scan, number, ScanError("not-read", f"{scan.name}: {why}"))
                        self.journal.add(scan, PageResult(seen.row), pages=part.pages or 1, sha256="")
