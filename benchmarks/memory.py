"""Peak memory of a run over more and more pages: all processes together, as the system counts them.

`python benchmarks/memory.py` prints the table of docs/reliability.md; it ends with 1 where the largest run needs over a
tenth more than the smallest.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from command import START, environment
from strokes import page, save

KINDS = 50
"""Different pages; the others are links to them."""
LOOKS = 0.1  # seconds between two looks


def resident(process: psutil.Process) -> float:
    """MB of it and its children, what they share counted once (PSS where the system tells it)."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += getattr(each.memory_full_info(), "pss", 0) or each.memory_info().rss
    return total / 1e6


def peak(scans: Path, out: Path) -> tuple[float, float]:
    """Largest MB, and seconds, of a run."""
    started = time.monotonic()
    command = [*START, "run", str(scans), "--out", str(out), "--device", "cpu", "--quiet", "--fresh"]
    largest = 0.0
    with subprocess.Popen(command, env=environment()) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            largest = max(largest, resident(watched))
            time.sleep(LOOKS)
    if process.returncode:
        raise typer.Exit(process.returncode)
    return largest, time.monotonic() - started


def main(
    pages: Annotated[list[int] | None, typer.Option(help="Pages of a run; several may be given.")] = None,
    seed: Annotated[int, typer.Option(help="Of what is written on them.")] = 1,
) -> None:
    """Run over each number of pages."""
    rng = np.random.default_rng(seed)
    peaks = []
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        kinds = [
            save(work / f"{n}.png", page(["".join(rng.choice(list("0123456789 "), 16)) for _ in range(6)]))
            for n in range(KINDS)
        ]
        typer.echo("pages | peak MB | seconds")
        for count in pages or [100, 1000, 5000]:
            scans = work / f"scans-{count}"
            scans.mkdir()
            for n in range(count):
                (scans / f"{n:06}.png").symlink_to(kinds[n % KINDS])
            largest, seconds = peak(scans, work / f"{count}.csv")
            peaks.append(largest)
            typer.echo(f"{count:,} | {largest:.0f} | {seconds:.0f}")
    if max(peaks) > 1.1 * min(peaks):
        typer.echo("not flat: over a tenth between the least and the most", err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
