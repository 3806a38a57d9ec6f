"""The end of a run whose journal is in a store: the tables, or the record of a shard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchocr.batch.summary import Clock, Counts, Summary, account, counted
from batchocr.decoding.marking import Marking
from batchocr.distributed.plan_database import PlanDatabase
from batchocr.distributed.results import results_in_order
from batchocr.distributed.shards import ShardRecord, write_record
from batchocr.output.results import write_results
from batchocr.output.staging import Staging
from batchocr.settings import Settings
from batchocr.stores import Store


@dataclass(frozen=True)
class Finished:
    """A run that has all its pages in the journal."""

    settings: Settings
    clock: Clock
    plan: PlanDatabase
    store: Store
    """The journal."""
    folder: str
    """Folder of the parts."""
    marking: Marking
    models: Mapping[str, Any]
    """What `RunModels.account` returned."""
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


def write_tables(run: Finished, staging: Staging) -> Summary:
    """Write the results.

    Raises:
        OutputError: They cannot be written, or a part is missing.
        Stopped: `should_stop` returned True.
    """
    counts = Counts()
    if staging.outputs.is_database or staging.outputs.delta:
        staging.fetch()
    write_results(
        staging.outputs,
        counted(results_in_order(run.plan, run.store, run.folder), run.marking, counts, run.should_stop),
        lambda: account(
            run.settings,
            run.models,
            run.marking.min_confidence,
            run.clock,
            out=staging.outputs.out.name,
            batch_size=run.settings.batch_size,
            device=run.device,
            inputs=run.inputs,
            passed_over=run.passed_over_names,
            counts={
                "scans": run.scans,
                "passed_over": run.passed_over,
                **counts.figures(),
                "kept": run.kept,
                "left": 0,
            },
            stages=run.stages,
        ),
    )
    staging.publish()
    return _summary(run, counts, staging.out, tuple(staging.names))


def end_shard(run: Finished, shard: tuple[int, int]) -> Summary:
    """Write the record of a shard, and count what it has read.

    Raises:
        OutputError: It cannot be written, or a part is missing.
        Stopped: `should_stop` returned True.
    """
    counts = Counts()
    for _ in counted(results_in_order(run.plan, run.store, run.folder), run.marking, counts, run.should_stop):
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
        **counts.figures(),
        kept=run.kept,
        left=0,
        failed_pages=tuple(counts.failed_pages),
        seconds=run.clock.passed,
        device=run.device,
        out=out,
        files=files,
    )
