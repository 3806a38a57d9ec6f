"""Which pages of a scan are still to be read, and how a file is recognised."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from batchocr.batch.journal import Entry, Journal
from batchocr.batch.resume_plan import gaps, hash_of, plan
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
