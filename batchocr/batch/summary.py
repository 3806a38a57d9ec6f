"""What a run reports: at its start, at its end, and in `results.run.json`."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchocr.batch.journal import Failure
from batchocr.decoding.marking import Marking, mark_rows
from batchocr.errors import ExitCode, Stopped
from batchocr.executors.local import default_jobs
from batchocr.forms.form_status import STATUSES
from batchocr.records import PageResult
from batchocr.settings import Settings
from batchocr.sources import written_name
from batchocr.stores import shown_place
from batchocr.version import __version__

STOPPED = "stopped; the pages read so far are kept, and the same command resumes with the rest"
MAX_NAMES = 1000
"""Files passed over that `results.run.json` names at most; it counts all."""
MAX_FAILED = 3
"""Failed pages that the summary names at most; `results.pages.csv` has all."""


@dataclass(frozen=True)
class Start:
    """What a run knows before it reads its first page."""

    kept: int
    """Pages in the journal that are not read again."""
    kept_failed: int
    """Of these, pages that failed."""
    to_read: int
    """Pages that are to be read; a scan that was never opened counts as one page."""
    is_exact: bool
    """Whether the number of pages of all scans is known."""
    failures: frozenset[Failure]
    """All pages that failed in earlier runs, kept or not."""


@dataclass(frozen=True)
class Summary:
    """The counts of a run. They are about all pages in the results, unless a field says otherwise."""

    scans: int
    passed_over: int
    """Files in the folders that are not images or PDFs."""
    pages: int
    """Rows of `results.pages.csv`; a scan that cannot be opened counts as one page."""
    kept: int
    """Of these, pages that an earlier run had read."""
    left: int
    """Pages that have no rows because of `Settings.limit`; a scan that was never opened counts as one page."""
    failed: int
    numbers: int
    digits: int
    review: int
    """Digits that are marked for review."""
    review_numbers: int
    """Numbers that are marked for review, by their digits' marks or their own."""
    marked: int
    """Pages that are marked as a whole."""
    forms: dict[str, int]
    """Pages of each form, by its name; empty without forms."""
    fields: dict[str, int]
    """Fields with each status; empty without forms."""
    failed_pages: tuple[str, ...]
    """The first pages that failed, by file and page; at most MAX_FAILED."""
    seconds: float
    device: str
    out: str | Path
    """The file of the digits; if a symbolic link was given, its target. A URL is without credentials."""
    files: tuple[str, ...]
    """The paths and URLs of all files that were written, that of the digits first."""
    certificate: str = ""
    """What became of the certificate, in a sentence; empty without one."""

    @property
    def exit_code(self) -> ExitCode:
        """SOME_FAILED if a page failed, else OK."""
        return ExitCode.SOME_FAILED if self.failed else ExitCode.OK


@dataclass
class Clock:
    """When a run started."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = field(default_factory=time.perf_counter)
    """Of `time.perf_counter`."""

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.seconds


@dataclass
class Counts:
    """Counts of all pages in the results, see `Summary`."""

    pages: int = 0
    failed: int = 0
    numbers: int = 0
    digits: int = 0
    review: int = 0
    review_numbers: int = 0
    marked: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    failed_pages: list[str] = field(default_factory=list)

    @classmethod
    def of_forms(cls, names: Sequence[str]) -> Counts:
        """Return the counts of a run with these forms, before its first page: each form and each status has 0."""
        return cls(forms=Counter(dict.fromkeys(names, 0)), fields=Counter(dict.fromkeys(STATUSES if names else (), 0)))

    def add(self, other: Counts) -> None:
        """Add the counts of further pages."""
        for name, value in other.totals().items():
            setattr(self, name, getattr(self, name) + value)
        self.forms.update(other.forms)
        self.fields.update(other.fields)
        self.failed_pages = (self.failed_pages + other.failed_pages)[:MAX_FAILED]

    def totals(self) -> dict[str, int]:
        """Return the counts by name, without those of forms."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}

    def figures(self) -> dict[str, Any]:
        """Return all counts by name as `results.run.json` has them: those of forms only if there are forms."""
        of_forms = {"forms": dict(self.forms), "fields": dict(self.fields)} if self.forms else {}
        return {**self.totals(), **of_forms}


def counted(
    results: Iterable[PageResult], marking: Marking, counts: Counts, should_stop: Callable[[], bool]
) -> Iterator[PageResult]:
    """Yield all results, marked, and count them.

    Raises:
        Stopped: `should_stop` returned True.
    """
    for read in results:
        if should_stop():
            raise Stopped(STOPPED)
        result = mark_rows(read, marking)
        counts.pages += 1
        counts.failed += result.page.status == "failed"
        counts.numbers += result.page.numbers
        counts.digits += result.page.digits
        counts.review += result.page.review
        counts.review_numbers += sum(bool(number.review) for number in result.numbers)
        counts.marked += bool(result.page.marks)
        if result.form and result.form.form:
            counts.forms[result.form.form] += 1
        counts.fields.update(row.status for row in result.fields)
        if result.page.status == "failed" and len(counts.failed_pages) < MAX_FAILED:
            page = result.page
            counts.failed_pages.append(f"{page.file}, page {page.page}" if page.page else page.file)
        yield result


def account(
    settings: Settings,
    models: Mapping[str, Any],
    threshold: float,
    clock: Clock,
    *,
    out: str,
    batch_size: int | None,
    device: str | None,
    inputs: Sequence[str],
    passed_over: Sequence[str],
    counts: Mapping[str, Any],
    stages: Mapping[str, float],
) -> dict[str, Any]:
    """Return what `results.run.json` says.

    Args:
        settings: The settings of the run.
        models: What `RunModels.account` returned.
        threshold: Digits with a lower confidence are marked.
        clock: When it started.
        out: Name of the file of the digits.
        batch_size: Crops that were classified at once.
        device: The device of the networks.
        inputs: The arguments for the scans, as results may write them.
        passed_over: The first files that are not scans.
        counts: All counts.
        stages: Seconds of each stage.
    """
    hidden = ("model", "detector", "pdf_password")
    return {
        "run": str(uuid.uuid4()),
        "out": written_name(out),
        "version": __version__,
        "started": clock.started.isoformat(timespec="seconds"),
        **models,
        "settings": {
            **{name: value for name, value in asdict(settings).items() if name not in hidden},
            "batch_size": batch_size,
            "jobs": settings.jobs or default_jobs(),
            "min_confidence": threshold,
            "certificate": settings.certificate and _written(settings.certificate),
            "blank": [_written(path) for path in settings.blank],
            "form": [_written(path) for path in settings.form],
            "numbers_out": settings.numbers_out and _written(settings.numbers_out),
            "report": settings.report and _written(settings.report),
            "state": settings.state and _written(settings.state),
        },
        "device": device,
        "inputs": list(inputs),
        "passed_over": list(passed_over),
        "counts": dict(counts),
        "seconds": {**{name: round(value, 3) for name, value in stages.items()}, "all": round(clock.passed, 3)},
    }


def _written(place: str | Path) -> str:
    return written_name(shown_place(place))
