"""Where the results go: new folders, symbolic links, streams that are closed or full, and scans that are gone."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from command import START, account, beside, environment, here, rows

RESULTS = {"results.csv", "results.numbers.csv", "results.pages.csv", "results.run.json", "results.csv.journal"}


@pytest.fixture
def scans(tmp_path: Path, one_digit: Path) -> Path:
    (tmp_path / "scans").mkdir()
    shutil.copy(one_digit, tmp_path / "scans" / "a.jpg")
    return tmp_path / "scans"


def test_a_missing_output_folder_is_created_with_its_parents(scans: Path, tmp_path: Path) -> None:
    out, state = tmp_path / "new" / "folder" / "results.csv", tmp_path / "other" / "state"
    assert here("run", scans, "--out", out, "--state", state, "--device", "cpu").code == 0
    assert len(rows(out)) == 1
    assert state.is_dir()


def test_a_folder_that_cannot_be_created_ends_with_7(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    ended = here("run", scans, "--out", tmp_path / "file" / "new" / "results.csv")
    assert ended.code == 7
    assert f"the folder {tmp_path / 'file' / 'new'} cannot be created (Not a directory)" in ended.err
    ended = here("run", scans, "--out", tmp_path / "results.csv", "--state", tmp_path / "file" / "state")
    assert ended.code == 7 and "give --state another folder" in ended.err


@pytest.mark.parametrize("arguments", [["--out", "new/results.txt"], ["--out", "new/results.csv", "--dry-run"]])
def test_no_folder_is_created_for_a_run_that_writes_nothing(
    arguments: list[str], scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here("run", "scans", *arguments)
    here("run", "scans", "--no-recursive", *arguments[:2], "--model", "none.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["scans"]


def test_the_target_of_a_link_is_replaced_and_the_other_results_are_beside_it(scans: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "disk" / "results.csv", tmp_path / "home" / "latest.csv"
    for folder in (target.parent, link.parent, tmp_path / "third"):
        folder.mkdir()
    link.symlink_to(target)
    pages = beside(target, "pages.csv")
    pages.symlink_to(tmp_path / "third" / "pages.csv")
    ended = here("run", scans, "--out", link, "--device", "cpu")
    assert ended.code == 0 and str(target) in ended.out
    assert link.is_symlink() and [path.name for path in link.parent.iterdir()] == ["latest.csv"]
    assert {path.name for path in target.parent.iterdir()} == RESULTS
    assert pages.is_symlink() and len(rows(tmp_path / "third" / "pages.csv")) == 1
    assert str(target) in here("status", link).out
    assert here("run", scans, "--out", target).out.startswith("1 page (1 of them from the journal)")
    assert len(rows(link)) == 1
    shutil.copy(scans / "a.jpg", scans / "b.jpg")  # so that results of the earlier run are removed first
    assert here("run", scans, "--out", link, "--device", "cpu").code == 0
    assert link.is_symlink() and pages.is_symlink() and len(rows(link)) == len(rows(pages)) == 2


def digits_in(book: Path) -> list[int]:
    """Return the digits in a workbook or a database."""
    if book.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(book)["digits"]
        return [int(str(row[5])) for row in sheet.iter_rows(min_row=2, values_only=True)]
    with closing(sqlite3.connect(book)) as base:
        return [digit for (digit,) in base.execute("SELECT digit FROM digits ORDER BY file")]


@pytest.mark.parametrize("suffix", ["xlsx", "db"])
def test_a_workbook_and_a_database_are_created_linked_and_emptied_too(suffix: str, scans: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "new" / "disk" / f"results.{suffix}", tmp_path / f"latest.{suffix}"
    link.symlink_to(target)
    numbers = tmp_path / "other" / "numbers.csv"
    run: list[str | Path] = ["run", scans, "--out", link, "--numbers-out", numbers, "--device", "cpu"]
    assert here(*run).code == 0
    names = {target.name, "results.run.json", f"{target.name}.journal"}
    assert link.is_symlink() and {path.name for path in target.parent.iterdir()} == names
    assert digits_in(target) == [2] and len(rows(numbers)) == 1
    assert f"{target}: pages 1" in here("status", link).out
    mounted = scans.rename(tmp_path / "mounted")
    scans.mkdir()
    ended = here(*run)
    assert ended.code == 4 and f"the results ({target}) are now empty" in ended.err
    assert (digits_in(target), rows(numbers)) == ([], [])
    shutil.copy(mounted / "a.jpg", scans)
    shutil.copy(mounted / "a.jpg", scans / "b.jpg")
    ended = here(*run)
    assert ended.code == 0 and ended.out.startswith("2 pages (1 of them from the journal)")
    assert link.is_symlink() and digits_in(link) == [2, 2]
    assert {path.name for path in target.parent.iterdir()} == names


def test_numbers_on_standard_output_leave_the_messages_to_standard_error(scans: Path, tmp_path: Path) -> None:
    ended = here("run", scans, "--out", tmp_path / "results.csv", "--numbers-out", "-", "--device", "cpu")
    assert [row["text"] for row in rows(ended.out)] == ["2"]
    assert "1 page, 1 digit in 1 number" in ended.err


def test_a_link_to_itself_ends_with_7(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "results.csv").symlink_to("results.csv")
    ended = here("run", scans, "--out", tmp_path / "results.csv")
    assert (ended.code, ended.err.count("\n")) == (7, 1)


@pytest.mark.parametrize(
    ("redirection", "says"),
    [
        ("> /dev/full", "standard output: cannot be written (No space left on device)"),
        ("| true", "standard output: closed before all rows were written, so the rows are incomplete"),
    ],
)
def test_rows_that_standard_output_does_not_take_end_with_7(
    redirection: str, says: str, scans: Path, tmp_path: Path
) -> None:
    call = f"{shlex.join(START)} run scans --device cpu --out - --quiet {redirection}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", call], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 7
    assert done.stderr.startswith(f"batchocr: {says}") and done.stderr.count("\n") == 1


def test_scans_that_are_gone_empty_the_results_and_come_back_from_the_journal(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    assert here("run", scans, "--out", out, "--device", "cpu").code == 0
    before = {name: (tmp_path / name).read_bytes() for name in RESULTS if (tmp_path / name).is_file()}
    mounted = scans.rename(tmp_path / "mounted")
    scans.mkdir()
    for _ in range(2):
        for more in ([], ["--fresh"], ["--min-confidence", "1", "--max-megapixels", "9"]):
            ended = here("run", scans, "--out", out, "--quiet", *more)
            assert (ended.code, ended.out) == (4, "")
            assert f"no images or PDFs in {scans}" in ended.err and "are now empty" in ended.err
            assert "stay in the journal" in ended.err and ended.err.count("\n") == 1
        for name in ("results.csv", "results.numbers.csv", "results.pages.csv"):
            assert (tmp_path / name).read_bytes() == before[name].split(b"\n")[0] + b"\n"
        assert account(out)["counts"]["pages"] == account(out)["counts"]["scans"] == 0
    assert "pages 0, scans 0" in here("status", out).out
    scans.rmdir()
    mounted.rename(scans)
    again = here("run", scans, "--out", out)
    assert again.code == 0 and again.out.startswith("1 page (1 of them from the journal)")
    assert "resuming: 1 page in the journal, 0 pages to read" in again.err
    for name in ("results.csv", "results.numbers.csv", "results.pages.csv"):
        assert (tmp_path / name).read_bytes() == before[name]


def test_nothing_to_read_and_no_results_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    ended = here("run", tmp_path / "scans", "--out", tmp_path / "new" / "results.csv")
    assert ended.code == 4 and "now empty" not in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["scans"]
