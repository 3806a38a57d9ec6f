"""Compare a run under Ray on this machine with a run without it: speed, processor time, memory, and the results.

`python benchmarks/speed/with_ray.py FOLDER` reads a folder twice and prints the figures of docs/cluster.md. The folder
has for example 1,000 links to the pages that `python benchmarks/pages/compose.py --digits mnist.npz --pages 20 --seed
18001` makes of ten kinds. It ends with 1 if a byte of the results differs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import psutil
import typer

INTERVAL_S = 0.5
"""Time between two measurements, in seconds."""
SHARED_MEMORY = Path("/dev/shm")
KINDS = {
    r"ray::MapWorker\(MapBatches\(ReadUnits\)\)": "networks (actors)",
    r"ray::(IDLE|MapBatches)": "prepare, decode (tasks)",
    r"-m batchocr": "driver",
    r"-c import sys; sys\.path": "workers that decode and level",
}
"""Kinds of processes by a part of their command line; all others are Ray's own. A task's process has its worker."""


@dataclass
class Measured:
    """What a run took."""

    seconds: float = 0.0
    pages: int = 0
    processor_s: dict[str, float] = field(default_factory=dict)
    """Seconds of processor time by kind of process."""
    memory_mb: float = 0.0
    """Peak of the machine's memory in use, more than before the run."""
    object_store_mb: float = 0.0
    """Peak of the shared memory, more than before the run."""


def measure(folder: Path, out: Path, *options: str) -> Measured:
    """Run the command over a folder and measure it. Ends this program if the command fails."""
    found, times, names = Measured(), dict[int, float](), dict[int, str]()
    memory, shared = psutil.virtual_memory().used, shutil.disk_usage(SHARED_MEMORY).used
    command = [sys.executable, "-m", "batchocr", "run", str(folder), "--out", str(out), "--device", "cpu", "--quiet"]
    clock = time.perf_counter()
    with subprocess.Popen([*command, *options]) as driver:
        root = psutil.Process(driver.pid)
        while driver.poll() is None:
            with suppress(psutil.Error):
                for process in (root, *root.children(recursive=True)):
                    with suppress(psutil.Error):
                        spent = process.cpu_times()
                        times[process.pid] = spent.user + spent.system
                        names[process.pid] = " ".join(process.cmdline())
            found.memory_mb = max(found.memory_mb, (psutil.virtual_memory().used - memory) / 1e6)
            store_mb = (shutil.disk_usage(SHARED_MEMORY).used - shared) / 1e6
            found.object_store_mb = max(found.object_store_mb, store_mb)
            time.sleep(INTERVAL_S)
    found.seconds = time.perf_counter() - clock
    if driver.returncode not in (0, 3):
        raise SystemExit(f"batchocr ended with exit code {driver.returncode}")
    for pid, spent_s in times.items():
        kind = _kind(names[pid])
        found.processor_s[kind] = found.processor_s.get(kind, 0.0) + spent_s
    found.pages = json.loads(out.with_suffix(".run.json").read_text())["counts"]["pages"]
    return found


def _kind(command: str) -> str:
    return next((kind for pattern, kind in KINDS.items() if re.search(pattern, command)), "Ray itself")


def main(folder: Annotated[Path, typer.Argument(help="Folder with scans.")]) -> None:
    """Read the folder without Ray and with it, and print a table."""
    with tempfile.TemporaryDirectory() as work:
        outs = {name: Path(work, f"{name}.csv") for name in ("local", "ray")}
        runs = {name: measure(folder, out, "--engine", name) for name, out in outs.items()}
        for name, run in runs.items():
            total = sum(run.processor_s.values())
            typer.echo(
                f"{name}: {run.pages} pages in {run.seconds:.0f} s, {run.pages / run.seconds:.2f} pages/s, "
                f"{total / run.pages:.3f} s of a core for a page, {run.memory_mb / 1000:.1f} GB, "
                f"object store {run.object_store_mb / 1000:.2f} GB"
            )
            for kind, seconds in sorted(run.processor_s.items(), key=lambda item: -item[1]):
                typer.echo(f"  {seconds / run.pages:.3f} s of a core for a page: {kind}")
        same = all(
            outs["local"].with_suffix(suffix).read_bytes() == outs["ray"].with_suffix(suffix).read_bytes()
            for suffix in (".csv", ".numbers.csv")
        )
        ratio = runs["local"].seconds / runs["ray"].seconds
        typer.echo(f"{ratio:.2f} times as fast with Ray; {'the same bytes' if same else 'OTHER BYTES'}")
    raise typer.Exit(not same)


if __name__ == "__main__":
    typer.run(main)
