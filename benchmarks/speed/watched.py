"""A run of the command over a folder, with an eye on its memory."""

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

LOOKS = 0.1  # seconds between two looks


class Run(NamedTuple):
    """What a run took."""

    seconds: float
    megabytes: float
    """The most that all its processes held at once."""
    stages: dict[str, float]
    """Seconds, as the run's own account has them."""
    digits: int


def links(pages: Sequence[Path], count: int, folder: Path) -> Path:
    """A folder of so many pages: the same ones again and again."""
    folder.mkdir()
    for place in range(count):
        page = pages[place % len(pages)]
        (folder / f"{place:06}{page.suffix}").symlink_to(page)
    return folder


def run(scans: Path, *options: str) -> Run:
    """`batchocr run` over a folder on the processor, all again. Ends this program where it fails."""
    out = scans.with_name(f"{scans.name}.csv")
    command = [sys.executable, "-m", "batchocr", "run", str(scans), "--out", str(out), "--device", "cpu"]
    started, most = time.perf_counter(), 0.0
    with subprocess.Popen([*command, "--quiet", "--fresh", *options]) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            most = max(most, _resident(watched))
            time.sleep(LOOKS)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"batchocr ended with {process.returncode}")
    account = json.loads(out.with_suffix(".run.json").read_text())
    return Run(seconds, most, account["seconds"], account["counts"]["digits"])


def _resident(process: psutil.Process) -> float:
    """MB of it and its children, what they share counted once (PSS where the system tells it)."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += getattr(each.memory_full_info(), "pss", 0) or each.memory_info().rss
    return total / 1e6
