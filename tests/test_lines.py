"""Lines are found although they slope or bend, whatever their gaps are, and two close lines stay two."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import HIGH, Boxes, membership, row_of_boxes

from batchocr.decoding.layout.bend import vertical_offsets
from batchocr.decoding.layout.lines import find_lines


def spread(rows: int, pitch: float, seed: int = 0, across: int = 40, gap: float = 0.6) -> tuple[Boxes, list[int]]:
    """Return rows of digits, some left out, each moved and scaled a little, and the row of each digit."""
    rng = np.random.default_rng(seed)
    boxes, row = [], []
    for at in range(rows):
        each = row_of_boxes(100 + rng.uniform(0, 60), 200 + at * pitch * HIGH, across)
        each = each[rng.random(across) > gap / 3]
        each[:, 1:2] += rng.normal(0, 0.06 * HIGH, (len(each), 1))
        each[:, 2:] *= rng.uniform(0.8, 1.1, (len(each), 2))
        boxes.append(each)
        row += [at] * len(each)
    return np.concatenate(boxes), row


def bent(boxes: Boxes, slope: float, sag_px: float) -> Boxes:
    """Return the boxes on a page that slopes down and sags by `sag_px` in its middle."""
    x = boxes[:, 0] + boxes[:, 2] / 2
    wide = x.max() - x.min()
    moved = boxes.copy()
    moved[:, 1] += slope * x + sag_px * (1 - ((x - x.mean()) / (wide / 2)) ** 2)
    return moved


def test_no_boxes_give_no_lines() -> None:
    assert find_lines(np.empty((0, 4))) == []


@pytest.mark.parametrize("slope", [-0.08, -0.03, 0.0, 0.03, 0.08])
@pytest.mark.parametrize("sag_px", [0.0, 60.0])
def test_lines_follow_slope_and_bend(slope: float, sag_px: float) -> None:
    boxes, row = spread(12, 1.9)
    lines = find_lines(bent(boxes, slope, sag_px))
    assert membership(lines, len(boxes)) == row


def test_the_slope_of_a_page_is_measured() -> None:
    boxes, _ = spread(12, 1.9)
    x, y, heights = centres(bent(boxes, 0.05, 0))
    assert np.ptp(vertical_offsets(x, y, heights) - 0.05 * x) < 0.2 * HIGH
    assert not vertical_offsets(x[:10], y[:10], heights[:10]).any()


def centres(boxes: Boxes) -> tuple[Boxes, Boxes, Boxes]:
    """Return x and y of the centres, and the heights."""
    return boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3] / 2, boxes[:, 3]


def test_the_order_of_the_boxes_does_not_change_the_lines() -> None:
    boxes, row = spread(6, 1.8)
    order = np.random.default_rng(1).permutation(len(boxes))
    lines = find_lines(boxes[order])
    assert membership(lines, len(boxes)) == [row[i] for i in order]
    assert all((np.diff(boxes[order][line, 0] + boxes[order][line, 2] / 2) >= 0).all() for line in lines)


def test_two_close_rows_stay_two() -> None:
    boxes, row = spread(8, 1.2, gap=0.0)
    assert membership(find_lines(boxes), len(boxes)) == row


def test_a_row_of_a_table_is_one_line_whatever_its_gaps() -> None:
    rows = [np.concatenate([row_of_boxes(x, 100 + 70 * at, 3) for x in (50, 900, 2100)]) for at in range(5)]
    rows[2] = rows[2][:6]
    boxes = np.concatenate(rows)
    row = [at for at, each in enumerate(rows) for _ in each]
    assert membership(find_lines(bent(boxes, 0.004, 0)), len(boxes)) == row


def test_small_digits_beside_large_ones_are_on_their_line() -> None:
    large = row_of_boxes(100, 200, 3)
    raised = row_of_boxes(195, 182, 2, step=15, high=20)
    low = row_of_boxes(95 - 30, 205, 1, high=18)
    boxes = np.concatenate([large, raised, low])
    (line,) = find_lines(boxes)
    assert line.tolist() == [5, 0, 1, 2, 3, 4]


def test_the_digits_of_a_fraction_are_two_lines() -> None:
    above, below = row_of_boxes(100, 120, 1, high=20), row_of_boxes(100, 145, 1, high=20)
    assert membership(find_lines(np.concatenate([below, above])), 2) == [1, 0]


def test_a_raised_first_digit_does_not_start_a_line_of_its_own() -> None:
    row = row_of_boxes(100, 200, 8)
    row[0, 1] -= 0.55 * HIGH
    (line,) = find_lines(row)
    assert line.tolist() == list(range(8))


def test_two_thousand_digits_are_on_their_lines() -> None:
    boxes, row = spread(50, 1.6, across=48, gap=0.3)
    assert len(boxes) > 2000
    assert membership(find_lines(boxes), len(boxes)) == row


def test_boxes_without_a_size_are_accepted() -> None:
    boxes = np.array([(10.0, 10.0, 0.0, 0.0), (10.0, 10.0, 0.0, 0.0), (50.0, 10.0, 20.0, 30.0)])
    assert sum(len(line) for line in find_lines(boxes)) == 3
