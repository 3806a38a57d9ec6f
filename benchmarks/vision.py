"""What vision costs: processor milliseconds of each page, one thread, decoding left out.

`python benchmarks/vision.py pages/` prints the median of five runs of each page in a folder.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Annotated

import cv2
import typer

from batchocr.records import Scan
from batchocr.sources import BadPage, find_scans, load_pages
from batchocr.vision import find


def cost(scan: Scan, runs: int) -> tuple[float, int]:
    """Milliseconds of processor time for the first page of a scan, and the candidates found on it."""
    page = next(load_pages(scan))
    if isinstance(page, BadPage):
        raise page.error
    spent = []
    for _ in range(runs + 1):
        start = time.process_time()
        layout = find(page.pixels, page.dpi)
        spent.append(1000 * (time.process_time() - start))
    return statistics.median(spent[1:]), len(layout.crops)


def main(
    pages: Annotated[Path, typer.Argument(help="A folder of pages.")],
    runs: Annotated[int, typer.Option(help="Counted runs of each page, after one that is not.")] = 5,
) -> None:
    """Print a table of milliseconds a page."""
    cv2.setNumThreads(1)
    typer.echo("| page | digits | ms |\n|---|---|---|")
    for scan in find_scans([pages]).scans:
        spent, digits = cost(scan, runs)
        typer.echo(f"| {scan.name} | {digits} | {spent:.0f} |")


if __name__ == "__main__":
    typer.run(main)
