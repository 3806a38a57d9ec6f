"""Whole runs whose journal is in a store: they write the rows of a classic run, read nothing twice and lose nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
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
from batchocr.distributed import holder
from batchocr.distributed.merge import merge
from batchocr.distributed.status import read_drivers
from batchocr.errors import ExitCode, HeldError, NothingToRead, OutputError, Stopped, UsageError
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
