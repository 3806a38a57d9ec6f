"""A line of digits → numbers: by gaps, by signs between digits, and by the boxes and combs they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.columns import Columns, find_columns
from batchocr.decoding.lines import Places
from batchocr.decoding.rules import Rule, rules_between
from batchocr.decoding.signs import LEADING, Sign, SignParameters
from batchocr.records import Pixels

Floats = NDArray[np.float64]

QUANTILE = 0.6
"""Of the heights near a gap: that of the writing there."""


@dataclass(frozen=True)
class NumberParameters:
    """What holds digits together; gaps and steps (from middle to middle) in heights of the digits nearby.

    Tried on composed pages (`benchmarks/pages/compose.py`).
    """

    together_heights: float = 0.4
    """Gaps up to here are within a number, whatever stands in them."""
    gap_heights: float = 0.9
    """Gaps up to here are, on plain paper..."""
    step_heights: float = 1.3
    """...and so is a step up to here, as beside a narrow 1."""
    least_gap_heights: float = 0.5
    """The limit on plain paper moves to where a page's gaps have a hole, from here..."""
    most_gap_heights: float = 1.3
    """...up to here..."""
    hole_ratio: float = 1.5
    """...where the hole's end is this many times its begin, at least."""
    thousands_heights: float = 1.45
    """A space between groups of three digits is at most so wide."""
    looked_heights: float = 2.2
    """Steps from here on are between numbers, whatever stands in them."""
    comb_heights: float = 2.0
    """Gap between digits on both sides of a comb's tooth, at most."""
    comb_step_heights: float = 1.9
    """Step between them, at most."""
    long_heights: float = 0.8
    """A rule that reaches so far above or below the digits is a table's."""
    narrow_step_heights: float = 1.35
    """Columns of a table so narrow hold a digit each of one number."""
    in_rule_heights: float = 0.12
    """Digits may reach so far over a rule between columns."""
    same_rule_heights: float = 0.12
    """Two rules so close are one."""
    boxes_apart_heights: float = 0.6
    """Distance between boxes for one digit each of one number, at most."""
    pitch_ratio: float = 0.12
    """Steps that differ by less than this share of their median are regular."""
    regular: int = 4
    """Digits in a row with a regular pitch, at least, that make a number without rules..."""
    least_step_heights: float = 0.8
    """...at a step from here..."""
    regular_step_heights: float = 1.9
    """...up to here."""
    around: int = 4
    """Digits on either side of a gap whose height counts."""


@dataclass(frozen=True)
class WrittenNumber:
    """Digits written together, and the signs between and before them."""

    digits: tuple[int, ...]
    """Places of its digits, from the left."""
    signs: tuple[tuple[int, Sign], ...] = ()
    """Each with the position of the digit, from 0, that it stands before."""
    doubtful: bool = False
    """A sign is unsure, or there may be one."""


def local_heights(line: Places, boxes: Floats, around: int) -> Floats:
    """Height of writing at each gap of a line, (n - 1,): a high quantile of the digits nearby, as some are flat."""
    if len(line) < 2:
        return np.empty(0)
    some = min(around, len(line) - 1)
    padded = np.pad(boxes[line, 3], some - 1, mode="symmetric")
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * some), axis=1)
    return np.asarray(windows[:, round(QUANTILE * (2 * some - 1))])


def gaps(line: Places, boxes: Floats) -> Floats:
    """Pixels from the right of all digits before to the left of the next, (n - 1,); negative where they overlap."""
    rights = np.maximum.accumulate(boxes[line, 0] + boxes[line, 2])
    return np.asarray(boxes[line[1:], 0] - rights[:-1])


def gap_limit(relative: Floats, parameters: NumberParameters | None = None) -> float:
    """The limit between gaps within numbers and gaps between them, in heights, from all gaps of a page in heights."""
    how = parameters or NumberParameters()
    inside = np.sort(relative[(relative > how.least_gap_heights) & (relative < how.most_gap_heights)])
    if not len(inside) or len(relative) < 20:
        return how.gap_heights
    edges = np.r_[how.least_gap_heights, inside, how.most_gap_heights]
    ratios = edges[1:] / edges[:-1]
    # of holes of about the same size, the one nearest to the usual limit
    middle = np.sqrt(edges[1:] * edges[:-1])
    worth = np.log(ratios) - 0.3 * np.abs(np.log(middle / how.gap_heights))
    at = int(worth.argmax())
    return float(middle[at]) if ratios[at] >= how.hole_ratio else how.gap_heights


@dataclass(frozen=True)
class _Measured:
    """The gaps of a line (n - 1,): height of writing at each, pixels, steps from middle to middle, rules found."""

    line: Places
    high: Floats
    apart: Floats
    steps: Floats
    rules: dict[int, list[Rule]]


def find_numbers(
    lines: Sequence[Places],
    boxes: Floats,
    pixels: Pixels,
    signs: Sequence[Sign] = (),
    parameters: NumberParameters | None = None,
    of_signs: SignParameters | None = None,
) -> list[list[WrittenNumber]]:
    """The numbers of each line of a page, from the left.

    Each of `lines` holds places in `boxes` (n, 4), from the left; `signs` are those beside the page's digits. `pixels`
    is the level page, looked at only for rules that stand between two digits.
    """
    how, about_signs = parameters or NumberParameters(), of_signs or SignParameters()
    measured = [_measured(line, boxes, pixels, how) for line in lines]
    relative = np.concatenate([each.apart / each.high for each in measured]) if measured else np.empty(0)
    limit = gap_limit(relative, how)
    columns = None
    if measured:
        height = float(np.median(boxes[:, 3]))
        long = [
            (at, rule)
            for at, each in enumerate(measured)
            for i, rules in each.rules.items()
            for rule in rules
            if _is_long(rule, *span(boxes, each.line, i), float(each.high[i]), how)
        ]
        columns = find_columns(long, height)
    line_of = {int(i): at for at, line in enumerate(lines) for i in line}
    signs_of: dict[int, list[Sign]] = {}
    for sign in signs:
        signs_of.setdefault(line_of[sign.beside], []).append(sign)
    return [
        _split(each, boxes, signs_of.get(at, ()), limit, columns, len(lines) == 1, how, about_signs)
        for at, each in enumerate(measured)
    ]


def _measured(line: Places, boxes: Floats, pixels: Pixels, how: NumberParameters) -> _Measured:
    high, apart = local_heights(line, boxes, how.around), gaps(line, boxes)
    steps = np.diff(boxes[line, 0] + boxes[line, 2] / 2)
    rules = {}
    for i in np.flatnonzero((apart > how.together_heights * high) & (steps <= how.looked_heights * high)).tolist():
        right = float(boxes[line[i + 1], 0])
        rules[i] = rules_between(pixels, right - float(apart[i]), right, *span(boxes, line, i), float(high[i]))
    return _Measured(line, high, apart, steps, rules)


def span(boxes: Floats, line: Places, i: int) -> tuple[float, float]:
    """Top and bottom of the digits on both sides of a line's gap."""
    before, after = boxes[line[i]], boxes[line[i + 1]]
    return float(min(before[1], after[1])), float(max(before[1] + before[3], after[1] + after[3]))


def _is_long(rule: Rule, top: float, bottom: float, high: float, how: NumberParameters) -> bool:
    """Whether a rule beside digits from `top` to `bottom` goes on beyond their row."""
    return max(top - rule.top, rule.bottom - bottom) > how.long_heights * high


def _split(
    measured: _Measured,
    boxes: Floats,
    signs: Sequence[Sign],
    limit: float,
    columns: Columns | None,
    alone: bool,
    how: NumberParameters,
    of_signs: SignParameters,
) -> list[WrittenNumber]:
    """The numbers of a line, from the left; `alone` where the page has no other."""
    line, high = measured.line, measured.high
    regular = _regular(measured.steps, high, how)
    between = _by_gap(signs, boxes[line, 0] + boxes[line, 2] / 2)
    joined: list[bool] = []
    for i in range(len(line) - 1):
        h, here = float(high[i]), [sign for sign in between.get(i + 1, ()) if not sign.weak]
        left = float(boxes[line[i + 1], 0])
        right, gap, step = left - float(measured.apart[i]), float(measured.apart[i]) / h, float(measured.steps[i]) / h
        top, bottom = span(boxes, line, i)
        reach = how.in_rule_heights * h
        wide = columns.width(right - reach, left + reach, (top + bottom) / 2) if columns else None
        if here and _bridged(here, right, left, h, of_signs):
            joined.append(True)
        elif wide is not None:
            joined.append(wide <= how.narrow_step_heights * h and gap <= how.comb_heights)
        elif gap <= how.together_heights:
            joined.append(True)
        elif step > how.looked_heights:
            joined.append(False)
        elif rules := measured.rules[i]:
            joined.append(_across(rules, top, bottom, gap, step, h, how))
        else:
            joined.append(gap <= limit or step <= how.step_heights or bool(regular[i]))
    _thousands(joined, measured, between, alone, how)
    return _numbers(line, joined, between, boxes, high, of_signs)


def _by_gap(signs: Sequence[Sign], middles: Floats) -> dict[int, list[Sign]]:
    """Signs by the position of the digit that they stand before."""
    found: dict[int, list[Sign]] = {}
    for sign in signs:
        found.setdefault(int(np.searchsorted(middles, sign.middle)), []).append(sign)
    return found


def _bridged(signs: Sequence[Sign], left: float, right: float, high: float, how: SignParameters) -> bool:
    """Whether signs in a gap are so near to the digits on both sides, and to each other, that all is one number."""
    reached = left
    for sign in sorted(signs, key=lambda each: each.left):
        if sign.left - reached > how.near_heights * high:
            return False
        reached = max(reached, sign.right)
    return right - reached <= how.near_heights * high


def _across(
    rules: Sequence[Rule], top: float, bottom: float, gap: float, step: float, high: float, how: NumberParameters
) -> bool:
    """Whether digits on both sides of upright rules are of one number."""
    if any(_is_long(rule, top, bottom, high, how) for rule in rules):
        return step <= how.narrow_step_heights
    if rules[-1].x - rules[0].x <= how.same_rule_heights * high or len(rules) == 1:
        return gap <= how.comb_heights and step <= how.comb_step_heights
    return rules[-1].x - rules[0].x <= how.boxes_apart_heights * high and step <= how.looked_heights


def _regular(steps: Floats, high: Floats, how: NumberParameters) -> NDArray[np.bool_]:
    """Which steps are among several in a row that are all alike, as in a comb whose teeth are not to be seen."""
    found = np.zeros(len(steps), np.bool_)
    need = how.regular - 1
    if len(steps) < need:
        return found
    windows = np.lib.stride_tricks.sliding_window_view(steps, need)
    typical = np.sort(windows, axis=1)[:, need // 2]
    alike = np.abs(windows - typical[:, None]).max(axis=1) <= how.pitch_ratio * typical
    alike &= (typical >= how.least_step_heights * high[: len(typical)]) & (
        typical <= how.regular_step_heights * high[: len(typical)]
    )
    for i in range(need):
        found[i : i + len(alike)] |= alike
    return found


def _thousands(
    joined: list[bool], measured: _Measured, signs: dict[int, list[Sign]], alone: bool, how: NumberParameters
) -> None:
    """Join groups of three digits with what is before them, where a space parts them.

    A sign must follow, as in `3 045.00`, or the line must be `alone`: in a table `3 045` may be two columns.
    """
    relative = measured.apart / measured.high
    for i, together in enumerate(joined):
        ruled = not alone and measured.rules.get(i)  # the pattern of a cheque looks like rules
        if together or relative[i] > how.thousands_heights or ruled or signs.get(i + 1):
            continue
        after = 1
        while i + after < len(joined) and joined[i + after] and not signs.get(i + after + 1):
            after += 1
        before = 1
        while i - before >= 0 and joined[i - before] and not signs.get(i - before + 1):
            before += 1
        ends = i + after >= len(joined) or not joined[i + after]
        first = before <= 3 or before % 3 == 0  # what is joined already ends with a whole group
        if after == 3 and first and (alone or not ends):
            joined[i] = True


def _numbers(
    line: Places,
    joined: Sequence[bool],
    between: dict[int, list[Sign]],
    boxes: Floats,
    high: Floats,
    how: SignParameters,
) -> list[WrittenNumber]:
    starts = [0, *(i + 1 for i, together in enumerate(joined) if not together), len(line)]
    found = []
    for start, stop in pairwise(starts):
        own = [
            (position - start, sign)
            for position in range(start + 1, stop)
            for sign in sorted(between.get(position, ()), key=lambda each: each.left)
        ]
        first = boxes[line[start]]
        h = float(high[min(start, len(high) - 1)]) if len(high) else float(first[3])
        leading = [
            sign
            for sign in between.get(start, ())
            if sign.character in LEADING and -0.3 * h <= float(first[0]) - sign.right <= how.leading_heights * h
        ]
        if start and leading:
            previous = boxes[line[start - 1]]
            leading = [s for s in leading if s.left - (previous[0] + previous[2]) > float(first[0]) - s.right]
        own = [(0, sign) for sign in leading[-1:]] + own
        found.append(
            WrittenNumber(
                tuple(line[start:stop].tolist()),
                tuple((position, sign) for position, sign in own if not sign.weak),
                any(sign.doubtful or sign.weak for _, sign in own),
            )
        )
    return found
