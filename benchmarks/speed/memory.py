"""Measure the peak memory of runs over different numbers of pages, of all processes together.

`python benchmarks/speed/memory.py` prints the table of docs/reliability.md. It ends with 1 if one run needs over a
tenth more memory than another.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from watched import links, run

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))
from strokes import page, save

KINDS = 50
"""Number of different pages; the others are links to them."""


def main(
    pages: Annotated[list[int] | None, typer.Option(help="Pages of a run. May repeat.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the written digits.")] = 1,
) -> None:
    """Run over each number of pages and print a row for it."""
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
            took = run(links(kinds, count, work / f"scans-{count}"))
            peaks.append(took.megabytes)
            typer.echo(f"{count:,} | {took.megabytes:.0f} | {took.seconds:.0f}")
    if max(peaks) > 1.1 * min(peaks):
        typer.echo("not constant: the largest peak is over a tenth above the smallest", err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
