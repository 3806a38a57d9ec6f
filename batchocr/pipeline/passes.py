"""The passes of the detector over one page: its orientation, and the scales at which its digits are found."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from batchocr.decoding.digits.orientation import PARAMETERS as ORIENTATION_PARAMETERS
from batchocr.decoding.digits.orientation import (
    Orientation,
    OrientationParameters,
    evidence,
    find_orientation,
    is_upright,
)
from batchocr.decoding.digits.suppression import SuppressionParameters, non_maximum_suppression
from batchocr.decoding.marks.names import ORIENTATION
from batchocr.recognition.detector import DetectorParameters, digit_heights, filter_by_score, filter_with_weak
from batchocr.records import SIGN, Detections, LevelPage, PreparedPage, Tiles
from batchocr.vision.crops import CropParameters
from batchocr.vision.geometry.quarter_turns import rotate
from batchocr.vision.scales import ScaleParameters, far_scale, first_scale, is_whole_page, second_scale
from batchocr.vision.tiles import make_tiles


@dataclass(frozen=True)
class PipelineParameters:
    """The parameters of the stages between the networks."""

    scales: ScaleParameters = field(default_factory=ScaleParameters)
    suppression: SuppressionParameters = field(default_factory=SuppressionParameters)
    orientation: OrientationParameters = ORIENTATION_PARAMETERS
    crops: CropParameters = field(default_factory=CropParameters)


PARAMETERS = PipelineParameters()

Passes = Generator[Tiles, Detections, tuple[PreparedPage, Detections]]
"""Yields the tiles of each pass, takes the detections on them, and returns the page as it was read with the result."""


def passes_of(prepared: PreparedPage, detector: DetectorParameters, parameters: PipelineParameters) -> Passes:
    """Run all passes over a page: first as it is, then in other orientations or at other scales if that may help.

    Args:
        prepared: The page, with a level page.
        detector: The thresholds of detections.
        parameters: See the class.

    Returns:
        A generator: see `Passes`.
    """
    assert prepared.level is not None
    level, tiles = without_tiles(prepared.level), prepared.level.tiles
    prepared = replace(prepared, level=level)
    first = yield tiles
    del tiles  # the queue alone holds the pixels of tiles
    prepared, level, first = yield from _upright(prepared, level, first, parameters)
    found, scales = [first], [level.tiles.scale]
    while (scale := _next_scale(level.pixels.shape, found, scales, parameters.scales)) is not None:
        scales.append(scale)
        found.append((yield make_tiles(level.pixels, scale, parameters.scales.tiles)))
    merged = non_maximum_suppression(_merged(found, scales, parameters.scales), parameters.suppression)
    detections = filter_with_weak(merged, detector)
    is_small = max(level.pixels.shape) <= parameters.scales.max_strip_height_px
    if is_small and not (detections.kinds != SIGN).any():
        detections = _strongest_digit(merged)  # an image of one digit with a low score
    return prepared, detections


def without_tiles(level: LevelPage) -> LevelPage:
    """Return a level page without the pixels of its tiles; their corners stay."""
    return replace(level, tiles=replace(level.tiles, pixels=level.tiles.pixels[:0]))


def _upright(
    prepared: PreparedPage, level: LevelPage, first: Detections, p: PipelineParameters
) -> Generator[Tiles, Detections, tuple[PreparedPage, LevelPage, Detections]]:
    """Find the orientation of a page: return the page as it is to be read, and what its first pass found.

    A page that was placed by the print of its form is upright. One that was placed by its edges may be upside down.
    """
    if level.placement is not None and level.placement.residual_mm is not None:
        return prepared, level, first
    if not is_whole_page(level.pixels.shape, level.tiles.scale) or _is_upright(first, p):
        return prepared, level, first
    found = [first]
    for quarters in (1, 2, 3):
        found.append((yield _rotated(level, quarters, p.scales).tiles))
    turn = find_orientation(
        [evidence(non_maximum_suppression(each, p.suppression), p.orientation) for each in found], p.orientation
    )
    if level.placement is not None and turn.quarters % 2:
        return prepared, level, first  # its proportions would not be those of the form
    if turn.quarters:
        level = without_tiles(_rotated(level, turn.quarters, p.scales))  # again, so that no page is held four times
    return replace(_with_angle(prepared, turn), level=level), level, found[turn.quarters]


def _is_upright(first: Detections, p: PipelineParameters) -> bool:
    """Return whether the first pass shows that the page is upright."""
    return is_upright(evidence(non_maximum_suppression(first, p.suppression), p.orientation), p.orientation)


def _rotated(level: LevelPage, quarters: int, p: ScaleParameters) -> LevelPage:
    """Return the page after quarter turns to the left, with the tiles of its first pass."""
    pixels, to_page = rotate(level.pixels, level.to_page, quarters)
    return LevelPage(pixels, to_page, make_tiles(pixels, first_scale(pixels.shape, p), p.tiles), level.placement)


def _with_angle(prepared: PreparedPage, turn: Orientation) -> PreparedPage:
    """Return the page with its angle, or with the mark that its orientation is unknown."""
    if not turn.certain:
        return replace(prepared, row=replace(prepared.row, marks=ORIENTATION))
    angle = (prepared.row.angle or 0.0) + 90.0 * turn.quarters
    return replace(prepared, row=replace(prepared.row, angle=round(angle - 360 * (angle > 180), 2)))


def _next_scale(
    shape: tuple[int, ...], found: Sequence[Detections], scales: Sequence[float], p: ScaleParameters
) -> float | None:
    """Return the scale of the next pass over a page; None if the passes so far are enough."""
    # the default score, not the fitted one: more detections may be worth a pass
    heights = [digit_heights(filter_by_score(each)) for each in found]
    if len(found) == 1 and (scale := second_scale(shape, scales[0], heights[0], p)) is not None:
        return scale
    far = far_scale(shape, scales[0], p)
    has_digits = any(map(len, heights))
    return far if not has_digits and far not in scales else None


def _merged(found: Sequence[Detections], scales: Sequence[float], p: ScaleParameters) -> Detections:
    """Join the detections of all passes. After a second pass, the first counts only for the heights that it finds well.

    A page that was enlarged keeps the larger digits of the first pass, a page that was reduced the smaller ones.
    """
    kept = list(found)
    if len(found) > 1:
        height = found[0].boxes[:, 3] * scales[0]
        enlarged = scales[1] > scales[0]
        kept[0] = found[0].take(height >= p.min_small_px if enlarged else height <= p.max_median_px)
    return Detections.together(kept)


def _strongest_digit(found: Detections) -> Detections:
    """Return the digit with the highest score, if there is a digit."""
    digits = found.take(found.kinds != SIGN)
    return digits.take(np.argsort(-digits.scores, kind="stable")[:1])
