"""Runs that are started by scripts, standard input, prompts and process pools, each in a separate process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import environment

WORKERS = """
from pathlib import Path
from batchocr.executors.local import LocalExecutor
from batchocr.records import Part, Scan

def rows(path):
    with LocalExecutor([Part(Scan(Path(path), "scan"))], jobs=1, max_megapixels=100) as executor:
        return [(page.row.status, page.row.message) for page in executor.pages()]
"""
"""Prepares pages in worker processes, as `batchocr.run` does; TensorFlow is not loaded."""
DAEMON = """
import multiprocessing

def rows_in_daemon(path):
    assert multiprocessing.current_process().daemon
    return rows(path)
"""
READ = "[('read', '')]"

POOL = """
import multiprocessing, sys
import rows_module

if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[2]).Pool(1) as pool:
        print(pool.apply(rows_module.rows_in_daemon, sys.argv[1:2]))
"""
FORKED = """
import multiprocessing
import batchocr
from batchocr.recognition.network import open_device

open_device("cpu")
with multiprocessing.get_context("fork").Pool(1) as pool:
    try:
        pool.apply(batchocr.read, [b""], {"device": "cpu"})
    except batchocr.UsageError as error:
        print(error)
"""
WHOLE_RUN = """
import sys
import batchocr

print("started")
summary = batchocr.run(sys.argv[1], "results.csv", batchocr.Settings(jobs=1, device="cpu"))
print(summary.pages, summary.digits, summary.failed)
"""


def output_of(arguments: list[str | Path], folder: Path, given: str | None = None) -> str:
    """Return the output of a Python process; fail if its exit code is not 0 or it takes more than two minutes."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(PYTHONPATH=str(Path(__file__).parents[1])),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_script_needs_no_main_guard(tmp_path: Path, one_digit: Path) -> None:
    (tmp_path / "script.py").write_text(WHOLE_RUN)
    assert output_of(["script.py", one_digit], tmp_path) == "started\n1 1 0\n"


@pytest.mark.parametrize("source", ["standard input", "-c", "prompt"])
def test_a_script_needs_no_file(source: str, tmp_path: Path, one_digit: Path) -> None:
    script = f"{WORKERS}\nprint(rows({str(one_digit)!r}))\n"
    arguments: list[str | Path] = {"standard input": ["-"], "-c": ["-c", script], "prompt": ["-i", "-q"]}[source]  # type: ignore[assignment]
    assert READ in output_of(arguments, tmp_path, script if source != "-c" else None)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_daemonic_process_may_run(start: str, tmp_path: Path, one_digit: Path) -> None:
    """The workers of Celery are daemonic."""
    (tmp_path / "rows_module.py").write_text(WORKERS + DAEMON)
    (tmp_path / "pool.py").write_text(POOL)
    assert output_of(["pool.py", one_digit, start], tmp_path).strip() == READ


def test_a_process_forked_after_the_networks_were_loaded_reports_it(tmp_path: Path) -> None:
    (tmp_path / "forked.py").write_text(FORKED)
    assert "load them after the fork (with Celery: in the task)" in output_of(["forked.py"], tmp_path)


def test_workers_find_the_package_on_the_path_of_the_caller(tmp_path: Path, one_digit: Path) -> None:
    """The caller has added the package to `sys.path`."""
    root = str(Path(__file__).parents[1])
    script = f"import sys; sys.path.insert(0, {root!r})\n{WORKERS}\nprint(rows({str(one_digit)!r}))"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(PYTHONPATH=""), capture_output=True, text=True
    )
    assert ended.stdout.strip() == READ, ended.stderr
