"""Run over scans, or find out what a run would do: on this machine, or with the journal in a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from batchocr.batch.dry_run import dry_run_on_disk
from batchocr.batch.dry_run_report import DryRun
from batchocr.batch.job import run_on_disk
from batchocr.batch.summary import Start, Summary
from batchocr.distributed.dry_run import dry_run_in_store
from batchocr.distributed.job import run_in_store, uses_store
from batchocr.records import PageResult
from batchocr.settings import Settings


def run(
    scans: str | Path | Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    listed: Sequence[str | Path] = (),
    on_start: Callable[[Start], None] = lambda start: None,
    on_total: Callable[[int], None] = lambda pages: None,
    on_page: Callable[[PageResult], None] = lambda result: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Summary:
    """Read all scans and write the results.

    Pages that an earlier run with the same settings wrote into the same output are not read again. A page that cannot
    be read gets a `failed` row; `Summary.failed` counts these.

    Args:
        scans: Folders, files and globs.
        out: The file of the digits; the other results are written beside it. Or a workbook or a database with all
            tables, or `-` for standard output. Missing folders are created. If it is a symbolic link, its target is
            replaced, and the other results are beside the target.
        settings: All that can be chosen.
        listed: More folders and files. A name that does not exist becomes a page that failed.
        on_start: Called once, before the first page is read.
        on_total: Called with the number of pages that the results will have, each time that it is known better. A
            scan counts as one page until it is opened.
        on_page: Called with each page that this run reads.
        should_stop: Called often. When it returns True, the run finishes the pages in progress and ends.

    Raises:
        BatchocrError: Nothing can be read or written at all; its `exit_code` says why.
        NothingToRead: There are no scans. Results of an earlier run are emptied first, but their pages stay in the
            journal.
        Stopped: `should_stop` returned True.
    """
    settings = settings or Settings()
    work = run_in_store if uses_store(out, settings) else run_on_disk
    return work(
        _several(scans),
        out,
        settings,
        listed=listed,
        on_start=on_start,
        on_total=on_total,
        on_page=on_page,
        should_stop=should_stop,
    )


def dry_run(
    scans: str | Path | Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    listed: Sequence[str | Path] = (),
) -> DryRun:
    """Find out what `run` would do with the same arguments.

    The journal is read without a lock. A run that is under way changes the answer.

    Args:
        scans: Folders, files and globs.
        out: As for `run`.
        settings: All that can be chosen.
        listed: More folders and files.

    Raises:
        BatchocrError: As `run` does before it reads a page. NothingToRead: there are no scans.
    """
    settings = settings or Settings()
    work = dry_run_in_store if uses_store(out, settings) else dry_run_on_disk
    return work(_several(scans), out, settings, listed)


def _several(scans: str | Path | Sequence[str | Path]) -> Sequence[str | Path]:
    return [scans] if isinstance(scans, (str, Path)) else scans
