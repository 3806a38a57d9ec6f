"""Messages of a run: for people with and without a terminal, as JSON, and with --quiet."""

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

from batchocr.cli import progress
from batchocr.cli.common import printable


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for name in "abc":
        save(tmp_path / "scans" / f"{name}.png", page(["20 17"]))
    (tmp_path / "scans" / "x\n\x1b[31m.png").write_bytes(b"")
    return tmp_path / "scans"


def test_the_last_lines_have_the_counts_the_files_and_what_to_do(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    ended = here("run", scans, "--out", out, "--device", "cpu")
    assert ended.out.startswith("4 pages, 1 failed, 12 digits in 6 numbers, ")
    assert r"to do: " in ended.out and r"1 page failed (x\n\x1b[31m.png), `batchocr status " in ended.out
    assert f" s on the cpu: {out}, {tmp_path / 'results.numbers.csv'}, " in ended.out
    again = here("run", scans, "--out", out, "--device", "cpu")
    assert again.out.startswith("4 pages (3 of them from the journal), 1 failed, 12 digits in 6 numbers, ")


def test_a_file_name_cannot_control_the_terminal_or_start_a_line(scans: Path, tmp_path: Path) -> None:
    ended = here("run", scans, "--out", tmp_path / "results.csv", "--quiet")
    assert ended.err == "failed: x\\n\\x1b[31m.png: the file is empty: scan or copy it again\n"
    assert printable("Größe 図.png") == "Größe 図.png"


def test_nor_can_a_name_in_an_error_that_ends_the_run(tmp_path: Path) -> None:
    ended = here("run", tmp_path / "x\n\x1b[31m.png", "--out", tmp_path / "results.csv")
    assert ended.code == 4
    assert ended.err.startswith("batchocr: ") and "x\\n\\x1b[31m.png" in ended.err and ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("> /dev/full 2> /dev/full", 3),
        ("--log-format json 2> /dev/full", 3),
        ("2>&1 | true", 3),
        ("--retry-failed --max-failures 1 --state a.jpg/none 2> /dev/full", 7),
        ("--out - > /dev/full", 7),
        ("--out - | true", 7),
    ],
)
def test_messages_that_cannot_be_written_are_no_error_but_results_are(
    more: str, code: int, tmp_path: Path, one_digit: Path
) -> None:
    shutil.copy(one_digit, tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"")
    call = f"{shlex.join(START)} run a.jpg b.jpg --device cpu {more}; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", call], cwd=tmp_path, env=environment(), capture_output=True, timeout=120)
    assert (ended.returncode, b"Traceback" in ended.stderr) == (code, False)
    assert (tmp_path / "results.csv").exists() == (code == 3)


def test_quiet_prints_only_errors(scans: Path, tmp_path: Path) -> None:
    for form, lines in (("text", 1), ("json", 1)):
        ended = here("run", scans, "--out", tmp_path / f"{form}.csv", "--quiet", "--log-format", form)
        assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", lines)
    assert json.loads(ended.err)["level"] == "ERROR"
    (scans / "x\n\x1b[31m.png").unlink()
    for form in ("text", "json"):
        ended = here("run", scans, "--out", tmp_path / f"{form}.csv", "--quiet", "--log-format", form)
        assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_errors_that_end_a_run_are_lines_of_json_too(tmp_path: Path) -> None:
    ended = here("run", tmp_path, "--out", tmp_path / "results.csv", "--log-format", "json", "--quiet")
    event = json.loads(ended.err)
    assert (ended.code, event["event"], event["exit_code"], event["level"]) == (4, "ended", 4, "ERROR")
    assert "no images or PDFs" in event["why"]


def test_without_a_terminal_there_are_regular_lines(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL_S", 0.01)
    ended = here("run", scans, "--out", tmp_path / "results.csv", "--device", "cpu")
    lines = [line for line in ended.err.splitlines() if not line.startswith("failed:")]
    assert lines and {re.sub(r"\d+", "N", line) for line in lines} <= {"starting", "N of N pages, N failed"}
    assert here("run", scans, "--out", tmp_path / "quiet.csv", "--quiet").err.count("\n") == 1


def test_on_a_terminal_there_is_a_bar_that_disappears(scans: Path, tmp_path: Path) -> None:
    parent, child = pty.openpty()
    termios.tcsetwinsize(child, (24, 200))
    output: list[bytes] = []

    def listen() -> None:
        try:
            while some := os.read(parent, 4096):
                output.append(some)
        except OSError:  # the other end is closed
            return

    listener = threading.Thread(target=listen)
    listener.start()
    done = subprocess.run(
        [*START, "run", scans, "--device", "cpu"],
        cwd=tmp_path,
        env=environment(),
        stdout=child,
        stderr=child,
        timeout=120,
    )
    os.close(child)
    listener.join(10)
    os.close(parent)
    text = b"".join(output).decode()
    assert done.returncode == 3
    assert re.search(r"\d/4 \[", text)
    assert "results.run.json\r\nto do: " in text and text.rstrip().endswith("lists which and why")
