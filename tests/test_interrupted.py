"""Kills, signals, full disks and locks during a run. The same command then writes the same results."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from bombs import pdf_of_tiles
from command import account, beside, here, rows
from interrupted import all_gone, contents, killed, make_scans, start, undisturbed

from batchocr.batch.journal import FILE
from batchocr.batch.lock import HOLDER

PAGES = 42
KILLS = 3
JOURNAL = "results.csv.journal"


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scans(tmp_path_factory.mktemp("many") / "scans", PAGES, lines=1)


@pytest.fixture(scope="module")
def whole(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], float]:
    """The results of a run without interruption, and its seconds."""
    return undisturbed(tmp_path_factory.mktemp("whole") / "out", scans)


def pages_kept(folder: Path) -> int:
    """Return the number of pages in the journal, while the run writes it."""
    try:
        with sqlite3.connect(f"file:{folder / JOURNAL / FILE}?mode=ro", uri=True) as base:
            return int(base.execute("SELECT count(*) FROM pages").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_kills_at_any_moment_lose_and_repeat_no_page(
    scans: Path, whole: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    wanted, seconds = whole
    rng = np.random.default_rng(7)
    kills = 0
    while kills < KILLS:
        out = tmp_path / f"after-{kills}"

        def check(out: Path = out) -> None:
            assert contents(out) in ({}, wanted)
            if (out / JOURNAL / FILE).exists():
                with sqlite3.connect(out / JOURNAL / FILE) as base:
                    assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)

        done = killed(out, scans, KILLS - kills, seconds, rng, check)
        kills += len(done.moments)
        assert done.contents == wanted
        assert {path.name for path in out.iterdir()} == {*wanted, "results.pages.csv", "results.run.json", JOURNAL}


def test_a_run_resumes_where_it_was_killed(scans: Path, whole: tuple[dict[str, bytes], float], tmp_path: Path) -> None:
    running = start(tmp_path, scans, "--batch-size", "256")
    running.wait_for(lambda: pages_kept(tmp_path) >= 10)
    running.kill()
    kept = pages_kept(tmp_path)
    assert contents(tmp_path) == {}
    ended = start(tmp_path, scans).end()
    assert (ended.code, contents(tmp_path)) == (3, whole[0])
    assert account(tmp_path / "results.csv")["counts"]["kept"] == kept
    pages = rows(tmp_path / "results.pages.csv")
    assert len(pages) == PAGES + 1 == len({(row["file"], row["page"]) for row in pages})


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_cleanly_and_it_resumes(
    number: signal.Signals, code: int, scans: Path, whole: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    running = start(tmp_path, scans)
    running.wait_for(lambda: pages_kept(tmp_path) >= 5)
    os.killpg(running.process.pid, number)  # to the workers too, as with Ctrl-C and service managers
    ended = running.end()
    assert ended.code == code
    assert ended.err.strip().endswith(
        "batchocr: stopped; the pages read so far are kept, and the same command resumes with the rest"
    )
    assert "Traceback" not in ended.err and "crashed" not in ended.err
    assert contents(tmp_path) == {}
    assert 5 <= pages_kept(tmp_path) < PAGES + 1
    assert start(tmp_path, scans).end().code == 3
    assert contents(tmp_path) == whole[0]


def test_the_second_signal_ends_it_at_once(scans: Path, tmp_path: Path) -> None:
    running = start(tmp_path, scans)
    running.wait_for(lambda: len(running.workers()) == 2)
    workers = running.workers()
    for worker in workers:
        worker.suspend()  # so that the pages in progress never end
    for _ in range(2):
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    assert running.process.wait(4) == 143
    for worker in workers:
        worker.resume()
    assert all_gone(workers)
    running.process.communicate()


def test_workers_that_hang_do_not_keep_a_stopped_run_alive(scans: Path, tmp_path: Path) -> None:
    running = start(tmp_path, scans)
    running.wait_for(lambda: pages_kept(tmp_path) >= 1)
    workers = running.workers()
    for worker in workers:
        worker.suspend()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(30) == 143
    assert all_gone(workers)
    running.process.communicate()


def test_a_worker_killed_from_outside_changes_nothing(
    scans: Path, whole: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    running = start(tmp_path, scans)
    for kept in (0, 10):
        running.wait_for(lambda kept=kept: len(running.workers()) == 2 and pages_kept(tmp_path) >= kept)  # type: ignore[misc]
        running.workers()[0].kill()
    ended = running.end()
    assert (ended.code, contents(tmp_path)) == (3, whole[0])
    assert ended.err.count("failed:") == 1  # the damaged file


def test_workers_that_hang_are_replaced(scans: Path, whole: tuple[dict[str, bytes], float], tmp_path: Path) -> None:
    running = start(tmp_path, scans, "--page-timeout", "5")
    running.wait_for(lambda: pages_kept(tmp_path) >= 1)
    for worker in running.workers():
        worker.suspend()
    ended = running.end()
    assert (ended.code, contents(tmp_path)) == (3, whole[0])
    assert ended.err.count("failed:") == 1  # the damaged file


def test_an_endless_page_is_a_failed_row_and_the_others_are_read(tmp_path: Path, one_digit: Path) -> None:
    (tmp_path / "scans").mkdir()
    shutil.copy(one_digit, tmp_path / "scans" / "digit.jpg")
    (tmp_path / "scans" / "endless.pdf").write_bytes(pdf_of_tiles())
    out = tmp_path / "results.csv"
    ended = here("run", tmp_path / "scans", "--out", out, "--page-timeout", "2", "--device", "cpu", "--jobs", "1")
    assert ended.code == 3 and "endless.pdf: took longer than 2 s, twice: raise --page-timeout" in ended.err
    pages = {row["file"]: row for row in rows(beside(out, "pages.csv"))}
    assert (pages["digit.jpg"]["status"], pages["endless.pdf"]["error"]) == ("read", "timeout")
    assert len(pages["endless.pdf"]["sha256"]) == 64
    assert here("run", tmp_path / "scans", "--out", out).out.startswith("2 pages (2 of them from the journal)")


def test_a_full_disk_ends_with_7_and_it_resumes_when_there_is_space(
    scans: Path, whole: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    """Simulated by a limit on the size of files, which is set after the model is loaded."""
    running = start(tmp_path, scans)
    running.wait_for(lambda: pages_kept(tmp_path) >= 1)
    psutil.Process(running.process.pid).rlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))
    ended = running.end()
    assert ended.code == 7
    assert "journal.sqlite: cannot be written" in ended.err and "make room" in ended.err
    assert contents(tmp_path) == {}
    kept = pages_kept(tmp_path)
    assert 0 < kept < PAGES
    assert start(tmp_path, scans).end().code == 3
    assert contents(tmp_path) == whole[0]
    assert account(tmp_path / "results.csv")["counts"]["kept"] == kept


def test_a_second_run_on_the_same_output_ends_with_9_and_names_the_process(scans: Path, tmp_path: Path) -> None:
    running = start(tmp_path, scans)
    running.wait_for(lambda: (tmp_path / JOURNAL / HOLDER).exists())
    ended = here("run", scans, "--out", tmp_path / "results.csv")
    assert ended.code == 9
    assert f"another run is using it: process {running.process.pid} on " in ended.err
    assert here("run", scans, "--out", tmp_path / "results.csv", "--state", tmp_path / "other").code == 9
    running.kill()
    assert (tmp_path / JOURNAL / HOLDER).exists()
    one = here("run", scans / "000.png", "--out", tmp_path / "results.csv")
    assert one.code == 0, "a dead process holds no lock"


def test_the_lock_is_taken_before_slow_imports(scans: Path, tmp_path: Path) -> None:
    (tmp_path / JOURNAL).mkdir()
    running = start(tmp_path, scans, PYTHONPROFILEIMPORTTIME="1")
    running.wait_for(lambda: (tmp_path / JOURNAL / HOLDER).exists())
    held = start(tmp_path, scans, PYTHONPROFILEIMPORTTIME="1").end()
    assert held.code == 9
    imported = {line.rpartition("|")[2].strip() for line in held.err.splitlines() if line.startswith("import time:")}
    assert "filelock" in imported
    assert not imported & {"tensorflow", "keras", "cv2", "pandas"}
    running.kill()


def test_a_clock_that_is_set_back_changes_nothing(
    scans: Path, whole: tuple[dict[str, bytes], float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start(tmp_path, scans)
    running.wait_for(lambda: pages_kept(tmp_path) >= 5)
    running.kill()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 10 * 365 * 86400)
    ended = here("run", scans, "--out", tmp_path / "results.csv", "--device", "cpu")
    assert (ended.code, contents(tmp_path)) == (3, whole[0])


def test_json_lines_report_every_page_with_the_same_keys(scans: Path, tmp_path: Path) -> None:
    running = start(tmp_path, scans, "--log-format", "json")
    running.wait_for(lambda: pages_kept(tmp_path) >= 5)
    running.process.send_signal(signal.SIGTERM)
    first = running.end()
    second = start(tmp_path, scans, "--log-format", "json").end()
    assert (first.code, second.code, first.out, second.out) == (143, 3, "", "")
    events = [[json.loads(line) for line in each.err.splitlines()] for each in (first, second)]
    for event in (*events[0], *events[1]):
        assert {"time", "level", "event", "scan", "page", "stage", "seconds"} <= event.keys()
    assert (events[0][-1]["event"], events[0][-1]["exit_code"]) == ("ended", 143)
    done = events[1][-1]
    assert (done["event"], done["stage"], done["pages"], done["failed"]) == ("done", "write", PAGES + 1, 1)
    pages = [(e["scan"], e["page"]) for each in events for e in each if e["event"] in ("page", "failed")]
    assert sorted(pages, key=str) == sorted(
        ((r["file"], int(r["page"]) or None) for r in rows(beside(tmp_path / "results.csv", "pages.csv"))),
        key=str,
    )
    (failed,) = [event for each in events for event in each if event["event"] == "failed"]
    assert (failed["level"], failed["scan"], failed["error"]) == ("ERROR", "broken.jpg", "damaged")
