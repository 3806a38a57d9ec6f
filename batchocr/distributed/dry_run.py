"""What a run whose journal is in a store would do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batchocr.batch.dry_run_report import DryRun, Step, why_passed_over
from batchocr.batch.exchange import parts_folder
from batchocr.batch.open_journal import rows_depend_on
from batchocr.batch.parts import parse_name
from batchocr.batch.run_models import run_models
from batchocr.distributed.job import checked_place
from batchocr.distributed.plan_database import PlanDatabase
from batchocr.errors import NothingToRead
from batchocr.settings import Settings
from batchocr.sources import list_scans, nothing_to_read
from batchocr.stores import open_store

MAX_PASSED_OVER = 1_000_000
"""Files passed over that are named at most."""


def dry_run_in_store(
    scans: Sequence[str | Path], out: str | Path, settings: Settings, listed: Sequence[str | Path]
) -> DryRun:
    """Find out what a run would do. Scans with other tags than in the parts count as changed; none is hashed.

    The arguments are those of `runs.dry_run`.
    """
    journal, models = checked_place(out, settings), run_models(settings)
    listing = list_scans(scans, listed, recursive=settings.recursive)
    with PlanDatabase() as plan:
        plan.add_listing(listing)
        plan.make_items(settings.pages, settings.shard)
        passed_over, others = plan.passed_over(MAX_PASSED_OVER)
        if plan.is_empty():
            raise NothingToRead(nothing_to_read(listing.roots, passed_over))
        folder, store = parts_folder(rows_depend_on(settings, models), settings.batch_size), open_store(journal)
        if not settings.fresh:
            plan.add_parts(name for path in store.names(folder) if (name := parse_name(path)) is not None)
        steps: list[Step] = []
        todo = set()
        for planned in plan.todo(retry_failed=settings.retry_failed, folder=folder):
            todo.add(planned.item.key)
            steps += [
                Step("read", scan.name, None, "new or changed, or in a work item with such a scan")
                for scan in planned.item.scans
            ]
        kept_scans, kept, _ = plan.kept(retry_failed=settings.retry_failed)
        for item in plan.items():
            if item.key not in todo:
                steps += [Step("keep", scan.name, None, "unchanged") for scan in item.scans]
        steps += [Step("pass over", name, None, why_passed_over(name)) for name in others]
        total, _ = plan.counts()
        return DryRun(tuple(steps), total, total - kept_scans, kept, 0, passed_over, is_exact=total == kept_scans)
