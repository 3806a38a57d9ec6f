"""What the journal lacks is read and put into it: scans → vision → recognition → journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from batchocr.engines.local import LocalEngine
from batchocr.engines.look import failed
from batchocr.errors import ScanError, Stopped
from batchocr.output.journal import Journal
from batchocr.output.table import remove_results
from batchocr.plan import gaps, hash_of
from batchocr.records import PageResult, Part, SeenPage
from batchocr.settings import Settings

PASSING = frozenset("not-found no-permission not-a-file unreadable changed no-memory empty-file not-read".split())
"""Faults that may be gone the next time: such pages are always read again. Others with --retry-failed."""
_NOBODY_TELLS = frozenset(("crashed", "timeout"))
"""Faults with which the worker's knowledge of what it read went too."""
STOPPED = "stopped; what was read is kept, and the same command goes on with the rest"


@dataclass
class MissingPages:
    """Reads what is missing, into the journal."""

    journal: Journal
    settings: Settings
    model: Path
    least: float
    batch_size: int | None
    on_total: Callable[[int], None]
    on_page: Callable[[PageResult], None]
    should_stop: Callable[[], bool]

    def __post_init__(self) -> None:
        self.stages = {"start": 0.0, "vision": 0.0, "recognition": 0.0}
        """Seconds."""
        self._failures = 0

    def read(self, parts: Sequence[Part], out: Path, clock: float) -> None:
        """Raises Stopped where the run is to stop before all is read."""
        if self.should_stop():  # before seconds are spent on Keras
            raise Stopped(STOPPED)
        settings = self.settings
        total = sum(part.last - part.first + 1 if part.last else 1 for part in parts)
        unknown = {part.scan.path for part in parts if part.last is None}
        self.on_total(total)
        with LocalEngine(
            parts,
            jobs=settings.jobs,
            max_megapixels=settings.max_megapixels,
            page_timeout=settings.page_timeout,
            should_stop=self.should_stop,
        ) as engine:
            # imported here, so that the workers decode while Keras starts
            from batchocr.recognition.batches import classified
            from batchocr.recognition.devices import Devices
            from batchocr.recognition.reading import page_result

            with closing(Devices(self.model, device=settings.device, batch_size=self.batch_size)) as classifier:
                self.journal.note(batch_size=classifier.batch_size, device=classifier.device)
                remove_results(out)
                self.stages["start"] = time.perf_counter() - clock
                for seen, probabilities in classified(engine.pages(), classifier):
                    if seen.scan and seen.scan.path in unknown:
                        unknown.remove(seen.scan.path)
                        total += seen.pages - 1
                        self.on_total(total)
                    self._keep(seen, page_result(seen, probabilities, self.least, settings.printed))
                    if self._failures == settings.max_failures:
                        break
                self.stages["recognition"] = classifier.seconds
                if classifier.batch_size != self.journal.account("batch_size"):
                    self.journal.note(batch_size=classifier.batch_size)
        if self._failures == settings.max_failures:
            self._give_up(parts)
        elif self.should_stop():
            raise Stopped(STOPPED)

    def _keep(self, seen: SeenPage, result: PageResult) -> None:
        if seen.scan is None:
            raise ValueError("a page of no scan")
        page = result.page
        if page.status == "failed":
            self._failures += 1
            if not page.sha256 and page.error in _NOBODY_TELLS:
                page = replace(page, sha256=hash_of(seen.scan))
                result = replace(result, page=page)
        sha256 = "" if page.error in PASSING else page.sha256
        self.journal.add(seen.scan, result, pages=seen.pages, sha256=sha256)
        self.stages["vision"] += page.seconds
        self.on_page(result)

    def _give_up(self, parts: Sequence[Part]) -> None:
        """What was not read is a row too."""
        entries = self.journal.entries()
        why = f"not read, for {self._failures} pages failed before (--max-failures): mend these and run again"
        with self.journal.at_once():
            for scan in {part.scan.path: part.scan for part in parts}.values():
                if self.should_stop():
                    raise Stopped(STOPPED)
                for part in gaps(scan, entries.get(scan.path, [])):
                    for number in range(part.first, part.last + 1) if part.last else [None]:
                        seen = failed(scan, number, ScanError("not-read", f"{scan.name}: {why}"))
                        self.journal.add(scan, PageResult(seen.row), pages=part.pages or 1, sha256="")
