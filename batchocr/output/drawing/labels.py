"""Find places for labels on a page, on free paper where there is any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.output.drawing.canvas import CAP_RATIO, Colour, Text, text_width
from batchocr.records import Box, DigitRow, NumberRow, Pixels

Detail = Literal["all", "doubtful", "none"]
"""Which digits of a number have their confidence in the label; `none` leaves out the second reading too."""

_SMALL_RATIO = 0.75  # height of a confidence per height of its digit
_INK_DIFFERENCE = 40  # grey levels between ink and the paper around it
_INK, _UPRIGHT_RULE, _DIGIT, _LABEL = 1.0, 0.12, 6.0, 6.0  # cost of a hidden pixel
_MIN_RULE_PX = 100  # straight ink of this length is a rule of the form
_OUTSIDE = 8.0
_HIDDEN_COST = 25.0  # of a row of labels that hides ink on all its pixels
_SIDE_COST = {"above": 0.0, "below": 0.15, "right": 2.0, "left": 2.4}
_FORMS: tuple[tuple[Detail, float, float], ...] = (
    ("all", 1.0, 0.0),
    ("all", 0.75, 0.3),
    ("doubtful", 1.0, 0.9),
    ("doubtful", 0.75, 1.2),
    ("none", 1.0, 1.8),
)
"""Forms of a row of labels: its detail, its size, and the cost of what is lost."""
_CROSSED_COST = 1.3  # of a rule between a number and its labels: they seem to belong to the next row
_STEP_COST = 0.2
_STEPS = 5
MIN_CAP_PX = 10
"""Height of a digit in the smallest labels."""
MIN_RIVAL_CONFIDENCE = 0.005
"""Second readings below this are not shown: a digit that is struck out may be read with certainty."""
MAX_HIDDEN_RATIO = 0.3
"""Labels that hide more than this of their pixels make the writing below them hard to read."""


@dataclass(frozen=True)
class Part:
    """One text of a label row: a digit with its confidence, or a sign."""

    texts: tuple[Text, ...]
    """Their places count from the left end of the part on its baseline."""
    width: int
    middle: float
    """Where the middle should be, as the x of what it labels."""


class Free:
    """What is free on a page: each label that is placed takes its room."""

    def __init__(self, pixels: Pixels, digits: Sequence[Box]) -> None:
        """Find the ink of a page (height, width); `digits` are the boxes that no label should hide."""
        ink = _ink(pixels).astype(np.uint8)
        self._cost: NDArray[np.float32] = ink.astype(np.float32) * _INK
        upright, self._level = (
            cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(size, np.uint8)) > 0
            for size in ((_MIN_RULE_PX, 1), (1, _MIN_RULE_PX))
        )
        self._cost[upright & ~self._level] = _UPRIGHT_RULE
        for box in digits:
            self._part(box, margin_px=2)[:] = _DIGIT

    @property
    def width(self) -> int:
        return self._cost.shape[1]

    def cost(self, boxes: Sequence[Box]) -> float:
        """Return what labels in these boxes would hide, per pixel of theirs: 0 for free paper."""
        hidden = 0.0
        for box in boxes:
            part = self._part(box)
            hidden += float(part.sum()) + _OUTSIDE * (box.width * box.height - part.size)
        return hidden / sum(box.width * box.height for box in boxes)

    def has_rule_between(self, number: Box, label: Box) -> bool:
        """Return whether a level rule is between a number and a label above or below it."""
        ends = (label.bottom, number.top) if label.bottom <= number.top else (number.bottom, label.top)
        rows = self._level[max(0, ends[0]) : max(0, ends[1]), max(0, number.left) : max(0, number.right)]
        return bool(rows.size) and bool((rows.mean(axis=1) > 0.5).any())

    def take(self, boxes: Sequence[Box]) -> None:
        """Take the room of these boxes."""
        for box in boxes:
            self._part(box, margin_px=2)[:] = _LABEL

    def _part(self, box: Box, margin_px: int = 0) -> NDArray[np.float32]:
        return self._cost[
            max(0, box.top - margin_px) : max(0, box.bottom + margin_px),
            max(0, box.left - margin_px) : max(0, box.right + margin_px),
        ]


@dataclass(frozen=True)
class Placed:
    """The labels of one number at their places."""

    texts: tuple[Text, ...]
    hidden_ratio: float
    """What they hide, per pixel of theirs: 0 for free paper, `MAX_HIDDEN_RATIO` and more where writing is hidden."""


def placed_labels(
    number: NumberRow, digits: Sequence[DigitRow], free: Free, cap_px: int, colours: tuple[Colour, Colour]
) -> Placed:
    """Find the place of the labels of one number and take its room.

    The labels are in one row: above the number, below it, or at one of its ends. They are as large and have as much
    detail as fits.

    Args:
        number: The number, in pixels of the image.
        digits: Its digits, in pixels of the image.
        free: What is free on the page.
        cap_px: Height of a digit in the labels.
        colours: Colour of sure and of doubtful digits.

    Returns:
        The texts of the labels, and how much they hide.
    """
    best: list[tuple[Part, Box]] = []
    best_cost, best_hidden = np.inf, 0.0
    whole = Box(number.left, number.top, number.width, number.height)
    for detail, size_ratio, form_cost in _FORMS:
        if form_cost >= best_cost:
            break
        height = max(MIN_CAP_PX, round(cap_px * size_ratio))
        parts = _parts(number, digits, detail, height, colours)
        for row, place_cost in _candidates(parts, digits, height, free.width):
            if form_cost + place_cost < best_cost:
                hidden = free.cost([box for _, box in row])
                crossed = free.has_rule_between(whole, row[0][1])
                cost = form_cost + place_cost + _HIDDEN_COST * hidden + _CROSSED_COST * crossed
                if cost < best_cost:
                    best, best_cost, best_hidden = row, cost, hidden
    free.take([box for _, box in best])
    texts = [replace(text, left=box.left + text.left, baseline=box.bottom) for part, box in best for text in part.texts]
    return Placed(tuple(texts), best_hidden)


def labels_in_place(
    number: NumberRow, digits: Sequence[DigitRow], cap_px: int, page_width: int, colours: tuple[Colour, Colour]
) -> list[Text]:
    """Return the labels of one number within the boxes of its digits, in their upper half."""
    parts = _parts(number, digits, "all", cap_px, colours)
    lefts = _lefts(parts, cap_px, page_width)
    bottoms = np.interp(
        [part.middle for part in parts],
        [digit.left + digit.width / 2 for digit in digits],
        [digit.top + max(cap_px, digit.height / 2) for digit in digits],
    )
    return [
        replace(text, left=left + text.left, baseline=round(bottom))
        for part, left, bottom in zip(parts, lefts, bottoms.tolist(), strict=True)
        for text in part.texts
    ]


def placed_tag(content: str, number: Box, free: Free, size_px: int, colour: Colour) -> Text:
    """Find the place of a short text beside a number and take its room."""
    width, height, gap = text_width(content, size_px), round(size_px * CAP_RATIO), max(4, size_px // 3)
    middle = number.top + (number.height + height) // 2
    best, best_cost = Box(number.left, number.bottom, width, height), np.inf
    for step in range(_STEPS):
        down = gap + height + step * height // 2
        for cost, left, bottom in (
            (0.0, number.left, number.bottom + down + gap),
            (0.1, number.right - width, number.bottom + down + gap),
            (0.2, number.right + gap + step * height, middle),
            (0.4, number.left - gap - width - step * height, middle),
            (0.5, number.left, number.top - down),
        ):
            box = Box(left, bottom - height, width, height)
            if (cost := cost + step * _STEP_COST + _HIDDEN_COST * free.cost([box])) < best_cost:
                best, best_cost = box, cost
    free.take([best])
    return Text(content, best.left, best.bottom, size_px, colour)


def _ink(pixels: Pixels) -> NDArray[np.bool_]:
    """Pixels that differ from the paper around them."""
    height, width = pixels.shape
    small = cv2.resize(pixels, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(small, 9), (width, height), interpolation=cv2.INTER_LINEAR)
    different: NDArray[np.bool_] = cv2.absdiff(pixels, paper) > _INK_DIFFERENCE
    return different


def _parts(
    number: NumberRow, digits: Sequence[DigitRow], detail: Detail, cap_px: int, colours: tuple[Colour, Colour]
) -> list[Part]:
    """The digits and signs of a number, in their order. The middle of a sign is between its neighbours."""
    parts: list[Part] = []
    rest = iter(digits)
    before: DigitRow | None = None
    doubtful_sign = "sign" in number.review.split(";")
    for place, character in enumerate(number.text):
        if character.isdigit() and (digit := next(rest, None)) is not None:
            parts.append(_digit_part(digit, detail, cap_px, colours))
            before = digit
        elif not character.isspace():
            following = (
                digits[sum(each.isdigit() for each in number.text[:place])] if before is not digits[-1] else None
            )
            ends = [before.left + before.width] if before else []
            ends += [following.left] if following else []
            shift = cap_px if following is None else -cap_px if before is None else 0
            parts.append(_part(((character, cap_px, colours[doubtful_sign], True),), fmean(ends) + shift))
    return parts


def _digit_part(digit: DigitRow, detail: Detail, cap_px: int, colours: tuple[Colour, Colour]) -> Part:
    """`7 99` of a sure digit, `7/1 62` of a doubtful one."""
    doubtful = bool(digit.review)
    colour, small = colours[doubtful], round(cap_px * _SMALL_RATIO)
    texts = [(str(digit.digit), cap_px, colour, True)]
    if has_rival(digit) and detail != "none":
        texts.append((f"/{digit.second}", cap_px, colour, False))
    if detail == "all" or (doubtful and detail == "doubtful"):
        texts.append((str(percent(digit.confidence)), small, colour, False))
    return _part(texts, digit.left + digit.width / 2)


def _part(texts: Sequence[tuple[str, int, Colour, bool]], middle: float) -> Part:
    left = 0
    placed: list[Text] = []
    for content, cap_px, colour, bold in texts:
        size = font_size(cap_px)
        left += round(0.33 * cap_px) if placed and not content.startswith("/") else 0
        placed.append(Text(content, left, 0, size, colour, bold))
        left += text_width(content, size, bold=bold)
    return Part(tuple(placed), left, middle)


def has_rival(digit: DigitRow) -> bool:
    """Return whether a digit is for review and its second reading is possible."""
    return bool(digit.review) and digit.second_confidence >= MIN_RIVAL_CONFIDENCE


def percent(confidence: float) -> int:
    """Return a confidence in percent, at most 99: no reading is certain."""
    return min(99, round(confidence * 100))


def font_size(cap_px: int) -> int:
    """Return the font size of digits of this height."""
    return round(cap_px / CAP_RATIO)


def _candidates(
    parts: Sequence[Part], digits: Sequence[DigitRow], cap_px: int, page_width: int
) -> Iterator[tuple[list[tuple[Part, Box]], float]]:
    """Rows of labels around a number, each with the cost of its distance."""
    gap = max(3, cap_px // 3)
    lefts = _lefts(parts, cap_px, page_width)
    slope = _slope(digits)
    shifts = [slope * (part.middle - parts[0].middle) for part in parts]
    above = min(d.top - slope * (d.left + d.width / 2 - parts[0].middle) for d in digits) - gap
    below = max(d.top + d.height - slope * (d.left + d.width / 2 - parts[0].middle) for d in digits) + gap + cap_px
    for step in range(_STEPS):
        for side, bottom in (("above", above - step * cap_px / 2), ("below", below + step * cap_px / 2)):
            row = [
                (part, Box(left, round(bottom + shift) - cap_px, part.width, cap_px))
                for part, left, shift in zip(parts, lefts, shifts, strict=True)
            ]
            yield row, _SIDE_COST[side] + step * _STEP_COST
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + part.width + _between(cap_px))
    for side, digit, start in (
        ("right", digits[-1], digits[-1].left + digits[-1].width + 2 * gap),
        ("left", digits[0], digits[0].left - 2 * gap - starts[-1]),
    ):
        bottom = digit.top + (digit.height + cap_px) // 2
        row = [
            (part, Box(start + offset, bottom - cap_px, part.width, cap_px))
            for part, offset in zip(parts, starts, strict=False)
        ]
        yield row, _SIDE_COST[side]


def _slope(digits: Sequence[DigitRow]) -> float:
    """How far a number runs downhill per pixel; 0 where it is about level, so that its labels are level too."""
    if len(digits) < 4:
        return 0.0
    x = np.array([d.left + d.width / 2 for d in digits])
    y = np.array([d.top + d.height / 2 for d in digits])
    height = float(np.median([d.height for d in digits]))
    if np.ptp(x) < height:
        return 0.0
    slope, start = np.polyfit(x, y, 1)
    straight = float(np.std(y - slope * x - start)) < 0.15 * height
    return float(slope) if straight and 0.05 < abs(slope) < 1 else 0.0


def _between(cap_px: int) -> int:
    """Pixels between two parts of a row."""
    return max(5, round(0.6 * cap_px))


def _lefts(parts: Sequence[Part], cap_px: int, page_width: int) -> list[int]:
    """The left ends of the parts, each as near to its middle as keeps them apart, within the page if possible."""
    gap = _between(cap_px)
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + part.width + gap)
    wanted = [part.middle - part.width / 2 - start for part, start in zip(parts, starts, strict=False)]
    lefts = [round(value) + start for value, start in zip(_nearest_rising(wanted), starts, strict=False)]
    shift = max(0, 2 - lefts[0]) or min(0, page_width - 2 - lefts[-1] - parts[-1].width)
    return [left + shift for left in lefts]


def _nearest_rising(values: Sequence[float]) -> list[float]:
    """The never falling values that are nearest to `values` by squares (isotonic regression by pooling)."""
    runs: list[list[float]] = []
    for value in values:
        runs.append([value])
        while len(runs) > 1 and fmean(runs[-2]) > fmean(runs[-1]):
            last = runs.pop()
            runs[-1] += last
    return [fmean(run) for run in runs for _ in run]
