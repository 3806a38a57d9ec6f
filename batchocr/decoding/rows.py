"""The rows of a page: what is written, how sure that is, by hand or in print, and what is doubtful about it.

`marking` chooses those that are wanted, and marks what is below a threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.blank_form import BlankForm, BlankParameters, is_on_blank, laid_on
from batchocr.decoding.faint import FaintParameters, is_faint
from batchocr.decoding.found_twice import FoundTwiceParameters, is_found_twice
from batchocr.decoding.joint import DIGITS, Calibration, JointParameters, JointReading, read_jointly
from batchocr.decoding.lines import find_lines
from batchocr.decoding.neighbours import neighbour_scores
from batchocr.decoding.number_ink import NumberInkParameters, ink_around
from batchocr.decoding.numbers import NumberParameters, WrittenNumber, find_numbers
from batchocr.decoding.origins import OriginParameters, origin_of, parted
from batchocr.decoding.signs import SignParameters, contested, find_signs, written
from batchocr.decoding.struck_out import StruckOutParameters, is_struck_out
from batchocr.decoding.unread_ink import UnreadInkParameters, has_unread_ink
from batchocr.records import SIGN, Detections, DigitRow, NumberRow, PageResult, Pixels, PreparedPage, no_detections

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

DECIMALS = 4
"""Of a confidence as it is written; a threshold is compared with that."""
NOT_A_DIGIT = "not-a-digit"
DOUBTFUL_SIGN = "sign"
DOUBTFUL_ORIGIN = "origin"
UNREAD_INK = "unread-ink"
STRUCK_OUT = "struck-out"
IMPLAUSIBLE = "implausible"
FAINT_INK = "faint-ink"
OTHER_FORM = "other-form"


@dataclass(frozen=True)
class RowParameters:
    """When a detection is believed, and a page."""

    least_digit: float = 0.25
    """Probability that a detection is a digit, at least, for it to give a row; a run takes that of `reading.json`."""
    least_confidence: float = 0.2
    """Likewise that it is a digit and read right: what is wrong four times in five is mostly texture. On public pages
    0.1 to 0.3 lose no more than 0.4% of digits."""
    most_digits: int = 4000
    """Digits of a page, at most, that are believed: a full page of dense writing has some 1,500."""
    unsure_from: int = 300
    """Digits from which a page is not believed..."""
    unsure_confidence: float = 0.5
    """...where their median confidence is below."""


@dataclass(frozen=True)
class DecodingParameters:
    """Those of every stage."""

    joint: JointParameters = field(default_factory=JointParameters)
    calibration: Calibration = field(default_factory=Calibration)
    found_twice: FoundTwiceParameters = field(default_factory=FoundTwiceParameters)
    numbers: NumberParameters = field(default_factory=NumberParameters)
    signs: SignParameters = field(default_factory=SignParameters)
    origins: OriginParameters = field(default_factory=OriginParameters)
    ink: NumberInkParameters = field(default_factory=NumberInkParameters)
    unread_ink: UnreadInkParameters = field(default_factory=UnreadInkParameters)
    struck_out: StruckOutParameters = field(default_factory=StruckOutParameters)
    faint: FaintParameters = field(default_factory=FaintParameters)
    blank: BlankParameters = field(default_factory=BlankParameters)
    rows: RowParameters = field(default_factory=RowParameters)


@dataclass(frozen=True)
class ReadPage:
    """All that was decided for the digits of a page."""

    detections: Detections
    """The digits."""
    reading: JointReading
    lines: tuple[tuple[WrittenNumber, ...], ...]
    """From the top; places in `detections`."""
    ink_marks: Mapping[WrittenNumber, tuple[str, ...]] = field(default_factory=dict)
    """Numbers that have a mark for the ink in and around them: UNREAD_INK, STRUCK_OUT."""
    faint: int = 0
    """Digits that were left out because their ink is far paler than that of the others."""
    on_blank: int = 0
    """Digits that were left out because the blank form has the same ink there."""
    other_form: bool = False
    """There are blank forms, and the page lies on none of them."""


def page_result(
    page: PreparedPage,
    detections: Detections,
    crop_probabilities: NDArray[np.float64],
    parameters: DecodingParameters | None = None,
    blanks: Sequence[BlankForm] = (),
) -> PageResult:
    """All rows of a page from its detections, after non-maximum suppression, in reading order.

    `crop_probabilities` (n, 11) are the classifier's of each detection's crop: ten digits, and none of them; zeros for
    signs. What is printed on that one of `blanks` that the page lies on gives no rows. Raises ValueError where the
    probabilities are not as many as the detections.
    """
    if len(crop_probabilities) != len(detections):
        raise ValueError(f"{len(crop_probabilities)} probabilities for {len(detections)} detections")
    if page.level is None:
        return PageResult(page.row)
    how = parameters or DecodingParameters()
    read = decode(page.level.pixels, detections, crop_probabilities, how, blanks)
    return rows_of(page, read, how)


def decode(
    pixels: Pixels,
    detections: Detections,
    crop_probabilities: Floats,
    parameters: DecodingParameters | None = None,
    blanks: Sequence[BlankForm] = (),
) -> ReadPage:
    """Lines, numbers, signs and readings of a level page (height, width) from its detections.

    What is printed on that one of `blanks` that the page lies on is left out.
    """
    how = parameters or DecodingParameters()
    laid = laid_on(pixels, blanks) if blanks else None
    printed = no_detections()
    if laid is not None:
        on_blank = is_on_blank(pixels, detections.boxes, laid, how.blank)
        printed, detections = detections.take(on_blank), detections.take(~on_blank)
        crop_probabilities = crop_probabilities[~on_blank]
    kept, doubted = contested(detections, how.signs)
    detections, crop_probabilities, doubted = detections.take(kept), crop_probabilities[kept], doubted[kept]
    is_sign = detections.kinds == SIGN
    signs, digits, doubted = detections.take(is_sign), detections.take(~is_sign), doubted[is_sign]
    beside = neighbour_scores(digits.boxes, digits.scores)
    reading = read_jointly(
        digits.scores, digits.probabilities, crop_probabilities[~is_sign], beside, how.joint, how.calibration
    )
    keep = (reading.is_digit >= how.rows.least_digit) & (reading.confidences >= how.rows.least_confidence)
    keep &= ~is_found_twice(np.asarray(digits.boxes, np.float64), reading, how.found_twice)
    if len(digits) == 1:
        keep[:] = True  # all that is on a page gives a row, whatever it is
    faint = keep & is_faint(pixels, digits.boxes, digits.scores, how.faint)
    keep &= ~faint
    digits = digits.take(keep)
    reading = JointReading(*(getattr(reading, name)[keep] for name in JointReading.__dataclass_fields__))
    boxes = np.asarray(digits.boxes, np.float64)
    lines = find_lines(boxes)
    found = find_numbers(lines, boxes, pixels, find_signs(signs, boxes, doubted, how.signs), how.numbers, how.signs)
    shares = np.asarray(digits.print_shares, np.float64)
    may_be_sign = digits.probabilities[:, DIGITS:].sum(axis=1) >= how.signs.in_digit_share
    numbers = tuple(
        tuple(
            replace(part, doubtful=part.doubtful or bool(may_be_sign[list(part.digits)].any()))
            for number in line
            for part in parted(number, boxes, shares, pixels, how.origins)
        )
        for line in found
    )
    explained = np.concatenate([boxes, np.asarray(signs.boxes, np.float64), np.asarray(printed.boxes, np.float64)])
    ink_marks = {}
    for number in (each for line in numbers for each in line):
        if marks := _ink_marks(pixels, boxes[list(number.digits)], explained, how):
            ink_marks[number] = marks
    return ReadPage(
        digits,
        reading,
        numbers,
        ink_marks,
        faint=int(np.count_nonzero(faint)),
        on_blank=int(np.count_nonzero(printed.kinds != SIGN)),
        other_form=bool(blanks) and laid is None,
    )


def _ink_marks(pixels: Pixels, digits: Floats, explained: Floats, how: DecodingParameters) -> tuple[str, ...]:
    """The marks of a number whose digits have these boxes, for the ink in and around it."""
    ink = ink_around(pixels, digits, how.ink)
    if ink is None:
        return ()
    found = (
        (UNREAD_INK, has_unread_ink(ink, explained, how.unread_ink)),
        (STRUCK_OUT, is_struck_out(ink, len(digits), how.struck_out)),
    )
    return tuple(mark for mark, holds in found if holds)


def page_boxes(
    boxes: NDArray[np.floating], to_page: Floats, width: int | None = None, height: int | None = None
) -> Whole:
    """Boxes (n, 4) of the level page as whole pixels (n, 4) of the page as given, within it where its size is known."""
    left, top, wide, high = np.asarray(boxes, np.float64).T
    corners = np.stack(
        [np.stack([x, y, np.ones_like(x)]) for x in (left, left + wide) for y in (top, top + high)]
    )  # (4, 3, n)
    there = np.einsum("ij,cjn->cin", to_page, corners)
    there = there[:, :2] / there[:, 2:]
    begin, end = np.rint(there.min(axis=0)), np.rint(there.max(axis=0))
    most = np.array([[width or np.inf], [height or np.inf]])
    begin = np.clip(begin, 0, most - 1)
    end = np.maximum(np.clip(end, 0, most), begin + 1)
    return np.concatenate([begin, end - begin]).T.astype(np.int64)


def rows_of(page: PreparedPage, read: ReadPage, parameters: DecodingParameters | None = None) -> PageResult:
    """All rows of a page from what was read of it, those in print too, with every mark but that of a threshold."""
    how = parameters or DecodingParameters()
    if page.level is None:
        return PageResult(page.row)
    row, found = page.row, read.detections
    boxes = page_boxes(found.boxes, page.level.to_page, row.width, row.height)
    confidences = np.round(read.reading.confidences, DECIMALS)
    doubted = len(found) > how.rows.most_digits or (
        len(found) >= how.rows.unsure_from and float(np.median(confidences)) < how.rows.unsure_confidence
    )
    shares = np.asarray(found.print_shares, np.float64)
    digits: list[DigitRow] = []
    numbers: list[NumberRow] = []
    for line_at, line in enumerate(read.lines, 1):
        for number_at, number in enumerate(line, 1):
            origin, doubted_origin = origin_of(number.digits, shares, how.origins)
            ink_marks = read.ink_marks.get(number, ())
            own = [
                DigitRow(
                    file=row.file,
                    page=row.page or 1,
                    line=line_at,
                    number=number_at,
                    position=position,
                    digit=int(read.reading.digits[i]),
                    confidence=float(confidences[i]),
                    second=int(read.reading.seconds[i]),
                    second_confidence=round(float(read.reading.second_confidences[i]), DECIMALS),
                    left=int(boxes[i, 0]),
                    top=int(boxes[i, 1]),
                    width=int(boxes[i, 2]),
                    height=int(boxes[i, 3]),
                    origin=origin,
                    review=";".join(
                        reason
                        for reason, holds in (
                            (NOT_A_DIGIT, read.reading.is_digit[i] < 0.5),
                            (IMPLAUSIBLE, doubted),
                            (STRUCK_OUT, STRUCK_OUT in ink_marks),
                        )
                        if holds
                    ),
                )
                for position, i in enumerate(number.digits, 1)
            ]
            digits += own
            own_marks = (*((DOUBTFUL_ORIGIN,) if doubted_origin else ()), *ink_marks)
            numbers.append(_number_row(own, number, own_marks))
    return PageResult(
        replace(
            row,
            status="read" if digits else "empty",
            lines=len(read.lines),
            numbers=len(numbers),
            digits=len(digits),
            printed=read.on_blank,
            review=sum(bool(digit.review) for digit in digits),
            marks=";".join(
                mark
                for mark, holds in (
                    (row.marks, row.marks),
                    (IMPLAUSIBLE, doubted),
                    (FAINT_INK, read.faint),
                    (OTHER_FORM, read.other_form),
                )
                if holds
            ),
        ),
        tuple(digits),
        tuple(numbers),
    )


def _number_row(digits: Sequence[DigitRow], number: WrittenNumber, own_marks: Sequence[str]) -> NumberRow:
    """A number is right where all its digits and signs are: their confidences are multiplied.

    It has the marks of its digits, and its own, `own_marks` among them.
    """
    first = digits[0]
    left, top = min(d.left for d in digits), min(d.top for d in digits)
    right, bottom = max(d.left + d.width for d in digits), max(d.top + d.height for d in digits)
    reasons = dict.fromkeys(reason for digit in digits for reason in digit.review.split(";") if reason)
    if number.doubtful:
        reasons[DOUBTFUL_SIGN] = None
    sure = round(
        prod(digit.confidence for digit in digits) * prod(sign.confidence for _, sign in number.signs), DECIMALS
    )
    reasons |= dict.fromkeys(own_marks)
    return NumberRow(
        file=first.file,
        page=first.page,
        line=first.line,
        number=first.number,
        text=written([digit.digit for digit in digits], number.signs),
        digits="".join(str(digit.digit) for digit in digits),
        confidence=sure,
        origin=first.origin,
        left=left,
        top=top,
        width=right - left,
        height=bottom - top,
        review=";".join(reasons),
    )
