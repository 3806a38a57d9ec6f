"""Pages go from a journal on a disk into parts, and back, without loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from store_pages import part_of, record_of, scan_of, sha256, where

from batchocr.batch.exchange import journal_to_parts, parts_folder, parts_to_journal, remove_parts
from batchocr.batch.journal import FILE, Journal
from batchocr.batch.parts import PARTS, PageRecord, unpack, write_loose
from batchocr.distributed.work_items import work_item
from batchocr.records import Scan
from batchocr.stores import Store, open_store

DEPEND_ON: dict[str, Any] = {"version": "1", "model": "ab", "blank": []}
FOLDER = parts_folder(DEPEND_ON, None)
PDF = scan_of("ä.pdf")
BYTES = Scan(Path("/scans/\udcff.png"), r"\xff.png", size=3, modified=4)
REMOTE = Scan(Path("r.png"), "r.png", url="s3://bucket/sub/r.png", tag="etag 7")
PAGES = [
    *(record_of(PDF, page, 3) for page in (1, 2, 3)),
    record_of(BYTES),
    record_of(scan_of("whole.pdf"), None, error="damaged"),
    record_of(REMOTE),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "results.csv.journal"
    folder.mkdir()
    return folder


@pytest.fixture
def store(place: Path) -> Store:
    return open_store(place)


def fill(place: Path, scans: Iterable[tuple[Scan, PageRecord]], **account: Any) -> None:
    """Write a journal on the disk."""
    with Journal(place) as journal:
        journal.note(**{"rows_depend_on": DEPEND_ON, **account})
        for scan, page in scans:
            journal.add(scan, page.result, pages=page.pages, sha256=page.sha256)


def in_parts(store: Store, folder: str = FOLDER) -> list[PageRecord]:
    return [record for path in store.names(folder) for record in unpack(store.read(path), path)]


def in_journal(place: Path) -> list[tuple[str, str, int | None, str]]:
    """Return name, place, page and status of all pages in the order of the results."""
    with Journal(place) as journal:
        found = [(name, scan, result.page.page, result.page.status) for name, scan, _, _, result in journal.stored()]
    return sorted(found, key=lambda each: (each[0], each[2] or 0))


SCANS = [PDF, PDF, PDF, BYTES, scan_of("whole.pdf"), REMOTE]


def test_pages_of_a_journal_become_loose_parts(place: Path, store: Store) -> None:
    fill(place, zip(SCANS, PAGES, strict=True))
    journal_to_parts(place, store, FOLDER, DEPEND_ON, None)
    found = sorted(in_parts(store), key=lambda page: (page.name, page.result.page.page or 0))
    expected = [replace(page, tag="etag 7" if page.name == "r.png" else "") for page in PAGES]
    assert found == sorted(expected, key=lambda page: (page.name, page.result.page.page or 0))
    assert not (place / FILE).exists()


def test_pages_come_back_as_they_were(place: Path, store: Store) -> None:
    fill(place, zip(SCANS, PAGES, strict=True))
    with Journal(place) as journal:
        before = sorted(journal.stored(), key=lambda each: (each[0], each[4].page.page or 0))
        tags = journal.tags()
    journal_to_parts(place, store, FOLDER, DEPEND_ON, None)
    with Journal(place) as journal:
        parts_to_journal(journal, place, FOLDER)
        assert sorted(journal.stored(), key=lambda each: (each[0], each[4].page.page or 0)) == before
        assert journal.tags() == tags == {"s3://bucket/sub/r.png": ("etag 7", sha256(""))}
    assert list(store.names(PARTS)) == []


def test_pages_that_every_run_reads_again_are_left_out(place: Path, store: Store) -> None:
    again = record_of(scan_of("gone.png"), None, error="not-found", again=True)
    fill(place, [(PDF, PAGES[0]), (scan_of("gone.png"), again)])
    journal_to_parts(place, store, FOLDER, DEPEND_ON, None)
    assert where(in_parts(store)) == [("ä.pdf", 1)]


@pytest.mark.parametrize(
    ("depend_on", "recorded", "asked", "is_kept"),
    [
        (DEPEND_ON, 256, None, True),
        (DEPEND_ON, 256, 256, True),
        (DEPEND_ON, 256, 7, False),
        ({**DEPEND_ON, "model": "cd"}, 256, None, False),
    ],
)
def test_pages_of_other_settings_are_removed(
    depend_on: dict[str, Any], recorded: int, asked: int | None, is_kept: bool, place: Path, store: Store
) -> None:
    fill(place, [(PDF, PAGES[0])], batch_size=recorded)
    journal_to_parts(place, store, FOLDER, depend_on, asked)
    assert bool(in_parts(store)) == is_kept
    assert not (place / FILE).exists()


def test_there_may_be_no_journal_and_no_parts(place: Path, store: Store) -> None:
    journal_to_parts(place, store, FOLDER, DEPEND_ON, None)
    with Journal(place) as journal:
        parts_to_journal(journal, place, FOLDER)
    assert in_journal(place) == []
    assert list(store.names(PARTS)) == []


def test_many_pages_are_divided_among_parts(place: Path, store: Store) -> None:
    scans = [scan_of(f"{number:04}.png") for number in range(1000)]
    with Journal(place) as journal, journal.at_once():
        for scan in scans:
            journal.add(scan, record_of(scan).result, pages=1, sha256="ab")
    with Journal(place) as journal:
        journal.note(rows_depend_on=DEPEND_ON)
    journal_to_parts(place, store, FOLDER, DEPEND_ON, None)
    assert where(in_parts(store)) == [(scan.name, 1) for scan in scans]
    assert len(list(store.names(FOLDER))) == 4


def back(place: Path, store: Store, *pages: PageRecord) -> list[tuple[str, str, int | None, str]]:
    """Return what a journal has after these pages, each in a part of its own, came back in both orders."""
    found = []
    for order in (pages, pages[::-1]):
        (place / FILE).unlink(missing_ok=True)
        for number, page in enumerate(order):
            store.write(f"{FOLDER}/{number}.parquet", packed(page))
        with Journal(place) as journal:
            parts_to_journal(journal, place, FOLDER)
        found.append(in_journal(place))
    assert found[0] == found[1]
    return found[0]


def packed(page: PageRecord) -> bytes:
    from batchocr.batch.parts import pack

    return pack([page])


def test_a_result_is_used_instead_of_failures(place: Path, store: Store) -> None:
    failures = [
        record_of(PDF, 1, 2, error="crashed"),
        record_of(PDF, 1, 2, error="no-memory", again=True),
    ]
    assert [each[2:] for each in back(place, store, *failures, record_of(PDF, 1, 2))] == [(1, "read")]
    assert [each[2:] for each in back(place, store, *failures)] == [(1, "failed")]


def test_a_scan_that_failed_as_a_whole_has_no_row_beside_its_pages(place: Path, store: Store) -> None:
    whole = record_of(PDF, None, error="damaged")
    found = back(place, store, whole, record_of(PDF, 1, 2), record_of(PDF, 2, 2))
    assert [each[2:] for each in found] == [(1, "read"), (2, "read")]
    assert [each[2:] for each in back(place, store, whole)] == [(None, "failed")]


def test_pages_that_the_journal_lacks_are_added(place: Path, store: Store) -> None:
    """The same scan is in both: a run on the disk was interrupted, and another one in the store too."""
    fill(place, [(PDF, record_of(PDF, 1, 3))])
    write_loose(store, FOLDER, [record_of(PDF, 2, 3)])
    with Journal(place) as journal:
        parts_to_journal(journal, place, FOLDER)
    assert [each[2] for each in in_journal(place)] == [1, 2]


def test_parts_of_other_settings_are_removed(place: Path, store: Store) -> None:
    item = work_item([PDF])
    part_of(store, item, PAGES[:3], parts_folder({**DEPEND_ON, "model": "cd"}, None))
    part_of(store, item, PAGES[:1], FOLDER)
    with Journal(place) as journal:
        parts_to_journal(journal, place, FOLDER)
    assert [each[2] for each in in_journal(place)] == [1]
    assert list(store.names(PARTS)) == []


def test_the_folder_depends_on_all_settings() -> None:
    folders = {
        parts_folder(DEPEND_ON, None),
        parts_folder(DEPEND_ON, 256),
        parts_folder({**DEPEND_ON, "model": "cd"}, None),
        parts_folder({**DEPEND_ON, "blank": ["ef"]}, None),
    }
    assert len(folders) == 4
    assert parts_folder(dict(reversed(DEPEND_ON.items())), None) == FOLDER


def test_a_folder_of_parts_may_stay(store: Store) -> None:
    for number in range(3):
        for folder in ("parts/one", "parts/two", "parts/one-more"):
            store.write(f"{folder}/{number}.parquet", b"")
    store.write("driver.json", b"")
    remove_parts(store, PARTS, but="parts/one")
    assert sorted(store.names()) == ["driver.json", *(f"parts/one/{number}.parquet" for number in range(3))]
