"""Pieces of ink: connected components, without specks, broken strokes put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask
from batchocr.vision.geometry.connected import connected

SPECK = 4
"""Pixels: what is smaller both ways is dirt on any page."""
FRAGMENT = 0.45
"""Share of the height of writing below which a piece is no digit by itself."""
MOST_PARTS = 4
"""Into which a single digit falls."""
MOST_DIRT = 12
"""Small pieces beside a single digit."""
LOW, CLOSE = 0.75, 0.2
"""Shares of the height of writing: what is lower may be part of a digit whose other part is no further off."""
LARGER, LARGEST = 1.5, 6.0
"""Times the height of writing, or of its line's: from the first on a piece is writing of a size of its own, as what is
filled in beside small print; from the second on a frame or a drawing."""
FLAG = 0.35
"""Share of the height of writing that the flag of a 5 is high at most."""
UNDER = 0.22
"""The same: a stroke lies no further below its digit, or above."""
LEAST_WRITING = 10.0
"""Pixels: what is no higher is dirt."""
LEAST = 0.14
"""Share of the height of writing below which a piece is not even part of one."""


@dataclass(frozen=True)
class Piece:
    """Ink that hangs together, or was put together: box in pixels of the level page, and its labels."""

    left: int
    top: int
    right: int
    bottom: int
    area: int
    """Pixels of ink."""
    labels: tuple[int, ...]

    def __hash__(self) -> int:
        return hash(self.labels)  # no two pieces of a page have one in common

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def size(self, height: float) -> float:
        """How high writing is where it stands: `height`, unless the piece is itself larger writing."""
        return self.height if LARGER * height < self.height <= LARGEST * height else height

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def inside(self, labels: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Where its ink is, of `labels` (height, width)."""
        return self.mask(labels) > 0

    def mask(self, labels: NDArray[np.int32]) -> Mask:
        """The same, 255 where it is."""
        mask = cv2.inRange(labels, self.labels[0], self.labels[0])
        for label in self.labels[1:]:
            mask |= cv2.inRange(labels, label, label)
        return mask

    def with_(self, other: Piece) -> Piece:
        return Piece(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
            self.area + other.area,
            self.labels + other.labels,
        )


def components(ink: Mask) -> tuple[NDArray[np.int32], list[Piece]]:
    """Connected components (8 neighbours): the label of each pixel, and the pieces larger than a speck."""
    labels, stats = connected(ink)
    large = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= SPECK
    large[0] = False
    return labels, [
        Piece(left, top, left + width, top + height, area, (int(label),))
        for label, (left, top, width, height, area) in zip(np.flatnonzero(large), stats[large].tolist(), strict=True)
    ]


def median_height(pieces: Sequence[Piece]) -> float:
    """In pixels; of one piece at least."""
    return float(median(piece.height for piece in pieces))


def writing_height(pieces: list[Piece]) -> float:
    """Height in pixels of the larger writing of a page: the median over heights, weighted with height.

    Specks and dots weigh little that way; 0 where there are no pieces.
    """
    heights = np.sort([piece.height for piece in pieces])
    if not len(heights):
        return 0.0
    weight = heights.cumsum()
    return float(heights[int(np.searchsorted(weight, weight[-1] / 2))])


def _distance(a: Piece, b: Piece, labels: NDArray[np.int32]) -> float:
    """Pixels between the nearest ink of two pieces."""
    left, top = min(a.left, b.left), min(a.top, b.top)
    view = labels[top : max(a.bottom, b.bottom), left : max(a.right, b.right)]
    inside = a.inside(view)
    if not inside.any():
        return float("inf")
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 3)
    return float(away[b.inside(view)].min())


def _belongs(part: Piece, whole: Piece, height: float, labels: NDArray[np.int32]) -> bool:
    """Whether `part` is a broken-off stroke of `whole`, next to it, where writing is `height` pixels high."""
    shared = min(part.right, whole.right) - max(part.left, whole.left)
    gap = max(part.top, whole.top) - min(part.bottom, whole.bottom)
    if shared < -0.1 * height:
        return False
    union = part.with_(whole)
    narrow = min(part.width, whole.width)
    if union.height > 1.4 * height:
        return False
    # one over the other, neither high enough for a digit: halves, though they lie further apart
    if max(part.height, whole.height) < 0.65 * height and shared >= 0.5 * narrow and union.width <= 1.25 * height:
        return _distance(part, whole, labels) <= 0.35 * height
    small = min(part.height, whole.height) < FRAGMENT * height
    if small:
        lesser, other = sorted((part, whole), key=lambda p: p.height)
        if _is_flag(lesser, other, height):
            return union.width <= 1.6 * height and _distance(part, whole, labels) <= 0.25 * height
        if union.width > 1.15 * height:
            return False
        # a point or a comma stands on the base line beside its digit, never within it
        if shared < 0.5 * narrow and lesser.middle > other.top + 0.66 * other.height:
            return False
        return _distance(part, whole, labels) <= 0.2 * height
    if union.width > height:
        return False
    # an open 4 in two: its left part ends well above the foot of its stem, as no neighbour does
    if abs(part.bottom - whole.bottom) >= 0.3 * height and shared >= -0.1 * height:
        return _distance(part, whole, labels) <= 0.1 * height
    if shared < 0.3 * narrow:
        return False
    stacked = gap >= -0.15 * height
    return _distance(part, whole, labels) <= (0.15 if stacked else 0.08) * height


def _is_flag(part: Piece, body: Piece, height: float) -> bool:
    """Whether a flat piece starts over the right half of another that is as high as a 5 without its flag, or nearly."""
    return (
        part.height <= FLAG * height
        and part.width >= 1.8 * part.height
        and body.height >= FRAGMENT * height
        and body.left + 0.4 * body.width <= part.left <= body.right + 0.1 * height
        and part.middle <= body.top + 0.15 * height
    )


def _place(piece: Piece, height: float) -> tuple[int, int, int, int, float]:
    """Left, top, right and bottom of a piece, and how high writing is there."""
    return piece.left, piece.top, piece.right, piece.bottom, piece.size(height)


def join_strokes(pieces: list[Piece], labels: NDArray[np.int32], height: float) -> list[Piece]:
    """Put broken strokes together: the flag of a 5, an open 4 in two, an 8 in two. Writing is `height` pixels high.

    The nearest pairs come first; what was joined may be joined again, up to the size of one digit.
    """
    pieces = sorted((p for p in pieces if max(p.height, p.width) >= LEAST * height), key=lambda p: p.left)
    places = [_place(piece, height) for piece in pieces]  # most pieces are far apart, and no more is looked at
    i = 0
    while i < len(pieces):
        _, top, right, bottom, size = places[i]
        for j in range(i + 1, len(pieces)):
            other_left, other_top, _, other_bottom, other_size = places[j]
            high = size if size >= other_size else other_size
            if other_left > right + 0.1 * high:
                break
            near = other_top - bottom <= UNDER * high and top - other_bottom <= UNDER * high
            if near and _belongs(pieces[j], pieces[i], high, labels):
                pieces[i] = pieces[i].with_(pieces[j])
                places[i] = _place(pieces[i], height)
                del pieces[j], places[j]
                i = max(-1, i - 8)  # a wider piece may now reach one that was passed
                break
        i += 1
    return pieces


def perhaps_one(number: list[Piece], height: float) -> list[tuple[int, int, Piece]]:
    """Runs of two or three pieces of a number that may be one broken digit: the first, the one after the last, their
    union. Writing is `height` pixels high. What they are is for reading to say.

    They lie close together, and each but one at most is too low for a digit of its own or lies over another.
    """
    found = []
    for first in range(len(number)):
        union = number[first]
        for last in range(first + 1, min(first + 3, len(number))):
            piece = number[last]
            shared = union.right - piece.left
            if shared < -CLOSE * height:
                break
            low = min(union.height, piece.height) < LOW * height
            union = union.with_(piece)
            if union.width > height or union.height > 1.4 * height:
                break
            if low or shared > 0.3 * piece.width:
                found.append((first, last + 1, union))
    return found


def _twins(a: Piece, b: Piece) -> bool:
    """Whether two pieces stand on one line and are of one height: digits side by side, however slanted."""
    height = max(a.height, b.height)
    return abs(a.top - b.top) <= 0.25 * height and abs(a.bottom - b.bottom) <= 0.25 * height


def only_digit(pieces: list[Piece]) -> Piece | None:
    """All pieces as one where they are one digit in parts and nothing else; None where they may be more.

    They are few, close together, and do not stand side by side. A picture of a single digit has no
    other writing to tell from how high a digit is.
    """
    main = max(pieces, key=lambda p: p.area, default=None)
    if main is None:
        return None
    size = max(main.height, main.width)
    parts = [p for p in pieces if max(p.height, p.width) >= LEAST * size]
    if len(parts) > MOST_PARTS or len(pieces) - len(parts) > MOST_DIRT:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.with_(part)
    near = 0.2 * max(whole.height, whole.width)
    for part in parts:
        rest = [p for p in parts if p is not part]
        apart = min(
            (max(p.left - part.right, part.left - p.right, p.top - part.bottom, part.top - p.bottom) for p in rest),
            default=0,
        )
        if any(_twins(part, p) for p in rest):
            return None
        beside = all(min(part.right, p.right) - max(part.left, p.left) <= 0.3 * min(part.width, p.width) for p in rest)
        tall = part.height >= FRAGMENT * whole.height
        if apart > near or (rest and beside and tall):
            return None
    return whole
