"""Zeros at the end of a number, written as a chain of loops without lifting the pen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.training.synthesis.pen import Strokes

POINTS = 22
"""Points of the pen's path around one loop."""
Zeros = tuple[Strokes, NDArray[np.float32]]
"""The stroke, of height 1 with the base line y = 0, and the boxes of the loops (n, 4): left, top, width, height."""


def zero_chain(count: int, rng: np.random.Generator) -> Zeros:
    """Return zeros in one stroke.

    Each loop ends at its top, where the pen continues to the next. Loops are wide or narrow, apart or overlapping, and
    become lower towards the end.

    Args:
        count: Number of zeros.
        rng: Source of random numbers.
    """
    width = float(rng.uniform(0.45, 1.15))
    step = width * float(rng.uniform(0.75, 1.35))
    decay = float(rng.uniform(0.86, 1.0))
    start = float(rng.uniform(-0.3, 0.12))  # where the pen begins, in turns from the top
    over = float(rng.uniform(0.0, 0.12))  # by how much a loop is closed twice
    sag = float(rng.uniform(0.0, 0.35))  # how low the pen runs between loops, in heights of a loop
    paths: list[NDArray[np.float64]] = []
    boxes = []
    for i in range(count):
        height = decay**i * float(np.clip(rng.normal(1, 0.05), 0.8, 1.15))
        loop_width = width * decay**i * float(np.clip(rng.normal(1, 0.08), 0.75, 1.3))
        middle = np.array(
            [i * step * (0.5 + 0.5 * decay**i) + loop_width / 2, -height / 2 + float(rng.normal(0, 0.03))]
        )
        turns = np.linspace(start if i == 0 else -0.03, 1 + over, POINTS) * 2 * np.pi
        loop = middle + np.stack([-np.sin(turns) * loop_width / 2, -np.cos(turns) * height / 2], axis=1)
        if paths:
            before = paths[-1][-1]
            between = (before + loop[0]) / 2 + (0.0, sag * height * 0.4)
            paths.append(np.stack([between]))
        paths.append(loop)
        boxes.append((middle[0] - loop_width / 2, middle[1] - height / 2, loop_width, height))
    return [np.concatenate(paths).astype(np.float32)], np.array(boxes, np.float32)
