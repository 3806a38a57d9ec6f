"""Touching digits: where a piece of ink may be cut, so that reading can choose.

A cut is the cheapest way from the top of a piece to its foot: air costs little, ink as much as is crossed. So it runs
down the valleys between digits, as a drop would (Congedo, Dimauro, Impedovo, Pirlo, 1995), and crosses where the
stroke that joins them is thin; several ways are proposed, those that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import cv2
import numpy as np
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

TOGETHER = 128
"""Pieces of like height whose ways are looked for at once, at most."""

Costs = NDArray[np.float32]
Way = NDArray[np.intp]
"""(h,): the column at which a cut crosses each row."""
Contour = NDArray[np.intp]
"""(w,): rows of paper, column by column."""


def is_wide(piece: Piece, height: float) -> bool:
    """Whether a piece may be several digits, in a line whose writing is `height` pixels high."""
    return piece.width >= NARROW * piece.size(height)


def cut(
    pieces: Sequence[Piece], labels: NDArray[np.int32], height: float | Sequence[float]
) -> dict[Piece, tuple[Piece, ...]]:
    """The parts, from the left, into which wide pieces may be cut, where writing is `height` pixels high.

    That may be said for each piece: the pieces of all of a page are done at once. The parts are marked in `labels`
    with numbers of their own. Pieces that cannot be cut are not named.
    """
    of_line = np.broadcast_to(height, len(pieces)).tolist()
    wide = [(p, p.size(high)) for p, high in zip(pieces, of_line, strict=True) if is_wide(p, high)]
    masks = [_mask(piece, labels) for piece, _ in wide]
    contours = [contour for mask in masks for contour in _contours(mask)]
    valleys = _valleys(contours, [high for _, high in wide for _ in range(2)])
    dropped = [i for i, (piece, high) in enumerate(wide) if piece.width >= WIDE * high]
    down = dict(zip(dropped, _passages([masks[i] for i in dropped]), strict=True))
    up = dict(zip(dropped, _passages([masks[i][::-1] for i in dropped]), strict=True))
    found: dict[Piece, tuple[Piece, ...]] = {}
    fresh = int(labels.max(initial=0)) + 1
    for i, ((piece, high), mask) in enumerate(zip(wide, masks, strict=True)):
        both = slice(2 * i, 2 * i + 2)
        straight = _between_valleys(mask, contours[both], valleys[both], high)
        ways = _ways(mask, straight, _drops(mask, down[i], up[i], high) if i in down else (), high)
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


@dataclass(frozen=True)
class _Passages:
    """The cheapest ways from the top of a mask (h, w) to each of its pixels."""

    costs: Costs
    """(h, w)."""
    steps: bytes
    """Pixel by pixel, row by row: whether a way to the row below comes from the left of it (0), from here (1), or from
    the right (2), by the column below."""

    def way(self, row: int, x: int) -> list[int]:
        """The columns of the way to a pixel, from there up to the top."""
        wide = self.costs.shape[1]
        way = [x]
        for above in range(wide * (row - 1), -1, -wide):
            x += self.steps[above + x] - 1
            way.append(x)
        return way


def _passages(masks: Sequence[NDArray[np.bool_]]) -> list[_Passages]:
    """The passages of each mask (h, w), many masks side by side at a time."""
    found: dict[int, _Passages] = {}
    order = sorted(range(len(masks)), key=lambda i: len(masks[i]))
    for some in (order[first : first + TOGETHER] for first in range(0, len(order), TOGETHER)):
        left = np.cumsum([1] + [masks[i].shape[1] + 1 for i in some]).tolist()
        costs = np.full((max(len(masks[i]) for i in some), left[-1]), 1e6, np.float32)
        for i, x in zip(some, left, strict=False):
            tall, wide = masks[i].shape
            costs[:tall, x : x + wide] = np.where(masks[i], np.float32(1), np.float32(AIR))
        for above, here in pairwise(costs):
            least = np.minimum(above[:-2], above[2:]) + np.float32(ASIDE)
            here[1:-1] += np.minimum(least, above[1:-1])
        aside = costs[:-1] + np.float64(ASIDE)
        straight = costs[:-1, 1:-1]
        from_left = aside[:, :-2] <= np.minimum(straight, aside[:, 2:])
        steps = np.where(from_left, np.uint8(0), np.where(straight <= aside[:, 2:], np.uint8(1), np.uint8(2)))
        for i, x in zip(some, left, strict=False):
            tall, wide = masks[i].shape
            found[i] = _Passages(costs[:tall, x : x + wide], steps[: tall - 1, x - 1 : x - 1 + wide].tobytes())
    return [found[i] for i in range(len(masks))]


def _ways(mask: NDArray[np.bool_], straight: Iterable[Way], drops: Iterable[Way], height: float) -> list[Way]:
    """The best cuts of a piece, from the left: what of the `straight` ones and the `drops`, best first, differs."""
    wide = mask.shape[1]
    most = min(MOST, max(1, round(wide / (EVERY * height))))
    ways: list[Way] = []
    ink = int(mask.sum())
    for way in chain(straight, drops):
        if len(ways) == most:
            break
        if all(np.abs(way - other).sum() > APART * height * len(way) for other in ways):
            left = int((mask & (np.arange(wide) < way[:, None])).sum()) / ink
            if LEAST <= left <= 1 - LEAST:
                ways.append(way)
    return sorted(ways, key=lambda way: float(way.mean()))


def _drops(mask: NDArray[np.bool_], down: _Passages, up: _Passages, height: float) -> Iterator[Way]:
    """The cheapest ways from the top of a piece to its foot, the best first."""
    tall, wide = mask.shape
    rows = np.array([tall // 4, tall // 2, 3 * tall // 4])
    total = (down.costs[rows] + up.costs[tall - 1 - rows] - np.where(mask[rows], 1, AIR)).astype(np.float32)
    here = (total <= cv2.erode(total, np.ones((1, 7), np.uint8))) & (total <= CROSSED * height)
    of, columns = np.nonzero(here[:, 2 : wide - 2])
    for _, row, x in sorted(
        zip(total[of, columns + 2].tolist(), rows[of].tolist(), (columns + 2).tolist(), strict=True)
    ):
        yield np.array(down.way(row, x)[::-1] + up.way(tall - 1 - row, x)[1:], np.intp)


def _contours(mask: NDArray[np.bool_]) -> tuple[Contour, Contour]:
    """Column by column, rows of paper above the ink of a mask (h, w) and below it; h where there is no ink."""
    inked = mask.any(axis=0)
    above, below = mask.argmax(axis=0), mask[::-1].argmax(axis=0)
    return np.where(inked, above, len(mask)), np.where(inked, below, len(mask))


def _between_valleys(
    mask: NDArray[np.bool_], contours: Sequence[Contour], valleys: Sequence[Sequence[int]], height: float
) -> list[Way]:
    """Straight cuts from a valley of the upper contour to one of the lower, the cheapest first (Fenrich, 1992).

    Between two bellies that touch no drop would run: it would rather cross both bellies.
    """
    tall, wide = mask.shape
    limit = (CROSSED if wide >= WIDE * height else LITTLE) * height
    (upper, lower), (heads, feet) = contours, valleys
    found: list[tuple[int, int, Way]] = []
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


def _valleys(contours: Sequence[Contour], heights: Sequence[float]) -> list[list[int]]:
    """Of each contour (w,), columns where it lies deepest between two higher stretches, by more than a little.

    Writing around each is so high. All are laid end to end, out of each other's reach.
    """
    if not contours:
        return []
    reaches = [max(2, round(REACH * height)) for height in heights]
    gap = max(reaches)
    left = np.cumsum([gap] + [len(contour) + gap for contour in contours]).tolist()
    deep = np.full((1, left[-1]), -np.inf)
    reach_of, least_rise = np.zeros(left[-1], np.intp), np.full(left[-1], np.inf)
    for contour, x, reach, height in zip(contours, left, reaches, heights, strict=False):
        own = slice(x, x + len(contour))
        deep[0, own], reach_of[own], least_rise[own] = contour, reach, DEEP * height
    flat = np.where(np.isinf(deep), np.inf, deep)
    bottom = np.zeros(left[-1], np.bool_)
    for reach in set(reaches):
        one_side = np.ones((1, reach + 1), np.uint8)
        deepest = cv2.dilate(deep, np.ones((1, 2 * reach + 1), np.uint8))
        rims = np.maximum(cv2.erode(flat, one_side, anchor=(reach, 0)), cv2.erode(flat, one_side, anchor=(0, 0)))
        bottom |= (reach_of == reach) & ((deep == deepest) & (deep - rims >= least_rise))[0]
    return [
        _middles(contour, np.flatnonzero(bottom[x : x + len(contour)]), reach)
        for contour, x, reach in zip(contours, left, reaches, strict=False)
    ]


def _middles(contour: Contour, bottom: NDArray[np.intp], reach: int) -> list[int]:
    """The middles of the flat bottoms of a contour's valleys, of which these are all columns."""
    found: list[int] = []
    for x in bottom.tolist():
        if 0 < x < len(contour) - 1 and not (found and x - found[-1] <= reach):
            low, high = max(0, x - reach), min(len(contour), x + reach + 1)
            flat = np.flatnonzero(contour[low:high] == contour[x]) + low
            found.append(int(flat[len(flat) // 2]))
    return found


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
