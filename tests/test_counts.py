"""Figures of a run: the same in the progress, the summary, the log, `status`, run.json and the tables."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from command import account, beside, here, rows
from PIL import Image
from strokes import page, save

from batchocr.cli import progress


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Five pages in three files: a file of three pages, a single page, and a file that is damaged."""
    folder = tmp_path / "scans"
    save(folder / "a.png", page(["20"]))
    frames = [Image.fromarray(page([text])) for text in ("5", "22", "333")]
    frames[0].save(folder / "long.tif", save_all=True, append_images=frames[1:])
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:200])
    return folder


def events(scans: Path, out: Path, *more: str) -> list[dict[str, Any]]:
    ended = here("run", scans, "--out", out, "--device", "cpu", "--log-format", "json", *more)
    assert ended.code == 3
    return [json.loads(line) for line in ended.err.splitlines()]


def figures(table: dict[str, Any]) -> tuple[int, int, int]:
    return table["pages"], table["failed"], table["kept"]


def check(found: list[dict[str, Any]], out: Path, pages: int, kept: int) -> None:
    """Compare the figures of the events with those of the files and of `status`."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for event in found:
        by_name.setdefault(event["event"], []).append(event)
    (start,), (done,) = by_name["start"], by_name["done"]
    read = len(by_name.get("page", [])) + len(by_name.get("failed", []))
    failed = start["kept_failed"] + len(by_name.get("failed", []))
    assert figures(done) == figures(account(out)["counts"]) == (pages, failed, kept)
    assert start["kept"] == kept and kept + read == pages
    if "total" in by_name:
        assert by_name["total"][-1]["pages"] == pages
    table = rows(beside(out, "pages.csv"))
    assert (len(table), sum(row["status"] == "failed" for row in table)) == (pages, failed)
    status = json.loads(here("status", out, "--json").out)
    assert (status["pages"], len(status["failed_pages"]), status["left"]) == (pages, failed, done["left"])


def test_a_new_run_and_one_that_resumes_have_one_definition_of_their_figures(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    check(events(scans, out), out, pages=5, kept=0)
    shutil.copy(scans / "a.png", scans / "b.png")
    (scans / "empty.png").write_bytes(b"")
    found = events(scans, out)
    assert found[0]["event"] == "start" and (found[0]["kept"], found[0]["to_read"]) == (5, 2)
    check(found, out, pages=7, kept=5)
    check(events(scans, out), out, pages=7, kept=6)  # an empty file is tried again each time


def test_lines_of_progress_and_the_summary_have_them_too(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.csv"
    here("run", scans, "--out", out, "--device", "cpu", "--quiet")
    (scans / "empty.png").write_bytes(b"")
    monkeypatch.setattr(progress, "INTERVAL_S", 0.01)
    ended = here("run", scans, "--out", out, "--device", "cpu")
    assert ended.err.splitlines()[0] in ("starting", "resuming: 5 pages in the journal, at least 1 page to read")
    assert "resuming: 5 pages in the journal, at least 1 page to read\n" in ended.err
    lines = re.findall(r"^(\d+) of (\d+) pages, (\d+) failed$", ended.err, re.MULTILINE)
    assert {total for _, total, _ in lines} == {"6"}
    assert set(lines) <= {("5", "6", "1"), ("6", "6", "2")} and lines
    assert ended.out.startswith("6 pages (5 of them from the journal), 2 failed, ")


def test_pages_that_are_not_read_after_too_many_failures_are_counted(scans: Path, tmp_path: Path) -> None:
    for number in range(20):
        (scans / f"x{number:02}.png").write_bytes(b"not an image")
    out = tmp_path / "results.csv"
    found = events(scans, out, "--max-failures", "2", "--jobs", "1")
    (done,) = [event for event in found if event["event"] == "done"]
    table = rows(beside(out, "pages.csv"))
    assert done["failed"] == sum(event["event"] == "failed" for event in found)
    assert done["failed"] == sum(row["status"] == "failed" for row in table) > 10
    assert done["pages"] == len(table) == [event["pages"] for event in found if event["event"] == "total"][-1]


def test_what_failed_in_the_same_way_before_is_not_reported_again_with_quiet(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    (scans / "empty.png").write_bytes(b"")
    call = ("run", scans, "--out", out, "--device", "cpu")
    assert here(*call, "--quiet").err.count("failed: ") == 2
    for form in ("text", "json"):
        again = here(*call, "--quiet", "--log-format", form)
        assert (again.code, again.out, again.err) == (3, "", "")
    assert here(*call, "--quiet", "--retry-failed").err == ""
    assert len([row for row in rows(beside(out, "pages.csv")) if row["status"] == "failed"]) == 2
    assert here(*call).err.count("failed: ") == 1  # without --quiet: the file that was tried again
    (scans / "empty.png").write_bytes(b"not an image")
    assert here(*call, "--quiet").err.startswith("failed: empty.png: ")
    (scans / "empty.png").write_bytes(b"not an image either")
    assert here(*call, "--quiet").err.startswith("failed: empty.png: ")  # another file
    assert here(*call, "--quiet").err == ""


def test_a_limit_bounds_a_run_and_the_next_runs_finish_the_rest(scans: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "limited.csv", tmp_path / "whole.csv"
    check(events(scans, whole), whole, pages=5, kept=0)
    first = events(scans, out, "--limit", "2", "--jobs", "1")
    check(first, out, pages=2, kept=0)
    assert first[-1]["left"] == account(out)["counts"]["left"] == 1  # long.tif, which is not opened yet
    ended = here("run", scans, "--out", out, "--device", "cpu", "--limit", "2", "--jobs", "1")
    assert ended.code == 3 and "to do: 1 page left for the next run (--limit)" in ended.out
    assert "pages left for the next run: 1" in here("status", out).out
    assert len(rows(beside(out, "pages.csv"))) == 4
    last = events(scans, out, "--limit", "2")
    check(last, out, pages=5, kept=4)
    assert last[-1]["left"] == 0
    assert out.read_bytes() == whole.read_bytes()


def test_files_that_fail_each_time_do_not_use_up_the_limit(tmp_path: Path, one_digit: Path) -> None:
    scans, out = tmp_path / "scans", tmp_path / "results.csv"
    scans.mkdir()
    for name in ("0.png", "1.png"):
        (scans / name).write_bytes(b"")
    shutil.copy(one_digit, scans / "2.jpg")
    for files, left in ((["0.png"], 2), (["0.png", "1.png"], 1), (["0.png", "1.png", "2.jpg"], 0)):
        assert here("run", scans, "--out", out, "--device", "cpu", "--limit", "1").code == 3
        assert [row["file"] for row in rows(beside(out, "pages.csv"))] == files
        assert account(out)["counts"]["left"] == left
    planned = here("run", scans, "--out", out, "--limit", "1", "--dry-run").out.splitlines()
    assert planned[-1] == "3 scans: would read at least 1 page, keep 2 pages, pass over 0 files"
