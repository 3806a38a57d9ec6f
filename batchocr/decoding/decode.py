"""What is written on a level page: digits, signs, lines and numbers, from what both networks say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.blank_form import BlankForm, BlankParameters, is_on_blank, laid_on
from batchocr.decoding.faint import FaintParameters, ink_strengths, is_faint
from batchocr.decoding.familiarity import Familiar, is_unfamiliar, page_medians
from batchocr.decoding.found_twice import FoundTwiceParameters, is_found_twice
from batchocr.decoding.joint import DIGITS, Calibration, JointParameters, JointReading, read_jointly
from batchocr.decoding.lines import find_lines
from batchocr.decoding.marks import MAYBE_MISSED, STRUCK_OUT, UNREAD_INK
from batchocr.decoding.maybe_missed import MaybeMissedParameters, may_lack_digit, not_taken
from batchocr.decoding.neighbours import neighbour_scores
from batchocr.decoding.number_ink import NumberInkParameters, ReducedPage, ink_around
from batchocr.decoding.numbers import NumberParameters, WrittenNumber, find_numbers
from batchocr.decoding.origins import OriginParameters, parted
from batchocr.decoding.page_ink import PageInkParameters, has_writing, is_cut, is_whole_page
from batchocr.decoding.signs import SignParameters, contested, find_signs
from batchocr.decoding.struck_out import StruckOutParameters, is_struck_out
from batchocr.decoding.unread_ink import UnreadInkParameters, has_unread_ink
from batchocr.records import SIGN, Detections, Pixels, no_detections

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RowParameters:
    """When a detection is believed, and a page."""

    min_score: tuple[float, float] = (0.3, 0.3)
    """Of the detector, of digits and of signs: weaker digits give no row, and may mark a number; of weaker signs only
    slashes count. A run takes those of `reading.json`."""
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
    maybe_missed: MaybeMissedParameters = field(default_factory=MaybeMissedParameters)
    struck_out: StruckOutParameters = field(default_factory=StruckOutParameters)
    faint: FaintParameters = field(default_factory=FaintParameters)
    familiar: Familiar = field(default_factory=Familiar)
    page_ink: PageInkParameters = field(default_factory=PageInkParameters)
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
    """Numbers that have a mark for what is in and around them: UNREAD_INK, MAYBE_MISSED, STRUCK_OUT."""
    faint: int = 0
    """Digits that were left out because their ink is far paler than that of the others."""
    on_blank: int = 0
    """Digits that were left out because the blank form has the same ink there."""
    other_form: bool = False
    """There are blank forms, and the page lies on none of them."""
    cut_off: bool = False
    """The side of the page cuts digits."""
    unread: bool = False
    """Something is written or printed there, and no digit was found."""
    unfamiliar: bool = False
    """The page is unlike those that the models were measured on."""


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
    is_weak = (detections.kinds != SIGN) & (detections.scores < how.rows.min_score[0])
    if not (~is_weak & (detections.kinds != SIGN)).any():
        is_weak[:] = False  # all that is on a page gives a row, whatever it is
    nearly = _nearly_taken(detections, crop_probabilities, is_weak, how)
    detections, crop_probabilities = detections.take(~is_weak), crop_probabilities[~is_weak]
    kept, doubted = contested(detections, how.rows.min_score[1], how.signs)
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
        keep[:] = True
    left_out = digits.boxes[~keep & (reading.is_digit >= how.maybe_missed.min_digit)]
    strengths = ink_strengths(pixels, digits.boxes, how.faint)
    faint = keep & is_faint(strengths, digits.scores, how.faint)
    keep &= ~faint
    medians = page_medians(digits.boxes[keep], digits.scores[keep], strengths[keep])
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
    nearly = not_taken(np.concatenate([nearly, np.asarray(left_out, np.float64)]), explained, how.maybe_missed)
    ink_marks, reduced = {}, ReducedPage(pixels)
    for number in (each for line in numbers for each in line):
        if marks := _ink_marks(reduced, boxes[list(number.digits)], explained, nearly, how):
            ink_marks[number] = marks
    return ReadPage(
        digits,
        reading,
        numbers,
        ink_marks,
        faint=int(np.count_nonzero(faint)),
        on_blank=int(np.count_nonzero(printed.kinds != SIGN)),
        other_form=bool(blanks) and laid is None,
        cut_off=is_whole_page(pixels, boxes, how.page_ink)
        and bool(is_cut(pixels, boxes, strengths[keep], how.page_ink).any()),
        unread=not len(digits) and not len(printed) and has_writing(pixels, how.page_ink),
        unfamiliar=is_unfamiliar(medians, how.familiar),
    )


def _nearly_taken(
    detections: Detections, crop_probabilities: Floats, is_weak: NDArray[np.bool_], how: DecodingParameters
) -> Floats:
    """Boxes (n, 4) of the weak digits that may be digits after all."""
    weak, boxes, scores = detections.take(is_weak), detections.boxes, detections.scores
    if not len(weak):
        return np.empty((0, 4))
    is_digit = detections.kinds != SIGN
    beside = neighbour_scores(boxes[is_digit], scores[is_digit])[is_weak[is_digit]]
    crops = crop_probabilities[is_weak]
    reading = read_jointly(weak.scores, weak.probabilities, crops, beside, how.joint, how.calibration)
    return np.asarray(weak.boxes[reading.is_digit >= how.maybe_missed.min_digit], np.float64)


def _ink_marks(
    page: ReducedPage, digits: Floats, explained: Floats, nearly: Floats, how: DecodingParameters
) -> tuple[str, ...]:
    """The marks of a number whose digits have these boxes, for the ink in and around it.

    `explained` (n, 4) are the boxes of all that was found on the page, `nearly` (m, 4) those nearly taken for digits.
    """
    missed = may_lack_digit(digits, nearly, how.maybe_missed)
    ink = ink_around(page, digits, how.ink)
    found = (
        (UNREAD_INK, ink is not None and has_unread_ink(ink, explained, how.unread_ink)),
        (MAYBE_MISSED, missed),
        (STRUCK_OUT, ink is not None and is_struck_out(ink, len(digits), how.struck_out)),
    )
    return tuple(mark for mark, holds in found if holds)
