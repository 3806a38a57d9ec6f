"""The collector: every page once, in any order, and nothing that has come is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from store_pages import FOLDER, part_of, planned_of, record_of, scan_of, where

from batchocr.batch.parts import PageRecord, is_loose, parse_name, unpack
from batchocr.distributed import collector as collectors
from batchocr.distributed.collector import Collector
from batchocr.distributed.plan_database import ItemPlan
from batchocr.errors import OutputError
from batchocr.records import Scan
from batchocr.stores import Store, open_store
from batchocr.stores.store import DiskStore

IMAGES = [scan_of(f"{number}.png") for number in range(3)]
PDF = scan_of("z.pdf")
PAGES = [*(record_of(scan) for scan in IMAGES), *(record_of(PDF, page, 4) for page in (1, 2, 3, 4))]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


def read_back(store: Store, paths: Iterable[str]) -> list[PageRecord]:
    return [record for path in paths for record in unpack(store.read(path), path)]


def collected(
    store: Store, planned: ItemPlan, pages: Iterable[PageRecord], wanted: tuple[int, ...] = ()
) -> tuple[list[bool], Collector]:
    """Return whether each page is new, and the collector, which has written all."""
    with Collector(store, FOLDER, wanted) as collector:
        collector.expect(planned)
        new = [collector.add(page) for page in pages]
        collector.flush()
    return new, collector


@pytest.mark.parametrize("seed", range(5))
def test_pages_in_any_order_make_one_part(seed: int, store: Store) -> None:
    pages = random.Random(seed).sample(PAGES, len(PAGES))
    new, collector = collected(store, planned_of(*IMAGES, PDF), pages)
    assert all(new)
    (name,) = collector.written
    assert (name.pages, name.failed, name.again) == (7, 0, 0)
    assert where(read_back(store, [name.path(FOLDER)])) == where(PAGES)
    assert list(store.names()) == [name.path(FOLDER)]
    assert collector.unfinished() == []


@pytest.mark.parametrize("seed", range(5))
def test_pages_that_come_again_change_nothing(seed: int, store: Store) -> None:
    pages = PAGES * 3
    random.Random(seed).shuffle(pages)
    new, collector = collected(store, planned_of(*IMAGES, PDF), pages)
    assert sum(new) == len(PAGES)
    (name,) = collector.written
    assert where(read_back(store, [name.path(FOLDER)])) == where(PAGES)


def test_pages_of_unknown_scans_are_not_taken(store: Store) -> None:
    new, collector = collected(store, planned_of(PDF), [record_of(scan_of("unknown.png"))])
    assert new == [False]
    assert list(store.names()) == []
    assert len(collector.unfinished()) == 1


def test_a_result_replaces_a_failure_and_not_the_reverse(store: Store) -> None:
    good, bad = record_of(PDF, 1, 2), record_of(PDF, 1, 2, error="crashed")
    for first, second in ((good, bad), (bad, good)):
        new, collector = collected(store, planned_of(PDF), [first, second, record_of(PDF, 2, 2)])
        assert new == [True, False, True]
        assert collector.written[0].failed == 0


def test_a_scan_that_failed_as_a_whole_is_complete(store: Store) -> None:
    _, collector = collected(store, planned_of(PDF), [record_of(PDF, None, error="not-found", again=True)])
    (name,) = collector.written
    assert (name.pages, name.failed, name.again) == (1, 1, 1)


@pytest.mark.parametrize(
    ("wanted", "pages", "is_complete"),
    [
        ((1, 2), (1, 2), True),
        ((1, 2), (1,), False),
        ((2,), (2,), True),
        ((2, 9), (2,), True),
        ((2, 4), (2,), False),
        ((), (1, 2, 3), False),
        ((), (1, 2, 3, 4), True),
    ],
)
def test_the_selected_pages_make_a_scan_complete(
    wanted: tuple[int, ...], pages: tuple[int, ...], is_complete: bool, store: Store
) -> None:
    _, collector = collected(store, planned_of(PDF), [record_of(PDF, page, 4) for page in pages], wanted)
    assert bool(collector.written) == is_complete
    assert bool(collector.unfinished()) != is_complete


def test_a_selection_does_not_apply_to_images(store: Store) -> None:
    _, collector = collected(store, planned_of(*IMAGES), PAGES[:3], wanted=(2, 3))
    assert len(collector.written) == 1


def test_unfinished_pages_are_saved_and_found_again(store: Store) -> None:
    _, collector = collected(store, planned_of(*IMAGES, PDF), PAGES[1:5])
    assert collector.written == []
    (path,) = collector.loose
    assert is_loose(path)
    assert where(read_back(store, [path])) == where(PAGES[1:5])
    assert [item.scans for item in collector.unfinished()] == [(*IMAGES, PDF)]


def test_a_long_scan_is_saved_again_and_again_each_page_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors, "MAX_UNFINISHED", 10)
    pages = [record_of(PDF, page, 100) for page in range(1, 96)]
    _, collector = collected(store, planned_of(PDF), pages)
    assert len(collector.loose) == 10
    assert where(read_back(store, collector.loose)) == where(pages)


def test_pages_that_failed_for_the_moment_are_known_until_the_end(store: Store) -> None:
    bad = record_of(IMAGES[0], None, error="unreachable", again=True)
    _, collector = collected(store, planned_of(*IMAGES), [bad, PAGES[1]])
    assert collector.temporary() == [bad]


def test_many_work_items_are_finished_at_the_same_time(store: Store) -> None:
    scans = [scan_of(f"{number:03}.png") for number in range(300)]
    planned = [planned_of(scan) for scan in scans]
    with Collector(store, FOLDER, ()) as collector:
        for each in planned:
            collector.expect(each)
        for scan in scans:
            assert collector.add(record_of(scan))
        collector.flush()
        assert {name.key for name in collector.written} == {each.item.key for each in planned}
    assert len(list(store.names(FOLDER))) == 300


def test_the_new_part_of_a_work_item_replaces_the_old_one_and_no_other(store: Store) -> None:
    planned = planned_of(PDF)
    old = part_of(store, planned.item, [record_of(PDF, None, error="unreachable", again=True)])
    other = part_of(store, planned_of(IMAGES[0]).item, [record_of(IMAGES[0])])
    _, collector = collected(store, planned_of(PDF, old=[old, other]), PAGES[3:])
    assert set(store.names()) == {collector.written[0].path(FOLDER), other}


def test_a_part_of_the_same_name_is_written_over(store: Store) -> None:
    old = part_of(store, planned_of(PDF).item, [record_of(PDF, content="old")])
    new = record_of(PDF, content="new")
    collected(store, planned_of(PDF, old=[old]), [new])
    assert parse_name(old) is not None
    assert read_back(store, store.names()) == [new]


def test_errors_of_the_store_are_raised(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: DiskStore, name: str, data: bytes) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(DiskStore, "write", fail)
    with pytest.raises(OutputError, match="full"), Collector(store, FOLDER, ()) as collector:
        collector.expect(planned_of(IMAGES[0]))
        collector.add(PAGES[0])
        collector.flush()


def test_errors_of_the_store_end_a_run_that_continues_to_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: DiskStore, name: str, data: bytes) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(DiskStore, "write", fail)

    def add_many(collector: Collector) -> None:
        for number in range(1000):
            scan = scan_of(f"{number}.png")
            collector.expect(planned_of(scan))
            collector.add(record_of(scan))

    with pytest.raises(OutputError, match="full"), Collector(store, FOLDER, ()) as collector:
        add_many(collector)


def test_pages_do_not_pile_up_before_a_slow_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors, "MAX_WAITING", 3)
    may_write, added = threading.Event(), list[Scan]()
    write = DiskStore.write

    def wait(self: DiskStore, name: str, data: bytes) -> None:
        assert may_write.wait(10)
        write(self, name, data)

    monkeypatch.setattr(DiskStore, "write", wait)

    def add_all() -> None:
        with Collector(store, FOLDER, ()) as collector:
            for number in range(20):
                scan = scan_of(f"{number}.png")
                collector.expect(planned_of(scan))
                collector.add(record_of(scan))
                added.append(scan)
            collector.flush()

    thread = threading.Thread(target=add_all)
    thread.start()
    while len(added) < 3:
        thread.join(0.01)
    thread.join(0.2)
    assert len(added) == 3
    may_write.set()
    thread.join(10)
    assert len(list(store.names(FOLDER))) == 20


def test_pages_are_written_even_if_the_engine_fails(store: Store) -> None:
    def read(collector: Collector) -> None:
        for scan in IMAGES:
            collector.expect(planned_of(scan))
            collector.add(record_of(scan))
        raise ConnectionError("the cluster is gone")

    with pytest.raises(ConnectionError), Collector(store, FOLDER, ()) as collector:
        read(collector)
    assert len(list(store.names(FOLDER))) == 3
