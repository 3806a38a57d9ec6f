"""Split lines of digits into numbers: by gaps, by signs between digits, and by boxes, combs and table columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.layout.columns import Columns, find_columns
from batchocr.decoding.layout.gaps import LineGaps, gap_limit, measure_gaps, vertical_span
from batchocr.decoding.layout.lines import Places
from batchocr.decoding.layout.number_parameters import PARAMETERS, NumberParameters
from batchocr.decoding.layout.rules import Rule
from batchocr.decoding.layout.sign_parameters import PARAMETERS as SIGNS
from batchocr.decoding.layout.sign_parameters import SignParameters
from batchocr.decoding.layout.signs import LEADING, Sign
from batchocr.records import Pixels

Floats = NDArray[np.float64]

GROUP = 3
"""Number of digits of a group of thousands, as in `3 045`."""


@dataclass(frozen=True)
class WrittenNumber:
    """Digits that are written together, and the signs between and before them."""

    digits: tuple[int, ...]
    """Indices of its digits among the detections, from the left."""
    signs: tuple[tuple[int, Sign], ...] = ()
    """Each sign with the index (from 0) of the digit in the number that it is before."""
    doubtful: bool = False
    """A sign of it is unsure, or there may be a sign."""


def find_numbers(
    lines: Sequence[Places],
    boxes: Floats,
    pixels: Pixels,
    signs: Sequence[Sign] = (),
    parameters: NumberParameters = PARAMETERS,
    sign_parameters: SignParameters = SIGNS,
) -> list[list[WrittenNumber]]:
    """Find the numbers of each line of a page.

    Args:
        lines: of each line the indices of its boxes, from the left.
        boxes: (n, 4) left, top, width and height of the page's digits in pixels.
        pixels: (height, width) uint8, the level page; only rules between digits are searched in it.
        signs: the signs beside the digits of the page.
        parameters: which digits belong to one number.
        sign_parameters: which signs belong to a number.

    Returns:
        Of each line its numbers, from the left.
    """
    gaps_of_lines = [measure_gaps(line, boxes, pixels, parameters) for line in lines]
    relative = np.concatenate([gaps.widths / gaps.heights for gaps in gaps_of_lines]) if gaps_of_lines else np.empty(0)
    limit = gap_limit(relative, parameters)
    columns = _table_columns(gaps_of_lines, boxes, parameters) if gaps_of_lines else None
    line_of = {int(i): line_index for line_index, line in enumerate(lines) for i in line}
    signs_of: dict[int, list[Sign]] = {}
    for sign in signs:
        signs_of.setdefault(line_of[sign.beside], []).append(sign)
    found = []
    for line_index, gaps in enumerate(gaps_of_lines):
        signs_by_digit = _signs_by_digit(signs_of.get(line_index, ()), boxes[gaps.line, 0] + boxes[gaps.line, 2] / 2)
        joined = _joined_gaps(gaps, boxes, signs_by_digit, limit, columns, parameters, sign_parameters)
        _join_thousands(joined, gaps, signs_by_digit, len(lines) == 1, parameters)
        found.append(_numbers_of_line(gaps, joined, signs_by_digit, boxes, parameters, sign_parameters))
    return found


def _table_columns(gaps_of_lines: Sequence[LineGaps], boxes: Floats, p: NumberParameters) -> Columns | None:
    """Find the columns of a table by the long rules in the gaps of all lines."""
    long_rules = [
        (line_index, rule)
        for line_index, gaps in enumerate(gaps_of_lines)
        for i, rules in gaps.rules.items()
        for rule in rules
        if _is_table_rule(rule, *vertical_span(boxes, gaps.line, i), float(gaps.heights[i]), p)
    ]
    return find_columns(long_rules, float(np.median(boxes[:, 3])), p.columns)


def _is_table_rule(rule: Rule, top: float, bottom: float, height: float, p: NumberParameters) -> bool:
    """Return whether a rule beside digits from `top` to `bottom` is longer than their line is high."""
    return max(top - rule.top, rule.bottom - bottom) > p.min_table_rule_heights * height


def _signs_by_digit(signs: Sequence[Sign], centres: Floats) -> dict[int, list[Sign]]:
    """Return the signs of a line by the index of the digit that they are before; `centres` (n,) are the digits'."""
    found: dict[int, list[Sign]] = {}
    for sign in signs:
        found.setdefault(int(np.searchsorted(centres, sign.middle)), []).append(sign)
    return found


def _joined_gaps(
    gaps: LineGaps,
    boxes: Floats,
    signs_by_digit: dict[int, list[Sign]],
    limit: float,
    columns: Columns | None,
    p: NumberParameters,
    sign_parameters: SignParameters,
) -> list[bool]:
    """Return for each gap of a line whether the digits on both sides are in one number."""
    line = gaps.line
    is_regular = _regular_steps(gaps.steps, gaps.heights, p)
    joined: list[bool] = []
    for i in range(len(line) - 1):
        height = float(gaps.heights[i])
        signs = [sign for sign in signs_by_digit.get(i + 1, ()) if not sign.weak]
        right = float(boxes[line[i + 1], 0])
        left, gap, step = right - float(gaps.widths[i]), float(gaps.widths[i]) / height, float(gaps.steps[i]) / height
        top, bottom = vertical_span(boxes, line, i)
        margin = p.max_over_rule_heights * height
        column_width = columns.width(left - margin, right + margin, (top + bottom) / 2) if columns else None
        if signs and _is_bridged(signs, left, right, height, sign_parameters):
            joined.append(True)
        elif column_width is not None:
            joined.append(column_width <= p.max_narrow_column_heights * height and gap <= p.max_comb_gap_heights)
        elif gap <= p.max_joined_gap_heights:
            joined.append(True)
        elif step > p.max_inspected_step_heights:
            joined.append(False)
        elif rules := gaps.rules[i]:
            joined.append(_is_joined_across(rules, top, bottom, gap, step, height, p))
        else:
            joined.append(gap <= limit or step <= p.max_step_heights or bool(is_regular[i]))
    return joined


def _is_bridged(signs: Sequence[Sign], left: float, right: float, height: float, p: SignParameters) -> bool:
    """Return whether the signs in a gap are so near to both digits and to each other that all is one number."""
    reached = left
    for sign in sorted(signs, key=lambda each: each.left):
        if sign.left - reached > p.max_gap_heights * height:
            return False
        reached = max(reached, sign.right)
    return right - reached <= p.max_gap_heights * height


def _is_joined_across(
    rules: Sequence[Rule], top: float, bottom: float, gap: float, step: float, height: float, p: NumberParameters
) -> bool:
    """Return whether the digits on both sides of vertical rules are in one number."""
    if any(_is_table_rule(rule, top, bottom, height, p) for rule in rules):
        return step <= p.max_narrow_column_heights
    if rules[-1].x - rules[0].x <= p.max_same_rule_heights * height or len(rules) == 1:
        return gap <= p.max_comb_gap_heights and step <= p.max_comb_step_heights
    return rules[-1].x - rules[0].x <= p.max_box_distance_heights * height and step <= p.max_inspected_step_heights


def _regular_steps(steps: Floats, heights: Floats, p: NumberParameters) -> NDArray[np.bool_]:
    """Return which steps (n - 1,) are among several equal steps, as in a comb whose teeth are not visible."""
    found = np.zeros(len(steps), np.bool_)
    count = p.min_regular_digits - 1
    if len(steps) < count:
        return found
    windows = np.lib.stride_tricks.sliding_window_view(steps, count)
    usual = np.sort(windows, axis=1)[:, count // 2]
    is_regular = np.abs(windows - usual[:, None]).max(axis=1) <= p.max_pitch_ratio * usual
    is_regular &= (usual >= p.min_regular_step_heights * heights[: len(usual)]) & (
        usual <= p.max_regular_step_heights * heights[: len(usual)]
    )
    for i in range(count):
        found[i : i + len(is_regular)] |= is_regular
    return found


def _join_thousands(
    joined: list[bool], gaps: LineGaps, signs_by_digit: dict[int, list[Sign]], only_line: bool, p: NumberParameters
) -> None:
    """Join a group of three digits with the group before it if only a space separates them.

    A sign must follow the group, as in `3 045.00`, or the line must be the only one of the page: in a table `3 045` may
    be two columns.
    """
    relative = gaps.widths / gaps.heights
    for i, is_joined in enumerate(joined):
        ruled = not only_line and gaps.rules.get(i)  # the security print of a cheque looks like rules
        if is_joined or relative[i] > p.max_thousands_gap_heights or ruled or signs_by_digit.get(i + 1):
            continue
        after = 1
        while i + after < len(joined) and joined[i + after] and not signs_by_digit.get(i + after + 1):
            after += 1
        before = 1
        while i - before >= 0 and joined[i - before] and not signs_by_digit.get(i - before + 1):
            before += 1
        ends_number = i + after >= len(joined) or not joined[i + after]
        before_fits = before <= GROUP or before % GROUP == 0  # groups that are joined already end with a whole group
        if after == GROUP and before_fits and (only_line or not ends_number):
            joined[i] = True


def _numbers_of_line(
    gaps: LineGaps,
    joined: Sequence[bool],
    signs_by_digit: dict[int, list[Sign]],
    boxes: Floats,
    p: NumberParameters,
    sign_parameters: SignParameters,
) -> list[WrittenNumber]:
    """Build the numbers of a line from its joined gaps and its signs."""
    line, heights = gaps.line, gaps.heights
    starts = [0, *(i + 1 for i, is_joined in enumerate(joined) if not is_joined), len(line)]
    found = []
    for start, stop in pairwise(starts):
        own = [
            (position - start, sign)
            for position in range(start + 1, stop)
            for sign in sorted(signs_by_digit.get(position, ()), key=lambda each: each.left)
        ]
        first_box = boxes[line[start]]
        height = float(heights[min(start, len(heights) - 1)]) if len(heights) else float(first_box[3])
        leading = [
            sign
            for sign in signs_by_digit.get(start, ())
            if sign.character in LEADING
            and -p.max_leading_overlap_heights * height
            <= float(first_box[0]) - sign.right
            <= sign_parameters.max_leading_gap_heights * height
        ]
        if start and leading:
            previous = boxes[line[start - 1]]
            leading = [s for s in leading if s.left - (previous[0] + previous[2]) > float(first_box[0]) - s.right]
        own = [(0, sign) for sign in leading[-1:]] + own
        found.append(
            WrittenNumber(
                tuple(line[start:stop].tolist()),
                tuple((position, sign) for position, sign in own if not sign.weak),
                any(sign.doubtful or sign.weak for _, sign in own),
            )
        )
    return found
