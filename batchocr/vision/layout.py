"""Pieces of ink → lines and numbers, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from batchocr.vision.fields import Fields
from batchocr.vision.ink import FRAGMENT, Piece, median_height

OVERLAP = 0.4
"""Pieces whose heights overlap by this share of the lesser one stand on one line."""
MEMORY = 3
"""How many of a line's last pieces say where it goes on."""
GAP = 0.9
"""Share of the height of a line's writing: a wider gap ends a number..."""
STEP = 1.3
"""...unless the middles are no further apart than this, as beside a narrow 1 in a comb."""
POINT = 1.1
"""The same: a point or a comma is no further from the digits on both its sides."""
IN_BOX = 1.7
"""The same in a box, which is for one number."""
FLAT = 0.3
"""Share of the height of writing from which a piece may be a digit where it stands alone in its cell."""
TALLEST = 3.0
"""Times the height of writing: what is higher is a frame or a drawing, unless it is no wider than a digit and alone."""
WIDEST = 6.0
BROAD = 1.25
"""Times its height that such a digit is wide at most."""
LETTER = 0.7
"""Times the height of writing: a piece within another that is as high shows that the other is a frame."""
BAR = 0.3
"""Times its height that it is wide at most, where it may be what is left of a ruled line."""


def _continued(piece: Piece, rows: list[tuple[float, float]]) -> int | None:
    """Which row a piece continues best, by the top and bottom of where each goes on; None where it is of none of them.

    By how much they overlap, as a share of the lesser height.
    """
    first, last, high = piece.top, piece.bottom, piece.height
    best, most = None, OVERLAP
    for i, (top, bottom) in enumerate(rows):
        if top < last and first < bottom:
            share = (min(last, bottom) - max(first, top)) / max(1.0, min(high, bottom - top))
            if share > most:
                best, most = i, share
    return best


def lines(pieces: list[Piece], height: float, fields: Fields | None = None) -> list[list[Piece]]:
    """Rows of pieces from the top, each from the left, where writing is `height` pixels high.

    Each piece goes, from the left, to the row that it continues best: so a row may rise or fall across the page.
    What is much smaller than the row's writing (points, dashes, dirt) and much larger (frames) is left out.
    What stands in one of the `fields` stands on one line.
    """
    usable = _without_frames(pieces, height, fields)
    rows: list[list[Piece]] = []
    high = [p for p in usable if p.height >= FRAGMENT * height]
    if fields:
        taken = {fields.cell(p) for p in high}
        flat = [p for p in usable if FLAT * height <= p.height < FRAGMENT * height and p.width >= FLAT * height]
        high += [p for p in flat if fields.number(p) and fields.cell(p) not in taken]
    high.sort(key=lambda p: (p.left, p.top))
    number_of = [fields.number(p) if fields else 0 for p in high]
    tallest: dict[int, int] = {}
    for piece, number in zip(high, number_of, strict=True):
        tallest[number] = max(tallest.get(number, 0), piece.height)
    tallest[0] = 0
    ends: list[tuple[float, float]] = []  # mean top and bottom of each row's last pieces: where it goes on
    row_of: dict[int, int] = {}
    scraps: list[tuple[Piece, int]] = []
    for piece, number in zip(high, number_of, strict=True):
        if piece.height < FRAGMENT * tallest[number]:
            scraps.append((piece, number))  # says nothing of where its number stands
            continue
        best = row_of.get(number)
        if best is None:
            best = _continued(piece, ends)
        if best is None:
            best = len(rows)
            rows.append([])
            ends.append((0.0, 0.0))
        rows[best].append(piece)
        last = rows[best][-MEMORY:]
        ends[best] = sum(p.top for p in last) / len(last), sum(p.bottom for p in last) / len(last)
        if number:
            row_of[number] = best
    for piece, number in scraps:
        rows[row_of[number]].append(piece)
    rows = [sorted(row, key=lambda p: (p.left, p.top)) for row in rows]
    return sorted(rows, key=lambda row: median(p.middle for p in row))


def _without_frames(pieces: list[Piece], height: float, fields: Fields | None) -> list[Piece]:
    """The pieces less those that are too large for writing of `height` pixels.

    A form's print may be so small and so much that what is filled in is many times higher: a tall piece stays that is
    no wider than a digit, holds no other piece, and is no line from one side of its cell to the other.
    """
    small = [p for p in pieces if LETTER * height <= p.height <= TALLEST * height]
    middles = np.array([((p.left + p.right) / 2, p.middle) for p in small]).reshape(-1, 2)

    def is_digit(piece: Piece) -> bool:
        if piece.width > BROAD * piece.height or (piece.width < BAR * piece.height and fields and fields.spans(piece)):
            return False
        inside = (middles > (piece.left, piece.top)) & (middles < (piece.right, piece.bottom))
        return not inside.all(axis=1).any()

    return [p for p in pieces if (p.width <= WIDEST * height if p.height <= TALLEST * height else is_digit(p))]


def _has_point(before: Piece, after: Piece, small: Sequence[Piece], high: float) -> bool:
    """Whether a point or a comma stands on the base line between two pieces, near to both."""
    foot = (before.bottom + after.bottom) / 2
    return any(
        before.right - 0.1 * high <= p.left <= before.right + POINT * high
        and p.right - 0.1 * high <= after.left <= p.right + POINT * high
        and abs((p.top + p.bottom) / 2 - foot) <= 0.3 * high
        and p.height <= 0.5 * high
        and p.width <= 0.4 * high
        for p in small
    )


def numbers(line: list[Piece], small: Sequence[Piece] = (), fields: Fields | None = None) -> list[list[Piece]]:
    """The numbers of a line: split where the gap is wider than most of the line's writing is high.

    A point or a comma in the gap, among the `small` pieces of the page, holds a number together. So do a comb and a
    box, of the `fields` of the page, and what stands in another is another number.
    """
    high = median_height(line)
    found: list[list[Piece]] = []
    right = middle = -np.inf
    last = 0
    for piece in line:
        centre = (piece.left + piece.right) / 2
        field = fields.number(piece) if fields else 0
        if not found or field != last:
            ends = True
        elif field and fields:
            ends = fields.cell(piece) == fields.cell(found[-1][-1]) and piece.left - right > IN_BOX * high
        else:
            wide = piece.left - right > GAP * high and centre - middle > STEP * high
            ends = wide and not _has_point(found[-1][-1], piece, small, high)
        last = field
        if ends:
            found.append([])
        found[-1].append(piece)
        right, middle = max(right, piece.right), centre
    return found
