"""The workers: long scans, a worker that dies, an unexpected exception on one page."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from children import children
from drawing import Sheet
from PIL import Image

from batchocr.batch.journal import Journal
from batchocr.executors import page_task
from batchocr.executors.local import PAGES, LocalExecutor
from batchocr.executors.worker import TooSlow, Worker
from batchocr.forms.form import Form
from batchocr.records import Page, PageResult, Part, PreparedPage, Scan
from batchocr.sources import BadPage, load_pages

LONG = 2 * PAGES + 3


@pytest.fixture(scope="module")
def long_scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A TIFF with more pages than two tasks. Each page has as many strokes as the last digit of its number."""
    frames = []
    for number in range(1, LONG + 1):
        page = np.full((160, 400), 255, np.uint8)
        for i in range(number % 10):
            cv2.line(page, (30 + 35 * i, 50), (30 + 35 * i, 100), 0, 4)
        frames.append(Image.fromarray(page))
    path = tmp_path_factory.mktemp("long") / "long.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return Scan(path, "long.tif")


def through(scans: list[Scan], jobs: int) -> Iterator[PreparedPage]:
    with LocalExecutor(map(Part, scans), jobs=jobs, max_megapixels=100) as executor:
        yield from executor.pages()


def in_order(seen: Iterable[PreparedPage]) -> list[PreparedPage]:
    return sorted(seen, key=lambda s: (s.row.file, s.row.page or 0))


def digits(seen: PreparedPage) -> int:
    """Return the number of connected pieces of ink on a page."""
    if seen.level is None:
        return 0
    return int(cv2.connectedComponents(np.where(seen.level.pixels < 128, np.uint8(255), np.uint8(0)))[0]) - 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_pages_of_a_long_scan_come_once(long_scan: Scan, jobs: int) -> None:
    other = Scan(long_scan.path, "other.tif")
    seen = in_order(through([long_scan, other], jobs))
    assert [(s.row.file, s.row.page) for s in seen] == [
        (name, number) for name in ("long.tif", "other.tif") for number in range(1, LONG + 1)
    ]
    assert [digits(s) for s in seen[:LONG]] == [number % 10 for number in range(1, LONG + 1)]


def test_workers_are_started_when_there_is_work_for_them(long_scan: Scan) -> None:
    with LocalExecutor([Part(long_scan, 1, 1, LONG)], jobs=4, max_megapixels=100) as executor:
        assert len(list(executor.pages())) == 1
        assert len(children()) == 1
    with LocalExecutor([Part(long_scan)], jobs=2, max_megapixels=100) as executor:
        assert len(children()) == 1  # the number of pages is not known yet
        assert len(list(executor.pages())) == LONG
        assert len(children()) == 2


def test_a_worker_that_is_killed_costs_no_page(long_scan: Scan) -> None:
    scans = [Scan(long_scan.path, f"{i}.tif") for i in range(3)]
    seen = []
    for page in through(scans, 2):
        seen.append(page)
        if len(seen) == 5:
            for worker in children():
                worker.kill()
    assert [(s.row.file, s.row.page, s.row.status) for s in in_order(seen)] == [
        (scan.name, number, "read") for scan in scans for number in range(1, LONG + 1)
    ]


def test_a_worker_that_stops_in_the_middle_of_a_page_is_too_slow(tmp_path: Path) -> None:
    sheet = Sheet(3100, 2400)
    for row in range(20):
        sheet.number("0123456789" * 5, 60, 60 + 110 * row, 40)
    cv2.imwrite(str(tmp_path / "page.png"), sheet.pixels)
    scan = Scan(tmp_path / "page.png", "page.png")
    worker = Worker(max_megapixels=250, threads=1, memory=6 << 30)
    try:
        worker.wait_until_ready()
        worker._pipe.send((scan, 1, None))  # its answer is larger than the buffer of a pipe
        assert worker._pipe.poll(60)
        time.sleep(1)
        psutil.Process(worker._process.pid).suspend()
        with pytest.raises(TooSlow):
            list(worker.read(scan, 1, 1, 2))
        worker._process.join(10)
        assert not worker._process.is_alive()
    finally:
        worker.close()


def test_an_exception_on_one_page_does_not_affect_the_others(long_scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    find = page_task.prepare_page

    def faulty(page: Page, forms: Sequence[Form] = ()) -> PreparedPage:
        if page.number == 5:
            raise MemoryError
        return find(page, forms)

    monkeypatch.setattr(page_task, "prepare_page", faulty)
    seen = list(page_task.prepare_pages(long_scan, 100, 1, PAGES))
    assert [s.row.page for s in seen] == list(range(1, PAGES + 1))
    assert [s.row.page for s in seen if s.row.status == "failed"] == [5]
    assert seen[4].row.error == "no-memory"
    assert {s.pages for s in seen} == {LONG}


def test_after_an_exception_the_number_of_pages_is_still_known(
    long_scan: Scan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def faulty(scan: Scan, **wanted: Any) -> Iterator[Page | BadPage]:
        yield next(load_pages(scan, **wanted))
        raise ValueError("not \udcff text")

    monkeypatch.setattr(page_task, "load_pages", faulty)
    monkeypatch.setattr(page_task.log, "disabled", True)  # the report of the test must be text
    first, second = page_task.prepare_pages(long_scan, 100, 1, PAGES)
    assert (first.pages, second.pages, second.row.page, second.row.error) == (LONG, LONG, 2, "internal")
    with Journal(tmp_path) as journal:  # which stores text
        journal.add(long_scan, PageResult(second.row), pages=LONG, sha256="")
        assert [result.page for result in journal.results()] == [second.row]


def test_a_file_that_disappears_fails_page_by_page(long_scan: Scan, tmp_path: Path) -> None:
    path = tmp_path / "goes.tif"
    path.write_bytes(long_scan.path.read_bytes())
    pages = through([Scan(path, "goes.tif")], 1)
    first = next(pages)
    path.unlink()
    seen = [first, *pages]
    assert [s.row.page for s in in_order(seen)] == list(range(1, LONG + 1))
    assert {s.row.status for s in seen} <= {"read", "failed"}
