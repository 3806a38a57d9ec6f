"""Run the command over a folder and measure its time and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

INTERVAL_S = 0.1
"""Time between two measurements of the memory, in seconds."""


class Run(NamedTuple):
    """The time and memory of a run."""

    seconds: float
    megabytes: float
    """Peak memory of all its processes together."""
    stages: dict[str, float]
    """Seconds of each stage, from `results.run.json`."""
    digits: int


def links(pages: Sequence[Path], count: int, folder: Path) -> Path:
    """Make a folder of `count` links to the pages, repeated in order."""
    folder.mkdir()
    for place in range(count):
        page = pages[place % len(pages)]
        (folder / f"{place:06}{page.suffix}").symlink_to(page)
    return folder


def run(scans: Path, *options: str) -> Run:
    """Run the command over a folder on the CPU without a journal of earlier runs. Ends this program if it fails."""
    out = scans.with_name(f"{scans.name}.csv")
    command = [sys.executable, "-m", "batchocr", "run", str(scans), "--out", str(out), "--device", "cpu"]
    started, peak = time.perf_counter(), 0.0
    with subprocess.Popen([*command, "--quiet", "--fresh", *options]) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _memory_mb(watched))
            time.sleep(INTERVAL_S)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"batchocr ended with exit code {process.returncode}")
    account = json.loads(out.with_suffix(".run.json").read_text())
    return Run(seconds, peak, account["seconds"], account["counts"]["digits"])


def _memory_mb(process: psutil.Process) -> float:
    """Return the memory of a process and its children in MB; shared memory counts once if the system reports PSS."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += getattr(each.memory_full_info(), "pss", 0) or each.memory_info().rss
    return total / 1e6
