"""Kill runs at random moments, fill their disk, and compare the final results with those of an undisturbed run.

`python benchmarks/robustness/interrupt.py --kills 50` prints the figures of docs/reliability.md. It ends with 1 if a
byte of `results.csv` or `results.numbers.csv` differs, if a worker lives a second longer than its parent, or if a
journal is damaged.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))
from command import START, environment
from interrupted import contents, killed, make_scans, undisturbed

from batchocr.batch.journal import FILE
from batchocr.batch.open_journal import journal_folder

FILLED = """
mount -t tmpfs -o size=250k tmpfs "$0" && cd "$0" || exit 99
"$@"; echo "on a disk of 250 kB: ended with $?"
mount -o remount,size=50m tmpfs "$0" || exit 99
"$@"; echo "with free space again: ended with $?"
cp results.csv results.numbers.csv results.run.json "$OUT"
"""


def main(
    kills: Annotated[int, typer.Option(help="Number of runs to kill.", min=1)] = 50,
    pages: Annotated[int, typer.Option(help="Pages of a run.", min=22)] = 66,
    seed: Annotated[int, typer.Option(help="Seed of the moments and the pages.")] = 1,
) -> None:
    """Kill and resume runs and compare the results; then try a full disk."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        scans = make_scans(work / "scans", pages, seed)
        wanted, seconds = undisturbed(work / "whole", scans)
        typer.echo(f"{pages} pages and a broken file; {seconds:.1f} s without interruption")
        moments: list[float] = []
        rounds, slowest = 0, 0.0
        while len(moments) < kills:
            rounds += 1
            out = work / f"round-{rounds}"

            def check(out: Path = out) -> None:
                journal = journal_folder(out / "results.csv") / FILE
                fail("a results file is incomplete" if contents(out) not in ({}, wanted) else "")
                if journal.exists():
                    with closing(sqlite3.connect(journal)) as base:
                        intact = base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                    fail("" if intact else "a journal is damaged")

            done = killed(out, scans, min(kills - len(moments), 10), seconds, rng, check)
            fail("" if done.contents == wanted else f"round {rounds}: the results differ")
            fail("" if done.slowest < 1 else f"a worker lived {done.slowest:.1f} s longer than its parent")
            moments += done.moments
            slowest = max(slowest, done.slowest)
            typer.echo(
                f"round {rounds}: killed at {', '.join(f'{moment:.1f}' for moment in done.moments) or 'no moment'} s"
            )
        typer.echo(
            f"{len(moments)} kills in {rounds} rounds: same bytes; all workers had ended after at most {slowest:.2f} s"
        )
        fill(work, scans, wanted)


def fill(work: Path, scans: Path, wanted: dict[str, bytes]) -> None:
    """Run on a disk that is too small and then has space: a small tmpfs, if mounting is allowed."""
    unshare = ["unshare", "-rm", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        typer.echo("a full disk was not tried, because mounting is not allowed")
        return
    small, out = work / "small", work / "out"
    small.mkdir()
    out.mkdir()
    command = [*START, "run", str(scans), "--device", "cpu"]
    done = subprocess.run(
        [*unshare, FILLED, small, *command], env=environment(OUT=str(out)), capture_output=True, text=True
    )
    typer.echo("\n".join(line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("failed:")))
    fail("" if contents(out) == wanted else "after a full disk, the results differ")


def fail(why: str) -> None:
    """Print a reason and end with 1, if there is a reason."""
    if why:
        typer.echo(why, err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
