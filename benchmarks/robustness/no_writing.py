"""Measure time and memory for pages without writing: noise, a photo without paper, black, security print, a texture.

`python benchmarks/robustness/no_writing.py` prints the table of docs/reliability.md. Each page is read in a separate
run, and the time includes its start. `--largest 25` uses a smaller texture.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Callable
from math import isqrt
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1] / "speed"))
from watched import run

Pixels = NDArray[np.uint8]
A4_PX = (3508, 2480)
"""Height and width at 300 dpi."""


def noise(rng: np.random.Generator, shape: tuple[int, int]) -> Pixels:
    """Return independent random pixels."""
    return rng.integers(0, 256, shape, dtype=np.uint8)


def texture(rng: np.random.Generator, shape: tuple[int, int]) -> Pixels:
    """Return cloth: noise as coarse as the strokes of small writing."""
    coarse = rng.integers(0, 256, (shape[0] // 6 + 1, shape[1] // 6 + 1), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def no_paper(rng: np.random.Generator, shape: tuple[int, int]) -> Pixels:
    """Return a desk: coarse shades, edges and some noise."""
    desk = cv2.resize(rng.normal(110, 40, (9, 7)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    for _ in range(40):
        corners = rng.integers(0, max(shape), (int(rng.integers(3, 6)), 2)).astype(np.int32)
        cv2.fillPoly(desk, [corners], float(rng.uniform(10, 240)))
    return np.clip(desk + rng.normal(0, 6, shape), 0, 255).astype(np.uint8)


def black(rng: np.random.Generator, shape: tuple[int, int]) -> Pixels:
    """Return a black page."""
    return np.zeros(shape, np.uint8)


def security_print(rng: np.random.Generator, shape: tuple[int, int]) -> Pixels:
    """Return crossing waves of thin lines."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    waves = [np.cos((y + sign * 0.4 * x + 14 * np.sin(x / 40)) * 0.6) for sign in (-1, 1)]
    return np.where(np.maximum(*waves) > 0.85, 150, 245).astype(np.uint8)


PAGES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Pixels]] = {
    "noise": noise,
    "cloth": texture,
    "no paper": no_paper,
    "all black": black,
    "security print": security_print,
}


def main(
    largest: Annotated[int, typer.Option(min=9, help="Size of the large texture in megapixels.")] = 250,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the pages.")] = 1,
) -> None:
    """Read each page and print a row for it."""
    typer.echo("page | megapixels | seconds | peak MB | digits | without mark | marks of the page")
    side = isqrt(largest * 1_000_000)
    jobs = [(name, make, A4_PX) for name, make in PAGES.items()] + [("cloth", texture, (side, side))]
    with tempfile.TemporaryDirectory() as temporary:
        for at, (name, make, shape) in enumerate(jobs):
            scans = Path(temporary) / str(at)
            scans.mkdir()
            cv2.imwrite(str(scans / "page.png"), make(np.random.default_rng(seed), shape))
            took = run(scans, "--jobs", "1")
            with scans.with_name(f"{at}.csv").open(newline="", encoding="utf-8") as file:
                plain = sum(not row["review"] for row in csv.DictReader(file))
            with scans.with_name(f"{at}.pages.csv").open(newline="", encoding="utf-8") as file:
                marks = next(row["marks"] for row in csv.DictReader(file))
            size = shape[0] * shape[1] / 1e6
            typer.echo(
                f"{name} | {size:.0f} | {took.seconds:.1f} | {took.megabytes:.0f} | {took.digits} | {plain} | {marks}"
            )


if __name__ == "__main__":
    typer.run(main)
