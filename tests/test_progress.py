"""What a run says: to people, with and without a terminal, and to who wants nothing but errors."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import termios
import threading
from pathlib import Path

import pytest
from command import START, environment, here
from strokes import page, save

from batchocr.cli import progress as talk
from batchocr.cli.common import printable


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for name in "abc":
        save(tmp_path / "scans" / f"{name}.png", page(["20 17"]))
    (tmp_path / "scans" / "x\n\x1b[31m.png").write_bytes(b"")
    return tmp_path / "scans"


def test_the_last_lines_tell_what_came_of_it_where_it_is_and_what_is_to_do(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    ended = here("run", scans, "--out", out, "--device", "cpu")
    assert ended.out.startswith("4 pages, 12 digits in 6 numbers, ")
    assert r"to do: " in ended.out and r"1 page failed (x\n\x1b[31m.png), batchocr status " in ended.out
    assert f" s on the cpu: {out}, {tmp_path / 'results.numbers.csv'}, " in ended.out
    again = here("run", scans, "--out", out, "--device", "cpu")
    assert again.out.startswith("4 pages (3 of them before), 12 digits in 6 numbers, ")


def test_a_name_cannot_steer_the_terminal_or_begin_a_line(scans: Path, tmp_path: Path) -> None:
    ended = here("run", scans, "--out", tmp_path / "results.csv", "--quiet")
    assert ended.err == "failed: x\\n\\x1b[31m.png: the file is empty: scan or copy it again\n"
    assert printable("Größe 図.png") == "Größe 図.png"


def test_nor_can_one_in_a_fault_that_ends_the_run(tmp_path: Path) -> None:
    ended = here("run", tmp_path / "x\n\x1b[31m.png", "--out", tmp_path / "results.csv")
    assert ended.code == 4
    assert ended.err.startswith("batchocr: ") and "x\\n\\x1b[31m.png" in ended.err and ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("> /dev/full 2> /dev/full", 3),
        ("--log-format json 2> /dev/full", 3),
        ("2>&1 | true", 3),
        ("--retry-failed --max-failures 1 --state none/none 2> /dev/full", 7),
        ("--out - > /dev/full", 7),
        ("--out - | true", 7),
    ],
)
def test_what_nobody_takes_is_no_fault_unless_it_is_the_results(
    more: str, code: int, tmp_path: Path, one_digit: Path
) -> None:
    shutil.copy(one_digit, tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"")
    call = f"{shlex.join(START)} run a.jpg b.jpg --device cpu {more}; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", call], cwd=tmp_path, env=environment(), capture_output=True, timeout=120)
    assert (ended.returncode, b"Traceback" in ended.stderr) == (code, False)
    assert (tmp_path / "results.csv").exists() == (code == 3)


def test_quiet_says_nothing_but_errors(scans: Path, tmp_path: Path) -> None:
    for form, lines in (("text", 1), ("json", 1)):
        ended = here("run", scans, "--out", tmp_path / f"{form}.csv", "--quiet", "--log-format", form)
        assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", lines)
    assert json.loads(ended.err)["level"] == "ERROR"
    (scans / "x\n\x1b[31m.png").unlink()
    for form in ("text", "json"):
        ended = here("run", scans, "--out", tmp_path / f"{form}.csv", "--quiet", "--log-format", form)
        assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_faults_that_end_a_run_are_lines_of_json_too(tmp_path: Path) -> None:
    ended = here("run", tmp_path, "--out", tmp_path / "results.csv", "--log-format", "json", "--quiet")
    told = json.loads(ended.err)
    assert (ended.code, told["event"], told["exit_code"], told["level"]) == (4, "ended", 4, "ERROR")
    assert "no pictures or PDFs" in told["why"]


def test_without_a_terminal_a_line_now_and_then(scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "EVERY", 0.01)
    ended = here("run", scans, "--out", tmp_path / "results.csv", "--device", "cpu")
    lines = [line for line in ended.err.splitlines() if not line.startswith("failed:")]
    assert lines and {re.sub(r"\d+", "N", line) for line in lines} <= {"starting", "N of N pages, N failed"}
    assert here("run", scans, "--out", tmp_path / "quiet.csv", "--quiet").err.count("\n") == 1


def test_on_a_terminal_there_is_a_bar_that_goes_away(scans: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 200))
    said: list[bytes] = []

    def listen() -> None:
        try:
            while some := os.read(ours, 4096):
                said.append(some)
        except OSError:  # the other end is closed
            return

    listener = threading.Thread(target=listen)
    listener.start()
    done = subprocess.run(
        [*START, "run", scans, "--device", "cpu"],
        cwd=tmp_path,
        env=environment(),
        stdout=theirs,
        stderr=theirs,
        timeout=120,
    )
    os.close(theirs)
    listener.join(10)
    os.close(ours)
    text = b"".join(said).decode()
    assert done.returncode == 3
    assert re.search(r"\d/4 \[", text)
    assert "results.run.json\r\nto do: " in text and text.rstrip().endswith("tells which and why")
