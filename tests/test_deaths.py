"""Pages that end their worker or take too long: which page fails, what is tried again, and that no page is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PosixPath

import psutil
import pytest
from children import children, is_child
from strokes import page, save

from batchocr.errors import BatchocrError
from batchocr.executors import local
from batchocr.executors.local import MIN_MEMORY, PAGES, LocalExecutor
from batchocr.executors.worker import TooSlow, Worker, WorkerDidNotStart, WorkerDied
from batchocr.forms.form import Form
from batchocr.records import PageRow, Part, PreparedPage, Scan

LONG = 2 * PAGES + 3

PageSummary = tuple[str, int | None, str, str, int]


def summaries(seen: Iterable[PreparedPage]) -> list[PageSummary]:
    rows = [(s.row.file, s.row.page, s.row.status, s.row.error, s.pages) for s in seen]
    return sorted(rows, key=lambda row: (row[0], row[1] or 0))


def good(name: str, pages: int) -> list[PageSummary]:
    return [(name, number, "read", "", pages) for number in range(1, pages + 1)]


# With simulated workers, for every case of a death


class Mortal:
    """Replaces a worker: it returns the pages of a scan, and dies while it reads some of them."""

    deadly: Counter[tuple[str, int]]
    """By scan and page, how often it dies."""
    sizes: dict[str, int]
    after: Counter[str]
    """By scan, how often it dies after the last page."""
    opens: bool
    """Whether scans can be opened at all."""
    slow = False

    def __init__(
        self, max_megapixels: float, threads: int, memory: int, pdf_password: str | None, forms: Sequence[Form]
    ) -> None: ...

    def wait_until_ready(self) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...

    def restart(self) -> None: ...

    def read(self, scan: Scan, first: int, last: int, seconds: float) -> Iterator[PreparedPage]:
        size = Mortal.sizes[scan.name]
        if not Mortal.opens:
            raise WorkerDied
        for number in range(first, min(last, size) + 1):
            if Mortal.deadly[scan.name, number] > 0:
                Mortal.deadly[scan.name, number] -= 1
                raise TooSlow if Mortal.slow else WorkerDied
            yield PreparedPage(PageRow(scan.name, number, "read"), None, size)
        if Mortal.after[scan.name] > 0:
            Mortal.after[scan.name] -= 1
            raise WorkerDied


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> type[Mortal]:
    monkeypatch.setattr(local, "Worker", Mortal)
    Mortal.deadly, Mortal.after, Mortal.sizes, Mortal.opens, Mortal.slow = Counter(), Counter(), {}, True, False
    return Mortal


def through(sizes: dict[str, int], parts: Iterable[Part] = (), jobs: int = 2) -> list[PageSummary]:
    Mortal.sizes = sizes
    parts = parts or [Part(Scan(Path(name), name)) for name in sizes]
    with LocalExecutor(parts, jobs=jobs, max_megapixels=1) as engine:
        return summaries(engine.pages())


@pytest.mark.parametrize("number", [1, 2, PAGES, PAGES + 1, LONG - 1, LONG])
def test_a_page_that_ends_its_worker_once_is_read_in_the_end(number: int, mortal: type[Mortal]) -> None:
    mortal.deadly["a", number] = 1
    assert through({"a": LONG, "b": 1}) == [*good("a", LONG), *good("b", 1)]


@pytest.mark.parametrize("number", [1, 2, PAGES, PAGES + 1, LONG - 1, LONG])
@pytest.mark.parametrize("slow", [False, True])
def test_a_page_that_does_so_twice_failed_and_all_others_are_read(
    number: int, slow: bool, mortal: type[Mortal]
) -> None:
    mortal.deadly["a", number], mortal.slow = 99, slow
    wanted = [*good("a", LONG), *good("b", 1)]
    wanted[number - 1] = ("a", number, "failed", "timeout" if slow else "crashed", LONG)
    assert through({"a": LONG, "b": 1}) == wanted
    assert mortal.deadly["a", number] == 97  # tried twice


def test_a_scan_that_ends_every_worker_failed_as_a_whole(mortal: type[Mortal]) -> None:
    mortal.opens = False
    assert through({"a": LONG}) == [("a", None, "failed", "crashed", 1)]


def test_the_only_page_of_a_scan_failed_as_a_whole_scan(mortal: type[Mortal]) -> None:
    mortal.deadly["a", 1] = 99
    assert through({"a": 1, "b": 2}) == [("a", None, "failed", "crashed", 1), *good("b", 2)]


def test_many_deaths_in_one_scan(mortal: type[Mortal]) -> None:
    for number in range(1, LONG + 1, 2):
        mortal.deadly["a", number] = 99
    statuses = [row[2] for row in through({"a": LONG})]
    assert statuses == ["failed", "read"] * (LONG // 2) + ["failed"]


@pytest.mark.parametrize("times", [1, 99])
@pytest.mark.parametrize("pages", [1, PAGES, LONG])
def test_a_death_after_the_last_page_of_a_task_fails_no_page(pages: int, times: int, mortal: type[Mortal]) -> None:
    mortal.after["a"] = times
    assert through({"a": pages}) == good("a", pages)


def test_a_single_long_scan_is_divided_among_the_workers(mortal: type[Mortal], monkeypatch: pytest.MonkeyPatch) -> None:
    together, read = threading.Barrier(2), mortal.read

    def wait(self: Mortal, scan: Scan, first: int, last: int, seconds: float) -> Iterator[PreparedPage]:
        if first in (PAGES + 1, 2 * PAGES + 1):
            together.wait(20)  # BrokenBarrierError if no other worker comes
        return read(self, scan, first, last, seconds)

    monkeypatch.setattr(mortal, "read", wait)
    assert through({"a": 3 * PAGES}) == good("a", 3 * PAGES)


@pytest.mark.parametrize("fails", ["read", "restart"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_in_a_thread_ends_the_run(
    fails: str, jobs: int, mortal: type[Mortal], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("in the parent")

    mortal.deadly["b", 1] = 99
    monkeypatch.setattr(mortal, fails, fail)
    with pytest.raises(MemoryError, match="in the parent"):
        through(dict.fromkeys("abcdefgh", 1), jobs=jobs)


def test_nothing_more_is_read_after_an_error_of_the_caller(
    mortal: type[Mortal], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, read = threading.Event(), mortal.read
    readings: list[int] = []

    def starting(self: Mortal) -> None:
        if not killed.is_set():
            assert killed.wait(20)
            raise WorkerDidNotStart

    def counted(self: Mortal, scan: Scan, first: int, last: int, seconds: float) -> Iterator[PreparedPage]:
        readings.append(first)
        return read(self, scan, first, last, seconds)

    monkeypatch.setattr(mortal, "wait_until_ready", starting)
    monkeypatch.setattr(mortal, "read", counted)
    monkeypatch.setattr(mortal, "kill", lambda self: killed.set())
    mortal.sizes = {"a": 10_000}
    with (
        pytest.raises(ValueError, match="the model"),
        LocalExecutor([Part(Scan(Path("a"), "a"))], jobs=1, max_megapixels=1),
    ):
        raise ValueError("the model is damaged")
    assert readings == []


def test_a_scan_that_cannot_be_opened_any_more_fails_page_by_page(
    mortal: type[Mortal], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(self: Mortal, scan: Scan, first: int, last: int, seconds: float) -> Iterator[PreparedPage]:
        yield PreparedPage(PageRow(scan.name, None if first == 1 else first, "failed", "not-found"))

    monkeypatch.setattr(mortal, "read", gone)
    a = Scan(Path("a"), "a")
    rows = through({}, [Part(a, 1, 3, 9), Part(a, 6, 7, 9)])
    assert rows == [("a", number, "failed", "not-found", 9) for number in (1, 2, 3, 6, 7)]


def test_only_the_pages_of_the_parts_are_read(mortal: type[Mortal]) -> None:
    a = Scan(Path("a"), "a")
    mortal.deadly["a", 5] = 99
    rows = through({"a": 60}, [Part(a, 5, 5, 60), Part(a, 8, 40, 60)])
    assert rows == [("a", 5, "failed", "crashed", 60), *good("a", 60)[7:40]]


def test_pages_that_are_missing_now_failed(mortal: type[Mortal]) -> None:
    rows = through({"a": 3}, [Part(Scan(Path("a"), "a"), 2, 5, 5)])
    assert [row[1:4] for row in rows] == [
        (2, "read", ""), (3, "read", ""), (4, "failed", "damaged"), (5, "failed", "damaged"),
    ]  # fmt: skip


def test_workers_that_never_start_end_the_run(mortal: type[Mortal], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Mortal) -> None:
        raise WorkerDidNotStart

    monkeypatch.setattr(mortal, "wait_until_ready", never)
    with pytest.raises(BatchocrError, match="end as soon as they start"):
        through({"a": 1})


def test_little_more_is_read_after_a_stop(mortal: type[Mortal]) -> None:
    mortal.sizes = {"a": 10_000}
    seen: list[PreparedPage] = []
    parts = [Part(Scan(Path("a"), "a"))]
    with LocalExecutor(parts, jobs=2, max_megapixels=1, should_stop=lambda: len(seen) >= 20) as engine:
        for each in engine.pages():
            seen.append(each)
    assert 20 <= len(seen) < 40
    assert len({s.row.page for s in seen}) == len(seen)


# With real workers


class DeadlyPath(PosixPath):
    """A file that kills the worker that reads it, as often as there are files `again-…` beside it."""

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        again = sorted(Path(str(self)).parent.glob("again-*"))
        if again and is_child():
            again[0].unlink()
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().stat(follow_symlinks=follow_symlinks)


class SlowPath(PosixPath):
    """A file on a disk that does not respond."""

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        if is_child():
            time.sleep(60)
        return super().stat(follow_symlinks=follow_symlinks)


class FaultyPath(PosixPath):
    """A file whose reading raises an unexpected exception."""

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        if is_child():
            raise RuntimeError("an internal error")
        return super().stat(follow_symlinks=follow_symlinks)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    save(tmp_path / "a.png", page(["20"]))
    return tmp_path / "a.png"


def really(scans: list[Scan], page_timeout: float = 60) -> list[PageSummary]:
    with LocalExecutor(map(Part, scans), jobs=2, max_megapixels=100, page_timeout=page_timeout) as engine:
        return summaries(engine.pages())


@pytest.mark.parametrize("deaths", [1, 9])
def test_a_segmentation_fault_costs_no_other_page(deaths: int, image: Path) -> None:
    for i in range(deaths):
        (image.parent / f"again-{i}").touch()
    scans = [Scan(image, name) for name in "acd"] + [Scan(DeadlyPath(image), "b")]
    b = ("b", 1, "read", "", 1) if deaths == 1 else ("b", None, "failed", "crashed", 1)
    assert really(scans) == [*good("a", 1), b, *good("c", 1), *good("d", 1)]


def test_a_page_that_takes_too_long_costs_no_other(image: Path) -> None:
    rows = really([Scan(SlowPath(image), "a"), Scan(image, "b")], page_timeout=2)
    assert rows == [("a", None, "failed", "timeout", 1), *good("b", 1)]


def test_the_parent_writes_the_log_of_a_worker(
    image: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = really([Scan(FaultyPath(image), "a"), Scan(image, "b")])
    assert rows == [("a", None, "failed", "internal", 1), *good("b", 1)]
    (record,) = caplog.records
    assert (record.levelname, record.name) == ("ERROR", "batchocr.executors.page_task")
    assert "a: exception while the scan was read" in record.getMessage() and "an internal error" in record.getMessage()
    assert capfd.readouterr().err == ""


def test_deaths_leave_neither_open_files_nor_processes_behind() -> None:
    worker = Worker(1, 1, MIN_MEMORY)
    before = psutil.Process().num_fds()
    for _ in range(20):
        worker.kill()
        with pytest.raises(WorkerDidNotStart):
            worker.wait_until_ready()
        worker.restart()
    assert psutil.Process().num_fds() == before
    assert len(children()) == 1
    worker.close()
    assert children() == []
