"""Numbers as people write them: digits side by side, some touching, overlapping or linked, with the box of each.

What vision makes of them, cuts and all, is labelled by the boxes: so the network knows what a good cut leaves, and
that half a digit, or one and a half, is none.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np

from batchocr.records import Box, Pixels
from batchocr.training.datasets import Digits
from batchocr.training.draw import VISIBLE, Ink, draw
from batchocr.training.labelled import Boxes, labelled
from batchocr.training.shapes import smooth
from batchocr.training.sheets import expose
from batchocr.vision.normalize import pen_width

LINES, LENGTH = 6, (2, 7)
"""Numbers on a strip of paper, and digits in each."""
TOUCHING = 0.6
"""Share of the numbers whose digits are written so close that some touch."""
LINKED, ZEROS = 0.3, 0.5
"""Share of the numbers whose digits are linked by strokes, and that of 0s in them: of people who write 10.000 in haste
hardly one lifts the pen."""
LOW, BROAD = (0.5, 1.0), (1.0, 1.7)
"""Of the 0s after the first digit of such a number: how high they are, and how much broader than elsewhere."""
HIGH, ENTERS = 0.75, 0.2
"""Share of the links that lie in the upper half, and of these the share that goes on into the digit."""
TASK = 50
"""Strips that a process draws at a time."""


def cut_strips(
    digits: Digits, count: int, seed: int, jobs: int, wild: float = 1.0, *, every_cut: bool = True
) -> Digits:
    """Candidates of about `count` digits of `digits`, written as numbers; see `labelled` for `every_cut`.

    `jobs` processes change nothing.
    """
    strips = -(-count // (LINES * sum(LENGTH) // 2))
    tasks = [(seed, at, min(TASK, strips - at), wild) for at in range(0, strips, TASK)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_keep, initargs=(digits,)) as pool:
        parts = list(pool.map(partial(_cut, every_cut=every_cut), tasks))
    return Digits(np.concatenate([p.pictures for p in parts]), np.concatenate([p.labels for p in parts]))


_digits: list[Digits] = []
"""Of this process."""


def _keep(digits: Digits) -> None:
    cv2.setNumThreads(1)
    _digits[:] = [digits]


def _cut(task: tuple[int, int, int, float], every_cut: bool) -> Digits:
    seed, first, count, wild = task
    parts = []
    for at in range(first, first + count):
        pixels, boxes = strip(_digits[0], np.random.default_rng((seed, at)), wild)
        parts.append(labelled(pixels, boxes, every_cut=every_cut))
    return Digits(np.concatenate([p.pictures for p in parts]), np.concatenate([p.labels for p in parts]))


def strip(digits: Digits, rng: np.random.Generator, wild: float = 1.0) -> tuple[Pixels, Boxes]:
    """A strip of paper (h, w) grey with LINES numbers under each other, and the boxes of their digits, (n, 5)."""
    height = float(np.exp(rng.uniform(np.log(20), np.log(50))))
    pitch = int(2.3 * height)
    wide = int(LENGTH[1] * 1.5 * height)
    ink = np.zeros((pitch * LINES + pitch, wide), np.float32)
    boxes: list[Sequence[float]] = []
    zeros = np.flatnonzero(digits.labels == 0)
    for line in range(LINES):
        base = (line + 1) * pitch + int(rng.uniform(-0.1, 0.1) * height)
        x = 0.5 * height
        close = rng.random() < TOUCHING
        linked = rng.random() < LINKED
        low, broad = (rng.uniform(*LOW), rng.uniform(*BROAD)) if linked else (1.0, 1.0)
        before: Box | None = None
        for _ in range(int(rng.integers(LENGTH[0], LENGTH[1] + 1))):
            as_zero = linked and before and len(zeros) and rng.random() < ZEROS
            which = int(rng.choice(zeros)) if as_zero else int(rng.integers(len(digits)))
            label = int(digits.labels[which])
            size = height * rng.uniform(0.85, 1.15) * (low if before and label == 0 else 1)
            drawn = draw(digits.pictures[which], size, rng, wild)
            if drawn.size and label == 0 and broad > 1:
                drawn = cv2.resize(drawn, None, fx=broad, fy=1, interpolation=cv2.INTER_LINEAR)
            tall, across = drawn.shape
            left, top = int(x), base - tall + int(rng.uniform(-0.08, 0.08) * height)
            if not drawn.size or left + across >= wide or top < 0 or top + tall >= len(ink):
                break
            part = ink[top : top + tall, left : left + across]
            np.maximum(part, drawn, out=part)
            boxes.append((label, left, top, across, tall))
            box = Box(left, top, across, tall)
            if linked and before:
                link(ink, before, box, rng)
            before = box
            apart = (0.0, 0.3) if linked else (-0.14, 0.06) if close else (0.05, 0.3)
            x = left + across + height * rng.uniform(*apart)
    paper, dark = rng.uniform(190, 255), rng.uniform(10, 160)
    return expose(paper - ink * (paper - min(dark, paper - 70)), rng), np.array(boxes, float).reshape(-1, 5)


def link(ink: Ink, before: Box, after: Box, rng: np.random.Generator) -> None:
    """Draw into `ink` the stroke by which a hasty pen goes on from one digit to the next, mostly high, as between 0s.

    Now and then it enters the next digit, so that a 0 looks like an e.
    """
    left, right = (ink[b.top : b.bottom, b.left : b.right] > VISIBLE for b in (before, after))
    high = rng.random() < HIGH
    rows = [slice(0, len(m) // 2) if high else slice(len(m) // 2, len(m)) for m in (left, right)]
    starts, ends = np.argwhere(left[rows[0]]), np.argwhere(right[rows[1]])
    if not (len(starts) and len(ends)):
        return
    y0, x0 = starts[starts[:, 1].argmax()] + (before.top + (rows[0].start or 0), before.left)
    y1, x1 = ends[ends[:, 1].argmin()] + (after.top + (rows[1].start or 0), after.left)
    if high and rng.random() < ENTERS:
        x1, y1 = after.left + rng.uniform(0.5, 0.9) * after.width, after.top + rng.uniform(0.1, 0.4) * after.height
    sag = rng.uniform(-0.1, 0.25) * before.height
    way = smooth([(x0, y0), ((x0 + x1) / 2, (y0 + y1) / 2 + sag), (x1, y1)])
    mask = np.ascontiguousarray(left, np.uint8) * np.uint8(255)
    layer = np.zeros(ink.shape, np.uint8)
    cv2.polylines(layer, [way.round().astype(np.int32)], False, 255, max(1, round(0.9 * pen_width(mask))), cv2.LINE_AA)
    np.maximum(ink, layer.astype(np.float32) / 255, out=ink)
