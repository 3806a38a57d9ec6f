"""The target of the detector's cells for known boxes: the level by the size, and no target in unknown areas."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.recognition.detector import decode_output
from batchocr.records import HAND, PRINT, SIGN, TILE
from batchocr.training.detection.cells import CLASSES, STRIDES, UNKNOWN, UNKNOWN_SIGNS, Boxes, Target, target

SIDE = 128


def boxes(*rows: tuple[float, ...]) -> Boxes:
    return np.array(rows, np.float32).reshape(-1, 6)


def levels(known: Target, side: int = SIDE) -> list[np.ndarray]:
    """Return the heat of each level, (n, n, 3)."""
    ends = np.cumsum([(side // stride) ** 2 for stride in STRIDES])
    parts = np.split(known.heat, ends[:-1])
    return [part.reshape(side // stride, side // stride, 3) for part, stride in zip(parts, STRIDES, strict=True)]


def cells_of(side: int) -> int:
    return sum((side // stride) ** 2 for stride in STRIDES)


def test_the_cells_are_those_of_all_levels() -> None:
    assert cells_of(SIDE) == 32 * 32 + 16 * 16 + 8 * 8
    empty = target(boxes(), SIDE)
    assert empty.heat.shape == (cells_of(SIDE), 3) and not empty.heat.any() and not empty.weight.any()


def test_the_middle_cell_is_hot_and_has_the_box_and_the_class() -> None:
    known = target(boxes((7, 41, 50, 10, 18, PRINT)), SIDE)
    (cell,), kinds = np.nonzero(known.heat[:, PRINT] == 1), known.heat[:, [HAND, SIGN]]
    row, column = divmod(int(cell[0]), 32)
    assert (column, row) == (46 // 4, 59 // 4) and not kinds.any()
    x, y = (column + 0.5) * 4, (row + 0.5) * 4
    assert known.sides[cell[0]] == pytest.approx([x - 41, y - 50, 51 - x, 68 - y])
    assert known.classes[cell[0]] == 7 and known.weight[cell[0]] == 1
    assert known.heat.min() >= 0 and 0 < known.weight[known.weight > 0].min() < 1


@pytest.mark.parametrize(
    ("height", "hot"), [(12, (True, False, False)), (24, (True, True, False)), (40, (False, True, False)),
                        (55, (False, True, True)), (90, (False, False, True))]
)  # fmt: skip
def test_the_level_depends_on_the_size(height: float, hot: tuple[bool, ...]) -> None:
    known = target(boxes((3, 64 - height / 4, 64 - height / 2, height / 2, height, HAND)), SIDE)
    assert tuple(bool((level == 1).any()) for level in levels(known)) == hot


def test_unknown_areas_have_no_target() -> None:
    known = target(boxes((0, 40, 40, 30, 30, UNKNOWN), (5, 100, 10, 10, 18, HAND)), SIDE)
    for level, stride in zip(levels(known), STRIDES, strict=True):
        inside = level[44 // stride : 66 // stride, 44 // stride : 66 // stride]
        assert (inside == -1).all()
        assert (level[100 // stride :, 20 // stride] == 0).all()
    assert (known.heat == 1).sum() == 1


@pytest.mark.parametrize("box", [(4, 116, 50, 20, 20, HAND), (4, 60, 60, 3, 5, HAND)], ids=["partly off", "tiny"])
def test_a_digit_that_is_cut_off_or_tiny_has_no_target(box: tuple[float, ...]) -> None:
    known = target(boxes(box), SIDE)
    assert (known.heat == -1).any() and not (known.heat > 0).any() and not known.weight.any()


def test_a_digit_that_is_mostly_outside_the_tile_is_a_negative() -> None:
    assert not target(boxes((4, 122, 50, 20, 20, HAND)), SIDE).heat.any()


def test_digits_have_a_target_where_signs_are_unknown() -> None:
    known = target(boxes((0, 0, 0, SIDE, SIDE, UNKNOWN_SIGNS), (4, 60, 60, 10, 18, HAND)), SIDE)
    assert (known.heat[:, SIGN] == -1).all() and (known.heat[:, PRINT] == 0).all()
    assert (known.heat[:, HAND] == 1).sum() == 1 and known.heat[:, HAND].min() == 0


def test_a_small_sign_has_a_target() -> None:
    assert (target(boxes((10, 60, 60, 3, 3, SIGN)), SIDE).heat[:, SIGN] == 1).sum() == 1


def test_a_cell_of_two_boxes_belongs_to_the_smaller_box() -> None:
    known = target(boxes((8, 50, 50, 14, 24, HAND), (1, 55, 54, 5, 14, HAND)), SIDE)
    cell = (58 // 4) * 32 + 57 // 4
    assert known.classes[cell] == 1


def test_the_decoder_of_the_run_restores_the_boxes_of_a_target() -> None:
    given = boxes((2, 30, 40, 12, 18, HAND), (9, 150, 100, 22, 40, PRINT), (11, 200, 210, 4, 6, SIGN))
    known = target(given, TILE)
    logits = np.full((1, cells_of(TILE), 3 + 4 + CLASSES), -9.0, np.float32)
    logits[0, :, :3] = np.where(known.heat == 1, 4.0, -1e4)
    strides = np.concatenate([np.full((TILE // stride) ** 2, stride) for stride in STRIDES])
    logits[0, :, 3:7] = np.log(np.expm1(np.maximum(known.sides / (2 * strides[:, None]), 1e-3)))
    logits[0, np.arange(cells_of(TILE)), 7 + known.classes] = 9.0
    found = decode_output(logits)
    assert sorted(zip(found[:, 1].astype(int), found[:, 7:].argmax(axis=1), strict=True)) == [(0, 2), (1, 9), (2, 11)]
    for row in found:
        own = given[given[:, 5] == row[1]][0]
        assert row[3:7] == pytest.approx([own[1], own[2], own[1] + own[3], own[2] + own[4]], abs=0.2)
