"""`batchocr status`: the report on the last run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import here
from strokes import page, save

import batchocr


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("status")
    save(folder / "scans" / "good.png", page(["4725 3594", "2754"]))
    (folder / "scans" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    assert here("run", folder / "scans", "--out", folder / "results.csv", "--device", "cpu").code == 3
    return folder / "results.csv"


def test_counts_and_failed_pages_with_their_reasons(out: Path) -> None:
    ended = here("status", out)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert "pages 2, scans 2" in lines[0]
    assert lines[1].startswith("digits 12, ") and "; numbers 3, " in lines[1]
    assert "failed pages: 1" in lines
    assert lines[-1].startswith("  broken.png")


def test_json_has_the_same(out: Path) -> None:
    report = json.loads(here("status", out, "--json").out)
    assert (report["pages"], report["digits"], report["numbers"]) == (2, 12, 3)
    ((name, reason, message),) = report["failed_pages"]
    assert name.startswith("broken.png") and reason and message
    assert report["out"] == str(out)


def test_numbers_to_review_are_listed_with_their_place_and_marks(tmp_path: Path) -> None:
    save(tmp_path / "page.png", page(["4725 3594"]))
    run = ("run", tmp_path / "page.png", "--out", tmp_path / "r.csv", "--device", "cpu", "--min-confidence", "1")
    assert here(*run).code == 0
    status = batchocr.read_status(str(tmp_path / "r.csv"))
    assert [(place, text) for place, text, _ in status.marked_numbers] == [
        ("page.png, page 1, line 1", "4725"),
        ("page.png, page 1, line 1", "3594"),
    ]
    assert all("low-confidence" in marks for *_, marks in status.marked_numbers)
    assert "  page.png, page 1, line 1: 4725: " in here("status", tmp_path / "r.csv").out


def test_results_of_another_format_than_the_last_run_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "page.png", page(["4725"]))
    for name in ("r.csv", "r.jsonl"):
        assert here("run", tmp_path / "page.png", "--out", tmp_path / name, "--device", "cpu").code == 0
    assert here("status", tmp_path / "r.jsonl").code == 0
    ended = here("status", tmp_path / "r.csv")
    assert ended.code == 7 and "the last run wrote r.jsonl" in ended.err


def test_without_results(out: Path, tmp_path: Path) -> None:
    ended = here("status", tmp_path / "results.csv")
    assert ended.code == 7 and "there are no results of a run here" in ended.err
    assert here("status", tmp_path / "results.txt").code == 2


def test_files_that_are_not_those_of_a_run(out: Path, tmp_path: Path) -> None:
    for name in ("results.run.json", "results.pages.csv", "results.numbers.csv"):
        (tmp_path / name).write_bytes(out.with_name(name).read_bytes())
    (tmp_path / "results.pages.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    ended = here("status", tmp_path / "results.csv")
    assert ended.code == 7 and "results.pages.csv has no column" in ended.err
