"""One `DecodingParameters` object given to `page_result` changes every stage, also the stages inside other stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from layouts import HIGH, classified, detected, row_of_boxes, together
from test_lines import bent, spread
from test_numbers import table, upright

from batchocr.decoding.digits.joint import Calibration
from batchocr.decoding.parameters import DecodingParameters
from batchocr.decoding.rows import page_result
from batchocr.records import SIGN, TILE, Detections, LevelPage, PageResult, PageRow, Pixels, PreparedPage, Tiles

NEIGHBOURS_COUNT = Calibration(weights=(0.7, 1.0, 0.5, -0.3, 0.5, 0.3, 0.2))
BASE = 200.0
Change = Callable[[DecodingParameters], DecodingParameters]


def result(pixels: Pixels, found: Detections, parameters: DecodingParameters) -> PageResult:
    no_tiles = Tiles(np.zeros((0, TILE, TILE, 2), np.uint8), np.zeros((0, 2), np.int32), 1.0)
    row = PageRow("a.png", 1, "read", width=pixels.shape[1], height=pixels.shape[0])
    page = PreparedPage(row, LevelPage(pixels, np.eye(3), no_tiles))
    return page_result(page, found, classified(found), parameters)


def blank() -> Pixels:
    return np.full((900, 1600), 245, np.uint8)


def drawn(found: Detections) -> Pixels:
    """A page with a frame as ink in each box."""
    pixels = blank()
    for left, top, width, height in found.boxes.astype(int).tolist():
        cv2.rectangle(pixels, (left + 2, top + 2), (left + width - 2, top + height - 2), 40, 3)
    return pixels


def plain() -> tuple[Pixels, Detections]:
    found = detected(row_of_boxes(100, BASE, 8), "12345678")
    return drawn(found), found


def with_a_point() -> tuple[Pixels, Detections]:
    point = detected(np.array([(154.0, BASE - 6, 5.0, 6.0)]), ".", SIGN)
    return blank(), together(detected(row_of_boxes(100, BASE, 3), "125"), point)


def with_a_rule() -> tuple[Pixels, Detections]:
    """Two digits on both sides of a comb's tooth."""
    pixels = blank()
    upright(pixels, 100 + 24 + 24, BASE - 1.35 * HIGH, BASE + 0.3 * HIGH)
    return pixels, detected(np.concatenate([row_of_boxes(100, BASE, 1), row_of_boxes(172, BASE, 1)]), "12")


def with_columns() -> tuple[Pixels, Detections]:
    boxes, pixels = table(2.0 * HIGH, 2)
    return pixels, detected(boxes)


def with_a_bend() -> tuple[Pixels, Detections]:
    """Twelve lines with large gaps, on a page that slopes and sags."""
    return np.full((1500, 1600), 245, np.uint8), detected(bent(spread(12, 1.9, gap=1.8)[0], 0.08, 60.0))


def with_faint_digits() -> tuple[Pixels, Detections]:
    pixels, found = plain()
    pixels[:, 280:] = np.where(pixels[:, 280:] < 240, 215, pixels[:, 280:])
    return pixels, found


def with_dense_ink() -> tuple[Pixels, Detections]:
    """Ink that is so dense that the median of a square is not the paper, and no detections."""
    pixels, found = plain()
    return pixels, found.take(np.zeros(8, np.bool_))


def without_digits() -> tuple[Pixels, Detections]:
    """Ink of the size of digits, and no detections."""
    found = detected(row_of_boxes(100, BASE, 8, step=90))
    return drawn(found), found.take(np.zeros(8, np.bool_))


CHANGES: dict[str, tuple[Callable[[], tuple[Pixels, Detections]], Change]] = {
    "features": (plain, lambda p: replace(p, features=replace(p.features, min_logit_probability=0.2))),
    "neighbours": (plain, lambda p: replace(p, neighbours=replace(p.neighbours, max_gap_heights=0.0))),
    "lines": (with_a_bend, lambda p: replace(p, lines=replace(p.lines, max_offset_heights=0.05))),
    "lines.bend": (
        with_a_bend,
        lambda p: replace(p, lines=replace(p.lines, bend=replace(p.lines.bend, min_slope_digits=10_000))),
    ),
    "numbers": (plain, lambda p: replace(p, numbers=replace(p.numbers, max_joined_gap_heights=0.0, max_gap_heights=0.0,
        max_step_heights=0.0, min_regular_digits=9))),
    "numbers.rules": (
        with_a_rule,
        lambda p: replace(p, numbers=replace(p.numbers, rules=replace(p.numbers.rules, min_dark_ratio=0.99))),
    ),
    "numbers.columns": (
        with_columns,
        lambda p: replace(p, numbers=replace(p.numbers, columns=replace(p.numbers.columns, min_sides=99))),
    ),
    "signs": (with_a_point, lambda p: replace(p, signs=replace(p.signs, min_score=0.99))),
    "signs.positions": (
        with_a_point,
        lambda p: replace(p, signs=replace(p.signs, positions=replace(p.signs.positions, max_point_heights=0.6))),
    ),
    "number_ink": (
        plain, lambda p: replace(p, number_ink=replace(p.number_ink, min_contrast=300.0)),
    ),
    "contrast": (
        with_dense_ink, lambda p: replace(p, contrast=replace(p.contrast, min_median_px=99)),
    ),
    "faint": (with_faint_digits, lambda p: replace(p, faint=replace(p.faint, min_strength_share=0.0))),
    "familiarity": (plain, lambda p: replace(p, familiarity=replace(p.familiarity, min_digits=9))),
    "page_ink": (without_digits, lambda p: replace(p, page_ink=replace(p.page_ink, min_pieces=99))),
    "rows": (plain, lambda p: replace(p, rows=replace(p.rows, max_digits=3))),
}  # fmt: skip


@pytest.mark.parametrize("stage", CHANGES)
def test_a_changed_parameter_reaches_its_stage(stage: str) -> None:
    make, change = CHANGES[stage]
    pixels, found = make()
    parameters = DecodingParameters(calibration=NEIGHBOURS_COUNT)
    if stage == "familiarity":
        parameters = replace(parameters, familiar=replace(parameters.familiar, height_px=(100.0, 200.0)))
    if stage == "number_ink":
        found = found.take(np.arange(8) < 7)  # the ink of the last digit is not read
    assert result(pixels, found, change(parameters)) != result(pixels, found, parameters)
