"""What of a page's pieces may be digits, with the box and the crop of each: the record that vision leaves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from batchocr.records import Box, Candidate, Layout, Line, Number, Style
from batchocr.vision.cut import stretches
from batchocr.vision.geometry.connected import extents
from batchocr.vision.ink import Piece, median_height, perhaps_one
from batchocr.vision.layout import numbers
from batchocr.vision.normalize import SIDE, Normal, normalize_all
from batchocr.vision.stages import Stages


def layout(seen: Stages, shape: tuple[int, ...]) -> Layout:
    """The record of what was seen of a page of `shape` (height, width): lines, numbers, candidates and their crops."""
    found = [[_proposals(number, seen) for number in numbers(row, seen.small, seen.fields)] for row in seen.rows]
    proposals = [proposal for row in found for number in row for proposal in number]
    fresh = [proposal.piece for proposal in proposals if not proposal.normal]
    made = iter(normalize_all(fresh, seen.labels, seen.contrast))
    looks = [proposal.normal or next(made) for proposal in proposals]
    boxes = _boxes([proposal.piece for proposal in proposals], seen, shape)
    candidates = map(_candidate, proposals, boxes, looks)
    rows = tuple(Line(tuple(Number(tuple(islice(candidates, len(number)))) for number in row)) for row in found)
    crops = np.array([each.crop for each in looks], np.uint8).reshape(-1, SIDE, SIDE)
    return Layout(rows, crops, round(seen.turn.angle + seen.sheet.angle, 2))


class _Proposal(NamedTuple):
    """Ink that may be a digit; the rest as in `Candidate`."""

    piece: Piece
    normal: Normal | None
    """None where it is still to be made."""
    start: int
    stop: int
    cut: bool = False
    joined: bool = False
    across: bool = False


def _proposals(number: list[Piece], seen: Stages) -> list[_Proposal]:
    """All that may be digits of a number: its pieces, what they may be cut into, or are parts of."""
    height = median_height(number)
    found: list[_Proposal] = []
    places, wholes = [0], []
    for piece in number:
        place, joined = places[-1], len(piece.labels) > 1
        parts = seen.parts.get(piece)
        if parts is None:
            found.append(_Proposal(piece, seen.normal.get(piece), place, place + 1, joined=joined))
            wholes.append(piece)
            places.append(place + 1)
            continue
        for start, stop, stretch in stretches(parts, height):
            if stop - start < len(parts):
                found.append(_Proposal(stretch, None, place + start, place + stop, cut=True))
            else:
                found.append(_Proposal(stretch, seen.normal.get(piece), place, place + stop, joined=joined))
                wholes.append(stretch)  # with the labels of its parts
        places.append(place + len(parts))
    unions = perhaps_one(wholes, height)
    for first, last, union in unions:
        found.append(_Proposal(union, None, places[first], places[last], joined=True, across=True))
    return sorted(found, key=attrgetter("start")) if unions else found


def _candidate(proposal: _Proposal, box: Box, normal: Normal) -> Candidate:
    piece, _, start, stop, is_cut, joined, across = proposal
    level = Box(piece.left, piece.top, piece.width, piece.height)
    return Candidate(box, joined, start, stop, is_cut, across, Style(level, normal.stroke, normal.dark))


def _boxes(pieces: Sequence[Piece], seen: Stages, shape: tuple[int, ...]) -> list[Box]:
    """Where the pieces lie on the page of `shape` as given."""
    across, down = seen.sheet.size[0] / seen.turn.width, seen.sheet.size[1] / seen.turn.height
    ends = np.array([(p.left, p.top, p.right, p.bottom) for p in pieces], np.float64).reshape(-1, 4)
    if pieces and (seen.turn.moves or seen.sheet.whole):
        where = np.flatnonzero(seen.labels > 0)
        y, x = np.divmod(where, seen.labels.shape[1])
        points = seen.turn.back(np.stack([x, y], axis=1).astype(np.float64))
        x_back, y_back = seen.sheet.back(points, (across, down)).T
        of_label = extents(seen.labels.ravel()[where], x_back, y_back)
        of_label[:, 2:] += 1
        of_parts = of_label[[label for piece in pieces for label in piece.labels]]
        first = np.cumsum([0] + [len(piece.labels) for piece in pieces])[:-1]
        ends[:, :2] = np.minimum.reduceat(of_parts[:, :2], first)
        ends[:, 2:] = np.maximum.reduceat(of_parts[:, 2:], first)
    ends = np.round(ends * (across, down, across, down)).clip(0, np.array(shape)[[1, 0, 1, 0]])
    return [Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0)) for x0, y0, x1, y1 in ends.astype(int).tolist()]
