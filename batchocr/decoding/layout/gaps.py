"""Gaps between the digits of a line, and the rules in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.layout.lines import Places
from batchocr.decoding.layout.number_parameters import PARAMETERS, NumberParameters
from batchocr.decoding.layout.rules import Rule, rules_between
from batchocr.records import Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LineGaps:
    """The n - 1 gaps between the n digits of a line, from the left."""

    line: Places
    """(n,) indices of the boxes of the digits."""
    heights: Floats
    """(n - 1,) height of the writing at each gap in pixels."""
    widths: Floats
    """(n - 1,) width of each gap in pixels; negative if digits overlap."""
    steps: Floats
    """(n - 1,) distance between the centres of the digits on both sides in pixels."""
    rules: dict[int, list[Rule]]
    """Rules by the index of the gap; only gaps that may hold a rule between digits of one number are keys."""


def measure_gaps(line: Places, boxes: Floats, pixels: Pixels, parameters: NumberParameters = PARAMETERS) -> LineGaps:
    """Measure the gaps of a line and find the rules in them.

    Args:
        line: (n,) indices of the boxes of the line, from the left.
        boxes: (m, 4) left, top, width and height of the page's digits in pixels.
        pixels: (height, width) uint8, the level page.
        parameters: which gaps are inspected for rules.

    Returns:
        The gaps of the line.
    """
    p = parameters
    heights, widths = _local_heights(line, boxes, p), _gap_widths(line, boxes)
    steps = np.diff(boxes[line, 0] + boxes[line, 2] / 2)
    rules = {}
    inspected = (widths > p.max_joined_gap_heights * heights) & (steps <= p.max_inspected_step_heights * heights)
    for i in np.flatnonzero(inspected).tolist():
        right = float(boxes[line[i + 1], 0])
        top, bottom = vertical_span(boxes, line, i)
        rules[i] = rules_between(pixels, right - float(widths[i]), right, top, bottom, float(heights[i]), p.rules)
    return LineGaps(line, heights, widths, steps, rules)


def gap_limit(relative: Floats, parameters: NumberParameters = PARAMETERS) -> float:
    """Return the limit between gaps within numbers and gaps between numbers.

    The limit is in a hole of the distribution of all gaps: a range in which there is no gap.

    Args:
        relative: (n,) all gaps of a page, each in heights of the writing there.
        parameters: what a hole is, and the limit if there is none.

    Returns:
        The limit in heights.
    """
    p = parameters
    candidates = np.sort(relative[(relative > p.min_gap_limit_heights) & (relative < p.max_gap_limit_heights)])
    if not len(candidates) or len(relative) < p.min_page_gaps:
        return p.max_gap_heights
    edges = np.r_[p.min_gap_limit_heights, candidates, p.max_gap_limit_heights]
    ratios = edges[1:] / edges[:-1]
    # of holes of about the same size, the one nearest to the usual limit is chosen
    middle = np.sqrt(edges[1:] * edges[:-1])
    quality = np.log(ratios) - p.hole_distance_weight * np.abs(np.log(middle / p.max_gap_heights))
    best = int(quality.argmax())
    return float(middle[best]) if ratios[best] >= p.min_hole_ratio else p.max_gap_heights


def vertical_span(boxes: Floats, line: Places, i: int) -> tuple[float, float]:
    """Return top and bottom of the two digits beside gap `i` of a line, in pixels."""
    before, after = boxes[line[i]], boxes[line[i + 1]]
    return float(min(before[1], after[1])), float(max(before[1] + before[3], after[1] + after[3]))


def _local_heights(line: Places, boxes: Floats, p: NumberParameters) -> Floats:
    """Return the height of the writing at each gap of a line, (n - 1,): a quantile of the nearby digits' heights."""
    if len(line) < 2:
        return np.empty(0)
    count = min(p.height_digits, len(line) - 1)
    padded = np.pad(boxes[line, 3], count - 1, mode="symmetric")
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * count), axis=1)
    return np.asarray(windows[:, round(p.height_quantile * (2 * count - 1))])


def _gap_widths(line: Places, boxes: Floats) -> Floats:
    """Return the width of each gap, (n - 1,): from the right side of all digits before to the left side of the next."""
    rights = np.maximum.accumulate(boxes[line, 0] + boxes[line, 2])
    return np.asarray(boxes[line[1:], 0] - rights[:-1])
