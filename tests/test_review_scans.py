"""Which items and scans the review page shows: those that a file is about, and what it says of scans that are gone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from command import beside, here, rows
from decisions import about, decision, sha256_of, write


@pytest.fixture
def run(tmp_path: Path, samples: Path) -> Path:
    """Return the results of a run over two scans, in a folder of their own."""
    (tmp_path / "scans").mkdir()
    for name in ("2017.png", "digits/2.jpg"):
        shutil.copy(samples / name, tmp_path / "scans")
    out = tmp_path / "results.csv"
    assert here("run", tmp_path / "scans", "--out", out, "--device", "cpu").code == 0
    return out


def shown(page: Path) -> list[tuple[str, str]]:
    """Return kind and reading of the items on a page."""
    found = re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"))
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return sorted((item[0], item[2]) for item in data["items"])


def review(out: Path, *options: str | Path) -> Any:
    return here("review", out, "--out", out.with_name("review.html"), "--known", "0", *options)


def test_only_what_two_persons_differ_in_is_shown(run: Path) -> None:
    number = about(run, "numbers.csv", "2017", "2011", by="anna")
    same = about(run, "csv", "0", "0", by="anna")
    anna = write(run.with_name("anna.csv"), number, same)
    bea = write(
        run.with_name("bea.csv"),
        about(run, "numbers.csv", "2017", "2012", by="bea"),
        about(run, "csv", "0", "0", by="bea"),
    )
    assert here("correct", run, anna, bea, "--compare").code == 0
    ended = review(run, "--only", beside(run, "differences.csv"))
    assert ended.code == 0, ended.err
    assert shown(run.with_name("review.html")) == [("number", "2017")]
    assert ended.out.startswith("1 item on 1 page")


def test_only_what_a_file_of_corrections_is_about_is_shown(run: Path) -> None:
    planted = about(run, "csv", "1", "7", task="known", expected="1")
    gone = about(run, "csv", "1", "7", left=9999)
    path = write(run.with_name("anna.csv"), about(run, "csv", "7", "1"), planted, gone)
    ended = review(run, "--only", path)
    assert ended.code == 3 and f"{path}:4: is about nothing that the results have" in ended.err
    assert shown(run.with_name("review.html")) == [("digit", "7")]


def test_a_file_about_other_results_or_without_columns_is_refused(run: Path) -> None:
    row = rows(run)[0]
    other = write(run.with_name("other.csv"), decision(row, "0" * 64, row["digit"]))
    ended = review(run, "--only", other)
    assert ended.code == 2 and "give the results that it belongs to" in ended.err
    other.write_text("file,page\na.png,1\n")
    ended = review(run, "--only", other)
    assert ended.code == 2 and "has no column sha256" in ended.err
    assert not run.with_name("review.html").exists()


def test_a_missing_scan_is_told_and_the_others_are_shown(run: Path) -> None:
    (run.parent / "scans" / "2.jpg").unlink()
    ended = review(run)
    assert ended.code == 3
    assert "2.jpg" in ended.err
    assert [reading for kind, reading in shown(run.with_name("review.html")) if kind == "digit"] == ["0", "1", "2", "7"]


def test_a_changed_scan_is_told_and_not_shown(run: Path, samples: Path) -> None:
    before = sha256_of(run, "2.jpg")
    shutil.copy(samples / "digits" / "7.jpg", run.parent / "scans" / "2.jpg")
    ended = review(run)
    assert ended.code == 3 and "2.jpg: its scan has changed since it was read: run again" in ended.err
    assert before not in run.with_name("review.html").read_text("utf-8")


def test_without_any_scan_there_is_no_page(run: Path) -> None:
    moved = run.parent / "elsewhere"
    (run.parent / "scans").rename(moved)
    ended = review(run)
    assert ended.code == 4 and "no scan can be shown" in ended.err and "--scans" in ended.err
    assert not run.with_name("review.html").exists()
    ended = review(run, "--scans", moved)
    assert ended.code == 0, ended.err
    (moved / "2.jpg").unlink()
    ended = review(run, "--scans", moved)
    assert ended.code == 3 and "2.jpg: its scan is not among those named" in ended.err


def test_a_scan_that_became_unreadable_is_told(run: Path) -> None:
    (run.parent / "scans" / "2.jpg").write_bytes(b"no picture")
    ended = review(run)
    assert ended.code == 3 and "2.jpg" in ended.err
