"""A run whose journal is in a store: on a cluster, for an output in an object store, or one shard of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from pathlib import Path
from typing import Any

from batchocr.batch import journal as journals
from batchocr.batch.exchange import check_no_corrections, journal_to_parts, parts_folder, remove_parts
from batchocr.batch.job import staging_of
from batchocr.batch.open_journal import journal_place, rows_depend_on
from batchocr.batch.parts import LOOSE, PARTS
from batchocr.batch.run_models import run_models
from batchocr.batch.summary import MAX_NAMES, Clock, Start, Summary
from batchocr.decoding.marking import Marking
from batchocr.distributed.engines import Engine, Job
from batchocr.distributed.engines.local import LocalEngine
from batchocr.distributed.finish import Finished, end_shard, write_tables
from batchocr.distributed.holder import held, one_shard
from batchocr.distributed.plan_database import PlanDatabase
from batchocr.distributed.reading import StoreRun, read_missing
from batchocr.distributed.shards import remove_other_records, report_name
from batchocr.errors import NothingToRead, UsageError
from batchocr.output.staging import Staging
from batchocr.output.table_folder import TableFolder, is_folder
from batchocr.output.table_kinds import Kinds
from batchocr.records import PageResult
from batchocr.settings import Settings
from batchocr.sources import list_scans, nothing_to_read
from batchocr.stores import open_store, shown_place


def uses_store(out: str | Path, settings: Settings) -> bool:
    """Return whether the journal of a run is in a store, not in a database on the disk."""
    is_shared = settings.engine != "local" or settings.shard is not None
    return is_shared or is_folder(out) or isinstance(journal_place(out, settings), str)


def run_in_store(
    scans: Sequence[str | Path],
    out: str | Path,
    settings: Settings,
    *,
    listed: Sequence[str | Path],
    on_start: Callable[[Start], None],
    on_total: Callable[[int], None],
    on_page: Callable[[PageResult], None],
    should_stop: Callable[[], bool],
) -> Summary:
    """Read all scans and write the results. The arguments are those of `runs.run`."""
    clock = Clock()
    journal = checked_place(out, settings)
    with ExitStack() as opened:
        if settings.certificate:
            raise UsageError("--certificate: not for a run in a store or in shards; run it with the journal on a disk")
        models = run_models(settings)
        staging = opened.enter_context(destination(out, settings, models.tables))
        plan = opened.enter_context(PlanDatabase())
        listing = list_scans(scans, listed, recursive=settings.recursive)
        plan.add_listing(listing)
        plan.make_items(settings.pages, settings.shard)
        passed_over, others = plan.passed_over(MAX_NAMES)
        is_empty = plan.is_empty()
        if is_empty and (settings.shard is not None or not staging.has_results()):
            raise NothingToRead(f"{nothing_to_read(listing.roots, passed_over)}; give a folder that has some")
        depend_on = rows_depend_on(settings, models)
        if settings.shard is None:
            staging.make_ready()
        shown = shown_place(out)
        holder = opened.enter_context(held(journal, shown, report_name(settings.shard)))
        run = StoreRun(
            settings,
            models,
            clock,
            journal,
            open_store(journal),
            parts_folder(depend_on, settings.batch_size),
            plan,
            on_total,
            on_page,
            should_stop,
            Marking(models.threshold, settings.printed),
        )
        if not is_empty:  # else the journal stays as it is
            _take_over(run, depend_on, out)
        engine = opened.enter_context(closing(_engine(run)))
        kept = read_missing(run, engine, holder, staging, on_start)
        holder.confirm()
        scan_count, _ = plan.counts()
        finished = Finished(
            settings,
            clock,
            plan,
            journal,
            run.store,
            run.folder,
            run.marking,
            models.account(),
            models.field_names,
            scan_count,
            passed_over,
            tuple(others),
            listing.roots,
            kept,
            engine.device,
            engine.stages,
            should_stop,
        )
        if settings.shard is not None:
            return end_shard(finished, settings.shard)
        summary = write_tables(finished, staging, engine.write_tables)
        if is_empty:
            what = nothing_to_read(listing.roots, passed_over)
            raise NothingToRead(f"{what}, so the results ({staging.names[0]}) are now empty")
        _remove_old_parts(run)
        return summary


def destination(out: str | Path, settings: Settings, tables: Kinds) -> AbstractContextManager[Staging | TableFolder]:
    """Return where the results go.

    Args:
        out: As for `runs.run`.
        settings: The settings of the run.
        tables: The tables that it writes.

    Raises:
        UsageError: A name or a combination of options is wrong.
    """
    if not is_folder(out):
        return staging_of(out, settings, tables)
    for option, is_given in (
        ("--numbers-out", settings.numbers_out),
        ("--csv-dialect", settings.csv_dialect != "plain"),
        ("--delta", settings.delta),
    ):
        if is_given:
            raise UsageError(f"{option}: not for a folder of Parquet files ({shown_place(out)}): give --out a file")
    return nullcontext(TableFolder(str(out), tables))


def checked_place(out: str | Path, settings: Settings) -> str | Path:
    """Return the place of the journal. Raises UsageError if options contradict each other."""
    where = "a folder of results" if is_folder(out) else "results in an object store"
    why = "--engine ray" if settings.engine == "ray" else "--shard" if settings.shard else where
    for name, value in (("--limit", settings.limit), ("--max-failures", settings.max_failures)):
        if value is not None:
            raise UsageError(f"{name}: cannot be used with {why}: leave it out, or stop the run, which can be resumed")
    if settings.report is not None:
        what = "give results and --state on a disk of this machine, or read the counts with `batchocr status`"
        raise UsageError(f"--report: cannot be used with {why}: {what}")
    place = journal_place(out, settings)
    if place is None:
        raise UsageError(f"{why} needs a journal: give --out a file, or --state a folder")
    return place


def _engine(run: StoreRun) -> Engine:
    job = Job(
        run.settings,
        run.models,
        run.journal,
        run.marking,
        run.clock.seconds,
        run.should_stop,
    )
    if run.settings.engine == "ray":
        from batchocr.distributed.engines.ray_data import RayEngine

        return RayEngine(job)
    return LocalEngine(job)


def _take_over(run: StoreRun, depend_on: dict[str, Any], out: str | Path) -> None:
    """Take what earlier runs of other kinds have read, or forget it."""
    settings, journal, shard = run.settings, run.journal, run.settings.shard
    if shard is not None:
        remove_other_records(run.store, shard[1])
    elif settings.fresh:
        remove_parts(run.store, PARTS)
    if isinstance(journal, Path):
        with one_shard(journal, out) if shard is not None else nullcontext():
            if settings.fresh:
                check_no_corrections(journal)
                journals.remove(journal)
            journal_to_parts(journal, run.store, run.folder, depend_on, settings.batch_size)


def _remove_old_parts(run: StoreRun) -> None:
    """Remove parts that no later run needs: those of other settings, replaced ones, and loose ones."""
    remove_parts(run.store, PARTS, but=run.folder)
    paths = (*run.plan.other_parts(run.folder), *run.plan.replaced_parts(run.folder))
    run.store.remove(paths)
    remove_parts(run.store, f"{run.folder}/{LOOSE}")
