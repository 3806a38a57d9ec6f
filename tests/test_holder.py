"""One driver at a time uses a journal, on a disk and in an object store."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import fsspec
import psutil
import pytest

from batchocr.distributed import holder as holders
from batchocr.distributed.holder import Holder, Report, Speed, held, one_shard, read_report
from batchocr.errors import HeldError, OutputError, Stopped
from batchocr.stores import open_store

URL = "memory://holder/results.csv.journal"
NAME = "driver.json"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in (("BEAT_S", 0.02), ("LEASE_S", 0.5), ("_CONFIRM_S", 0.05), ("_POLL_S", 0.02)):
        monkeypatch.setattr(holders, name, value)
    yield
    files = fsspec.filesystem("memory")
    if files.exists("/holder"):
        files.rm("/holder", recursive=True)


@pytest.fixture(params=["disk", "store"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    return tmp_path / "results.csv.journal" if request.param == "disk" else URL


def report_in(journal: Path | str, name: str = NAME) -> Report:
    found = read_report(open_store(journal), name)
    assert found is not None
    return found


def until(is_true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def write_report(report: Report) -> None:
    open_store(URL).write(NAME, json.dumps(asdict(report)).encode())


@pytest.fixture
def other() -> Report:
    """The report of a driver of another machine."""
    now = "2026-01-01T00:00:00+00:00"
    return Report("other", 1, "elsewhere", now, now, {"state": "running"})


def test_a_driver_reports_until_it_ends(journal: Path | str) -> None:
    with held(journal, "results.csv", NAME) as holder:
        first = report_in(journal)
        assert first.is_running
        assert not first.is_dead
        holder.progress.done = 7
        until(lambda: report_in(journal).progress["done"] == 7)
        assert report_in(journal).time > first.time
    last = report_in(journal)
    assert (last.progress["state"], last.id) == ("done", first.id)
    time.sleep(0.1)
    assert report_in(journal) == last


@pytest.mark.parametrize(
    ("fault", "state"),
    [(OutputError("the disk is full"), "failed"), (Stopped("stopped"), "stopped"), (KeyboardInterrupt(), "stopped")],
)
def test_a_driver_reports_why_it_ended(fault: BaseException, state: str, journal: Path | str) -> None:
    with pytest.raises(type(fault)), held(journal, "results.csv", NAME):
        raise fault
    assert report_in(journal).progress["state"] == state
    assert report_in(journal).progress["message"] == str(fault)


def test_a_second_driver_is_refused(journal: Path | str) -> None:
    with held(journal, "results.csv", NAME):
        with (
            pytest.raises(HeldError, match=r"results\.csv: another run is using it: process \d+ on ") as caught,
            held(journal, "results.csv", NAME),
        ):
            pass
        assert int(caught.value.exit_code) == 9
        assert report_in(journal).is_running


def test_a_driver_that_has_ended_is_followed_at_once(journal: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "LEASE_S", 1000.0)
    with held(journal, "results.csv", NAME):
        pass
    with held(journal, "results.csv", NAME):
        assert report_in(journal).is_running


def test_shards_run_at_the_same_time(journal: Path | str) -> None:
    first, second = (f"shards/{number}-of-2.json" for number in (1, 2))
    with held(journal, "r.csv", first), held(journal, "r.csv", second):
        assert report_in(journal, first).is_running
        with pytest.raises(HeldError), held(journal, "r.csv", second):
            pass
    assert {report_in(journal, f"shards/{number}-of-2.json").progress["state"] for number in (1, 2)} == {"done"}


def test_a_run_on_a_disk_waits_for_no_shard_but_is_refused(tmp_path: Path) -> None:
    shard = "shards/1-of-2.json"
    with held(tmp_path, "r.csv", shard), pytest.raises(HeldError), held(tmp_path, "r.csv", NAME):
        pass
    with held(tmp_path, "results.csv", NAME), pytest.raises(HeldError), one_shard(tmp_path, "results.csv"):
        pass


def test_shards_that_take_over_a_journal_wait_for_each_other(tmp_path: Path) -> None:
    inside: list[int] = []

    def take() -> None:
        with one_shard(tmp_path, "results.csv"):
            inside.append(1)
            time.sleep(0.05)
            inside.append(-1)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == [1, -1] * 3


def test_a_driver_that_does_not_report_any_more_is_replaced(other: Report) -> None:
    write_report(other)
    with held(URL, "results.csv", NAME):
        assert report_in(URL).id != "other"
    assert report_in(URL).progress["state"] == "done"


def test_a_process_of_this_machine_that_is_gone_is_replaced_at_once(
    other: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "LEASE_S", 1000.0)
    gone = next(number for number in range(2**22 - 1, 1, -1) if not psutil.pid_exists(number))
    with held(URL, "results.csv", NAME):
        host = report_in(URL).host
    write_report(replace(other, host=host, process=gone))
    with held(URL, "results.csv", NAME):
        assert report_in(URL).id != "other"


def test_a_driver_of_another_machine_that_reports_is_not_replaced(other: Report) -> None:
    """Its clock is wrong by months: only changes of the report count."""
    write_report(other)
    ended = threading.Event()

    def report() -> None:
        number = 0
        while not ended.wait(0.03):
            number += 1
            write_report(replace(other, time=f"2020-01-01T00:00:{number % 60:02}+00:00"))

    thread = threading.Thread(target=report)
    thread.start()
    try:
        with pytest.raises(HeldError, match="process 1 on elsewhere"), held(URL, "results.csv", NAME):
            pass
    finally:
        ended.set()
        thread.join()


def test_a_driver_that_lost_the_journal_notices_and_leaves_it_alone(other: Report) -> None:
    def work(holder: Holder) -> None:
        holder.check()
        write_report(other)
        until(lambda: holder._lost)
        holder.check()

    with pytest.raises(HeldError, match="another run has taken over"), held(URL, "results.csv", NAME) as holder:
        work(holder)
    assert report_in(URL) == other


def test_a_driver_can_make_sure_that_it_has_the_journal(other: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "BEAT_S", 1000.0)

    def work(holder: Holder) -> None:
        holder.progress.done = 5
        holder.confirm()
        assert report_in(URL).progress["done"] == 5
        write_report(other)
        holder.check()
        holder.confirm()

    with pytest.raises(HeldError, match="another run has taken over"), held(URL, "results.csv", NAME) as holder:
        work(holder)
    assert report_in(URL) == other


def test_a_driver_that_loses_the_journal_at_its_end_does_not_write_over_the_report(
    other: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "BEAT_S", 1000.0)
    with held(URL, "results.csv", NAME):
        write_report(other)
    assert report_in(URL) == other


def test_of_two_drivers_that_take_over_at_once_one_is_refused(other: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "_CONFIRM_S", 0.2)
    monkeypatch.setattr(holders, "LEASE_S", 10.0)
    write_report(replace(other, progress={"state": "done"}))
    inside, refused, both = list[str](), list[HeldError](), threading.Barrier(2)

    def drive() -> None:
        both.wait()
        try:
            with held(URL, "results.csv", NAME):
                inside.append(report_in(URL).id)
                time.sleep(0.2)
        except HeldError as fault:
            refused.append(fault)

    threads = [threading.Thread(target=drive) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(inside), len(refused)) == (1, 1)


def test_a_damaged_report_is_named_with_the_fix(journal: Path | str) -> None:
    for content in (b"", b"{", b"[]", b"{}", b'{"process": 1}'):
        open_store(journal).write(NAME, content)
        with pytest.raises(OutputError, match=rf"{NAME}: is not the report of a run .*remove it"):
            read_report(open_store(journal), NAME)
    assert read_report(open_store(journal), "missing.json") is None


def test_a_store_that_fails_for_a_moment_does_not_end_the_run(
    journal: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [3]
    write = Holder.write

    def write_or_fail(self: Holder) -> None:
        if failures[0] > 0 and threading.current_thread() is not threading.main_thread():
            failures[0] -= 1
            raise OutputError("the store does not answer")
        write(self)

    monkeypatch.setattr(Holder, "write", write_or_fail)
    with held(journal, "results.csv", NAME) as holder:
        holder.progress.done = 3
        until(lambda: report_in(journal).progress["done"] == 3)
        holder.check()
    assert failures == [0]


def test_the_speed_is_that_of_the_last_minutes() -> None:
    now = [0.0]
    speed = Speed(clock=lambda: now[0])
    assert speed.update(0) == 0
    for second in range(1, 61):
        now[0] = second
        rate = speed.update(second * 10)
    assert rate == pytest.approx(10)
    for second in range(61, 400):
        now[0] = second
        rate = speed.update(600 + (second - 60) * 2)
    assert rate == pytest.approx(2)
