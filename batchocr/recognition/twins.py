"""Printed figures that stand by themselves: who prints a digit twice prints the very same, and nobody writes so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops, Style

BAR = 1
"""A digit too plain to be known again."""
ALIKE = 0.97
"""Correlation of the crops of twins: of 99 in 100 written digits, no other of the page is so like."""
HEIGHT, STROKE = 0.04, 0.12
"""By what share of the height twins differ, or by a pixel; and by how much in the logarithm of the strokes' width."""
ENOUGH = 3
"""Twins that show a size of print; figures of this size are print, though they have no twin."""
MOST = 300
"""Twins that are looked at for that."""


def printed(
    numbers: Sequence[Sequence[int]], digits: Sequence[int], styles: Sequence[Style], crops: Crops
) -> list[bool]:
    """Which of a page's `numbers` are print: those of whose digits, bars aside, half or more have a twin on the page,
    and those of their size. A number is the places of its digits in the others, which are all (n,).
    """
    digit = np.array(digits, np.intp)
    high = np.array([style.box.height for style in styles], np.float64)
    stroke = np.log([max(0.5, style.stroke) for style in styles])
    flat = crops.reshape(len(digit), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)

    def same_size(some: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
        as_high = np.abs(high[some, None] - high[others]) <= np.maximum(1, HEIGHT * high[some, None])
        return np.asarray(as_high & (np.abs(stroke[some, None] - stroke[others]) <= STROKE))

    twin = np.zeros(len(digit), np.bool_)
    for value in set(digits) - {BAR}:
        of = np.flatnonzero(digit == value)
        twin[of] = ((flat[of] @ flat[of].T >= ALIKE) & same_size(of, of)).sum(axis=1) > 1
    sure = [bool(shares) and sum(shares) >= len(shares) / 2 for shares in _without_bars(numbers, digit, twin)]
    known = np.array(
        [i for number, is_print in zip(numbers, sure, strict=True) if is_print for i in number if twin[i]], np.intp
    )
    if len(known) < ENOUGH:
        return [False] * len(numbers)
    known = known[:: -(-len(known) // MOST)]
    return [
        is_print or bool((same_size(np.array(number), known).sum(axis=1) >= ENOUGH).all())
        for number, is_print in zip(numbers, sure, strict=True)
    ]


def _without_bars(
    numbers: Sequence[Sequence[int]], digit: NDArray[np.intp], twin: NDArray[np.bool_]
) -> list[list[bool]]:
    return [[bool(twin[i]) for i in number if digit[i] != BAR] for number in numbers]
