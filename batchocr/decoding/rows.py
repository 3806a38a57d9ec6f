"""Make the rows of a page: digits, numbers and the page itself, with confidences, origins and marks.

`marking` then chooses the rows that are wanted, and marks those below a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.decode import ReadPage, decode
from batchocr.decoding.digits.blank_form import AlignedForm, BlankForm
from batchocr.decoding.layout.numbers import WrittenNumber
from batchocr.decoding.layout.origins import origin_of
from batchocr.decoding.layout.signs import number_text
from batchocr.decoding.marks.names import (
    CUT_OFF,
    DOUBTFUL_ORIGIN,
    DOUBTFUL_SIGN,
    FAINT_INK,
    IMPLAUSIBLE,
    NOT_A_DIGIT,
    OTHER_FORM,
    STRUCK_OUT,
    UNFAMILIAR,
    UNREAD_INK,
)
from batchocr.decoding.parameters import PARAMETERS, DecodingParameters, RowParameters
from batchocr.records import Detections, DigitRow, NumberRow, Origin, PageResult, PageRow, PreparedPage

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

DECIMALS = 4
"""Number of decimals of a confidence in the rows. Thresholds are compared with the rounded confidence."""


def page_result(
    page: PreparedPage,
    detections: Detections,
    crop_probabilities: NDArray[np.float64],
    parameters: DecodingParameters = PARAMETERS,
    blanks: Sequence[BlankForm] = (),
    placed: AlignedForm | None = None,
) -> PageResult:
    """Make all rows of a page from its detections.

    Args:
        page: the page; without a level page it has no rows.
        detections: its n detections, after non-maximum suppression.
        crop_probabilities: (n, 11) class probabilities of their crops: ten digits, then the non-digit; zeros for signs.
        parameters: the parameters of all steps of decoding.
        blanks: blank forms. What is printed on the form that the page fits gives no rows.
        placed: the blank form on which the page was placed already; then no other form is tried.

    Returns:
        The rows in reading order.

    Raises:
        ValueError: the number of probabilities is not the number of detections.
    """
    if len(crop_probabilities) != len(detections):
        raise ValueError(f"{len(crop_probabilities)} probabilities for {len(detections)} detections")
    if page.level is None:
        return PageResult(page.row)
    read = decode(page.level.pixels, detections, crop_probabilities, parameters, blanks, placed)
    return rows_of(page, read, parameters)


def page_boxes(
    boxes: NDArray[np.floating],
    to_page: Floats,
    width: int | None = None,
    height: int | None = None,
    bend: NDArray[np.float32] | None = None,
    level_shape: tuple[int, ...] | None = None,
) -> Whole:
    """Convert boxes of the level page to whole pixels of the page as given.

    Args:
        boxes: (n, 4) left, top, width and height in pixels of the level page.
        to_page: (3, 3) homography from points of the level page to points of the page as given.
        width: width of the page as given in pixels; None if it is unknown.
        height: height of the page as given in pixels; None if it is unknown.
        bend: how far the paper is bent: see `Placement.bend`; None if the page was not placed on a form.
        level_shape: height and width of the level page. It must be given with `bend`.

    Returns:
        (n, 4) left, top, width and height; inside the page if its size is known.
    """
    left, top, box_width, box_height = np.asarray(boxes, np.float64).T
    corners = np.stack(
        [np.stack([x, y, np.ones_like(x)]) for x in (left, left + box_width) for y in (top, top + box_height)]
    )  # (4, 3, n)
    if bend is not None:
        if level_shape is None:
            raise ValueError("the bend of a page requires the shape of the level page")
        from batchocr.vision.geometry.laying import bend_at  # imports OpenCV

        corners[:, :2] += np.stack([bend_at(each[:2].T, bend, level_shape).T for each in corners])
    on_page = np.einsum("ij,cjn->cin", to_page, corners)
    on_page = on_page[:, :2] / on_page[:, 2:]
    start, end = np.rint(on_page.min(axis=0)), np.rint(on_page.max(axis=0))
    size = np.array([[width or np.inf], [height or np.inf]])
    start = np.clip(start, 0, size - 1)
    end = np.maximum(np.clip(end, 0, size), start + 1)
    return np.concatenate([start, end - start]).T.astype(np.int64)


def rows_of(page: PreparedPage, read: ReadPage, parameters: DecodingParameters = PARAMETERS) -> PageResult:
    """Make all rows of a page, printed ones too, with every mark except that of the threshold.

    Args:
        page: the page; without a level page it has no rows.
        read: what was decided for the page.
        parameters: the parameters of all steps of decoding.

    Returns:
        The rows in reading order.
    """
    if page.level is None:
        return PageResult(page.row)
    level, placement = page.level, page.level.placement
    boxes = page_boxes(
        read.detections.boxes,
        level.to_page,
        page.row.width,
        page.row.height,
        None if placement is None else placement.bend,
        level.pixels.shape,
    )
    confidences = np.round(read.reading.confidences, DECIMALS)
    implausible = _is_implausible(confidences, parameters.rows)
    shares = np.asarray(read.detections.print_shares, np.float64)
    digits: list[DigitRow] = []
    numbers: list[NumberRow] = []
    for line_number, line in enumerate(read.lines, 1):
        for number_in_line, number in enumerate(line, 1):
            origin, doubtful_origin = origin_of(number.digits, shares, parameters.origins)
            ink_marks = read.ink_marks.get(number, ())
            own = [
                _digit_row(
                    page.row,
                    (line_number, number_in_line, position),
                    read,
                    i,
                    float(confidences[i]),
                    boxes[i],
                    origin,
                    (
                        (NOT_A_DIGIT, read.reading.is_digit[i] < parameters.rows.min_likely_digit_probability),
                        (IMPLAUSIBLE, implausible),
                        (STRUCK_OUT, STRUCK_OUT in ink_marks),
                    ),
                )
                for position, i in enumerate(number.digits, 1)
            ]
            digits += own
            number_marks = (*((DOUBTFUL_ORIGIN,) if doubtful_origin else ()), *ink_marks)
            numbers.append(_number_row(own, number, number_marks))
    page_row = replace(
        page.row,
        status="read" if digits else "empty",
        lines=len(read.lines),
        numbers=len(numbers),
        digits=len(digits),
        printed=read.on_blank,
        review=sum(bool(digit.review) for digit in digits),
        marks=_joined_marks(
            (
                (page.row.marks, bool(page.row.marks)),
                (IMPLAUSIBLE, implausible),
                (FAINT_INK, bool(read.faint)),
                (OTHER_FORM, read.other_form),
                (CUT_OFF, read.cut_off),
                (UNREAD_INK, read.unread),
                (UNFAMILIAR, read.unfamiliar),
            )
        ),
    )
    return PageResult(page_row, tuple(digits), tuple(numbers))


def _is_implausible(confidences: Floats, p: RowParameters) -> bool:
    """Return whether a page has more digits than writing can have, or many digits with low confidences (n,)."""
    return len(confidences) > p.max_digits or (
        len(confidences) >= p.min_doubtful_digits and float(np.median(confidences)) < p.min_median_confidence
    )


def _joined_marks(marks: Sequence[tuple[str, bool]]) -> str:
    """Join the marks that hold, in the way of the columns `review` and `marks`."""
    return ";".join(mark for mark, holds in marks if holds)


def _digit_row(
    page: PageRow,
    place: tuple[int, int, int],
    read: ReadPage,
    i: int,
    confidence: float,
    box: Whole,
    origin: Origin,
    marks: Sequence[tuple[str, bool]],
) -> DigitRow:
    """Make the row of digit `i`; `place` is its line, its number on the line and its position in the number."""
    line, number, position = place
    left, top, width, height = box.tolist()
    return DigitRow(
        file=page.file,
        page=page.page or 1,
        line=line,
        number=number,
        position=position,
        digit=int(read.reading.digits[i]),
        confidence=confidence,
        second=int(read.reading.seconds[i]),
        second_confidence=round(float(read.reading.second_confidences[i]), DECIMALS),
        left=left,
        top=top,
        width=width,
        height=height,
        origin=origin,
        review=_joined_marks(marks),
    )


def _number_row(digits: Sequence[DigitRow], number: WrittenNumber, number_marks: Sequence[str]) -> NumberRow:
    """Make the row of a number.

    A number is right if all its digits and signs are right: their confidences are multiplied. It has the marks of its
    digits, and its own marks.
    """
    left, top = min(d.left for d in digits), min(d.top for d in digits)
    right, bottom = max(d.left + d.width for d in digits), max(d.top + d.height for d in digits)
    marks = dict.fromkeys(mark for digit in digits for mark in digit.review.split(";") if mark)
    if number.doubtful:
        marks[DOUBTFUL_SIGN] = None
    marks |= dict.fromkeys(number_marks)
    confidence = prod(digit.confidence for digit in digits) * prod(sign.confidence for _, sign in number.signs)
    return NumberRow(
        file=digits[0].file,
        page=digits[0].page,
        line=digits[0].line,
        number=digits[0].number,
        text=number_text([digit.digit for digit in digits], number.signs),
        digits="".join(str(digit.digit) for digit in digits),
        confidence=round(confidence, DECIMALS),
        origin=digits[0].origin,
        left=left,
        top=top,
        width=right - left,
        height=bottom - top,
        review=";".join(marks),
    )
