"""The run: scans → pages → networks → decoding → journal → output. Everything that `batchocr run` does."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchocr.batch import journal as journals
from batchocr.batch.journal import Journal
from batchocr.batch.lock import locked
from batchocr.batch.process_pages import STOPPED, MissingPages
from batchocr.batch.resume_plan import plan
from batchocr.decoding.marking import Marking, marked
from batchocr.errors import ExitCode, NothingToRead, Stopped, UsageError
from batchocr.executors.local import default_jobs
from batchocr.output.outputs import STDOUT, Outputs, as_path, check_writable, output_paths
from batchocr.output.results import write_results
from batchocr.reading_file import Reading, find_reading
from batchocr.recognition.model_file import (
    DetectorSidecar,
    Sidecar,
    read_detector,
    read_sidecar,
    shipped_detector,
    shipped_model,
)
from batchocr.recognition.networks import Models
from batchocr.records import PageResult
from batchocr.settings import Settings
from batchocr.sources import Found, find_scans, written_name
from batchocr.version import __version__, code_sha256

MOST_NAMES = 1000
"""Of files passed over that the account names; it counts all."""
MOST_FAILED = 3
"""Of failed pages that the summary names; `results.pages.csv` has all."""


@dataclass(frozen=True)
class Summary:
    """What came of a run."""

    scans: int
    passed_over: int
    """Files in the folders that are no pictures."""
    pages: int
    kept: int
    """Of these, pages that an earlier run had read."""
    failed: int
    numbers: int
    digits: int
    review: int
    """Digits that a person should look at."""
    review_numbers: int
    """Numbers likewise, by their digits' marks and their own."""
    marked: int
    """Pages that a person should look at as a whole."""
    failed_pages: tuple[str, ...]
    """The first MOST_FAILED of those that failed, by file and page."""
    seconds: float
    device: str
    out: Path

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.SOME_FAILED if self.failed else ExitCode.OK


def run(
    scans: str | Path | Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    listed: Sequence[str | Path] = (),
    on_total: Callable[[int], None] = lambda pages: None,
    on_page: Callable[[PageResult], None] = lambda result: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Summary:
    """Read all `scans` (folders, files, globs) and write the results to `out` and beside it.

    What an earlier run into `out` has read of the same scans with the same settings is not read again: see
    `output.journal`. Of the names in `listed`, one that is not there is a page that failed.

    `on_total` is told the number of pages to be read: first one a scan, then more as scans turn out to have more.
    `on_page` is told each page as it is done. `should_stop` is asked often: once it says True, the run ends with
    Stopped after the pages in hand.
    Pages that cannot be read are rows that say so; `Summary.failed` counts them.
    Raises BatchocrError, whose `exit_code` tells its kind, where nothing can be read or written at all.
    """
    settings, out = settings or Settings(), as_path(out)
    started, clock = datetime.now(UTC), time.perf_counter()
    outputs = outputs_of(out, settings)
    check_writable(outputs)
    models = Models(settings.detector or shipped_detector(), settings.model or shipped_model())
    sidecar, (detector, _) = read_sidecar(models.classifier), read_detector(models.detector)
    reading = find_reading(models, detector, sidecar)
    least = reading.threshold(settings.min_confidence, settings.max_error)  # before anything is waited for
    found = _found([scans] if isinstance(scans, (str, Path)) else scans, listed, settings)
    with ExitStack() as opened:
        journal = opened.enter_context(_journal(out, settings, opened))
        batch_size = _take_up(journal, settings, sidecar, detector, reading)
        jobs = settings.jobs or default_jobs()
        todo = plan(
            found.scans,
            journal,
            retry_failed=settings.retry_failed,
            jobs=jobs,
            should_stop=should_stop,
            pages=settings.pages,
        )
        marking = Marking(least, settings.printed)
        missing = MissingPages(journal, settings, models, reading, marking, batch_size, on_total, on_page, should_stop)
        if todo.parts:
            missing.read(todo.parts, outputs, clock)
        counts, failed_pages = _Counts(), list[str]()
        stages = missing.stages

        def account() -> dict[str, Any]:
            return {
                "run": str(uuid.uuid4()),
                "version": __version__,
                "started": started.isoformat(timespec="seconds"),
                "model": {
                    "name": sidecar.name,
                    "file": written_name(models.classifier.name),
                    "sha256": sidecar.sha256,
                },
                "detector": {
                    "name": detector.name,
                    "file": written_name(models.detector.name),
                    "sha256": detector.sha256,
                },
                "reading": {
                    "file": written_name(reading.path.name),
                    "sha256": reading.sha256,
                    "data": reading.record.data,
                    "fitted": reading.fitted,
                },
                "settings": {
                    **{k: v for k, v in asdict(settings).items() if k not in ("model", "detector", "pdf_password")},
                    "batch_size": journal.account("batch_size"),
                    "jobs": jobs,
                    "min_confidence": least,
                    "blank": [written_name(str(path)) for path in settings.blank],
                    "numbers_out": settings.numbers_out and written_name(str(settings.numbers_out)),
                    "state": settings.state and written_name(str(settings.state)),
                },
                "device": journal.account("device"),
                "inputs": list(found.roots),
                "passed_over": list(found.passed_over[:MOST_NAMES]),
                "counts": {
                    "scans": len(found.scans),
                    "passed_over": len(found.passed_over),
                    **asdict(counts),
                    "kept": todo.kept,
                },
                "seconds": {
                    **{k: round(v, 3) for k, v in stages.items()},
                    "all": round(time.perf_counter() - clock, 3),
                },
            }

        write_results(outputs, _counted(journal, marking, counts, failed_pages, should_stop), account)
        return Summary(
            scans=len(found.scans),
            passed_over=len(found.passed_over),
            **asdict(counts),
            kept=todo.kept,
            failed_pages=tuple(failed_pages),
            seconds=time.perf_counter() - clock,
            device=journal.account("device") or "",
            out=out,
        )


@dataclass
class _Counts:
    """Of all pages in the results."""

    pages: int = 0
    failed: int = 0
    numbers: int = 0
    digits: int = 0
    review: int = 0
    review_numbers: int = 0
    marked: int = 0


def _counted(
    journal: Journal, marking: Marking, counts: _Counts, failed: list[str], should_stop: Callable[[], bool]
) -> Iterator[PageResult]:
    for read in journal.results():
        if should_stop():
            raise Stopped(STOPPED)
        result = marked(read, marking)
        counts.pages += 1
        counts.failed += result.page.status == "failed"
        counts.numbers += result.page.numbers
        counts.digits += result.page.digits
        counts.review += result.page.review
        counts.review_numbers += sum(bool(number.review) for number in result.numbers)
        counts.marked += bool(result.page.marks)
        if result.page.status == "failed" and len(failed) < MOST_FAILED:
            page = result.page
            failed.append(f"{page.file}, page {page.page}" if page.page else page.file)
        yield result


def _found(scans: Sequence[str | Path], listed: Sequence[str | Path], settings: Settings) -> Found:
    found = find_scans(scans, listed, recursive=settings.recursive)
    if not found.scans:
        raise NothingToRead(
            f"no pictures or PDFs in {', '.join(found.roots) or 'the list given'} "
            f"({len(found.passed_over)} other files passed over); give a folder that holds some"
        )
    return found


def _journal(out: Path, settings: Settings, opened: ExitStack) -> Journal:
    """The journal of this output, locked for as long as `opened` is."""
    beside = journal_folder(out)
    if out == STDOUT and settings.state is None:
        return Journal(None)
    folder = settings.state or beside
    folders = [folder] if out == STDOUT else [beside, folder]
    opened.enter_context(locked(out, list(dict.fromkeys(folders))))
    if settings.fresh:
        journals.remove(folder)
    return Journal(folder)


def _take_up(
    journal: Journal,
    settings: Settings,
    sidecar: Sidecar,
    detector: DetectorSidecar,
    reading: Reading,
) -> int | None:
    """Forgets what earlier runs read where anything that it depends on differs; else their batch size is used again.

    The threshold and what is wanted of printed digits do not matter: pages are marked when results are written.
    """
    rows_depend_on = {
        "version": __version__,
        "code": code_sha256(),
        "model": sidecar.sha256,
        "detector": detector.sha256,
        "temperature": sidecar.temperature,
        "reading": reading.sha256,
        "max_megapixels": settings.max_megapixels,
        "blank": [_sha256(path) for path in settings.blank],
    }
    recorded = journal.account("batch_size")
    other_batch = None not in (settings.batch_size, recorded) and settings.batch_size != recorded
    if journal.account("rows_depend_on") != rows_depend_on or other_batch:
        journal.clear()
        recorded = None
    journal.note(rows_depend_on=rows_depend_on, batch_size=recorded)
    return settings.batch_size or recorded


def _sha256(blank: Path) -> str:
    """Of a blank form. Raises UsageError where it cannot be read."""
    try:
        with blank.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        raise UsageError(
            f"--blank {blank}: cannot be read ({fault.strerror}); give a picture or PDF of a form"
        ) from fault


def journal_folder(out: Path) -> Path:
    """Where the journal of an output is, unless `Settings.state` says otherwise."""
    return out.with_name(f"{out.name}.journal")


def outputs_of(out: Path, settings: Settings) -> Outputs:
    """Return the files that a run writes. Raises UsageError if their names or the options are wrong."""
    return output_paths(out, numbers_out=settings.numbers_out, csv_dialect=settings.csv_dialect, delta=settings.delta)
