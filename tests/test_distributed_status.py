"""The status of drivers: runs and shards that run, are done, failed or are lost."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from batchocr.cli import app
from batchocr.distributed.holder import Progress, Report, held
from batchocr.distributed.status import driver_lines, read_drivers
from batchocr.errors import OutputError
from batchocr.stores import open_store


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results.csv"


def report(out: Path, name: str = "driver.json", *, age_s: float = 1, host: str = "elsewhere", **progress: Any) -> None:
    """Write the report of a driver."""
    since, now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime.now(UTC) - timedelta(seconds=age_s)
    written = Report("id", 77, host, since.isoformat(), now.isoformat(), asdict(Progress(**progress)))
    open_store(out.with_name(f"{out.name}.journal")).write(name, json.dumps(asdict(written)).encode())


def lines(out: Path) -> list[str]:
    return list(driver_lines(read_drivers(out)))


WHO = "(process 77 on elsewhere since 2026-01-02T03:04:05+00:00)"


def test_a_run_that_runs(out: Path) -> None:
    report(out, pages=100, done=25, failed=2, pages_per_s=0.5, remaining_s=150)
    assert lines(out) == [f"run: running: 25 of 100 pages, 2 failed, 0.5 pages/s, 2 min left {WHO}"]


def test_a_run_that_is_done(out: Path) -> None:
    report(out, age_s=9999, state="done", pages=100, done=100, seconds=12_345)
    assert lines(out) == [f"run: done: 100 of 100 pages, 0 failed, in 3 h 26 min {WHO}"]


def test_a_run_that_failed_says_why(out: Path) -> None:
    report(out, state="failed", pages=100, done=7, seconds=45, message="the disk is full")
    assert lines(out) == [f"run: failed: 7 of 100 pages, 0 failed, in 45 s {WHO}: the disk is full"]


def test_a_run_that_does_not_report_any_more_is_lost(out: Path) -> None:
    report(out, age_s=600, pages=100, done=7)
    (driver,) = read_drivers(out)
    assert driver.state == "lost"
    assert driver.reported_s == pytest.approx(600, abs=30)
    assert lines(out) == [
        f"run: lost: 7 of 100 pages, 0 failed; no report for 10 min: run the same command again {WHO}"
    ]


def test_a_process_of_this_machine_that_is_gone_is_lost_at_once(out: Path) -> None:
    gone = next(number for number in range(2**22 - 1, 1, -1) if not psutil.pid_exists(number))
    report(out, host=socket.gethostname())
    path = out.with_name(f"{out.name}.journal") / "driver.json"
    for process, state in ((gone, "lost"), (os.getpid(), "running")):
        path.write_text(json.dumps({**json.loads(path.read_text()), "process": process}))
        (driver,) = read_drivers(out)
        assert driver.state == state


def test_a_clock_that_is_ahead_makes_no_run_lost(out: Path) -> None:
    report(out, age_s=-3600, pages=10)
    (driver,) = read_drivers(out)
    assert driver.state == "running"


def test_shards_are_in_the_order_of_their_numbers_with_their_sum(out: Path) -> None:
    for number in (1, 2, 10):
        report(out, f"shards/{number}-of-10.json", pages=100, done=number, failed=1, pages_per_s=2)
    report(out, "shards/3-of-10.json", age_s=600, pages=100, done=50, pages_per_s=99)
    report(out, "shards/4-of-10.json", state="done", pages=100, done=100, pages_per_s=99)
    found = lines(out)
    assert [line.split(":")[0] for line in found] == [
        *(f"shard {number}/10" for number in (1, 2, 3, 4, 10)),
        "all 5 shards",
    ]
    assert found[-1] == "all 5 shards: 163 of 500 pages, 3 failed, 6.0 pages/s, 56 s left"


def test_other_files_of_shards_are_no_drivers(out: Path) -> None:
    journal = out.with_name(f"{out.name}.journal")
    with held(journal, str(out), "shards/1-of-1.json"):
        open_store(journal).write("shards/1-of-1.done.json", b"{}")
        open_store(journal).write("shards/1-of-1.items", b"")
        assert (journal / "shards" / "1-of-1" / "holder.json").is_file()
        (driver,) = read_drivers(out)
        assert (driver.name, driver.state) == ("1/1", "running")


def test_a_journal_without_drivers_has_no_lines(out: Path) -> None:
    assert lines(out) == []
    assert read_drivers("-") == []


def test_a_damaged_report_is_an_error(out: Path) -> None:
    open_store(out.with_name(f"{out.name}.journal")).write("driver.json", b"{")
    with pytest.raises(OutputError, match=r"driver\.json: .*remove it"):
        read_drivers(out)


def test_a_report_of_a_later_version_is_an_error_with_the_fix(out: Path) -> None:
    report(out)
    path = out.with_name(f"{out.name}.journal") / "driver.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "progress": {**content["progress"], "later": 1}}))
    with pytest.raises(OutputError, match=r"driver\.json: .*remove it"):
        read_drivers(out)


def test_the_command_prints_them_before_there_are_results(out: Path) -> None:
    report(out, "shards/1-of-2.json", pages=100, done=25)
    done = CliRunner().invoke(app, ["status", str(out)])
    assert done.exit_code == 0
    assert done.stdout.startswith("shard 1/2: running: 25 of 100 pages")
    as_json = CliRunner().invoke(app, ["status", str(out), "--json"])
    (driver,) = json.loads(as_json.stdout)["drivers"]
    assert (driver["name"], driver["progress"]["done"]) == ("1/2", 25)
    nothing = CliRunner().invoke(app, ["status", str(out.with_name("other.csv"))])
    assert nothing.exit_code == 7
