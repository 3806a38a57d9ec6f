"""Crops as they come from paper: writing drawn on sheets in many pens and lights, and cut out by our own vision.

So the network is trained on what it will be given: pieces of ink that were thresholded, freed of rules, cut and
normalised exactly as those of a scan.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.calibration import NONE
from batchocr.records import Box, Crops, Pixels, corners
from batchocr.training.datasets import Labels
from batchocr.training.draw import Ink
from batchocr.training.labelled import is_upright_bar
from batchocr.training.writers import Writer
from batchocr.vision import find

SMALLEST, LARGEST = 17, 64
"""Pixels that writing is high."""
RULED = 0.3
"""Share of the sheets that have rules or boxes."""
SHEET = 1280
"""Pixels along each side of a sheet: looked at without reduction."""
SAME, WHOLE, APART = 0.7, 0.85, 0.45
"""Of a candidate's box and a piece of writing, intersection over union from which it is that piece, and all of it, and
up to which it is only some of it."""
log = logging.getLogger(__name__)

TASK = 3000
"""Pieces of writing that a process draws at a time, at most."""


@dataclass(frozen=True)
class Drawn:
    """Crops (n, 28, 28), what each is, (n,) 0 to 9 or NONE, and by which writer it was drawn, (n,)."""

    pictures: Crops
    labels: Labels
    writers: Labels
    cuts: NDArray[np.bool_]
    """(n,): what vision proposed besides the pieces of ink: their parts, or several together. Reading takes few."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class _Placed:
    box: Box
    label: int
    writer: int
    whole: bool


def cut_many(
    writers: Mapping[str, Writer], counts: Mapping[str, int], seed: int, jobs: int, wild: float = 1.0
) -> Drawn:
    """About `counts` pieces of writing of each writer, mixed on sheets and cut out, in `jobs` processes.

    The number of processes changes nothing. What vision lost or took apart is left out, what it found beside
    the digits is NONE. The writers are numbered in the order of their names in `writers`.
    """
    total = sum(counts.values())
    shares = np.array([counts.get(name, 0) for name in writers]) / total
    number = -(-total // TASK)
    tasks = [(shares, -(-total // number), seed, at, wild) for at in range(number)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_keep, initargs=(list(writers.values()),)) as pool:
        parts = []
        for part in pool.map(_cut, tasks):
            parts.append(part)
            if len(parts) % max(1, number // 5) == 0:
                log.info("%d of %d sheaves drawn", len(parts), number)
    return Drawn(
        np.concatenate([part.pictures for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.writers for part in parts]),
        np.concatenate([part.cuts for part in parts]),
    )


_writers: list[Writer] = []
"""Of this process."""


def _keep(writers: list[Writer]) -> None:
    cv2.setNumThreads(1)
    _writers[:] = writers


def _cut(task: tuple[NDArray[np.float64], int, int, int, float]) -> Drawn:
    shares, count, seed, at, wild = task
    return cut(_writers, shares, count, np.random.default_rng((seed, at)), wild)


def cut(
    writers: Sequence[Writer], shares: NDArray[np.float64], count: int, rng: np.random.Generator, wild: float = 1.0
) -> Drawn:
    """`count` pieces of writing, or a few more, of `writers` by their `shares`, drawn on sheets and cut out.

    The less `wild`, from 1 to 0, the fewer sheets have rules, and the larger is the smallest writing.
    """
    pictures: list[Pixels] = []
    labels: list[int] = []
    origins: list[int] = []
    cuts: list[bool] = []
    while count > 0:
        page, placed = sheet(writers, shares, rng, wild)
        count -= len(placed)
        layout = find(page, every_cut=True)
        candidates = layout.candidates
        named = _named([c.box for c in candidates], placed)
        for crop, candidate, (label, writer) in zip(layout.crops, candidates, named, strict=True):
            if label is not None and not (label == NONE and is_upright_bar(crop)):
                pictures.append(crop)
                labels.append(label)
                origins.append(writer)
                cuts.append(candidate.cut or candidate.across)
    return Drawn(np.stack(pictures), np.array(labels, np.int64), np.array(origins, np.int64), np.array(cuts))


def _named(boxes: Sequence[Box], placed: Sequence[_Placed]) -> list[tuple[int | None, int]]:
    """What each candidate is by its box, None where that cannot be said, and its writer's number."""
    found = corners(boxes)[:, None]
    true = corners([each.box for each in placed])
    both = np.minimum(found[..., 2:], true[:, 2:]) - np.maximum(found[..., :2], true[:, :2])
    overlap = np.maximum(0, both).prod(axis=-1)
    named: list[tuple[int | None, int]] = []
    for box, at, shared in zip(boxes, overlap.argmax(axis=1), overlap.max(axis=1), strict=True):
        piece = placed[at]
        area = piece.box.width * piece.box.height
        union = area + box.width * box.height - shared
        if piece.whole:
            named.append((piece.label if shared >= WHOLE * union else None, piece.writer))
        elif piece.label == NONE and shared > 0:
            named.append((NONE, piece.writer))
        elif shared >= SAME * union:
            named.append((piece.label, piece.writer))
        else:
            named.append((NONE if shared <= APART * union else None, piece.writer))
    return named


def sheet(
    writers: Sequence[Writer], shares: NDArray[np.float64], rng: np.random.Generator, wild: float = 1.0
) -> tuple[Pixels, list[_Placed]]:
    """A sheet (SHEET, SHEET) grey with writing of `writers` in the cells of a grid, and what stands where."""
    height = float(np.exp(rng.uniform(np.log(SMALLEST + (1 - wild) * 10), np.log(LARGEST))))
    cell = int(height * 2.1)
    cells = SHEET // cell
    ink = np.zeros((SHEET, SHEET), np.float32)
    placed: list[_Placed] = []
    for row in range(cells):
        column = 0
        while column < cells:
            writer = int(rng.choice(len(writers), p=shares))
            drawn, label = writers[writer](height * rng.uniform(0.9, 1.1), rng)
            tall, wide = drawn.shape
            span = max(1, -(-(wide + 8) // cell))
            if not (0 < tall < cell - 3 and wide) or column + span > cells:
                column += 1
                continue
            top = row * cell + int(rng.integers(1, cell - tall - 1)) // 2 + (cell - tall) // 4
            left = column * cell + (span * cell - wide) // 2
            ink[top : top + tall, left : left + wide] = drawn * rng.uniform(0.75, 1)
            placed.append(_Placed(Box(left, top, wide, tall), label, writer, writers[writer].whole))
            column += span
    paper, dark = rng.uniform(190, 255), rng.uniform(10, 160)
    page = paper - ink * (paper - min(dark, paper - 70))
    if rng.random() < RULED * wild:
        _rule(page, cell, placed, rng.uniform(max(20, dark - 40), 200), rng)
    return expose(page, rng), placed


def _rule(page: Ink, cell: int, placed: Sequence[_Placed], grey: float, rng: np.random.Generator) -> None:
    """Print rules under the rows, or a box around each piece of writing; some touch it."""
    width = int(rng.integers(1, 2 + cell // 30))

    def bar(left: int, top: int, right: int, bottom: int) -> None:
        part = page[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        np.minimum(part, grey, out=part)

    if rng.random() < 0.4:
        drop = int(rng.uniform(0.62, 0.95) * cell)
        for top in range(drop, SHEET, cell):
            bar(0, top, SHEET, top + width)
        return
    slack = rng.uniform(0.02, 0.3) * cell
    comb = rng.random() < 0.4
    for piece in placed:
        away = (slack * rng.uniform(0.3, 1.5, 4)).astype(int).tolist()
        left, top = piece.box.left - away[0], piece.box.top - away[1]
        right, bottom = piece.box.right + away[2], piece.box.bottom + away[3]
        if comb:  # open above
            top = int(bottom - rng.uniform(0.25, 0.8) * (bottom - top))
        else:
            bar(left, top, right, top + width)
        bar(left, bottom, right + width, bottom + width)
        bar(left, top, left + width, bottom)
        bar(right, top, right + width, bottom)


def expose(page: Ink, rng: np.random.Generator) -> Pixels:
    """A sheet as a scanner or a camera sees it: shade, blur, noise, JPEG, one bit."""
    if rng.random() < 0.4:
        slope = rng.uniform(-0.25, 0.25, 2)
        down, across = (np.linspace(-1, 1, side, dtype=np.float32) for side in page.shape)
        page *= 1 - 0.25 + 0.5 * (slope[0] * down[:, None] + slope[1] * across[None, :])
    if rng.random() < 0.6:
        page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.4, 1.1))
    page += rng.normal(0, rng.uniform(0, 7), page.shape).astype(np.float32)
    grey = np.clip(page, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 90))])
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
    if rng.random() < 0.15:
        return np.where(grey > (int(grey.max()) + int(grey.min())) / 2, np.uint8(255), np.uint8(0))
    return grey
