"""The whole run from Python: rows that do not depend on the order of work, and files that agree with each other."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from command import Row, account, beside, rows
from conftest import Job
from strokes import page, save

from batchocr import Settings, run
from batchocr.batch.open_journal import journal_folder
from batchocr.errors import ExitCode, ModelError, NothingToRead
from batchocr.reading_file import NAME, read_reading
from batchocr.recognition.model_file import read_sidecar, sha256, shipped_model
from batchocr.records import PageResult
from batchocr.shipped import shipped
from batchocr.sources import SUFFIXES
from batchocr.version import __version__


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names that are not in the order of their creation, a page without digits, and a damaged file."""
    folder = tmp_path_factory.mktemp("mixed")
    save(folder / "b.png", page(["20 17"]))
    save(folder / "a.png", np.full((300, 400), 250, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff and then nothing")
    save(folder / "a" / "9.png", page(["4"]))
    save(folder / "a" / "10.png", page(["005", "7"]))
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture(scope="module")
def mixed_job(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, list[Any]]:
    """A run over `mixed`, and what its callbacks received: the number of scans, then the pages."""
    received: list[Any] = []
    out = tmp_path_factory.mktemp("mixed-out") / "results.csv"
    summary = run([mixed], out, Settings(device="cpu"), on_total=received.append, on_page=received.append)
    return Job(summary, out), received


def without_seconds(table: list[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in table]


def where_and_what(row: Row) -> tuple[str, ...]:
    return tuple(value for name, value in row.items() if "confidence" not in name and name not in ("second", "review"))


def test_one_worker_or_several_write_the_same_bytes(samples: Path, samples_job: Job, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    jobs = 1 if account(samples_job.out)["settings"]["jobs"] > 1 else 2
    run([samples], out, Settings(device="cpu", jobs=jobs))
    assert account(out)["settings"]["jobs"] == jobs
    assert out.read_bytes() == samples_job.out.read_bytes()
    assert beside(out, "numbers.csv").read_bytes() == beside(samples_job.out, "numbers.csv").read_bytes()
    pages, others = rows(beside(out, "pages.csv")), rows(beside(samples_job.out, "pages.csv"))
    assert without_seconds(pages) == without_seconds(others)


def test_other_batch_sizes_read_the_same_digits_with_the_same_confidences(
    samples: Path, samples_job: Job, tmp_path: Path
) -> None:
    out, batch_size = tmp_path / "results.csv", 7
    run([samples], out, Settings(device="cpu", batch_size=batch_size))
    found, expected = rows(out), rows(samples_job.out)
    assert account(out)["settings"]["batch_size"] == batch_size
    assert [where_and_what(row) for row in found] == [where_and_what(row) for row in expected]
    for name in ("confidence", "second_confidence"):
        assert np.allclose([float(r[name]) for r in found], [float(r[name]) for r in expected], atol=0.001)


def test_files_named_one_by_one_in_any_order_give_the_same_rows(
    samples: Path, samples_job: Job, tmp_path: Path
) -> None:
    one_by_one = sorted((p for p in samples.rglob("*") if p.suffix in SUFFIXES), reverse=True)
    out = tmp_path / "results.csv"
    run([*one_by_one, one_by_one[0]], out, Settings(device="cpu"))
    assert out.read_bytes() == samples_job.out.read_bytes()


@pytest.mark.parametrize("which", ["samples", "mixed"])
def test_the_summary_has_the_figures_of_the_files(
    which: str, samples_job: Job, mixed_job: tuple[Job, list[Any]]
) -> None:
    job = samples_job if which == "samples" else mixed_job[0]
    digits, numbers = rows(job.out), rows(beside(job.out, "numbers.csv"))
    pages = rows(beside(job.out, "pages.csv"))
    summary = job.summary
    assert (summary.digits, summary.numbers, summary.pages) == (len(digits), len(numbers), len(pages))
    assert summary.failed == sum(row["status"] == "failed" for row in pages)
    assert summary.review == sum(bool(row["review"]) for row in digits)
    for count in ("numbers", "digits", "review"):
        assert getattr(summary, count) == sum(int(row[count]) for row in pages)
    assert Counter((row["file"], row["page"]) for row in digits) == Counter(
        {(row["file"], row["page"]): int(row["digits"]) for row in pages if row["digits"] != "0"}
    )
    assert account(job.out)["counts"] == {
        k: getattr(summary, k)
        for k in (
            "scans",
            "passed_over",
            "pages",
            "kept",
            "left",
            "failed",
            "numbers",
            "digits",
            "review",
            "review_numbers",
            "marked",
        )
    }
    assert summary.review_numbers == sum(bool(row["review"]) for row in numbers)
    assert summary.marked == sum(bool(row["marks"]) for row in pages)


def test_numbers_consist_of_their_digits(samples_job: Job) -> None:
    digits, numbers = rows(samples_job.out), rows(beside(samples_job.out, "numbers.csv"))
    spelled: dict[tuple[str, ...], str] = {}
    for row in digits:
        place = (row["file"], row["page"], row["line"], row["number"])
        spelled[place] = spelled.get(place, "") + row["digit"]
    assert [(*place, text) for place, text in spelled.items()] == [
        (row["file"], row["page"], row["line"], row["number"], row["digits"]) for row in numbers
    ]


def test_pages_are_in_the_natural_order_of_their_paths_with_their_status(mixed_job: tuple[Job, list[Any]]) -> None:
    pages = rows(beside(mixed_job[0].out, "pages.csv"))
    assert [(row["file"], row["page"], row["status"]) for row in pages] == [
        ("a.png", "1", "empty"),
        ("a/9.png", "1", "read"),
        ("a/10.png", "1", "read"),
        ("b.png", "1", "read"),
        ("broken.jpg", "0", "failed"),
    ]
    assert [row["file"] for row in rows(mixed_job[0].out)] == ["a/9.png"] + ["a/10.png"] * 4 + ["b.png"] * 4


def test_a_page_without_digits_is_an_empty_row(mixed_job: tuple[Job, list[Any]], mixed: Path) -> None:
    row = rows(beside(mixed_job[0].out, "pages.csv"))[0]
    assert (row["width"], row["height"]) == ("400", "300")
    assert {row[name] for name in ("lines", "numbers", "digits", "review")} == {"0"}
    assert (row["error"], row["message"]) == ("", "")
    assert row["sha256"] == hashlib.sha256((mixed / "a.png").read_bytes()).hexdigest()


def test_the_row_of_a_damaged_page_has_the_reason_and_a_fix(mixed_job: tuple[Job, list[Any]], mixed: Path) -> None:
    row = rows(beside(mixed_job[0].out, "pages.csv"))[-1]
    assert row["error"] == "damaged"
    assert row["message"].startswith("broken.jpg: ")
    assert (row["width"], row["height"], row["angle"]) == ("", "", "")
    assert row["sha256"] == hashlib.sha256((mixed / "broken.jpg").read_bytes()).hexdigest()


def test_boxes_are_inside_their_pages_from_left_to_right(samples_job: Job) -> None:
    pages = rows(beside(samples_job.out, "pages.csv"))
    sizes = {(row["file"], row["page"]): (int(row["width"]), int(row["height"])) for row in pages}
    before: tuple[Any, ...] = ()
    for row in rows(samples_job.out):
        left, top, width, height = (int(row[name]) for name in ("left", "top", "width", "height"))
        assert left >= 0 and top >= 0 and width > 0 and height > 0
        page = sizes[row["file"], row["page"]]
        assert left + width <= page[0] and top + height <= page[1]
        place = (row["file"], int(row["page"]), int(row["line"]), int(row["number"]), int(row["position"]))
        assert place > before
        before = place


def test_the_callbacks_receive_scans_and_pages(mixed_job: tuple[Job, list[Any]]) -> None:
    scans, *received = mixed_job[1]
    assert scans == mixed_job[0].summary.scans == 5
    pages = [each for each in received if isinstance(each, PageResult)]
    assert sorted(each.page.file for each in pages) == ["a.png", "a/10.png", "a/9.png", "b.png", "broken.jpg"]


def test_run_json_has_the_documented_fields(samples_job: Job, samples: Path) -> None:
    run_json = account(samples_job.out)
    assert set(run_json) == {
        "run", "out", "version", "started", "model", "detector", "reading", "settings", "device", "inputs",
        "passed_over", "counts", "seconds",
    }  # fmt: skip
    UUID(run_json["run"])
    assert run_json["version"] == __version__
    assert datetime.fromisoformat(run_json["started"]).tzinfo is not None
    sidecar = read_sidecar(shipped_model())
    path = shipped(NAME)
    reading, _ = read_reading(path)
    assert run_json["model"] == {
        "name": sidecar.name, "file": "digits.keras", "sha256": sidecar.sha256,
    }  # fmt: skip
    assert {**run_json["reading"], "fitted": True} == {
        "file": NAME, "sha256": sha256(path), "data": reading.data, "fitted": True,
    }  # fmt: skip
    assert (run_json["settings"]["min_confidence"], run_json["settings"]["max_error"]) == (reading.min_confidence, None)
    assert run_json["device"] == "cpu"
    assert run_json["inputs"] == [str(samples)]
    assert set(run_json["seconds"]) == {
        "start", "vision", "detector", "crops", "classifier", "decoding", "all",
    }  # fmt: skip
    assert run_json["counts"]["passed_over"] == len(run_json["passed_over"]) > 0
    assert "expected.csv" in run_json["passed_over"]


def test_every_run_has_its_own_id(samples_job: Job, mixed_job: tuple[Job, list[Any]]) -> None:
    assert account(samples_job.out)["run"] != account(mixed_job[0].out)["run"]


def test_exactly_the_documented_files_are_written(samples_job: Job) -> None:
    files = map(Path, samples_job.summary.files)
    assert set(samples_job.out.parent.iterdir()) == {*files, journal_folder(samples_job.out)}


def test_the_summary_knows_the_exit_code(samples_job: Job, mixed_job: tuple[Job, list[Any]]) -> None:
    assert samples_job.summary.exit_code == ExitCode.OK
    assert mixed_job[0].summary.exit_code == ExitCode.SOME_FAILED


def test_a_run_that_cannot_start_writes_nothing(tmp_path: Path, one_digit: Path) -> None:
    (tmp_path / "none").mkdir()
    out = tmp_path / "out" / "results.csv"
    out.parent.mkdir()
    with pytest.raises(NothingToRead):
        run([tmp_path / "none"], out)
    with pytest.raises(ModelError):
        run([one_digit], out, Settings(model=tmp_path / "none.keras"))
    assert list(out.parent.iterdir()) == []


def test_importing_the_package_imports_nothing_slow() -> None:
    code = "import sys, batchocr; print({'numpy', 'cv2', 'pandas', 'pydantic', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_the_total_grows_if_a_scan_has_more_pages(samples: Path, tmp_path: Path) -> None:
    totals: list[int] = []
    summary = run([samples / "fax.tif", samples / "letters.pdf"], tmp_path / "r.csv", on_total=totals.append)
    assert totals in ([2, 4, 5], [2, 3, 5]) and summary.pages == 5
