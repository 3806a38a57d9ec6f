"""Whole runs whose journal is in a store: they write the rows of a classic run, read nothing twice and lose nothing."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from command import Row, account, beside, rows
from PIL import Image
from strokes import page, save

from batchocr import Settings, Summary, run
from batchocr.batch.journal import FILE
from batchocr.batch.open_journal import journal_folder
from batchocr.batch.parts import PARTS
from batchocr.distributed import holder
from batchocr.distributed.merge import merge
from batchocr.distributed.status import read_drivers
from batchocr.errors import NothingToRead, OutputError, Stopped, UsageError
from batchocr.records import PageResult

PDF_PAGES = 3


@dataclass
class Run:
    """What a run returned, and the pages that it read."""

    summary: Summary
    read: list[tuple[str, int | None]]


def go(scans: Path, out: str | Path, stop_after: int | None = None, **settings: Any) -> Run:
    """Run on the CPU; ask to stop after a number of pages."""
    read: list[tuple[str, int | None]] = []

    def on_page(result: PageResult) -> None:
        read.append((result.page.file, result.page.page))

    def should_stop() -> bool:
        return stop_after is not None and len(read) >= stop_after

    summary = run([scans], out, Settings(device="cpu", **settings), on_page=on_page, should_stop=should_stop)
    return Run(summary, read)


def tables(out: Path) -> tuple[bytes, bytes, list[Row]]:
    """Return the tables of digits, of numbers, and of pages without their seconds."""
    pages = [
        {name: value for name, value in row.items() if name != "seconds"} for row in rows(beside(out, "pages.csv"))
    ]
    return out.read_bytes(), beside(out, "numbers.csv").read_bytes(), pages


def pages_of(out: Path) -> list[tuple[str, int | None]]:
    return [(row["file"], int(row["page"]) or None) for row in rows(beside(out, "pages.csv"))]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten scans: small pages, a PDF of several pages, a damaged file, and a name that is not UTF-8."""
    folder = tmp_path_factory.mktemp("scans")
    for number, text in enumerate(["4", "20 17", "005", "9", "31", "7 7"]):
        save(folder / "sub" / f"{number + 8}.png", page([text]))
    save(folder / "b.png", np.full((120, 160), 250, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff and then nothing")
    save(folder / "a\udcff.png", page(["1"]))
    sheets = [Image.fromarray(page([str(number)])) for number in range(PDF_PAGES)]
    sheets[0].save(folder / "c.pdf", save_all=True, append_images=sheets[1:])
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture(scope="module")
def classic(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run without a store."""
    out = tmp_path_factory.mktemp("classic") / "results.csv"
    assert len(go(scans, out).read) == 9 + PDF_PAGES
    return out


@pytest.fixture(scope="module")
def merged(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards and their merge."""
    out = tmp_path_factory.mktemp("merged") / "results.csv"
    for number in (1, 2, 3):
        assert not out.exists()
        go(scans, out, shard=(number, 3))
    merge(out)
    return out


def test_three_shards_and_a_merge_write_what_one_run_writes(classic: Path, merged: Path) -> None:
    assert tables(merged) == tables(classic)
    found, expected = account(merged)["counts"], account(classic)["counts"]
    assert found == expected


def test_a_shard_that_is_run_again_reads_nothing(scans: Path, classic: Path, merged: Path) -> None:
    kept = [go(scans, merged, shard=(number, 3)) for number in (1, 2, 3)]
    assert [each.read for each in kept] == [[], [], []]
    assert sum(each.summary.kept for each in kept) == 9 + PDF_PAGES
    assert merge(merged).kept == 9 + PDF_PAGES
    assert tables(merged) == tables(classic)


def copied(out: Path, folder: Path) -> Path:
    """Copy results and journal, and return the path of the results."""
    shutil.copytree(out.parent, folder, dirs_exist_ok=True)
    return folder / out.name


def test_a_run_on_the_disk_continues_as_a_shard_and_back_again_without_reading(
    scans: Path, classic: Path, tmp_path: Path
) -> None:
    out = copied(classic, tmp_path)
    expected = tables(out)
    shard = go(scans, out, shard=(1, 1))
    assert (shard.read, shard.summary.kept) == ([], 9 + PDF_PAGES)
    assert not (journal_folder(out) / FILE).exists()
    out.unlink()
    merge(out)
    assert tables(out) == expected
    back = go(scans, out)
    assert (back.read, back.summary.kept) == ([], 9 + PDF_PAGES)
    assert not list((journal_folder(out) / PARTS).rglob("*.parquet"))
    assert tables(out) == expected


def test_fresh_forgets_the_pages_of_other_kinds_of_runs(
    scans: Path, classic: Path, merged: Path, tmp_path: Path
) -> None:
    page = scans / "b.png"
    out = copied(merged, tmp_path / "merged")
    assert go(page, out, fresh=True).read == [("b.png", 1)]
    assert go(page, out).read == []
    out = copied(classic, tmp_path / "classic")
    assert go(page, out, shard=(1, 1), fresh=True).read == [("b.png", 1)]
    assert go(page, out, shard=(1, 1)).read == []


def test_other_numbers_of_shards_and_a_selection_of_pages_read_nothing(
    scans: Path, merged: Path, tmp_path: Path
) -> None:
    out = copied(merged, tmp_path)
    assert [go(scans, out, shard=(number, 2)).read for number in (1, 2)] == [[], []]
    assert merge(out).pages == 9 + PDF_PAGES
    assert go(scans, out, shard=(1, 1), pages=(2,)).read == []
    assert merge(out).pages == 10
    assert [number for name, number in pages_of(out) if name == "c.pdf"] == [2]


def test_only_failed_pages_are_read_again_if_asked(scans: Path, classic: Path, merged: Path, tmp_path: Path) -> None:
    out = copied(merged, tmp_path)
    assert go(scans, out, shard=(1, 1), retry_failed=True).read == [("broken.jpg", None)]
    assert merge(out).failed == 1
    assert tables(out) == tables(classic)


def test_an_interrupted_run_loses_nothing_and_doubles_nothing(scans: Path, classic: Path, tmp_path: Path) -> None:
    out, read = tmp_path / "results.csv", list[tuple[str, int | None]]()

    def on_page(result: PageResult) -> None:
        read.append((result.page.file, result.page.page))

    settings = Settings(device="cpu", jobs=1, shard=(1, 1))
    with pytest.raises(Stopped):
        run([scans], out, settings, on_page=on_page, should_stop=lambda: len(read) >= 2)
    first = list(read)
    assert len(first) >= 2
    with pytest.raises(NothingToRead, match="no shard has finished"):
        merge(out)
    second = go(scans, out, shard=(1, 1))
    assert second.summary.kept == len(first)
    assert len({*first, *second.read}) == len(first) + len(second.read) == 9 + PDF_PAGES
    merge(out)
    assert tables(out) == tables(classic)


def test_a_merge_without_a_shard_names_it_and_writes_nothing(merged: Path, tmp_path: Path) -> None:
    out = copied(merged, tmp_path)
    records = list((journal_folder(out) / "shards").glob("2-of-3*.json"))
    for path in records:
        path.unlink()
    for path in tmp_path.glob("results*.*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(OutputError, match=r"not finished: 2/3: run them"):
        merge(out)
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv.journal"]


@pytest.mark.parametrize("option", ["limit", "max_failures"])
def test_limits_are_for_runs_of_one_process(option: str, scans: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}: .*--shard"):
        go(scans, tmp_path / "results.csv", shard=(1, 2), **{option: 3})
    with pytest.raises(UsageError, match="object store"):
        go(scans, "memory://limits/results.csv", **{option: 3})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take over the journal in a store at once: no other driver is there."""
    monkeypatch.setattr(holder, "_CONFIRM_S", 0.0)


@pytest.fixture(scope="module")
def in_store(scans: Path) -> tuple[str, Run]:
    """Results in an object store."""
    out = "memory://shards/results.csv"
    return out, go(scans, out)


def fetched(name: str, folder: Path) -> Path:
    """Copy the results from the object store, and return the path of the digits."""
    files = fsspec.filesystem("memory")
    stem = name.partition(".")[0]
    for path in files.ls("/shards", detail=False):
        if path.startswith(f"/shards/{stem}.") and files.isfile(path):
            files.get_file(path, str(folder / path.rpartition("/")[2]))
    return folder / name


def test_results_in_an_object_store_are_those_on_a_disk(
    in_store: tuple[str, Run], classic: Path, tmp_path: Path
) -> None:
    out, done = in_store
    assert len(done.read) == 9 + PDF_PAGES
    assert done.summary.out == out
    assert tables(fetched("results.csv", tmp_path)) == tables(classic)


def test_the_status_of_results_in_an_object_store_says_that_the_run_is_done(in_store: tuple[str, Run]) -> None:
    (driver,) = read_drivers(in_store[0])
    progress = driver.progress
    assert (driver.name, driver.state) == ("run", "done")
    assert (progress.pages, progress.done, progress.failed) == (9 + PDF_PAGES, 9 + PDF_PAGES, 1)


@pytest.mark.parametrize("name", ["results.csv", "other.jsonl", "other.db"])
def test_a_second_run_in_an_object_store_keeps_all_pages(
    name: str, scans: Path, in_store: tuple[str, Run], classic: Path, tmp_path: Path
) -> None:
    again = go(scans, f"memory://shards/{name}", state=f"{in_store[0]}.journal")
    assert (again.read, again.summary.kept) == ([], 9 + PDF_PAGES)
    found = fetched(name, tmp_path)
    expected = rows(classic)
    if name.endswith(".csv"):
        assert rows(found) == expected
    elif name.endswith(".jsonl"):
        assert len(found.read_text().splitlines()) == len(expected)
    else:
        with closing(sqlite3.connect(found)) as base:
            assert base.execute("SELECT COUNT(*) FROM digits").fetchone() == (len(expected),)
