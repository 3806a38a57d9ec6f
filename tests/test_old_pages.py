"""Which pages of earlier runs are kept: those of the same scan with the same content."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from store_pages import FOLDER, part_of, planned_of, record_of, where, written

from batchocr.batch.parts import PageRecord, write_loose
from batchocr.distributed.old_pages import ItemWork, item_work
from batchocr.distributed.work_items import tag_of, work_item
from batchocr.errors import OutputError
from batchocr.records import Part, Scan
from batchocr.stores import Store, open_store

TEXT = "the content"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "journal")


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    return written(tmp_path, "a.pdf", TEXT)


@pytest.fixture
def work(store: Store, scan: Scan) -> Callable[..., ItemWork]:
    """Return a function that compares the scan, or another one, with these pages of earlier runs."""

    def compared(
        *pages: PageRecord, now: Scan = scan, retry_failed: bool = False, wanted: tuple[int, ...] = ()
    ) -> ItemWork:
        old = [write_loose(store, FOLDER, [page]) for page in pages]
        return item_work(store, planned_of(now, old=old), retry_failed=retry_failed, pages=wanted)

    return compared


def test_unchanged_pages_are_kept(scan: Scan, work: Callable[..., ItemWork]) -> None:
    found = work(record_of(scan, content=TEXT))
    assert where(found.kept) == [("a.pdf", 1)]
    assert found.kept[0].is_kept
    assert found.parts == ()


def test_a_tag_that_is_the_same_is_enough(scan: Scan, work: Callable[..., ItemWork]) -> None:
    """The hash of the page is that of other content: the file is not read."""
    assert where(work(record_of(scan, content="anything")).kept) == [("a.pdf", 1)]


@pytest.mark.parametrize("tag", ["", "another"])
def test_else_the_content_decides(tag: str, scan: Scan, work: Callable[..., ItemWork]) -> None:
    same = work(record_of(scan, content=TEXT, tag=tag))
    assert [page.tag for page in same.kept] == [tag_of(scan)]
    changed = work(record_of(scan, content="other", tag=tag))
    assert changed == ItemWork((), (Part(scan),))


def test_a_file_that_changes_after_it_was_listed_is_read(scan: Scan, work: Callable[..., ItemWork]) -> None:
    os.utime(scan.path, ns=(7, 7))
    assert work(record_of(scan, content=TEXT, tag="another")).parts == (Part(scan),)


def test_pages_of_another_name_or_place_are_not_kept(scan: Scan, work: Callable[..., ItemWork], tmp_path: Path) -> None:
    renamed = replace(record_of(scan, content=TEXT), name="sub/a.pdf")
    moved = record_of(written(tmp_path / "other", "a.pdf", TEXT), content=TEXT)
    assert work(renamed, moved) == ItemWork((), (Part(scan),))


def test_temporary_failures_are_not_kept(scan: Scan, work: Callable[..., ItemWork]) -> None:
    assert work(record_of(scan, None, error="not-found", again=True)) == ItemWork((), (Part(scan),))
    found = work(*(record_of(scan, page, 3, content=TEXT, error="no-memory", again=page == 2) for page in (1, 2, 3)))
    assert where(found.kept) == [("a.pdf", 1), ("a.pdf", 3)]
    assert found.parts == (Part(scan, 2, 2, 3),)


def test_failed_pages_are_kept_unless_asked(scan: Scan, work: Callable[..., ItemWork]) -> None:
    pages = [record_of(scan, 1, 2, content=TEXT), record_of(scan, 2, 2, content=TEXT, error="damaged")]
    assert work(*pages).parts == ()
    assert work(*pages, retry_failed=True).parts == (Part(scan, 2, 2, 2),)


def test_a_result_is_better_than_a_failure_in_any_order(scan: Scan, work: Callable[..., ItemWork]) -> None:
    bad, good = record_of(scan, content=TEXT, error="crashed"), record_of(scan, content=TEXT)
    for pages in ((bad, good), (good, bad)):
        (kept,) = work(*pages).kept
        assert kept.result.page.status == "read"


def test_pages_are_better_than_a_scan_that_failed_as_a_whole(scan: Scan, work: Callable[..., ItemWork]) -> None:
    whole, page = record_of(scan, None, content=TEXT, error="crashed"), record_of(scan, 2, 3, content=TEXT)
    found = work(whole, page)
    assert where(found.kept) == [("a.pdf", 2)]
    assert found.parts == (Part(scan, 1, 1, 3), Part(scan, 3, 3, 3))
    assert where(work(whole).kept) == [("a.pdf", None)]


def test_a_page_that_several_parts_have_is_kept_once(scan: Scan, work: Callable[..., ItemWork]) -> None:
    assert where(work(*[record_of(scan, content=TEXT)] * 3).kept) == [("a.pdf", 1)]


def test_pages_that_are_not_wanted_are_left_out(tmp_path: Path, work: Callable[..., ItemWork]) -> None:
    scan = written(tmp_path, "b.pdf", "%PDF-1.7 with pages")
    pages = [record_of(scan, page, 9, tag="", content="%PDF-1.7 with pages") for page in (1, 2, 3, 4)]
    found = work(*pages, now=scan, wanted=(2, 3, 8, 9, 12))
    assert where(found.kept) == [("b.pdf", 2), ("b.pdf", 3)]
    assert found.parts == (Part(scan, 8, 9, 9),)


def test_parts_that_are_gone_have_no_pages(store: Store, scan: Scan) -> None:
    item = work_item([scan])
    path = part_of(store, item, [record_of(scan, content=TEXT)])
    assert item_work(store, planned_of(scan, old=[path]), retry_failed=False, pages=()).parts == ()
    store.remove([path])
    assert item_work(store, planned_of(scan, old=[path]), retry_failed=False, pages=()).parts == (Part(scan),)


def test_a_damaged_part_is_named_with_its_folder(store: Store, scan: Scan, tmp_path: Path) -> None:
    path = write_loose(store, FOLDER, [record_of(scan, content=TEXT)])
    store.write(path, b"PAR1 and nothing")
    with pytest.raises(OutputError, match=f"{tmp_path}/journal/{path}: .*damaged.*remove this file"):
        item_work(store, planned_of(scan, old=[path]), retry_failed=False, pages=())


def test_the_scans_of_a_work_item_are_compared_one_by_one(store: Store, tmp_path: Path) -> None:
    scans = [written(tmp_path, f"{number}.png", str(number)) for number in range(5)]
    kept = [record_of(scans[number], content=str(number)) for number in (1, 3)]
    old = [write_loose(store, FOLDER, kept)]
    found = item_work(store, planned_of(*scans, old=old), retry_failed=False, pages=())
    assert where(found.kept) == [("1.png", 1), ("3.png", 1)]
    assert found.parts == (Part(scans[0]), Part(scans[2]), Part(scans[4]))
