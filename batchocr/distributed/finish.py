"""The end of a run whose journal is in a store: the tables, or the record of a shard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchocr.batch.summary import STOPPED, Clock, Counts, Summary, account, counted
from batchocr.decoding.marking import Marking
from batchocr.distributed.plan_database import PlanDatabase
from batchocr.distributed.results import results_of
from batchocr.distributed.shards import ShardRecord, write_record
from batchocr.distributed.table_job import TableJob, TableWriter, table_tasks
from batchocr.errors import Stopped
from batchocr.output.results import write_results
from batchocr.output.staging import Staging
from batchocr.output.table_folder import TableFolder
from batchocr.settings import Settings
from batchocr.stores import Store


@dataclass(frozen=True)
class Finished:
    """A run that has all its pages in the journal."""

    settings: Settings
    clock: Clock
    plan: PlanDatabase
    journal: str | Path
    """Path or URL."""
    store: Store
    """The journal."""
    folder: str
    """Folder of the parts."""
    marking: Marking
    models: Mapping[str, Any]
    """What `RunModels.account` returned."""
    field_names: tuple[str, ...] | None
    """The names of the fields of all forms. None if there are no forms."""
    scans: int
    passed_over: int
    """Files that are not scans."""
    passed_over_names: tuple[str, ...]
    inputs: tuple[str, ...]
    """The arguments for the scans, as results may write them."""
    kept: int
    """Pages that earlier runs had read."""
    device: str
    stages: Mapping[str, float]
    """Seconds of each stage."""
    should_stop: Callable[[], bool]

    def counts(self) -> Counts:
        """Return the counts before the first page."""
        return Counts.of_forms([form["name"] for form in self.models.get("forms", ())])


def write_tables(run: Finished, destination: Staging | TableFolder, write_in_parallel: TableWriter) -> Summary:
    """Write the results.

    Args:
        run: The run.
        destination: Where the results go.
        write_in_parallel: Writes the files of a folder.

    Raises:
        OutputError: They cannot be written, or a part is missing.
        Stopped: `should_stop` returned True.
    """
    counts = run.counts()
    if isinstance(destination, TableFolder):
        _write_folder(run, destination, counts, write_in_parallel)
    else:
        _write_files(run, destination, counts)
    return _summary(run, counts, destination.out, tuple(destination.names))


def _write_folder(run: Finished, folder: TableFolder, counts: Counts, write_in_parallel: TableWriter) -> None:
    folder.remove_results()  # there may be more files than this run writes
    tasks = table_tasks(run.plan.finished(run.folder))
    job = TableJob(run.journal, folder, run.marking)
    for found in write_in_parallel(job, tasks):
        if run.should_stop():
            raise Stopped(STOPPED)
        counts.add(found)
    folder.write_run(_account(run, counts, folder.out))


def _write_files(run: Finished, staging: Staging, counts: Counts) -> None:
    if staging.outputs.is_database or staging.outputs.delta:
        staging.fetch()
    write_results(
        staging.outputs,
        counted(results_of(run.plan.finished(run.folder), run.store), run.marking, counts, run.should_stop),
        lambda: _account(run, counts, staging.outputs.out.name),
    )
    staging.publish()


def _account(run: Finished, counts: Counts, out: str) -> dict[str, Any]:
    return account(
        run.settings,
        run.models,
        run.marking.min_confidence,
        run.clock,
        out=out,
        batch_size=run.settings.batch_size,
        device=run.device,
        inputs=run.inputs,
        passed_over=run.passed_over_names,
        counts={"scans": run.scans, "passed_over": run.passed_over, **counts.figures(), "kept": run.kept, "left": 0},
        stages=run.stages,
    )


def end_shard(run: Finished, shard: tuple[int, int]) -> Summary:
    """Write the record of a shard, and count what it has read.

    Raises:
        OutputError: It cannot be written, or a part is missing.
        Stopped: `should_stop` returned True.
    """
    counts = run.counts()
    for _ in counted(results_of(run.plan.finished(run.folder), run.store), run.marking, counts, run.should_stop):
        pass
    record = ShardRecord(
        *shard,
        folder=run.folder,
        plan=run.plan.digest(),
        scans=run.scans,
        passed_over=run.passed_over,
        passed_over_names=run.passed_over_names,
        inputs=run.inputs,
        kept=run.kept,
        field_names=run.field_names,
        threshold=run.marking.min_confidence,
        printed=run.marking.printed,
        models=dict(run.models),
        device=run.device,
        stages=dict(run.stages),
    )
    write_record(run.store, record, run.plan.own_items())
    name = f"{run.store}/{record.name}"
    return _summary(run, counts, name, (name,))


def _summary(run: Finished, counts: Counts, out: str | Path, files: tuple[str, ...]) -> Summary:
    return Summary(
        scans=run.scans,
        passed_over=run.passed_over,
        **counts.totals(),
        forms=dict(counts.forms),
        fields=dict(counts.fields),
        kept=run.kept,
        left=0,
        failed_pages=tuple(counts.failed_pages),
        seconds=run.clock.passed,
        device=run.device,
        out=out,
        files=files,
        certificate="",
    )
