"""Measure how many numbers that are struck out, scribbled over, overwritten or circled have no mark.

`python benchmarks/marks/struck_out.py MNIST.npz` writes numbers from MNIST's test half on pages. Half of them are
changed: struck out by a line, two lines, a slanted line up or down, or a cross; scribbled over; with a digit written
over another digit; or with a ring around the number.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from reading import Row, read_files

sys.path.append(str(Path(__file__).parents[1] / "pages"))
from compose import load

WAYS = ("line", "double", "upwards", "downwards", "cross")
CHANGED = (*WAYS, "scribbled over", "overwritten", "ringed")
HEIGHT = 60
"""Height of the digits in pixels."""


def strike(page: np.ndarray, way: str, box: tuple[int, int, int, int], rng: np.random.Generator, ink: int) -> None:
    """Draw a stroke through a box and a little beyond its ends, as straight as a hand draws it."""
    left, top, right, bottom = box
    left, right = left - int(rng.integers(5, 25)), right + int(rng.integers(5, 25))

    def stroke(y0: float, y1: float) -> None:
        x = np.linspace(left, right, 30)
        bow = rng.normal(0, 2) * np.sin(np.linspace(0, np.pi, 30))
        points = np.stack([x, np.linspace(y0, y1, 30) + bow + rng.normal(0, 0.4, 30)], axis=1)
        cv2.polylines(
            page, [(points * 16).round().astype(np.int32)], False, ink, int(rng.integers(3, 7)), cv2.LINE_AA, 4
        )

    height, tilt = bottom - top, float(rng.normal(0, 4))
    if way in ("line", "double"):
        y = top + height * (0.5 if way == "line" else 0.38) + float(rng.normal(0, 3))
        stroke(y - tilt, y + tilt)
    if way == "double":
        stroke(top + 0.66 * height - tilt, top + 0.66 * height + tilt)
    if way in ("upwards", "cross"):
        stroke(bottom - 4, top + 4)
    if way in ("downwards", "cross"):
        stroke(top + 4, bottom - 4)


def scribble(page: np.ndarray, box: tuple[int, int, int, int], rng: np.random.Generator, ink: int) -> None:
    """Draw a zigzag over a box, so dense that little can be read."""
    left, top, right, bottom = box
    count = max(6, round((right - left) / float(rng.uniform(4, 7))))
    x = np.linspace(left - 6, right + 6, count) + rng.normal(0, 3, count)
    y = np.where(np.arange(count) % 2, top - 4, bottom + 4) + rng.normal(0, 5, count)
    points = (np.stack([x, y], axis=1) * 16).round().astype(np.int32)
    cv2.polylines(page, [points], False, ink, int(rng.integers(3, 6)), cv2.LINE_AA, 4)


def ring(page: np.ndarray, box: tuple[int, int, int, int], rng: np.random.Generator, ink: int) -> None:
    """Draw a closed curve around a box."""
    left, top, right, bottom = box
    turn = np.linspace(0, 2 * np.pi * float(rng.uniform(0.97, 1.08)), 60)
    x_radius, y_radius = (right - left) / 2 * 1.15 + 14, (bottom - top) / 2 * 1.2 + 8
    factor = 1 + 0.05 * np.sin(2 * turn + rng.uniform(0, 6)) + 0.04 * turn / 6
    x = (left + right) / 2 + x_radius * factor * np.cos(turn)
    y = (top + bottom) / 2 + y_radius * factor * np.sin(turn)
    points = (np.stack([x, y], axis=1) * 16).round().astype(np.int32)
    cv2.polylines(page, [points], False, ink, int(rng.integers(2, 5)), cv2.LINE_AA, 4)


def main(
    mnist: Annotated[Path, typer.Argument(help="The file mnist.npz.")],
    pages: Annotated[int, typer.Option(help="Number of pages, with 24 numbers each.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the pages.")] = 9300,
    keep: Annotated[Path | None, typer.Option(help="Folder in which pages and results are kept.")] = None,
) -> None:
    """Print one row for each kind of change."""
    digits, labels = load(mnist, "test")
    boxes: dict[str, list[tuple[str, str, tuple[int, int, int, int]]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        work = keep or Path(temporary)
        (work / "pages").mkdir(parents=True, exist_ok=True)
        for at in range(pages):
            rng = np.random.default_rng((seed, at))
            page = np.full((12 * 130 + 100, 1200), 246, np.uint8)
            name = f"{at:03}.png"
            for place in range(24):
                x0 = x = 100 + 560 * (place % 2)
                y, ink = 80 + 130 * (place // 2), int(rng.integers(20, 110))
                way = str(rng.choice(CHANGED)) if rng.random() < 0.5 else "as written"
                text = ""
                for place_in_number in range(int(rng.integers(1, 6))):
                    which = int(rng.integers(len(digits)))
                    glyph, text = digits[which], text + str(int(labels[which]))
                    if way == "overwritten" and place_in_number == 0:
                        other = int(rng.choice(np.flatnonzero(labels != labels[which])))
                        glyph, text = np.maximum(glyph, digits[other]), str(int(labels[other]))
                    left, top, width, height = cv2.boundingRect((glyph > 60).view(np.uint8))
                    glyph = glyph[top : top + height, left : left + width]
                    size = (max(6, round(width * HEIGHT / height)), HEIGHT)
                    glyph = cv2.resize(glyph, size, interpolation=cv2.INTER_CUBIC)
                    part = page[y : y + HEIGHT, x : x + size[0]]
                    part[:] = np.minimum(part, 246 - (246 - ink) * (glyph / 255.0)).astype(np.uint8)
                    x += size[0] + 10
                box = x0, y, x - 10, y + HEIGHT
                if way in WAYS:
                    strike(page, way, box, rng, ink)
                elif way in ("scribbled over", "ringed"):
                    (scribble if way == "scribbled over" else ring)(page, box, rng, ink)
                boxes.setdefault(name, []).append((way, text, box))
            cv2.imwrite(str(work / "pages" / name), page)
        (work / "truth.json").write_text(json.dumps(boxes), encoding="utf-8")
        read = read_files(work / "pages", work / "results.csv")
    counts: Counter[tuple[str, str]] = Counter()
    for name, known in boxes.items():
        for way, text, box in known:
            own = [number for number in read[name].numbers if _overlaps(number, box)]
            counts[way, "all"] += 1
            counts[way, "no row"] += not own
            counts[way, "right"] += [number["digits"] for number in own] == [text]
            counts[way, "not marked"] += any(not number["review"] for number in own)
            counts[way, "struck-out"] += any("struck-out" in number["review"] for number in own)
    typer.echo(
        "| numbers | count | without row | with a row without mark | marked struck-out | read as written |\n"
        + "|---" * 6
        + "|"
    )
    for way in (*CHANGED, "as written"):
        cells = (counts[way, what] for what in ("all", "no row", "not marked", "struck-out", "right"))
        typer.echo(f"| {way} | {' | '.join(map(str, cells))} |")


def _overlaps(number: Row, box: tuple[int, int, int, int]) -> bool:
    """Return whether the centre of a number is in a box."""
    x, y = int(number["left"]) + int(number["width"]) / 2, int(number["top"]) + int(number["height"]) / 2
    return box[0] - 20 <= x <= box[2] + 20 and box[1] - 20 <= y <= box[3] + 20


if __name__ == "__main__":
    typer.run(main)
