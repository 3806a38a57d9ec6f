"""Numbers as people write them: digits side by side, some touching or overlapping, with the box of each.

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

from batchocr.records import Pixels
from batchocr.training.datasets import Digits
from batchocr.training.draw import draw
from batchocr.training.labelled import Boxes, labelled
from batchocr.training.sheets import expose

LINES, LENGTH = 6, (2, 7)
"""Numbers on a strip of paper, and digits in each."""
TOUCHING = 0.6
"""Share of the numbers whose digits are written so close that some touch."""
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
    for line in range(LINES):
        base = (line + 1) * pitch + int(rng.uniform(-0.1, 0.1) * height)
        x = 0.5 * height
        close = rng.random() < TOUCHING
        for _ in range(int(rng.integers(LENGTH[0], LENGTH[1] + 1))):
            which = int(rng.integers(len(digits)))
            drawn = draw(digits.pictures[which], height * rng.uniform(0.85, 1.15), rng, wild)
            tall, across = drawn.shape
            left, top = int(x), base - tall + int(rng.uniform(-0.08, 0.08) * height)
            if not drawn.size or left + across >= wide or top < 0 or top + tall >= len(ink):
                break
            part = ink[top : top + tall, left : left + across]
            np.maximum(part, drawn, out=part)
            boxes.append((int(digits.labels[which]), left, top, across, tall))
            x = left + across + height * (rng.uniform(-0.14, 0.06) if close else rng.uniform(0.05, 0.3))
    paper, dark = rng.uniform(190, 255), rng.uniform(10, 160)
    return expose(paper - ink * (paper - min(dark, paper - 70)), rng), np.array(boxes, float).reshape(-1, 5)
