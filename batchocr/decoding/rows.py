"""The rows of a page: what is written, how sure that is, by hand or in print, and what is doubtful about it.

`marking` chooses those that are wanted, and marks what is below a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.blank_form import BlankForm
from batchocr.decoding.decode import DecodingParameters, ReadPage, decode
from batchocr.decoding.marks import (
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
from batchocr.decoding.numbers import WrittenNumber
from batchocr.decoding.origins import origin_of
from batchocr.decoding.signs import written
from batchocr.records import Detections, DigitRow, NumberRow, PageResult, PreparedPage

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

DECIMALS = 4
"""Of a confidence as it is written; a threshold is compared with that."""


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
                    (CUT_OFF, read.cut_off),
                    (UNREAD_INK, read.unread),
                    (UNFAMILIAR, read.unfamiliar),
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
