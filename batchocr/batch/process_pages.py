"""Read the pages that the journal lacks, and add them to it: scans → workers → networks → decoding → journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batchocr.batch.journal import Journal
from batchocr.batch.local_pages import STAGES, read_pages_locally
from batchocr.batch.outcome import NOT_READ, outcome
from batchocr.batch.resume_plan import count_pages, gaps, limited, pages_of, wanted_ranges
from batchocr.batch.run_models import RunModels
from batchocr.batch.summary import STOPPED
from batchocr.decoding.marking import Marking, mark_rows
from batchocr.errors import ScanError, Stopped
from batchocr.executors.page_task import failed
from batchocr.output.staging import Staging
from batchocr.records import PageResult, Part, PreparedPage
from batchocr.settings import Settings

if TYPE_CHECKING:
    from batchocr.recognition.networks import Networks


@dataclass
class MissingPages:
    """Reads pages into the journal."""

    journal: Journal
    settings: Settings
    models: RunModels
    marking: Marking
    """How the pages that `on_page` receives are marked."""
    batch_size: int | None
    on_total: Callable[[int], None]
    """Receives the number of pages to be read, each time that it changes."""
    on_page: Callable[[PageResult], None]
    should_stop: Callable[[], bool]

    def __post_init__(self) -> None:
        self.stages = dict.fromkeys(STAGES, 0.0)
        """Seconds."""
        self._read = self._failures = self._recorded = 0
        self._networks: Networks | None = None

    def read(self, parts: Sequence[Part], staging: Staging, clock: float) -> None:
        """Read these pages, at most `settings.limit` of them.

        Args:
            parts: What is to be read.
            staging: The files of the results; those of an earlier run are removed once the networks are loaded.
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

        def on_ready(networks: Networks) -> None:
            self._networks, self._recorded = networks, networks.classifier.batch_size
            self.journal.note(batch_size=self._recorded, device=networks.device)
            staging.remove_results()

        with closing(
            read_pages_locally(
                parts,
                settings,
                self.models,
                self.batch_size,
                stages=self.stages,
                clock=clock,
                on_ready=on_ready,
                should_stop=self.should_stop,
            )
        ) as pages:
            for page, result in pages:
                if page.scan and page.scan.place in unknown:
                    total += pages_of(unknown.pop(page.scan.place), page.pages) - 1
                    self.on_total(total if limit is None else min(total, limit))
                self._keep(page, result)
                if self._failures == settings.max_failures or self._read == limit:
                    break
        if self._networks and self._networks.classifier.batch_size != self._recorded:
            self.journal.note(batch_size=self._networks.classifier.batch_size)
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
        self._read += 1
        self._failures += result.page.status == "failed"
        result, sha256 = outcome(prepared, result, has_selection=bool(self.settings.pages))
        self.journal.add(prepared.scan, result, pages=prepared.pages, sha256=sha256)
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
