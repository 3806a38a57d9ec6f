"""Touching digits: where a piece of ink may be cut, so that reading can choose.

A cut is the cheapest way from the top of a piece to its foot: air costs little, ink as much as is crossed. So it runs
down the valleys between digits, as a drop would (Congedo, Dimauro, Impedovo, Pirlo, 1995), and crosses where the
stroke that joins them is thin; several ways are proposed, those that differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask
from batchocr.vision.ink import Piece

NARROW, WIDE = 0.5, 0.85
"""Shares of the height of a line's writing: a piece from the first on may be two digits, one of them a 1, where a
straight cut from a valley crosses little; one from the second on may be several in any case."""
AIR, ASIDE = 0.01, 0.08
"""What a pixel of paper costs, and a step to the side, where one of ink costs 1."""
CROSSED, LITTLE = 0.8, 0.45
"""Shares of the height of writing that a cut leads through ink, at most, less than a stem is high; and that of a narrow
piece."""
EVERY = 0.3
"""Share of the height of writing: as wide a stretch has one cut proposed, at most."""
APART = 0.1
"""Share of the height by which two cuts differ in the mean."""
LEAST = 0.06
"""Share of a piece's ink that lies on each side of a cut."""
NEAR, REACH, DEEP = 0.4, 0.25, 0.06
"""The same: how far a cut leans, and how far a valley reaches to each side, and is deep."""
MOST = 14
"""Cuts of one piece."""
WIDEST = 1.35
"""Share of the height of writing up to which a stretch between cuts may be one digit."""

Costs = NDArray[np.float32]


def cut(pieces: Sequence[Piece], labels: NDArray[np.int32], height: float) -> dict[Piece, tuple[Piece, ...]]:
    """The parts, from the left, into which wide pieces may be cut, where writing is `height` pixels high.

    The parts are marked in `labels` with numbers of their own. Pieces that cannot be cut are not named.
    """
    wide = [p for p in pieces if p.width >= NARROW * p.size(height)]
    if not wide:
        return {}
    masks = [_mask(piece, labels) for piece in wide]
    down = _passages(masks)
    up = _passages([mask[::-1] for mask in masks])
    found: dict[Piece, tuple[Piece, ...]] = {}
    fresh = int(labels.max()) + 1
    for piece, mask, above, below in zip(wide, masks, down, up, strict=True):
        ways = _ways(mask, above, below[::-1], piece.size(height))
        if ways and len(parts := _parted(piece, mask, ways, labels, fresh)) > 1:
            found[piece] = parts
            fresh += len(parts)
    return found


def stretches(parts: Sequence[Piece], height: float) -> list[tuple[int, int, Piece]]:
    """All runs of neighbouring parts that may be one digit: the first, the one after the last, and their union.

    The whole and the parts are always among them, so that a way leads through.
    """
    found = []
    for first in range(len(parts)):
        union = parts[first]
        for last in range(first, len(parts)):
            if last > first:
                union = union.with_(parts[last])
            if union.width <= WIDEST * height or last == first or last - first == len(parts) - 1:
                found.append((first, last + 1, union))
    return found


def _mask(piece: Piece, labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    return piece.inside(labels[piece.top : piece.bottom, piece.left : piece.right])


def _passages(masks: Sequence[NDArray[np.bool_]]) -> list[Costs]:
    """For each mask (h, w), what the cheapest way from its top to each pixel costs, (h, w); all of them together."""
    high, wide = max(m.shape[0] for m in masks), max(m.shape[1] for m in masks)
    costs = np.full((high, len(masks), wide + 2), 1e6, np.float32)
    for i, mask in enumerate(masks):
        costs[: mask.shape[0], i, 1 : mask.shape[1] + 1] = np.where(mask, np.float32(1), np.float32(AIR))
    for y in range(1, high):
        above = costs[y - 1]
        least = np.minimum(above[:, :-2], above[:, 2:]) + np.float32(ASIDE)
        costs[y, :, 1:-1] += np.minimum(least, above[:, 1:-1])
    return [costs[: mask.shape[0], i, 1 : mask.shape[1] + 1] for i, mask in enumerate(masks)]


def _ways(mask: NDArray[np.bool_], down: Costs, up: Costs, height: float) -> list[NDArray[np.intp]]:
    """The best cuts of a piece, from the left: the column at which each crosses each row, (h,)."""
    tall, wide = mask.shape
    limit = (CROSSED if wide >= WIDE * height else LITTLE) * height
    most = min(MOST, max(1, round(wide / (EVERY * height))))
    ways: list[NDArray[np.intp]] = []
    ink = int(mask.sum())

    def propose(way: NDArray[np.intp]) -> None:
        """Take a way that differs from those before and has some ink on either side."""
        if len(ways) < most and all(np.abs(way - other).mean() > APART * height for other in ways):
            left = int((mask & (np.arange(wide) < way[:, None])).sum()) / ink
            if LEAST <= left <= 1 - LEAST:
                ways.append(way)

    for way in _between_valleys(mask, height, limit):
        propose(way)
    if wide < WIDE * height:
        return ways
    drops: list[tuple[float, int, int]] = []
    for row in (tall // 4, tall // 2, 3 * tall // 4):
        total = (down[row] + up[row] - np.where(mask[row], 1, AIR)).astype(np.float32)
        least = cv2.erode(total.reshape(1, -1), np.ones((1, 7), np.uint8)).ravel()
        here = np.flatnonzero((total <= least) & (total <= limit))
        drops += [(float(total[x]), row, int(x)) for x in here if 2 <= x < wide - 2]
    for _, row, x in sorted(drops):
        if len(ways) == most:
            break
        propose(np.concatenate([_traced(down[: row + 1], x), _traced(up[row:][::-1], x)[::-1][1:]]))
    return sorted(ways, key=lambda way: float(way.mean()))


def _between_valleys(mask: NDArray[np.bool_], height: float, limit: float) -> list[NDArray[np.intp]]:
    """Straight cuts from a valley of the upper contour to one of the lower, the cheapest first (Fenrich, 1992).

    Between two bellies that touch no drop would run: it would rather cross both bellies.
    """
    tall = len(mask)
    inked = mask.any(axis=0)
    upper = np.where(inked, mask.argmax(axis=0), tall)
    lower = np.where(inked, mask[::-1].argmax(axis=0), tall)
    heads, feet = _valleys(upper, height), _valleys(lower, height)
    if mask.shape[1] < WIDE * height and not (heads or feet):
        return []
    found: list[tuple[int, int, NDArray[np.intp]]] = []
    rows = np.arange(tall)
    ends = [(x, near) for x in heads for near in (min(feet, key=lambda f: abs(f - x), default=x), x)]
    ends += [(min(heads, key=lambda t: abs(t - x), default=x), x) for x in feet] + [(x, x) for x in feet]
    for head, foot in dict.fromkeys(ends):
        if abs(head - foot) <= NEAR * height:
            top, bottom = min(int(upper[head]), tall - 1), max(0, tall - 1 - int(lower[foot]))
            way = np.interp(rows, [top, max(top + 1, bottom)], [head, foot]).round().astype(np.intp)
            crossed = int(mask[rows, way].sum())
            if crossed <= limit:
                found.append((crossed, len(found), way))
    return [way for _, _, way in sorted(found, key=lambda each: each[:2])]


def _valleys(depth: NDArray[np.intp], height: float) -> list[int]:
    """Columns where a contour lies deepest between two higher stretches, by more than a little."""
    found: list[int] = []
    reach = max(2, round(REACH * height))
    around = np.pad(depth.astype(np.float64), reach, constant_values=-np.inf)
    deepest = depth == sliding_window_view(around, 2 * reach + 1).max(axis=1)
    around[np.isinf(around)] = np.inf
    least = sliding_window_view(around, reach).min(axis=1)  # of each stretch of `reach` columns
    rises = depth - np.maximum(least[: len(depth)], least[reach + 1 :])
    for x in np.flatnonzero(deepest & (rises >= DEEP * height)).tolist():
        if 0 < x < len(depth) - 1 and not (found and x - found[-1] <= reach):
            # the middle of a flat bottom
            low, high = max(0, x - reach), min(len(depth), x + reach + 1)
            flat = np.flatnonzero(depth[low:high] == depth[x]) + low
            found.append(int(flat[len(flat) // 2]))
    return found


def _traced(costs: Costs, x: int) -> NDArray[np.intp]:
    """The way that led to column `x` of the last row: its column in each row, (h,)."""
    way = np.empty(len(costs), np.intp)
    way[-1] = x
    for y in range(len(costs) - 2, -1, -1):
        low, high = max(0, x - 1), min(costs.shape[1], x + 2)
        near = costs[y, low:high] + ASIDE * (np.arange(low, high) != x)
        x = low + int(near.argmin())
        way[y] = x
    return way


def _parted(
    piece: Piece, mask: NDArray[np.bool_], ways: Sequence[NDArray[np.intp]], labels: NDArray[np.int32], fresh: int
) -> tuple[Piece, ...]:
    """The parts of a piece between its cuts, each with a label of its own from `fresh` on."""
    tall, wide = mask.shape
    side = np.zeros((tall, wide), np.int32)
    for way in ways:
        side += np.arange(wide) >= way[:, None]
    parts: list[Piece] = []
    view = labels[piece.top : piece.bottom, piece.left : piece.right]
    for number in range(len(ways) + 1):
        part: Mask = (mask & (side == number)).astype(np.uint8)
        if not (area := cv2.countNonZero(part)):
            continue
        left, top, width, height = cv2.boundingRect(part)
        label = fresh + len(parts)
        view[part > 0] = label
        x, y = piece.left + left, piece.top + top
        parts.append(Piece(x, y, x + width, y + height, area, (label,)))
    return tuple(parts)
