"""Stretches of ink that hold long runs: which pixels hang together, and which may be thin lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from batchocr.vision.binarize import Mask
from batchocr.vision.stretches import STEP, Stretches, box, find_stretches, without_holes

RUN = 10


def ends(found: Stretches) -> list[tuple[int, ...]]:
    """Left, top, right and bottom of each."""
    return sorted(zip(*(side.tolist() for side in (found.left, found.top, found.right, found.bottom)), strict=True))


def paper() -> Mask:
    return np.zeros((60, 200), np.uint8)


def test_the_steps_of_a_sloping_line_are_one_stretch_and_letters_are_none() -> None:
    page = paper()
    for step in range(5):
        page[20 + step, 30 + 20 * step : 50 + 20 * step] = 255
    page[40:52, 60:66] = 255
    found = find_stretches(page, RUN)
    assert ends(found) == [(31, 20, 129, 24)]
    assert set(found.of.tolist()) == {0}
    assert np.array_equal(np.unique(found.y), np.arange(20, 25))


@pytest.mark.parametrize(("gap", "stretches"), [(STEP - 1, 1), (STEP, 2)])
def test_runs_within_a_step_hang_together(gap: int, stretches: int) -> None:
    page = paper()
    page[30, 20:50] = 255
    page[30, 50 + gap - 1 : 90] = 255  # a run of even length begins a pixel late
    page[31, 20:30] = 255
    assert len(find_stretches(page, RUN).left) == stretches


def test_the_end_of_a_row_of_pixels_is_no_neighbour_of_the_next() -> None:
    page = paper()
    page[30, 170:] = 255
    page[31, :30] = 255
    assert ends(find_stretches(page, RUN)) == [(0, 31, 29, 31), (171, 30, 199, 30)]


def test_a_thick_bar_is_no_line() -> None:
    page = paper()
    page[10:40, 20:80] = 255
    assert not len(find_stretches(page, RUN).left)


def test_a_page_without_ink_has_none() -> None:
    found = find_stretches(paper(), RUN)
    assert not len(found.left) and not len(found.x)
    assert not len(found.only(np.zeros(0, np.bool_)).left)


@pytest.mark.parametrize("seed", range(4))
def test_they_are_the_components_of_the_runs_and_of_what_lies_within_a_step(seed: int) -> None:
    page = paper()
    for x, y, long in np.random.default_rng(seed).integers((0, 0, 5), (190, 60, 40), (60, 3)).tolist():
        page[y, x : x + long] = 255
    found = find_stretches(page, RUN)
    ink = without_holes(page)
    stair = cv2.morphologyEx(cv2.dilate(ink, box(1, 3)), cv2.MORPH_OPEN, box(RUN, 1))
    runs = cv2.bitwise_and(stair, ink)
    labels = cv2.connectedComponents(cv2.dilate(runs, box(STEP, 1)), connectivity=8)[1].ravel()
    for stretch in range(len(found.left)):
        x, y = found.x[found.of == stretch], found.y[found.of == stretch]
        pixels = y * 200 + x
        (label,) = np.unique(labels[pixels]).tolist()
        assert np.array_equal(pixels, np.flatnonzero((labels == label) & (runs.ravel() > 0)))
        box_of = found.left[stretch], found.top[stretch], found.right[stretch], found.bottom[stretch]
        assert box_of == (x.min(), y.min(), x.max(), y.max())
    assert len(found.left) >= 2


def test_a_side_meets_level_lines_near_both_of_its_ends_only() -> None:
    level, upright = paper(), paper().T
    level[10, 20:160] = level[50, 20:160] = 255
    upright[40, 11:50] = upright[100, 11:40] = upright[180, 11:50] = 255
    lying, standing = find_stretches(level, RUN), find_stretches(upright.T.copy(), RUN, upright=True)
    assert standing.top.tolist() == [40, 100, 180]
    every = lying.width > 0
    assert standing.may_touch(lying, every).tolist() == [True, True, False]
    assert standing.may_meet(lying, every).tolist() == [True, False, False]
    assert not standing.may_meet(lying, ~every).any()
    assert standing.only(standing.may_meet(lying, every)).top.tolist() == [40]


@pytest.mark.parametrize("upright", [False, True])
def test_bare_paper_between_lines_moves_none_of_them(upright: bool) -> None:
    page = np.zeros((300, 200), np.uint8)
    page[120:160, 30] = page[240:290, 30] = 255
    page[200, 40:80] = 255
    found = find_stretches(page, RUN, upright)
    assert ends(found) == ([(121, 30, 159, 30), (241, 30, 289, 30)] if upright else [(41, 200, 79, 200)])
    where = np.stack([found.x, found.y] if upright else [found.y, found.x])
    assert page[tuple(where)].all()
