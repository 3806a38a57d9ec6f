"""SQLite databases: what a run replaces, what it leaves, and what stops it."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_table import FAILED, NUMBER, READ, files, write

from batchocr.errors import OutputError, Stopped
from batchocr.output.formats import database
from batchocr.output.outputs import make_ready, output_paths, remove_results
from batchocr.output.results import write_results
from batchocr.output.table_kinds import TABLES
from batchocr.records import PageResult

SECOND = PageResult(replace(READ.page, page=2), READ.digits[:1], (NUMBER,))
SECOND = replace(
    SECOND, digits=(replace(SECOND.digits[0], page=2),), numbers=(replace(NUMBER, page=2, text="0012", digits="0012"),)
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


def query(out: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(out)) as base:
        return base.execute(sql).fetchall()


def test_three_tables_with_keys_and_types(out: Path) -> None:
    write(out, [READ, SECOND, FAILED])
    assert files(out.parent) == {"results.db", "results.run.json"}
    assert query(out, "SELECT page, text, digits, confidence FROM numbers ORDER BY page") == [
        (1, "0,07", "007", 0.9),
        (2, "0012", "0012", 0.9),
    ]
    assert query(out, "SELECT typeof(text), typeof(page), typeof(confidence) FROM numbers LIMIT 1") == [
        ("text", "integer", "real")
    ]
    assert query(out, "SELECT file, page, status, width, angle FROM pages") == [
        ("a/1.png", 1, "read", 640, 0.0),
        ("a/1.png", 2, "read", 640, 0.0),
        ("b.png", 0, "failed", None, None),
    ]
    keys = {name: [row[1] for row in query(out, f"PRAGMA table_info({name})") if row[5]] for name in TABLES}
    assert keys["digits"] == ["file", "page", "line", "number", "position"]
    assert (keys["numbers"], keys["pages"]) == (["file", "page", "line", "number"], ["file", "page"])
    (read_at,) = {row[0] for row in query(out, "SELECT read_at FROM pages")}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", read_at)


def test_only_changed_pages_are_replaced_and_others_tables_stay(out: Path) -> None:
    with closing(sqlite3.connect(out)) as base:
        base.executescript("CREATE TABLE mine (a); INSERT INTO mine VALUES (7)")
    write(out, [READ, SECOND, FAILED])
    with closing(sqlite3.connect(out)) as base, base:
        base.execute("UPDATE pages SET read_at = 'before'")
    changed = replace(SECOND, numbers=(replace(SECOND.numbers[0], review="sign"),))
    write(out, [READ, changed])
    assert query(out, "SELECT file, page, read_at = 'before' FROM pages") == [("a/1.png", 1, 1), ("a/1.png", 2, 0)]
    assert query(out, "SELECT page, review FROM numbers") == [(1, NUMBER.review), (2, "sign")]
    write(out, [READ])
    assert query(out, "SELECT DISTINCT page FROM digits") == query(out, "SELECT page FROM pages") == [(1,)]
    assert query(out, "SELECT a FROM mine") == [(7,)]


def test_an_error_in_the_middle_changes_nothing(out: Path) -> None:
    def some() -> Iterator[PageResult]:
        yield SECOND
        raise Stopped("stopped")

    for before in (set(), {"results.db", "results.run.json"}):
        with pytest.raises(Stopped):
            write_results(output_paths(out), some(), dict)
        assert files(out.parent) == before
        if before:
            assert query(out, "SELECT page FROM pages") == [(1,)]
        write(out, [READ])


def test_a_killed_run_leaves_the_old_content(out: Path) -> None:
    """A process is killed while it holds many uncommitted rows."""
    write(out, [READ])
    code = f"""
import os, signal
from pathlib import Path
from batchocr.output import results
from batchocr.output.outputs import output_paths
from batchocr.records import PageResult, PageRow

def pages():
    for number in range(40_000):
        yield PageResult(PageRow("a", number, "empty"))
    os.kill(os.getpid(), signal.SIGKILL)

results.ROWS = 1000
results.write_results(output_paths(Path({str(out)!r})), pages(), dict)
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert out.with_name("results.db-journal").exists()
    assert query(out, "SELECT page FROM pages") == [(1,)]
    write(out, [READ, SECOND])
    assert query(out, "SELECT page FROM pages") == [(1,), (2,)]


def test_a_database_stays_when_a_run_begins(out: Path) -> None:
    write(out, [READ])
    remove_results(output_paths(out))
    assert files(out.parent) == {"results.db"}
    assert query(out, "SELECT count(*) FROM digits") == [(2,)]


def test_a_locked_database_is_waited_for_and_then_an_error(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(out, [READ])
    monkeypatch.setattr(database, "LOCK_WAIT_S", 0.05)
    with closing(sqlite3.connect(out, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OutputError, match=r"results\.db: another program has locked it .* same command"):
            write(out, [])
        with pytest.raises(OutputError, match=r"results\.db: another program has locked it"):
            make_ready(output_paths(out))
    assert query(out, "SELECT page FROM pages") == [(1,)]


def test_what_is_not_ours_is_reported_before_the_work(out: Path) -> None:
    out.write_bytes(b"not a database at all" * 100)
    with pytest.raises(OutputError, match="is not an SQLite database"):
        make_ready(output_paths(out))
    out.unlink()
    with closing(sqlite3.connect(out)) as base:
        base.execute("CREATE TABLE pages (title TEXT)")
    with pytest.raises(OutputError, match="table pages has other columns"):
        make_ready(output_paths(out))
    with pytest.raises(OutputError, match="table pages has other columns"):
        write(out, [READ])
    assert query(out, "SELECT count(*) FROM sqlite_master") == [(1,)]


def test_two_scans_of_one_name_are_an_error(out: Path) -> None:
    with pytest.raises(OutputError, match=r"two scans have the name a/1\.png"):
        write(out, [READ, READ])
    assert files(out.parent) == set()
