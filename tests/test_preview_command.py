"""`batchocr preview` as users call it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import cv2
import pytest
from command import account, here, rows
from conftest import SAMPLES


def test_preview_never_draws_over_the_scan(tmp_path: Path, samples: Path) -> None:
    scan = tmp_path / "page.png"
    shutil.copy(samples / "2017.png", scan)
    ended = here("preview", scan, "--out", scan, "--device", "cpu")
    assert (ended.code, "this is the scan itself" in ended.err) == (2, True)
    assert scan.read_bytes() == (samples / "2017.png").read_bytes()


def test_a_run_does_not_read_a_preview(tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(samples / "2017.png", tmp_path / "page.png")
    assert here("preview", "page.png", "--device", "cpu").code == 0
    assert (tmp_path / "page.preview.png").exists()
    assert here("run", ".", "--out", "results.csv", "--device", "cpu").code == 0
    assert {row["file"] for row in rows(tmp_path / "results.csv")} == {"page.png"}
    assert account(tmp_path / "results.csv")["passed_over"] == ["page.preview.png"]


@pytest.mark.parametrize(("scan", "suffix"), [("2017.png", "png"), ("digits/2.jpg", "jpg")])
def test_preview_writes_an_image_that_is_not_smaller_than_the_page(
    tmp_path: Path, samples: Path, scan: str, suffix: str
) -> None:
    out = tmp_path / f"drawn.{suffix}"
    ended = here("preview", samples / scan, "--out", out, "--device", "cpu")
    assert ended.code == 0
    assert re.fullmatch(rf"\d+ digits?, \d+ digits? and \d+ numbers? to review: {re.escape(str(out))}\n", ended.out)
    drawn, page = cv2.imread(str(out)), cv2.imread(str(samples / scan))
    assert drawn is not None and page is not None
    assert drawn.shape[0] >= page.shape[0] and drawn.shape[1] >= page.shape[1]
    assert (drawn.max(axis=2).astype(int) - drawn.min(axis=2) > 100).any()  # boxes and labels have a colour


def test_preview_of_a_folder_draws_every_page_into_a_folder(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "scans"
    (folder / "more").mkdir(parents=True)
    shutil.copy(samples / "letters.pdf", folder)
    shutil.copy(samples / "digits" / "2.jpg", folder / "more")
    ended = here("preview", folder, "--device", "cpu")
    drawn = ["letters-001.preview.png", "letters-002.preview.png", "more/2-001.preview.png"]
    assert (ended.code, ended.err) == (0, "")
    assert [line.split(": ")[1] for line in ended.out.splitlines()] == [f"previews/{name}" for name in drawn]
    assert [file.relative_to("previews").as_posix() for file in sorted(Path("previews").rglob("*.png"))] == drawn


def test_preview_goes_on_after_a_page_that_fails(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "a.png").write_text("not an image")
    shutil.copy(samples / "digits" / "2.jpg", tmp_path / "b.jpg")
    shutil.copy(samples / "digits" / "7.jpg", tmp_path / "b.jpeg")
    out = tmp_path / "new" / "drawn"
    ended = here("preview", tmp_path, "--out", out, "--format", "jpg", "--device", "cpu")
    assert ended.code == 3
    assert ended.err.startswith("batchocr: a.png: not an image") and ended.err.count("\n") == 1
    assert {file.name for file in out.iterdir()} == {"b.jpg-001.preview.jpg", "b.jpeg-001.preview.jpg"}
    assert (out / "b.jpg-001.preview.jpg").read_bytes()[:3] == b"\xff\xd8\xff"


def test_preview_draws_the_pages_that_are_selected(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scan = samples / "letters.pdf"
    assert here("preview", scan, "--pages", "2", "--max-side", "400", "--device", "cpu").code == 0
    drawn = cv2.imread("letters.preview.png")
    assert drawn is not None and drawn.shape[1] == 400
    assert here("preview", scan, "--out", "page.jpg", "--stage", "level", "--device", "cpu").code == 0
    missing = here("preview", scan, "--pages", "2-4", "--out", "folder", "--stage", "level", "--device", "cpu")
    assert (missing.code, "has no page 3" in missing.err) == (2, True)
    assert {path.as_posix() for path in Path().rglob("*.*g")} == {
        "letters.preview.png", "page-001.jpg", "page-002.jpg", "folder/letters-002.preview.png",
    }  # fmt: skip


def test_a_contact_sheet_has_the_digits_for_review(tmp_path: Path, samples: Path) -> None:
    out = tmp_path / "doubtful.png"
    (tmp_path / "broken.png").write_text("not an image")
    scans = [samples / "form.png", samples / "digits" / "2.jpg", tmp_path / "broken.png"]
    ended = here("preview", *scans, "--contact-sheet", out, "--min-confidence", "0.9", "--device", "cpu")
    assert ended.code == 3 and ended.err.count("\n") == 1
    found = re.fullmatch(rf"(\d+) digits? to review on 2 pages: {re.escape(str(out))}\n", ended.out)
    assert found and int(found[1]) >= 1
    sheet = cv2.imread(str(out))
    assert sheet is not None and ((sheet == (0, 94, 213)).all(axis=2)).sum() > 300  # boxes
    assert {path.name for path in tmp_path.iterdir()} == {"doubtful.png", "broken.png"}


def test_preview_never_writes_over_a_scan_of_a_folder(tmp_path: Path, samples: Path) -> None:
    scan = tmp_path / "2-001.preview.png"
    shutil.copy(samples / "digits" / "2.jpg", tmp_path / "2.jpg")
    shutil.copy(samples / "digits" / "2.jpg", scan)
    ended = here("preview", tmp_path / "2.jpg", scan, "--out", tmp_path, "--device", "cpu")
    assert (ended.code, "this is the scan itself" in ended.err) == (2, True)
    sheet = here("preview", tmp_path / "2.jpg", scan, "--contact-sheet", scan, "--device", "cpu")
    assert (sheet.code, "this is the scan itself" in sheet.err) == (2, True)
    assert scan.read_bytes() == (samples / "digits" / "2.jpg").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([SAMPLES / "2017.png", "--out", "drawn.gif"], 2),
        (["nowhere.png"], 2),
        ([], 2),
        ([SAMPLES / "digits", "--out", "drawn.png"], 2),
        ([SAMPLES / "2017.png", "--out", "drawn.png", "--format", "jpg"], 2),
        ([SAMPLES / "2017.png", "--contact-sheet", "a.png", "--out", "b.png"], 2),
        ([SAMPLES / "digits", "--pages", "5"], 2),
        ([SAMPLES / "expected.csv"], 3),
        ([SAMPLES / "make_*.png"], 4),
        ([SAMPLES / "2017.png", "--model", "none.keras"], 5),
        ([SAMPLES / "digits" / "2.jpg", "--out", "none/drawn.png"], 7),
        ([SAMPLES / "digits" / "2.jpg", "--contact-sheet", "none/drawn.png"], 7),
    ],
)
def test_preview_ends_with_the_same_codes(
    arguments: list[str | Path], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("preview", *arguments)
    assert ended.code == code
    assert ended.err.startswith("batchocr: ") and ended.err.count("\n") == 1
    assert not list(tmp_path.rglob("*.*g"))
    assert not list(tmp_path.rglob("*.gif"))
