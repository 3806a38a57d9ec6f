"""Kills whole runs at random moments, fills their disk, and holds what they end with against an undisturbed run.

`python benchmarks/robustness/interrupt.py --kills 50` prints the figures of docs/reliability.md; it ends with 1 where a
byte of `results.csv` or `results.numbers.csv` differs, a worker outlives its parent by a second, or a journal is
damaged.
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
"$@"; echo "a disk of 250 kB: ended with $?"
mount -o remount,size=50m tmpfs "$0" || exit 99
"$@"; echo "with room again: ended with $?"
cp results.csv results.numbers.csv results.run.json "$OUT"
"""


def main(
    kills: Annotated[int, typer.Option(help="How many runs to kill.", min=1)] = 50,
    pages: Annotated[int, typer.Option(help="Pages a run.", min=22)] = 66,
    seed: Annotated[int, typer.Option(help="Another number gives other moments and pages.")] = 1,
) -> None:
    """Kill, go on, compare; then a full disk."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        scans = make_scans(work / "scans", pages, seed)
        wanted, seconds = undisturbed(work / "whole", scans)
        typer.echo(f"{pages} pages and a broken file; undisturbed, {seconds:.1f} s")
        moments: list[float] = []
        rounds, slowest = 0, 0.0
        while len(moments) < kills:
            rounds += 1
            out = work / f"round-{rounds}"

            def check(out: Path = out) -> None:
                journal = journal_folder(out / "results.csv") / FILE
                fail("half a file of results" if contents(out) not in ({}, wanted) else "")
                if journal.exists():
                    with closing(sqlite3.connect(journal)) as base:
                        fail(
                            "" if base.execute("PRAGMA integrity_check").fetchone() == ("ok",) else "a damaged journal"
                        )

            done = killed(out, scans, min(kills - len(moments), 10), seconds, rng, check)
            fail("" if done.contents == wanted else f"round {rounds}: other bytes")
            fail("" if done.slowest < 1 else f"a worker outlived its parent by {done.slowest:.1f} s")
            moments += done.moments
            slowest = max(slowest, done.slowest)
            typer.echo(
                f"round {rounds}: killed at {', '.join(f'{moment:.1f}' for moment in done.moments) or 'no moment'} s"
            )
        typer.echo(
            f"{len(moments)} kills in {rounds} rounds: the same bytes; workers gone after {slowest:.2f} s at most"
        )
        fill(work, scans, wanted)


def fill(work: Path, scans: Path, wanted: dict[str, bytes]) -> None:
    """A disk too small, then with room: a small tmpfs, where mounting is allowed."""
    unshare = ["unshare", "-rm", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        typer.echo("a full disk was not tried: mounting is not allowed here")
        return
    small, out = work / "small", work / "out"
    small.mkdir()
    out.mkdir()
    command = [*START, "run", str(scans), "--device", "cpu"]
    done = subprocess.run(
        [*unshare, FILLED, small, *command], env=environment(OUT=str(out)), capture_output=True, text=True
    )
    typer.echo("\n".join(line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("failed:")))
    fail("" if contents(out) == wanted else "a full disk: other bytes")


def fail(why: str) -> None:
    if why:
        typer.echo(why, err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
