"""`batchocr run --dry-run`: what a run would do, without doing it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from command import here, in_own_process
from PIL import Image
from strokes import page, save


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    save(folder / "a.png", page(["20"]))
    frames = [Image.fromarray(page([text])) for text in ("5", "22", "333")]
    frames[0].save(folder / "long.tif", save_all=True, append_images=frames[1:])
    for name in ("notes.txt", ".hidden.png", "a.preview.png"):
        (folder / name).write_text("not a scan")
    return folder


def planned(scans: Path, out: Path, *more: str) -> Sequence[str]:
    ended = here("run", scans, "--out", out, "--dry-run", *more)
    assert (ended.code, ended.err) == (0, "")
    return ended.out.splitlines()


PASSED_OVER = [
    "pass over  .hidden.png (hidden)",
    "pass over  a.preview.png (drawn by `batchocr preview`)",
    "pass over  notes.txt (no suffix of an image or PDF)",
]


def test_it_lists_what_is_new_kept_left_and_passed_over(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    new = [
        "read       a.png (new)",
        "read       long.tif (new)",
        *PASSED_OVER,
        "2 scans: would read at least 2 pages, keep 0 pages, pass over 3 files",
    ]
    assert planned(scans, out) == new
    assert [path.name for path in tmp_path.iterdir()] == ["scans"]
    assert here("run", scans, "--out", out, "--device", "cpu", "--limit", "3", "--jobs", "1").code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (scans / "broken.png").write_bytes(b"not an image")
    kept = ["keep       a.png, 1 page (unchanged)", "keep       long.tif, 2 pages (unchanged)"]
    assert planned(scans, out) == [
        "read       broken.png (new)",
        "read       long.tif, 1 page (changed, or not finished)",
        *kept,
        *PASSED_OVER,
        "3 scans: would read at least 2 pages, keep 3 pages, pass over 3 files",
    ]
    assert planned(scans, out, "--limit", "1") == [
        "read       broken.png (new)",
        *kept,
        "leave      long.tif, 1 page (over --limit)",
        *PASSED_OVER,
        "3 scans: would read at least 1 page, keep 3 pages, leave at least 1 page, pass over 3 files",
    ]
    for more in (["--fresh"], ["--max-megapixels", "99"], ["--batch-size", "7"]):
        lines = planned(scans, out, *more)
        assert "read       a.png (read by another version, model or setting, or --fresh)" in lines
        assert lines[-1] == "3 scans: would read at least 3 pages, keep 0 pages, pass over 3 files"
    assert planned(scans, out, "--quiet") == ["3 scans: would read at least 2 pages, keep 3 pages, pass over 3 files"]
    (scans / "broken.png").unlink()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert here("run", scans, "--out", out, "--device", "cpu").out.startswith("4 pages (3 of them from the journal)")


def test_it_respects_the_pages_and_the_format_and_lists_names_in_natural_order(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.db"
    for name in ("a10.png", "a9.png"):
        shutil.copy(scans / "a.png", scans / name)
    new = [f"read       {name} (new)" for name in ("a.png", "a9.png", "a10.png", "long.tif")]
    assert planned(scans, out, "--pages", "1,3") == [
        *new,
        *PASSED_OVER,
        "4 scans: would read at least 4 pages, keep 0 pages, pass over 3 files",
    ]
    read = here("run", scans, "--out", f"sqlite:///{out}", "--pages", "1,3", "--device", "cpu")
    assert read.code == 0 and read.out.startswith("5 pages")
    kept = [f"keep       {name}.png, 1 page (unchanged)" for name in ("a", "a9", "a10")]
    assert planned(scans, out, "--pages", "3,1") == [
        *kept,
        "keep       long.tif, 2 pages (unchanged)",
        *PASSED_OVER,
        "4 scans: would read 0 pages, keep 5 pages, pass over 3 files",
    ]
    assert planned(scans, out, "--pages", "2-3", "--limit", "1") == [
        "read       long.tif, 1 page (changed, or not finished)",
        *kept,
        "keep       long.tif, 1 page (unchanged)",
        *PASSED_OVER,
        "4 scans: would read 1 page, keep 4 pages, pass over 3 files",
    ]
    assert planned(scans, out)[0] == "read       long.tif, 1 page (changed, or not finished)"


def test_what_failed_is_read_again_only_where_a_run_would(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    (scans / "empty.png").write_bytes(b"")
    (scans / "broken.png").write_bytes(b"not an image")
    assert here("run", scans, "--out", out, "--device", "cpu").code == 3
    assert planned(scans, out)[0] == "read       empty.png (failed in an earlier run)"
    assert "keep       broken.png, 1 page (unchanged)" in planned(scans, out)
    assert "read       broken.png (failed in an earlier run)" in planned(scans, out, "--retry-failed")
    shutil.copy(scans / "a.png", scans / "broken.png")
    assert "read       broken.png (failed in an earlier run)" in planned(scans, out)


def test_nothing_to_read_ends_with_4_and_changes_no_results(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    (tmp_path / "empty").mkdir()
    out.write_text("of an earlier run")
    ended = here("run", tmp_path / "empty", "--out", out, "--dry-run")
    assert (ended.code, "no images or PDFs" in ended.err, out.read_text()) == (4, True, "of an earlier run")
    assert here("run", scans, "--out", tmp_path / "results.txt", "--dry-run").code == 2
    assert here("run", scans, "--model", tmp_path / "none.keras", "--dry-run").code == 5


def test_it_loads_no_network(scans: Path) -> None:
    code = (
        "import sys\nfrom batchocr.cli import app\ntry:\n    app(prog_name='batchocr')\nfinally:\n"
        "    print(*sorted({'tensorflow', 'keras', 'cv2'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = in_own_process("run", scans, "--dry-run", folder=scans.parent, start=[sys.executable, "-c", code])
    assert (ended.code, ended.err) == (0, "\n")
