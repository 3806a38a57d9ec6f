"""Measure what the driver of a large run holds and how long it plans, on made-up scans and parts.

`python benchmarks/speed/plan.py` plans ten million scans, which are more than a million work items: from nothing, and
when half of the work items are done. It reads and writes no scan, so that the time is that of the driver alone: the
listing of a store comes on top (1,000 keys in one request).
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import psutil
import typer

from batchocr.batch.parts import PartName, parse_name
from batchocr.distributed.plan_database import PlanDatabase
from batchocr.records import Scan
from batchocr.sources import Listed

FOLDER = "parts/0123456789abcdef"
PER_FOLDER = 1000


def scans(count: int) -> Iterator[Listed]:
    """Yield the scans of an archive in an object store, as a listing does."""
    for number in range(count):
        name = f"{1900 + number // PER_FOLDER % 100}/box-{number // PER_FOLDER:05}/page-{number % PER_FOLDER:04}.jpg"
        tag = f"{number * 2654435761 % 2**64:032x}-{number % 7_000_000}"
        url = f"s3://an-archive/registers/{name}"
        yield Listed(Scan(Path(name.rpartition("/")[2]), name, size=2_500_000, url=url, tag=tag), is_scan=True)


def names(items: list[tuple[bytes, bytes]]) -> Iterator[str]:
    """Yield the paths of the parts of work items, as a listing does."""
    for key, state in items:
        yield PartName(key, state, 8, 0, 0).path(FOLDER)


def resident_mb() -> float:
    """Return the memory of this process in MB."""
    return psutil.Process(os.getpid()).memory_info().rss / 1e6


def main(count: Annotated[int, typer.Option("--scans", help="Number of scans.")] = 10_000_000) -> None:
    """Print seconds and memory of each step."""
    before = resident_mb()
    half: list[tuple[bytes, bytes]] = []
    for is_resumed in (False, True):
        typer.echo("half of the work items done" if is_resumed else "nothing done")
        with PlanDatabase() as plan:
            clock = time.perf_counter()
            plan.add_listing(scans(count))
            clock = _step("take the listing", clock, before)
            plan.make_items()
            clock = _step("sort, make work items", clock, before)
            plan.add_parts(name for path in names(half) if (name := parse_name(path)) is not None)
            clock = _step(f"take the names of {len(half):,} parts", clock, before)
            kept = plan.kept(retry_failed=False)
            total, items = plan.counts()
            clock = _step("count what is kept", clock, before)
            todo = sum(len(each.item.scans) for each in plan.todo(retry_failed=False, folder=FOLDER))
            _step("hand out what is to be read", clock, before)
            typer.echo(f"  {total:,} scans, {items:,} work items; kept {kept[0]:,} scans, to read {todo:,} scans")
            if not is_resumed:
                half = [(key, state) for number, key, state in plan.own_items() if number % 2]
        gc.collect()
    parts_mb = sum(len(key) + len(state) + 160 for key, state in half) / 1e6
    typer.echo(f"(this program itself holds the made-up names of the parts, about {parts_mb:.0f} MB)")


def _step(what: str, clock: float, before: float) -> float:
    now = time.perf_counter()
    typer.echo(f"  {what:32} {now - clock:7.1f} s, {resident_mb() - before:7.0f} MB more than at the start")
    return time.perf_counter()


if __name__ == "__main__":
    typer.run(main)
