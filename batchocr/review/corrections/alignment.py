"""Which digits of a new text are which digits of the old one, and where the boxes of new digits are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import median

from batchocr.records import Box

Pair = tuple[int | None, int | None]
"""Index of a digit in the old text and in the new one; None if it is not there."""


def aligned(old: str, new: str) -> list[Pair]:
    """Align two texts by the fewest changes (Wagner and Fischer, 1974).

    Args:
        old: The text before.
        new: The text after.

    Returns:
        From the left, each character of both texts once: kept or changed, removed, or new.
    """
    rows, columns = len(old) + 1, len(new) + 1
    cost = [[i + j if not i or not j else 0 for j in range(columns)] for i in range(rows)]
    for i in range(1, rows):
        for j in range(1, columns):
            same = cost[i - 1][j - 1] + (old[i - 1] != new[j - 1])
            cost[i][j] = min(same, cost[i - 1][j] + 1, cost[i][j - 1] + 1)
    pairs: list[Pair] = []
    i, j = len(old), len(new)
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + (old[i - 1] != new[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def between(left: Box | None, right: Box | None, count: int, width: int | None) -> list[Box]:
    """Return boxes for digits that were missed between two digits, or beside one.

    Args:
        left: The digit before; None if there is none.
        right: The digit after; None if there is none. One of them must be given.
        count: Number of digits.
        width: Width of the page in pixels, None if it is unknown.

    Returns:
        The boxes from the left, inside the page, as high as the neighbours.
    """
    known = [box for box in (left, right) if box is not None]
    top, bottom = min(box.top for box in known), max(box.bottom for box in known)
    usual = max(1, round(median(box.width for box in known)))
    if left is not None and right is not None:
        start, end = left.right, right.left
        if end - start < count:  # they touch: the new digits lie over both
            start, end = left.left + left.width // 2, max(right.left + right.width // 2, left.left + count)
    elif left is not None:
        start, end = left.right, left.right + count * usual
    else:
        assert right is not None
        start, end = right.left - count * usual, right.left
    return spread(Box(start, top, max(1, end - start), bottom - top), count, width)


def spread(place: Box, count: int, width: int | None) -> list[Box]:
    """Divide a box evenly among digits, from the left, inside a page of this width."""
    left = max(0, place.left)
    right = max(place.right, left + 1)
    if width is not None:
        left, right = min(left, width - 1), min(right, width)
    step = (right - left) / count
    edges = [left + int(step * i) for i in range(count + 1)]
    return [Box(a, place.top, max(1, b - a), place.height) for a, b in itertools.pairwise(edges)]


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes, 0 to 1."""
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0, across) * max(0, down)
    return shared / (one.width * one.height + other.width * other.height - shared)


def best_match(box: Box, boxes: Sequence[Box], min_overlap: float) -> int | None:
    """Return the index of the same box, or else of the one that overlaps most; None if none overlaps enough."""
    shares = [1.0 if each == box else min(overlap(box, each), 0.999999) for each in boxes]
    best = max(range(len(boxes)), key=shares.__getitem__, default=None)
    return best if best is not None and shares[best] >= min_overlap else None
