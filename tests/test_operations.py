"""docs/operations.md: its scripts, crontab, units, YAML and one-line scripts, taken from the page."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from command import here, rows
from conftest import SAMPLES
from operations_page import BLOCKS, PAGE, PROSE, REAL, ROOT, Place, block, make_place, write_program

from batchocr.errors import ExitCode

STOPPED = (130, 137, 143)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


# The wrapper


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    ("code", "ends_with", "calls", "says"),
    [
        (0, 0, 1, ""),
        (3, 0, 1, ""),
        (4, 0, 1, ""),
        (9, 0, 1, ""),
        *((code, code, 1, f"ended with {code}: a person must act") for code in (1, 2, 5, 6, 7, 8)),
        *((code, code, 1, "resumes with the rest") for code in (130, 143)),
        (137, 137, 3, "killed 3 times"),
    ],
)
def test_the_wrapper_handles_each_exit_code(
    place: Place, shell: str, code: int, ends_with: int, calls: int, says: str
) -> None:
    done = place.run(shell, "bin/batchocr-unattended", "my scans", "--out", "a.csv", CODE=code)
    assert done.returncode == ends_with
    assert place.calls("calls") == ["run my scans --out a.csv"] * calls
    assert says in done.stderr and bool(says) == bool(done.stderr)
    assert done.stdout == ""


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_wrapper_passes_a_signal_on_and_waits_for_the_end(place: Place, shell: str) -> None:
    (place.folder / "WAIT").mkdir()
    wrapper = subprocess.Popen(
        [shell, "bin/batchocr-unattended", "scans"],
        cwd=place.folder,
        env=place.environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until(place.folder / "WAIT" / "ready")
        wrapper.send_signal(signal.SIGTERM)
        assert wrapper.wait(20) == 143
        assert (place.folder / "WAIT" / "ended").exists()
        assert place.calls("calls") == ["run scans"]
    finally:
        with suppress(ProcessLookupError):  # its child would keep the pipe open
            os.killpg(wrapper.pid, signal.SIGKILL)
        _, message = wrapper.communicate()
    assert "stopped; the same command resumes" in message


def until(file: Path) -> None:
    for _ in range(400):
        if file.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{file.name} was not created")


def test_the_wrapper_runs_the_command_and_the_failed_page_is_found(place: Place) -> None:
    write_program(place.programs / "batchocr", REAL)
    scans = place.folder / "scans"
    scans.mkdir()
    shutil.copy(SAMPLES / "digits" / "2.jpg", scans / "good.jpg")
    (scans / "empty, as it is.jpg").write_bytes(b"")
    done = place.run(
        "batchocr-unattended", "scans", "--out", "results.csv", "--quiet", "--device", "cpu", "--jobs", "1"
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert [(row["file"], row["digit"]) for row in rows(place.folder / "results.csv")] == [("good.jpg", "2")]
    found = place.run("sh", "-c", block("failed-pages"))
    assert found.returncode == 0
    (line,) = found.stdout.splitlines()
    assert line.split("\t")[::2] == ["empty, as it is.jpg", "empty-file"]
    monitored = place.run("sh", "-c", block("monitoring")) if shutil.which("jq") else None
    assert monitored is None or "over 1% of the pages failed" in monitored.stdout


# Cron


def crontab() -> tuple[dict[str, str], list[str]]:
    """Return the variables and the lines of the crontab."""
    lines = block("crontab").splitlines()
    variables = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]+=", line))
    return variables, [line for line in lines if line.split("=")[0] not in variables]


def test_the_crontab_is_valid_and_its_commands_run(place: Place) -> None:
    variables, lines = crontab()
    assert set(variables) == {"MAILTO", "PATH"} and len(lines) == 2
    for line in lines:
        fields = 1 if line.startswith("@reboot ") else 5
        *when, command = line.split(None, fields)
        assert fields == 1 or all(re.fullmatch(r"[\d*/,-]+", field) for field in when)
        assert not re.search(r"(?<!\\)%", command)  # for cron, the end of the line
        command = re.sub(r"^sleep \d+; ", "", command)
        path = f"{place.programs}:{variables['PATH']}"
        assert place.run("sh", "-c", f"PATH={shlex.quote(path)}; {command}", CODE=3).returncode == 0
    assert place.calls("calls") == ["run /data/scans --out /data/results/results.csv --quiet"] * 2


# systemd


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(block(name))
    return parser


def test_the_service_handles_each_exit_code() -> None:
    service = unit("batchocr.service")["Service"]
    assert (service["Type"], service["Restart"], service["KillMode"]) == ("oneshot", "on-abnormal", "mixed")
    assert {int(code) for code in service["SuccessExitStatus"].split()} == {3, 4, 9, 130, 143}
    assert int(service["TimeoutStopSec"]) > 10  # a stopped run ends within this time
    out = shlex.split(service["ExecStart"])[-1]
    assert str(Path(out).parent) in service["ReadWritePaths"].split()
    assert unit("batchocr.service")["Unit"]["OnFailure"] in BLOCKS
    assert unit("batchocr.timer")["Timer"]["Persistent"] == "true"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    names = [name for name in BLOCKS if name.endswith((".service", ".timer"))]
    for name in names:  # it checks that the programs exist
        (tmp_path / name).write_text(block(name).replace("/opt/batchocr/bin/batchocr", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in names)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


# JSON lines


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_the_jq_scripts_find_failed_and_slow_pages(place: Place) -> None:
    lines: list[dict[str, Any]] = [
        {"time": "t", "level": "info", "event": "page", "scan": f"{i}.png", "page": 1, "seconds": i / 10}
        for i in range(1, 13)
    ]
    failed = {"time": "t", "level": "ERROR", "event": "failed", "scan": "x.png", "page": 2}
    text = [json.dumps(line) for line in [*lines, failed, {"time": "t", "level": "info", "event": "start"}]]
    (place.folder / "run.jsonl").write_text("\n".join([*text, "not JSON"]) + "\n")
    wrong = place.run("sh", "-c", block("what-went-wrong"))
    assert [json.loads(line) for line in wrong.stdout.splitlines()] == [failed]
    slowest = place.run("sh", "-c", block("slowest-pages")).stdout.splitlines()
    assert (len(slowest), slowest[0]) == (10, "1.2 s 12.png 1")


# Names on the page


def test_all_scripts_are_shell() -> None:
    for language, text in BLOCKS.values():
        if language in ("sh", "bash"):
            done = subprocess.run([language, "-n"], input=text, capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, ""), text


def named_options() -> set[str]:
    """Return the options of `batchocr run` in calls and in the text; options of other programs follow their names."""
    calls = [line for _, text in BLOCKS.values() for line in text.splitlines() if starts_it(line)]
    arguments = re.findall(r"args: (.*)", block("batchocr.yaml"))
    spans = re.findall(r"`(--[^`]+)`", PROSE)
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join((*calls, *arguments, *spans))))


def starts_it(line: str) -> bool:
    return bool(re.search(r"batchocr run |batchocr-unattended /", line)) and not line.startswith("#")


def named_variables() -> Sequence[str]:
    return re.findall(r"BATCHOCR_([A-Z_]+)", PAGE)


def test_the_options_named_are_options_of_the_command() -> None:
    existing = set(re.findall(r"--[a-z][a-z-]*", here("run", "--help", variables={"COLUMNS": "200"}).out))
    named = named_options() | {f"--{name.lower().replace('_', '-')}" for name in named_variables()}
    assert {"--out", "--state", "--retry-failed", "--log-format"} <= named
    assert named <= existing


def test_the_exit_codes_named_are_those_of_the_command() -> None:
    table = PAGE[PAGE.index("| code |") : PAGE.index("\n\n", PAGE.index("| code |"))]
    named = {int(code) for cell in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in cell.split(",")}
    assert {*STOPPED, *range(10)} <= named
    assert named - set(STOPPED) <= {code.value for code in ExitCode}


# The README's line for the tests, as .ci/run takes it

LDCONFIG = {"with": "#!/bin/sh\necho libGL.so.1 libgthread-2.0.so.0\n", "without": "#!/bin/sh\n"}


@pytest.mark.parametrize(
    ("libraries", "user", "begins"),
    [
        ("with", 1000, "python3 -m venv .venv-test && "),
        ("without", 1000, "sudo apt-get update && sudo apt-get install -y python3-venv libgl1 "),
        ("without", 0, "apt-get update && apt-get install -y python3-venv libgl1 "),
    ],
)
def test_ci_runs_the_line_of_the_readme(place: Place, libraries: str, user: int, begins: str) -> None:
    write_program(place.programs / "ldconfig", LDCONFIG[libraries])
    write_program(place.programs / "id", f"#!/bin/sh\necho {user}\n")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    taken = script[script.index("setup=$(grep") : script.index('eval "$setup"')]
    done = place.run("bash", "-euo", "pipefail", "-c", f'cd "$0"; {taken} echo "$setup"', str(ROOT))
    assert done.returncode == 0
    assert done.stdout.startswith(begins) and "sudo" not in done.stdout.replace(begins, "")
    assert done.stdout.rstrip().endswith(".venv-test/bin/python -m pytest")
