"""Read a level page: decide its digits, signs, lines, numbers and marks from the answers of both networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.blank_form import AlignedForm, BlankForm, find_blank_form, is_on_blank
from batchocr.decoding.digits.faint import ink_strengths, is_faint
from batchocr.decoding.digits.found_twice import is_found_twice
from batchocr.decoding.digits.joint import DIGITS, JointReading, read_jointly
from batchocr.decoding.digits.neighbours import neighbour_scores
from batchocr.decoding.layout.lines import find_lines
from batchocr.decoding.layout.numbers import WrittenNumber, find_numbers
from batchocr.decoding.layout.origins import split_by_origin
from batchocr.decoding.layout.sign_conflicts import resolve_sign_conflicts
from batchocr.decoding.layout.signs import find_signs
from batchocr.decoding.marks.familiarity import is_unfamiliar, page_medians
from batchocr.decoding.marks.maybe_missed import may_lack_digit, uncovered_boxes
from batchocr.decoding.marks.names import MAYBE_MISSED, STRUCK_OUT, UNREAD_INK
from batchocr.decoding.marks.number_ink import ReducedPage, ink_around
from batchocr.decoding.marks.page_ink import has_writing, is_cut, is_whole_page
from batchocr.decoding.marks.struck_out import is_struck_out
from batchocr.decoding.marks.unread_ink import has_unread_ink
from batchocr.decoding.parameters import PARAMETERS, DecodingParameters
from batchocr.records import SIGN, Detections, Pixels, no_detections

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ReadPage:
    """All that was decided for a page."""

    detections: Detections
    """The digits that give rows."""
    reading: JointReading
    """Their joint reading."""
    lines: tuple[tuple[WrittenNumber, ...], ...]
    """The numbers of each line, from the top; their digits are indices of `detections`."""
    ink_marks: Mapping[WrittenNumber, tuple[str, ...]] = field(default_factory=dict)
    """Marks of numbers for the ink in and around them: UNREAD_INK, MAYBE_MISSED, STRUCK_OUT."""
    faint: int = 0
    """Number of digits that were left out because their ink is far paler than that of the others."""
    on_blank: int = 0
    """Number of digits that were left out because they are ink of the blank form."""
    other_form: bool = False
    """There are blank forms, and the page fits none of them."""
    cut_off: bool = False
    """The side of the page cuts digits."""
    unread: bool = False
    """There is writing or print on the page, and no digit was found."""
    unfamiliar: bool = False
    """The page is unlike those that the models were measured on."""


@dataclass(frozen=True)
class _Candidates:
    """What may give a row: detections without weak digits, and without the weaker ones of sign conflicts."""

    digits: Detections
    crop_probabilities: Floats
    """(n, 11) of the digits."""
    signs: Detections
    doubted_signs: Mask
    """(m,): signs that may be digits."""
    weak_boxes: Floats
    """(k, 4): boxes of weak digits that may be digits nevertheless."""


@dataclass(frozen=True)
class _ReadDigits:
    """The digits of a page that give rows, and what was left out."""

    digits: Detections
    reading: JointReading
    strengths: Floats
    """(n,) strengths of their ink."""
    medians: Floats | None
    """(3,) medians that describe the page."""
    left_out_boxes: Floats
    """(k, 4): boxes of detections without a row that may be digits nevertheless."""
    faint: int


def decode(
    pixels: Pixels,
    detections: Detections,
    crop_probabilities: Floats,
    parameters: DecodingParameters = PARAMETERS,
    blanks: Sequence[BlankForm] = (),
    placed: AlignedForm | None = None,
) -> ReadPage:
    """Decide lines, numbers, signs, readings and marks of a page.

    Args:
        pixels: (height, width) uint8, the level page, dark on light.
        detections: the n detections of the page, after non-maximum suppression.
        crop_probabilities: (n, 11) class probabilities of their crops; zeros for signs.
        parameters: the parameters of all steps.
        blanks: blank forms. What is printed on the form that the page fits is left out.
        placed: the blank form on which the page was placed already; then no other form is tried.

    Returns:
        All that was decided.
    """
    p = parameters
    form = placed
    if form is None and blanks:
        form = find_blank_form(pixels, blanks, p.blank_form.registration)
    printed = no_detections()
    if form is not None:
        on_blank = is_on_blank(pixels, detections.boxes, form, p.blank_form)
        printed, detections = detections.take(on_blank), detections.take(~on_blank)
        crop_probabilities = crop_probabilities[~on_blank]
    candidates = _select_candidates(detections, crop_probabilities, p)
    read = _read_digits(pixels, candidates, p)
    digits, signs = read.digits, candidates.signs
    boxes = np.asarray(digits.boxes, np.float64)
    numbers = _find_all_numbers(pixels, digits, signs, candidates.doubted_signs, p)
    explained = np.concatenate([boxes, np.asarray(signs.boxes, np.float64), np.asarray(printed.boxes, np.float64)])
    missed = uncovered_boxes(np.concatenate([candidates.weak_boxes, read.left_out_boxes]), explained, p.maybe_missed)
    ink_marks, reduced = {}, ReducedPage(pixels, p.number_ink)
    for number in (number for line in numbers for number in line):
        if marks := _ink_marks(reduced, boxes[list(number.digits)], explained, missed, p):
            ink_marks[number] = marks
    return ReadPage(
        digits,
        read.reading,
        numbers,
        ink_marks,
        faint=read.faint,
        on_blank=int(np.count_nonzero(printed.kinds != SIGN)),
        other_form=bool(blanks) and form is None,
        cut_off=is_whole_page(pixels, boxes, p.page_ink)
        and bool(is_cut(pixels, boxes, read.strengths, p.page_ink).any()),
        unread=not len(digits) and not len(printed) and has_writing(pixels, p.page_ink, p.contrast),
        unfamiliar=is_unfamiliar(read.medians, p.familiar),
    )


def _select_candidates(detections: Detections, crop_probabilities: Floats, p: DecodingParameters) -> _Candidates:
    """Separate weak digits, and decide between signs and digits in the same ink."""
    is_weak = (detections.kinds != SIGN) & (detections.scores < p.rows.min_digit_score)
    if not (~is_weak & (detections.kinds != SIGN)).any():
        is_weak[:] = False  # if all digits of a page are weak, they give rows
    weak_boxes = _possible_digits(detections, crop_probabilities, is_weak, p)
    detections, crop_probabilities = detections.take(~is_weak), crop_probabilities[~is_weak]
    kept, doubted = resolve_sign_conflicts(detections, p.rows.min_sign_score, p.signs)
    detections, crop_probabilities, doubted = detections.take(kept), crop_probabilities[kept], doubted[kept]
    is_sign = detections.kinds == SIGN
    return _Candidates(
        detections.take(~is_sign), crop_probabilities[~is_sign], detections.take(is_sign), doubted[is_sign], weak_boxes
    )


def _possible_digits(
    detections: Detections, crop_probabilities: Floats, is_weak: Mask, p: DecodingParameters
) -> Floats:
    """Return the boxes (n, 4) of the weak digits that may be digits nevertheless."""
    weak, boxes, scores = detections.take(is_weak), detections.boxes, detections.scores
    if not len(weak):
        return np.empty((0, 4))
    is_digit = detections.kinds != SIGN
    neighbours = neighbour_scores(boxes[is_digit], scores[is_digit], p.neighbours)[is_weak[is_digit]]
    reading = _read(weak, crop_probabilities[is_weak], neighbours, p)
    return np.asarray(weak.boxes[reading.is_digit >= p.maybe_missed.min_digit_probability], np.float64)


def _read(digits: Detections, crop_probabilities: Floats, neighbours: Floats, p: DecodingParameters) -> JointReading:
    """Read digits (n,) by both networks; `neighbours` (n, 2) are the scores of their neighbours."""
    return read_jointly(
        digits.scores, digits.probabilities, crop_probabilities, neighbours, p.joint, p.calibration, p.features
    )


def _read_digits(pixels: Pixels, candidates: _Candidates, p: DecodingParameters) -> _ReadDigits:
    """Read the candidates, and leave out non-digits, repeated digits and faint digits."""
    digits = candidates.digits
    neighbours = neighbour_scores(digits.boxes, digits.scores, p.neighbours)
    reading = _read(digits, candidates.crop_probabilities, neighbours, p)
    keep = (reading.is_digit >= p.rows.min_digit_probability) & (reading.confidences >= p.rows.min_confidence)
    keep &= ~is_found_twice(np.asarray(digits.boxes, np.float64), reading, p.found_twice)
    if len(digits) == 1:
        keep[:] = True
    left_out = digits.boxes[~keep & (reading.is_digit >= p.maybe_missed.min_digit_probability)]
    strengths = ink_strengths(pixels, digits.boxes, p.faint, p.contrast)
    faint = keep & is_faint(strengths, digits.scores, p.faint)
    keep &= ~faint
    return _ReadDigits(
        digits.take(keep),
        reading.take(keep),
        strengths[keep],
        page_medians(digits.boxes[keep], digits.scores[keep], strengths[keep], p.familiarity),
        np.asarray(left_out, np.float64),
        int(np.count_nonzero(faint)),
    )


def _find_all_numbers(
    pixels: Pixels, digits: Detections, signs: Detections, doubted_signs: Mask, p: DecodingParameters
) -> tuple[tuple[WrittenNumber, ...], ...]:
    """Find the numbers of each line, split where print and handwriting meet."""
    boxes = np.asarray(digits.boxes, np.float64)
    lines = find_lines(boxes, p.lines)
    page_signs = find_signs(signs, boxes, doubted_signs, p.signs)
    found = find_numbers(lines, boxes, pixels, page_signs, p.numbers, p.signs)
    shares = np.asarray(digits.print_shares, np.float64)
    may_be_sign = digits.probabilities[:, DIGITS:].sum(axis=1) >= p.signs.min_digit_sign_share
    return tuple(
        tuple(
            replace(part, doubtful=part.doubtful or bool(may_be_sign[list(part.digits)].any()))
            for number in line
            for part in split_by_origin(number, boxes, shares, pixels, p.origins, p.numbers.rules)
        )
        for line in found
    )


def _ink_marks(
    page: ReducedPage, digits: Floats, explained: Floats, missed: Floats, p: DecodingParameters
) -> tuple[str, ...]:
    """Return the marks of a number for the ink in and around it.

    `digits` (n, 4) are its boxes, `explained` (m, 4) those of all that was found on the page, `missed` (k, 4) those of
    detections that were nearly read as digits.
    """
    may_be_missed = may_lack_digit(digits, missed, p.maybe_missed)
    ink = ink_around(page, digits)
    marks = (
        (UNREAD_INK, ink is not None and has_unread_ink(ink, explained, p.unread_ink)),
        (MAYBE_MISSED, may_be_missed),
        (STRUCK_OUT, ink is not None and is_struck_out(ink, len(digits), p.struck_out)),
    )
    return tuple(mark for mark, holds in marks if holds)
