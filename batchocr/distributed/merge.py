"""Put the shards of a run together, or report what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from batchocr.batch.open_journal import journal_place
from batchocr.batch.parts import parse_name
from batchocr.batch.summary import Clock, Summary
from batchocr.decoding.marking import Marking
from batchocr.distributed.finish import Finished, write_tables
from batchocr.distributed.holder import held
from batchocr.distributed.job import destination
from batchocr.distributed.plan_database import PlanDatabase
from batchocr.distributed.shards import ShardRecord, read_items, read_records, report_name
from batchocr.distributed.table_job import write_here
from batchocr.errors import NothingToRead, OutputError, UsageError
from batchocr.output.table_kinds import table_kinds
from batchocr.records import Printed
from batchocr.settings import Settings
from batchocr.stores import open_store, shown_place

MAX_NAMED = 10
"""Shards that a message names at most."""


def merge(
    out: str | Path,
    settings: Settings | None = None,
    *,
    printed: Printed | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Summary:
    """Write the results of all shards. No page is read.

    Args:
        out: As for the shards.
        settings: `state` as for the shards; `min_confidence`, `csv_dialect`, `numbers_out` and `delta` of the results.
            None for `min_confidence` is that of the shards.
        printed: Which digits have rows; None is as for the shards.
        should_stop: Called often. When it returns True, the merge ends without results.

    Raises:
        NothingToRead: No shard has finished.
        OutputError: A shard has not finished, or shards do not belong together; the message says which.
        Stopped: `should_stop` returned True.
    """
    settings, clock = settings or Settings(), Clock()
    journal = journal_place(out, settings)
    if journal is None:
        raise UsageError("shards have a journal: give the --out of the shards")
    store = open_store(journal)
    with ExitStack() as opened:
        records = _checked(read_records(store), str(store))
        staging = opened.enter_context(destination(out, settings, table_kinds(records[0].field_names)))
        staging.make_ready()
        opened.enter_context(held(journal, shown_place(out), report_name(None)))
        plan = opened.enter_context(PlanDatabase())
        first = records[0]
        for record in records:
            plan.add_items(read_items(store, record))
        if plan.digest() != first.plan:
            raise OutputError(f"{store}: the records of the shards are damaged: run all shards again")
        plan.add_parts(name for path in store.names(first.folder) if (name := parse_name(path)) is not None)
        if missing := plan.missing():
            raise OutputError(f"{store}: the parts of {missing} work items are gone: run all shards again")
        threshold = first.threshold if settings.min_confidence is None else settings.min_confidence
        run = Finished(
            replace(settings, min_confidence=threshold, printed=printed or first.printed),
            clock,
            plan,
            journal,
            store,
            first.folder,
            Marking(threshold, printed or first.printed),
            first.models,
            first.field_names,
            sum(record.scans for record in records),
            first.passed_over,
            first.passed_over_names,
            first.inputs,
            sum(record.kept for record in records),
            first.device,
            {name: sum(record.stages.get(name, 0.0) for record in records) for name in first.stages},
            should_stop,
        )
        staging.remove_results()
        return write_tables(run, staging, write_here)


def _checked(records: Sequence[ShardRecord], store: str) -> list[ShardRecord]:
    """Return the records of one set of shards, if it is complete."""
    if not records:
        raise NothingToRead(f"{store}: no shard has finished: run them with --shard 1/N to N/N and the same --out")
    counts = sorted({record.shards for record in records})
    if len(counts) > 1:
        named = ", ".join(f"N/{count}" for count in counts)
        raise OutputError(f"{store}: shards of several runs have finished ({named}): run all shards of one run again")
    numbers = sorted(set(range(1, counts[0] + 1)) - {record.shard for record in records})
    if numbers:
        count = counts[0]
        named = ", ".join(f"{number}/{count}" for number in numbers[:MAX_NAMED])
        more = f" and {len(numbers) - MAX_NAMED} more" if len(numbers) > MAX_NAMED else ""
        raise OutputError(f"{store}: these shards have not finished: {named}{more}: run them, then merge again")
    for what, values in (
        ("models, settings or versions", [record.folder for record in records]),
        ("scans", [record.plan for record in records]),
        ("orders of forms", [str(record.field_names) for record in records]),
        ("thresholds", [str(record.threshold) for record in records]),
    ):
        _check_same(records, what, values, store)
    return list(records)


def _check_same(records: Sequence[ShardRecord], what: str, values: Sequence[str], store: str) -> None:
    """Raise OutputError if shards differ, naming those that are not like the most."""
    usual, _ = Counter(values).most_common(1)[0]
    others = [f"{r.shard}/{r.shards}" for r, value in zip(records, values, strict=True) if value != usual]
    if others:
        named = ", ".join(others[:MAX_NAMED])
        raise OutputError(
            f"{store}: shards were run with different {what}; unlike the others: {named}: run these again"
        )
