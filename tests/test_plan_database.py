"""The plan of a run in a database: order, shards, and which work items are read."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from store_pages import FOLDER, scan_of

from batchocr.batch.parts import PartName
from batchocr.distributed.plan_database import PlanDatabase
from batchocr.distributed.work_items import work_item
from batchocr.records import Scan
from batchocr.sources import Listed
from batchocr.sources.natural_order import natural_key


def plan_of(
    scans: list[Scan],
    *,
    pages: tuple[int, ...] = (),
    shard: tuple[int, int] | None = None,
    parts: tuple[PartName, ...] = (),
) -> PlanDatabase:
    plan = PlanDatabase()
    plan.add_scans(scans)
    plan.make_items(pages, shard)
    plan.add_parts(parts)
    return plan


def scans_to_read(plan: PlanDatabase, *, retry_failed: bool = False) -> list[Scan]:
    return [scan for each in plan.todo(retry_failed=retry_failed, folder=FOLDER) for scan in each.item.scans]


def old_of(plan: PlanDatabase, *, retry_failed: bool = False) -> list[tuple[str, ...]]:
    return [each.old for each in plan.todo(retry_failed=retry_failed, folder=FOLDER)]


@pytest.fixture
def scan() -> Scan:
    return scan_of("a.pdf")


def part_of(scan: Scan, pages: int = 1, failed: int = 0, again: int = 0) -> PartName:
    item = work_item([scan])
    return PartName(item.key, item.state, pages, failed, again)


def test_work_items_are_in_the_natural_order_of_their_scans() -> None:
    names = [f"{folder}/{number}.png" for folder in ("b", "a10", "a9", "ä") for number in (1, 10, 9, "09", "x")]
    scans = [scan_of(name) for name in names]
    same_name = [Scan(Path(f"/{folder}/one.png"), "one.png", size=1, modified=1) for folder in "zya"]
    random.Random(1).shuffle(scans)
    plan = plan_of([*scans, *same_name])
    expected = sorted([*scans, *same_name], key=lambda scan: (natural_key(scan.name), scan.name, scan.place))
    assert scans_to_read(plan) == expected


def test_a_scan_that_is_added_twice_counts_once() -> None:
    scans = [scan_of(f"{number}.png") for number in range(100)]
    plan = plan_of([*scans, *scans[::3], *scans[::7]])
    assert scans_to_read(plan) == scans
    assert plan.counts()[0] == 100


def test_scans_come_back_with_all_that_identifies_them() -> None:
    scans = [
        Scan(Path("/scans/\udcff.png"), r"\xff.png", size=3, modified=1 << 60),
        Scan(Path("gone.png"), "gone.png"),
        Scan(Path("r.pdf"), "r.pdf", size=7, url="https://host/r.pdf?sig=secret", tag="etag 7"),
    ]
    assert sorted(scans_to_read(plan_of(scans)), key=lambda scan: scan.name) == sorted(scans, key=lambda s: s.name)


def test_a_work_item_without_a_part_is_read(scan: Scan) -> None:
    plan = plan_of([scan])
    assert scans_to_read(plan) == [scan]
    assert list(plan.finished(FOLDER)) == [None]
    assert plan.missing() == 1
    assert plan.kept(retry_failed=False) == (0, 0, 0)


def test_a_finished_work_item_is_kept(scan: Scan) -> None:
    part = part_of(scan, pages=5, failed=1)
    plan = plan_of([scan], parts=(part,))
    assert scans_to_read(plan) == []
    assert plan.kept(retry_failed=False) == (1, 5, 1)
    assert list(plan.finished(FOLDER)) == [part.path(FOLDER)]
    assert plan.missing() == 0


def test_failed_pages_are_read_again_if_asked(scan: Scan) -> None:
    part = part_of(scan, pages=5, failed=1)
    plan = plan_of([scan], parts=(part,))
    assert old_of(plan, retry_failed=True) == [(part.path(FOLDER),)]
    assert plan.kept(retry_failed=True) == (0, 0, 0)


def test_temporary_failures_are_always_read_again(scan: Scan) -> None:
    part = part_of(scan, pages=5, failed=1, again=1)
    plan = plan_of([scan], parts=(part,))
    assert old_of(plan) == [(part.path(FOLDER),)]
    assert plan.missing() == 0


def test_scans_without_a_tag_are_compared_by_every_run() -> None:
    scan = Scan(Path("a.png"), "a.png", url="https://host/a.png")
    plan = plan_of([scan], parts=(part_of(scan),))
    assert old_of(plan) == [(part_of(scan).path(FOLDER),)]


@pytest.mark.parametrize("retry_failed", [False, True])
def test_a_work_item_that_this_run_has_read_is_not_read_again(scan: Scan, retry_failed: bool) -> None:
    plan = plan_of([scan], parts=(part_of(scan, failed=1, again=1),))
    new = part_of(scan, pages=2, failed=2, again=2)
    plan.replace_parts([new])
    assert scans_to_read(plan, retry_failed=retry_failed) == []
    assert list(plan.finished(FOLDER)) == [new.path(FOLDER)]


def test_the_part_of_this_run_replaces_a_better_one(scan: Scan) -> None:
    """A scan of two pages, one of which failed; this run could not open it for the moment."""
    old, new = part_of(scan, pages=2, failed=1), part_of(scan, pages=1, failed=1, again=1)
    plan = plan_of([scan], parts=(old,))
    plan.replace_parts([new])
    assert list(plan.finished(FOLDER)) == [new.path(FOLDER)]


def test_of_two_parts_of_one_work_item_the_better_one_is_used(scan: Scan) -> None:
    parts = (part_of(scan, pages=1, failed=1, again=1), part_of(scan, pages=9, failed=2), part_of(scan, pages=9))
    for order in (parts, parts[::-1]):
        plan = plan_of([scan], parts=order)
        assert list(plan.finished(FOLDER)) == [parts[2].path(FOLDER)]
        assert sorted(plan.replaced_parts(FOLDER)) == sorted(part.path(FOLDER) for part in parts[:2])
        assert plan.kept(retry_failed=False) == (1, 9, 0)


def test_the_part_that_is_used_is_never_a_replaced_one(scan: Scan) -> None:
    plan = plan_of([scan], parts=(part_of(scan), part_of(scan)))
    assert list(plan.replaced_parts(FOLDER)) == []


def test_parts_of_changed_scans_are_other_parts(scan: Scan) -> None:
    changed, gone = replace(scan, modified=9), scan_of("gone.png")
    parts = (part_of(scan), part_of(gone))
    plan = plan_of([changed], parts=parts)
    assert sorted(plan.other_parts(FOLDER)) == sorted(part.path(FOLDER) for part in parts)
    assert scans_to_read(plan) == [changed]


def test_other_pages_make_another_work_item(scan: Scan) -> None:
    plan = plan_of([scan], pages=(1, 2), parts=(part_of(scan),))
    assert list(plan.other_parts(FOLDER)) == [part_of(scan).path(FOLDER)]
    assert scans_to_read(plan) == [scan]


def test_a_work_item_knows_the_parts_that_have_pages_of_its_scans(scan: Scan) -> None:
    bytes_place = Scan(Path("/scans/\udcff.png"), r"\xff.png", size=3, modified=4)
    plan = plan_of([scan, bytes_place], parts=(part_of(scan_of("gone.png")),))
    plan.add_old("parts/loose/one", [scan.place, "/scans/unknown.png", bytes_place.place])
    plan.add_old("parts/loose/two", ["/scans/unknown.png"])
    plan.add_old("parts/loose/three", [scan.place])
    found = {path for old in old_of(plan) for path in old}
    assert found == {"parts/loose/one", "parts/loose/three"}
    assert all(len(set(old)) == len(old) for old in old_of(plan))


def test_parts_may_be_added_while_the_plan_is_read() -> None:
    scans = [scan_of(f"{number}.png") for number in range(2000)]
    plan = plan_of(scans)
    yielded: list[Scan] = []
    for each in plan.todo(retry_failed=False, folder=FOLDER):
        yielded += each.item.scans
        plan.replace_parts([PartName(each.item.key, each.item.state, len(each.item.scans), 0, 0)])
    assert yielded == scans
    assert scans_to_read(plan) == []
    assert None not in list(plan.finished(FOLDER))


@pytest.fixture
def shards() -> Iterator[list[PlanDatabase]]:
    scans = [scan_of(f"{number}.png") for number in range(1000)]
    plans = [plan_of(scans, shard=(number, 3)) for number in (1, 2, 3)]
    yield plans
    for plan in plans:
        plan.close()


def test_each_work_item_is_in_one_shard(shards: list[PlanDatabase]) -> None:
    read = [scan for plan in shards for scan in scans_to_read(plan)]
    assert len(read) == 1000
    assert len(set(read)) == 1000
    assert sum(plan.counts()[0] for plan in shards) == 1000
    assert len({plan.digest() for plan in shards}) == 1


def test_parts_of_other_shards_are_no_other_parts_and_are_not_forgotten(shards: list[PlanDatabase]) -> None:
    items = [[each.item for each in plan.todo(retry_failed=False, folder=FOLDER)] for plan in shards]
    for plan in shards:
        plan.add_parts(PartName(item.key, item.state, 1, 0, 0) for of_shard in items for item in of_shard)
    first = shards[0]
    assert list(first.other_parts(FOLDER)) == []
    assert scans_to_read(first) == []
    assert None not in list(first.finished(FOLDER))
    assert len(list(first.finished(FOLDER))) == len(items[0])
    forgotten = first.forget_parts(FOLDER)
    assert len(forgotten) == len(items[0])
    assert len(scans_to_read(first)) == first.counts()[0]


def test_the_work_items_of_all_shards_make_the_plan(shards: list[PlanDatabase]) -> None:
    whole = PlanDatabase()
    for plan in reversed(shards):
        whole.add_items(plan.own_items())
    assert whole.digest() == shards[0].digest()
    assert whole.missing() == whole.counts()[1]


def test_a_lost_work_item_of_a_shard_changes_the_digest(shards: list[PlanDatabase]) -> None:
    whole = PlanDatabase()
    for plan in shards:
        whole.add_items(list(plan.own_items())[1:])
    assert whole.digest() != shards[0].digest()


def test_the_digest_is_that_of_the_scans_and_not_of_their_order(scan: Scan) -> None:
    scans = [scan, scan_of("b.png")]
    assert plan_of(scans).digest() == plan_of(scans[::-1]).digest()
    assert plan_of(scans).digest() != plan_of([replace(scan, size=1), scans[1]]).digest()


def test_no_scans_are_a_plan_too() -> None:
    plan = plan_of([])
    assert scans_to_read(plan) == []
    assert plan.counts() == (0, 0)
    assert list(plan.finished(FOLDER)) == []


def test_files_passed_over_are_counted_and_the_first_named() -> None:
    plan = PlanDatabase()
    names = ["b10.txt", "b9.txt", "a.txt", "b9.txt", "c.png"]
    plan.add_listing(Listed(scan_of(name), is_scan=False) for name in names)
    plan.add_listing([Listed(scan_of("c.png"), is_scan=True)])  # a file that was given by its name
    plan.make_items()
    assert plan.passed_over(2) == (3, ["a.txt", "b9.txt"])


MEMORY = """
import resource
from pathlib import Path
from batchocr.distributed import plan_database
from batchocr.distributed.plan_database import PlanDatabase
from batchocr.batch.parts import PartName
from batchocr.records import Scan
from batchocr.sources import Listed

plan_database._CACHE_KIB = 4 << 10

def run(count):
    with PlanDatabase() as plan:
        plan.add_scans(
            Scan(Path(f"/a/long/path/to/scans/{name}"), name, size=1, modified=2)
            for name in (f"{n:09}-{'x' * 60}.png" for n in range(count))
        )
        plan.make_items()
        read = 0
        for each in plan.todo(retry_failed=False, folder="parts"):
            read += len(each.item.scans)
            plan.replace_parts([PartName(each.item.key, each.item.state, 1, 0, 0)])
        assert read == count

run(1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run(100_000)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no resource module")
def test_a_hundred_thousand_scans_are_never_in_memory_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 55  # MB, with a cache of 4 MB; the scans as objects take 70 MB or more
