"""Runs of the command that are killed while they read, and what they leave."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from children import children
from command import START, Ended, environment
from PIL import Image
from strokes import page, save

from batchocr.records import Pixels

RESULTS = ("results.csv", "results.numbers.csv")
"""Files that must be equal byte for byte."""


def make_scans(folder: Path, pages: int, seed: int = 1, lines: int = 3) -> Path:
    """Write `pages` pages of digits and a broken file; a third are in files of seven pages, and two pages are equal."""
    rng = np.random.default_rng(seed)
    folder.mkdir()

    def sheet() -> Pixels:
        return page(["".join(rng.choice(list("0123456789 "), 12)).replace("  ", "1 ") for _ in range(lines)])

    long = pages // 21
    for number in range(long):
        first, *others = [Image.fromarray(sheet()) for _ in range(7)]
        first.save(folder / f"long-{number}.tif", save_all=True, append_images=others)
    for number in range(pages - 7 * long - 1):
        save(folder / f"{number:03}.png", sheet())
    (folder / "twin.png").write_bytes((folder / "000.png").read_bytes())
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff and then nothing")
    return folder


@dataclass(frozen=True)
class Running:
    """A run in progress, in its own process group."""

    process: subprocess.Popen[bytes]

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes."""
        return children(self.process.pid)

    def wait_for(self, happened: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until `happened()` is true; raise AssertionError if the run ends before or it takes too long."""
        end = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None and time.monotonic() < end, "the condition was not met"
            time.sleep(0.02)

    def kill(self) -> float:
        """Send SIGKILL to the run alone; return the seconds after which the last of its children is gone."""
        started_by_it = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        started = time.monotonic()
        self.process.communicate()
        assert all_gone(started_by_it)
        return time.monotonic() - started

    def end(self) -> Ended:
        """Wait for the end of the run."""
        out, err = self.process.communicate(timeout=120)
        return Ended(self.process.returncode, out.decode(), err.decode())


def all_gone(processes: Iterable[psutil.Process], seconds: float = 10) -> bool:
    """Return whether all end in time. A zombie counts as ended: a container may have no process that reaps it."""
    end = time.monotonic() + seconds
    while any(map(_lives, processes)):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def start(folder: Path, *arguments: str | Path, **variables: str) -> Running:
    """Start `batchocr run` with these arguments in `folder`; SIGINT works as for a foreground job of a shell."""

    command = [*START, "run", *map(str, arguments)]
    return Running(
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment(BATCHOCR_DEVICE="cpu", BATCHOCR_JOBS="2", **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return the results files that exist."""
    return {name: (folder / name).read_bytes() for name in RESULTS if (folder / name).exists()}


def undisturbed(folder: Path, scans: Path) -> tuple[dict[str, bytes], float]:
    """Return the results of a run without interruption, and its seconds."""
    folder.mkdir()
    started = time.monotonic()
    ended = start(folder, scans).end()
    assert ended.code == 3, ended.err  # for the damaged file
    return contents(folder), time.monotonic() - started


@dataclass(frozen=True)
class Killed:
    """A run that was killed several times and then ended."""

    moments: tuple[float, ...]
    """Seconds from each start to its kill."""
    slowest: float
    """The longest time that a worker lived after its parent, in seconds."""
    contents: dict[str, bytes]
    """Results files at the end."""


def killed(
    folder: Path, scans: Path, kills: int, within: float, rng: np.random.Generator, check: Callable[[], None]
) -> Killed:
    """Start a run, kill it at a random moment of the first `within` seconds, repeat, and let the last run end.

    `check` is called after each kill. There are fewer kills if a run ends before its moment.
    """
    folder.mkdir(exist_ok=True)
    moments: list[float] = []
    slowest = 0.0
    while len(moments) < kills:
        moment = float(rng.uniform(0, within))
        running = start(folder, scans)
        try:
            running.process.communicate(timeout=moment)
            break
        except subprocess.TimeoutExpired:
            slowest = max(slowest, running.kill())
            moments.append(moment)
            check()
    last = start(folder, scans).end()
    assert last.code == 3, last.err
    return Killed(tuple(moments), slowest, contents(folder))
