"""Which pages a later run into the same output reads again, and which it takes from the journal."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from command import account, beside, here, in_own_process, rows
from PIL import Image
from strokes import page, save

from batchocr import Settings, Summary, run
from batchocr.batch import journal as journals
from batchocr.batch.journal import FILE, Journal, is_local
from batchocr.batch.open_journal import journal_folder
from batchocr.errors import OutputError, Stopped
from batchocr.recognition.model_file import shipped_model
from batchocr.records import PageResult, PageRow, Scan

SETTINGS = Settings(device="cpu", jobs=1)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    save(folder / "a.png", page(["20 17"]))
    save(folder / "b.png", page(["4"]))
    frames = [Image.fromarray(page([text])) for text in ("5", "22", "333", "4444")]
    frames[0].save(folder / "long.tif", save_all=True, append_images=frames[1:])
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:200])
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results.csv"


def read(scans: Path, out: Path, settings: Settings = SETTINGS) -> tuple[Summary, list[str]]:
    """Return the summary, and the pages that this run read."""
    results: list[PageResult] = []
    summary = run(scans, out, settings, on_page=results.append)
    return summary, sorted(f"{result.page.file} {result.page.page}" for result in results)


def numbers(out: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows(beside(out, "numbers.csv")):
        found.setdefault(row["file"], []).append(row["text"])
    return found


def test_an_unchanged_folder_reads_nothing_and_loads_no_model(
    scans: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, pages = read(scans, out)
    assert (first.pages, first.kept, first.failed, len(pages)) == (7, 0, 1, 7)
    before, recorded = out.read_bytes(), account(out)
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "none such")
    second, pages = read(scans, out, replace(SETTINGS, jobs=2))
    assert (second, pages) == (replace(first, kept=7, seconds=second.seconds), [])
    assert out.read_bytes() == before
    assert account(out)["counts"] == {**recorded["counts"], "kept": 7}
    assert {**account(out)["settings"], "jobs": 1} == recorded["settings"]
    assert account(out)["run"] != recorded["run"]


def test_only_new_or_changed_scans_are_read_and_scans_that_are_gone_leave_the_results(scans: Path, out: Path) -> None:
    read(scans, out)
    save(scans / "c.png", page(["777"]))
    (scans / "a.png").unlink()
    times = (scans / "b.png").stat()
    save(scans / "b.png", page(["9"]))
    os.utime(scans / "b.png", ns=(times.st_atime_ns, times.st_mtime_ns))  # its time is unchanged
    os.utime(scans / "long.tif")  # only its time is changed
    summary, pages = read(scans, out)
    assert pages == ["b.png 1", "c.png 1"]
    assert (summary.pages, summary.kept) == (7, 5)
    assert numbers(out) == {"b.png": ["9"], "c.png": ["777"], "long.tif": ["5", "22", "333", "4444"]}
    again = out.with_name("again.csv")
    read(scans, again)
    assert out.read_bytes() == again.read_bytes()


def test_two_equal_files_are_two_scans_and_a_moved_file_is_a_new_scan(scans: Path, out: Path) -> None:
    shutil.copy(scans / "a.png", scans / "a-again.png")
    assert len(read(scans, out)[1]) == 8
    assert numbers(out)["a-again.png"] == numbers(out)["a.png"] == ["20", "17"]
    (scans / "a-again.png").rename(scans / "z.png")
    assert read(scans, out)[1] == ["z.png 1"]


def test_permanent_failures_are_read_again_only_with_retry_failed(scans: Path, out: Path) -> None:
    read(scans, out)
    assert read(scans, out)[1] == []
    assert read(scans, out, replace(SETTINGS, retry_failed=True))[1] == ["broken.png None"]
    save(scans / "broken.png", page(["8"]))
    summary, pages = read(scans, out)
    assert (pages, summary.failed) == (["broken.png 1"], 0)


def test_temporary_failures_are_always_read_again(scans: Path, out: Path, tmp_path: Path) -> None:
    (scans / "d.png").symlink_to(tmp_path / "comes-later.png")
    assert read(scans, out)[0].failed == 2
    assert read(scans, out)[1] == ["d.png None"]
    save(tmp_path / "comes-later.png", page(["5"]))
    summary, pages = read(scans, out)
    assert (summary.failed, pages, numbers(out)["d.png"]) == (1, ["d.png 1"], ["5"])


def test_options_that_only_mark_and_choose_rows_need_no_reading(
    scans: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results are the same as those of a new run with these options."""
    read(scans, out)
    all_fresh = out.with_name("fresh.csv")
    others = ({"min_confidence": 1.0}, {"max_error": 0.05}, {"printed": "drop"}, {"printed": "only"})
    for other in others:
        settings = replace(SETTINGS, **other)
        wanted = read(scans, all_fresh, replace(settings, fresh=True))[0]
        with monkeypatch.context() as patch:
            patch.setitem(os.environ, "KERAS_BACKEND", "none such")
            summary, pages = read(scans, out, settings)
        assert (summary.kept, pages) == (7, []), other
        assert (summary.digits, summary.review) == (wanted.digits, wanted.review), other
        assert out.read_bytes() == all_fresh.read_bytes(), other
        assert beside(out, "numbers.csv").read_bytes() == beside(all_fresh, "numbers.csv").read_bytes(), other
        assert [row | {"seconds": ""} for row in rows(beside(out, "pages.csv"))] == [
            row | {"seconds": ""} for row in rows(beside(all_fresh, "pages.csv"))
        ], other
    assert read(scans, out)[0].digits > summary.digits


def test_settings_that_change_the_rows_read_all_again(scans: Path, out: Path) -> None:
    read(scans, out)
    settings = SETTINGS
    for other in ({"max_megapixels": 99.0}, {"batch_size": 7}):
        settings = replace(settings, **other)
        summary, pages = read(scans, out, settings)
        assert (summary.kept, len(pages)) == (0, 7), other
        assert read(scans, out, settings)[1] == [], other


def test_another_model_and_another_version_read_all_again(
    scans: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(scans, out)
    model = tmp_path / "mine.keras"
    shutil.copy(shipped_model(), model)
    sidecar = shipped_model().with_suffix(".json").read_text()
    model.with_suffix(".json").write_text(sidecar)
    mine = replace(SETTINGS, model=model)
    assert read(scans, out, mine)[1] == []  # the same model under another name
    model.with_suffix(".json").write_text(sidecar.replace('"temperature": 1.', '"temperature": 2.'))
    assert len(read(scans, out, mine)[1]) == 7
    monkeypatch.setattr("batchocr.batch.open_journal.__version__", "99")
    assert len(read(scans, out, mine)[1]) == 7
    monkeypatch.setattr("batchocr.batch.open_journal.code_sha256", lambda: "changed")
    assert len(read(scans, out, mine)[1]) == 7


def test_the_batch_size_of_the_first_run_is_used_again(scans: Path, out: Path) -> None:
    read(scans, out, replace(SETTINGS, batch_size=9))
    save(scans / "c.png", page(["777"]))
    assert read(scans, out)[1] == ["c.png 1"]
    assert account(out)["settings"]["batch_size"] == 9


def test_fresh_starts_over_whatever_the_journal_contains(scans: Path, out: Path) -> None:
    read(scans, out)
    assert len(read(scans, out, replace(SETTINGS, fresh=True))[1]) == 7
    (journal_folder(out) / FILE).write_bytes(b"not a journal at all" * 100)
    ended = here("run", scans, "--out", out)
    assert ended.code == 7 and "journal.sqlite: is damaged, or not a journal" in ended.err and "--fresh" in ended.err
    assert here("run", scans, "--out", out, "--fresh", "--device", "cpu").code == 3


def test_missing_pages_of_a_long_scan_are_read_alone(scans: Path, out: Path) -> None:
    read(scans, out)
    before = out.read_bytes()
    with sqlite3.connect(journal_folder(out) / FILE) as base:
        base.execute("DELETE FROM pages WHERE name = 'long.tif' AND page IN (1, 3)")
    assert read(scans, out)[1] == ["long.tif 1", "long.tif 3"]
    assert out.read_bytes() == before


def test_earlier_results_are_removed_when_something_is_read(scans: Path, out: Path) -> None:
    read(scans, out)
    save(scans / "c.png", page(["777"]))
    with pytest.raises(Stopped):
        run(scans, out, SETTINGS, should_stop=lambda: not out.exists())
    assert {path.name for path in out.parent.iterdir()} == {"scans", "results.csv.journal"}
    read(scans, out)
    assert numbers(out)["c.png"] == ["777"]


def test_a_journal_in_another_folder(scans: Path, out: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, state=tmp_path / "state")
    read(scans, out, settings)
    assert (tmp_path / "state" / FILE).exists() and not (journal_folder(out) / FILE).exists()
    assert read(scans, out, settings)[1] == []


def test_the_journal_of_standard_output_never_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with Journal(None) as journal:
        for number in range(1, 2000):
            message = hashlib.sha512(bytes(number)).hexdigest() * 20
            journal.add(Scan(tmp_path, "a"), failed_page(number, message), pages=2000, sha256="")
        assert list(tmp_path.iterdir()) == []
        assert [result.page.page for result in journal.results()] == list(range(1, 2000))


def test_a_transaction_is_kept_completely_or_not_at_all(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.add(Scan(tmp_path, "a"), failed_page(1), pages=3, sha256="x")
        with pytest.raises(Stopped), journal.at_once():
            journal.add(Scan(tmp_path, "a"), failed_page(2), pages=3, sha256="x")
            raise Stopped("in the middle")
        journal.add(Scan(tmp_path, "a"), failed_page(3), pages=3, sha256="x")
    with Journal(tmp_path) as journal:
        assert [result.page.page for result in journal.results()] == [1, 3]


def failed_page(number: int, message: str = "") -> PageResult:
    return PageResult(PageRow("a", number, "failed", error="damaged", message=message))


def test_standard_output_needs_no_journal(scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("run", scans, "--out", "-", "--device", "cpu")
    assert ended.code == 3
    assert len(rows(ended.out)) == 4 + 1 + 10
    assert [path.name for path in tmp_path.iterdir()] == ["scans"]


def test_too_many_failures_end_the_reading_and_the_rest_has_rows(scans: Path, out: Path) -> None:
    for number in range(40):
        (scans / f"bad-{number:02}.png").write_bytes(b"not an image")
    settings = replace(SETTINGS, max_failures=3)
    summary, _ = read(scans, out, settings)
    pages = rows(beside(out, "pages.csv"))
    assert {row["file"] for row in pages} == {path.name for path in scans.iterdir()}
    assert summary.exit_code == 3
    assert sum(row["error"] == "not-a-picture" for row in pages) == 3
    assert sum(row["error"] == "not-read" for row in pages) >= 30
    read(scans, out)
    assert not [row for row in rows(beside(out, "pages.csv")) if row["error"] == "not-read"]


def test_a_pipe_in_a_list_does_not_block(scans: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "list.txt").write_text(f"{tmp_path / 'pipe.png'}\n{scans / 'b.png'}\n")
    for _ in range(2):
        ended = in_own_process("run", "--files-from", "list.txt", "--device", "cpu", folder=tmp_path)
        assert ended.code == 3
        pages = {row["file"]: row["error"] for row in rows(tmp_path / "results.pages.csv")}
        assert pages == {"pipe.png": "not-a-file", "scans/b.png": ""}


def test_names_in_a_list_that_are_gone_are_pages_that_failed(scans: Path, out: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{scans / 'a.png'}\n{scans / 'gone [1].png'}\n{scans / 'b.png'}\n")
    assert here("run", "--files-from", listed, "--out", out, "--device", "cpu").code == 3
    pages = {row["file"]: row["error"] for row in rows(beside(out, "pages.csv"))}
    assert pages == {"a.png": "", "b.png": "", "gone [1].png": "not-found"}


def test_the_journal_has_no_log_on_other_file_systems(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mode() -> str:
        with closing(sqlite3.connect(out.parent / FILE)) as base:
            return str(base.execute("PRAGMA journal_mode").fetchone()[0])

    Journal(out.parent).close()
    assert (is_local(out.parent), mode()) == (True, "wal")
    monkeypatch.setattr(journals, "_LOCAL", frozenset())
    Journal(out.parent).close()
    assert (is_local(out.parent), mode()) == (False, "delete")


def test_a_journal_of_another_version_is_not_changed(out: Path) -> None:
    with closing(sqlite3.connect(out.parent / FILE)) as base:
        base.execute("PRAGMA user_version = 99")
    with pytest.raises(OutputError, match="another version"):
        Journal(out.parent)
