"""Where touching digits may be cut: small drawn pieces with known answers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from batchocr.vision.binarize import Mask
from batchocr.vision.cut import TOGETHER, WIDE, WIDEST, cut, stretches
from batchocr.vision.find import find
from batchocr.vision.ink import Piece, components

HEIGHT = 40


def rings(count: int, apart: int = 30, pen: int = 4) -> Mask:
    """0s side by side, 28 wide and 40 high: at 26 apart and less they touch."""
    ink = np.zeros((60, 60 + apart * count), np.uint8)
    for i in range(count):
        cv2.ellipse(ink, (30 + apart * i, 30), (12, 18), 0, 0, 360, 255, pen)
    return ink


def parts_of(ink: Mask) -> tuple[list[Piece], tuple[Piece, ...]]:
    labels, pieces = components(ink)
    found = cut(pieces, labels, HEIGHT)
    return pieces, found.get(pieces[0], ())


def has(parts: tuple[Piece, ...], left: int, right: int) -> bool:
    """Whether some run of parts spans these columns, to a pen's width or so."""
    return any(abs(p.left - left) <= 4 and abs(p.right - right) <= 4 for _, _, p in stretches(parts, HEIGHT))


@pytest.mark.parametrize("apart", [24, 26])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_touching_rings_are_among_the_stretches(count: int, apart: int) -> None:
    pieces, parts = parts_of(rings(count, apart))
    assert len(pieces) == 1
    for i in range(count):
        assert has(parts, 16 + apart * i, 45 + apart * i)


def test_the_parts_hold_all_ink_once_and_lie_from_the_left() -> None:
    ink = rings(3, 24)
    labels, pieces = components(ink)
    (whole,) = pieces
    parts = cut(pieces, labels, HEIGHT)[whole]
    assert sum(part.area for part in parts) == cv2.countNonZero(ink)
    assert [part.left for part in parts] == sorted(part.left for part in parts)
    for part in parts:
        (label,) = part.labels
        assert int((labels == label).sum()) == part.area
        ys, xs = np.nonzero(labels == label)
        assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (part.left, part.top, part.right, part.bottom)


def test_narrow_pieces_and_nothing_are_left_alone() -> None:
    labels, pieces = components(rings(3, 40))
    before = labels.copy()
    assert len(pieces) == 3
    assert cut(pieces, labels, HEIGHT) == {}
    assert cut([], labels, HEIGHT) == {}
    assert np.array_equal(labels, before)


def test_pieces_cut_together_are_cut_as_each_alone() -> None:
    """Of several heights, and more of them than are done at once."""
    ink = np.zeros((5400, 400), np.uint8)
    for row in range(70):
        high = 30 + row % 15
        for i in range(2 + row % 3):
            cv2.ellipse(ink, (40 + round(0.65 * high) * i, 40 + 75 * row), (high // 3, high // 2), 0, 0, 360, 255, 3)
        cv2.ellipse(ink, (240, 40 + 75 * row), (high // 3, high // 2), 0, 0, 360, 255, 3)
        cv2.ellipse(ink, (240 + high // 2, 40 + 75 * row), (high // 3, high // 2), 0, 0, 360, 255, 3)
    labels, pieces = components(ink)
    assert len(pieces) > TOGETHER
    heights = [30.0 + (piece.top // 75) % 15 for piece in pieces]
    together = cut(pieces, labels.copy(), heights)
    assert len(together) > TOGETHER
    for piece, height in zip(pieces, heights, strict=True):
        alone = cut([piece], labels.copy(), height).get(piece, ())
        assert [(p.left, p.top, p.right, p.bottom, p.area) for p in together.get(piece, ())] == [
            (p.left, p.top, p.right, p.bottom, p.area) for p in alone
        ]


def test_a_slanted_cut_goes_between_slanted_digits() -> None:
    """Two slashes, joined at the foot: no upright line parts them."""
    ink = np.zeros((60, 90), np.uint8)
    for x in (20, 38):
        cv2.line(ink, (x, 50), (x + 30, 10), 255, 4)
    cv2.line(ink, (20, 50), (38, 50), 255, 3)
    _, parts = parts_of(ink)
    assert any(abs(p.left - 18) <= 3 and abs(p.right - 52) <= 4 for _, _, p in stretches(parts, HEIGHT))


def test_a_thick_blot_is_not_cut() -> None:
    ink = np.zeros((60, 120), np.uint8)
    ink[10:50, 10:90] = 255
    assert parts_of(ink)[1] == ()


def test_stretches_are_no_wider_than_a_digit_but_for_the_whole_and_single_parts() -> None:
    parts = tuple(Piece(20 * i, 0, 20 * i + 20, HEIGHT, 100, (i + 1,)) for i in range(5))
    found = stretches(parts, HEIGHT)
    assert (0, 5) in {(first, last) for first, last, _ in found}
    assert all(p.width <= WIDEST * HEIGHT for first, last, p in found if (first, last) != (0, 5))
    wide = Piece(0, 0, 2 * HEIGHT, HEIGHT, 100, (1,))
    assert (0, 1) in {(first, last) for first, last, _ in stretches((wide, parts[4], parts[4]), HEIGHT)}
    assert {(i, i + 1) for i in range(5)} | {(i, i + 2) for i in range(4)} <= {(f, n) for f, n, _ in found}


def test_a_page_with_touching_digits_offers_them_one_by_one_and_together() -> None:
    paper = np.full((400, 600), 250, np.uint8)
    for at in (60, 200, 340):
        ink = rings(2, 24)
        view = paper[at : at + ink.shape[0], 100 : 100 + ink.shape[1]]
        view[ink > 0] = 20
    found = find(paper)
    assert len(found.lines) == 3
    for line in found.lines:
        (number,) = line.numbers
        whole = [c for c in number.candidates if not c.cut]
        assert len(whole) == 1 and whole[0].start == 0
        assert any(c.cut and c.start == 0 and abs(c.box.width - 28) <= 4 for c in number.candidates)
        assert any(c.cut and c.stop == whole[0].stop and abs(c.box.width - 28) <= 4 for c in number.candidates)
    assert len(found.crops) == sum(len(n.candidates) for line in found.lines for n in line.numbers)


def test_a_bar_that_touches_a_ring_is_offered_apart_though_both_are_narrow() -> None:
    ink = np.zeros((60, 80), np.uint8)
    cv2.ellipse(ink, (37, 30), (11, 18), 0, 0, 360, 255, 2)
    cv2.line(ink, (22, 12), (22, 48), 255, 2)
    cv2.line(ink, (24, 32), (27, 32), 255, 2)
    pieces, parts = parts_of(ink)
    assert len(pieces) == 1 and pieces[0].width < WIDE * HEIGHT
    assert has(parts, 21, 24) and has(parts, 25, 50)
