"""Which pages of a scan are still to be read, and how a file is recognised."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from batchocr.batch.journal import Entry, Journal
from batchocr.batch.resume_plan import count_pages, gaps, hash_of, limited, pages_of, plan, wanted_ranges, with_limit
from batchocr.errors import Stopped
from batchocr.records import PageResult, PageRow, Part, Scan
from batchocr.sources import find_scans


def has(*pages: int | None, of: int = 9) -> list[Entry]:
    return [Entry(0, "a", page, of, "", False) for page in pages]


def test_missing_pages_are_in_few_parts() -> None:
    scan = Scan(Path("a"), "a")
    assert list(gaps(scan, [])) == [Part(scan)]
    assert list(gaps(scan, has(3, 4, 8))) == [Part(scan, 1, 2, 9), Part(scan, 5, 7, 9), Part(scan, 9, 9, 9)]
    assert list(gaps(scan, has(*range(1, 10)))) == []
    assert list(gaps(scan, has(None, of=1))) == []
    assert list(gaps(scan, [*has(1, of=1), *has(2, of=3)])) == [Part(scan, 3, 3, 3)]


def test_selected_pages_that_are_missing() -> None:
    scan = Scan(Path("a.pdf"), "a.pdf")
    wanted = wanted_ranges(scan, (8, 1, 2, 3))
    (part,) = gaps(scan, [], wanted)
    assert part == Part(scan, 1, 3, None, ((8, 8),))
    assert [pages_of(part, pages) for pages in (1, 2, 9)] == [1, 2, 4]
    assert list(gaps(scan, has(2, 5), wanted)) == [Part(scan, 1, 1, 9), Part(scan, 3, 3, 9), Part(scan, 8, 8, 9)]
    assert (count_pages([part]), limited([part, part], 1)) == (1, (part,))  # its number of pages is not known
    assert limited([Part(scan, 2, 9, 9)], 3) == (Part(scan, 2, 4, 9),)


def test_a_limit_keeps_failed_pages_only_if_they_are_selected(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"new")
    (scan,) = find_scans([tmp_path]).scans
    failed = [Entry(page, "a.pdf", page, 3, hashlib.sha256(b"new").hexdigest(), True) for page in (1, 2, 3)]
    entries, pages = {scan.place: failed}, (1, 2)
    whole = plan([scan], entries, retry_failed=True, jobs=1, should_stop=lambda: False, pages=pages)
    assert (whole.parts, whole.stale) == ((Part(scan, 1, 2),), tuple(failed))
    assert [entry.page for entry in whole.retried] == [1, 2]
    other = Part(Scan(tmp_path / "b.pdf", "b.pdf"), 1, 1, 1)
    taken = with_limit(replace(whole, parts=(other, *whole.parts)), entries, 1, pages=pages)
    assert (taken.parts, taken.kept, taken.kept_failed) == ((other,), 2, 2)
    assert [entry.page for entry in taken.stale] == [3]


def test_a_file_that_is_not_what_was_listed_has_no_hash(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"half")
    (scan,) = find_scans([tmp_path]).scans
    assert hash_of(scan) == hashlib.sha256(b"half").hexdigest()
    (tmp_path / "a.png").write_bytes(b"half and the rest")
    assert hash_of(scan) == ""
    assert hash_of(replace(scan, size=None, modified=None)) == hashlib.sha256(b"half and the rest").hexdigest()


def test_other_kinds_of_files_have_no_hash_and_do_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "none", "."):
        assert hash_of(Scan(tmp_path / name, name)) == ""


def test_more_scans_than_are_hashed_at_once(tmp_path: Path) -> None:
    scans = []
    with Journal(tmp_path) as journal:
        with journal.at_once():
            for number in range(2500):
                path = tmp_path / f"{number}.png"
                path.write_bytes(b"%d" % number)
                scans.append(Scan(path, path.name))
                sha256 = hashlib.sha256(b"%d" % (number % 2400)).hexdigest()
                journal.add(scans[-1], PageResult(PageRow(path.name, 1, "empty")), pages=1, sha256=sha256)
        with pytest.raises(Stopped):
            plan(scans, journal.entries(), retry_failed=False, jobs=2, should_stop=lambda: True)
        todo = plan(scans, journal.entries(), retry_failed=False, jobs=2, should_stop=lambda: False)
        assert (todo.kept, todo.parts) == (2400, tuple(map(Part, scans[2400:])))
