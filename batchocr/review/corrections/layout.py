"""The lines and numbers of a page while corrections are applied: rows become numbers, and numbers become rows again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from batchocr.decoding.rows import DECIMALS
from batchocr.records import Box, DigitRow, FieldRow, NumberRow, Origin, PageResult


@dataclass
class Number:
    """A number of the page. It has at least one digit, or is removed."""

    digits: list[DigitRow]
    signs: list[str]
    """The signs before each digit, and those after the last."""
    sign_confidence: float
    """Probability that all signs are right."""
    marks: list[str]
    """Review marks that are not those of its digits."""
    row: NumberRow | None = None
    """The row as it was, while nothing has changed."""

    @property
    def box(self) -> Box:
        """The box around its digits; that of its row while nothing has changed."""
        return box_of(self.row) if self.row else around(self.digits)

    @property
    def text(self) -> str:
        """Its digits with their signs."""
        return "".join(sign + str(d.digit) for sign, d in zip(self.signs, self.digits, strict=False)) + self.signs[-1]

    @property
    def origin(self) -> Origin:
        """Handwritten or printed."""
        return self.digits[0].origin

    def remove_digit(self, position: int) -> None:
        """Remove a digit. Signs after the last digit go too."""
        self.row = None
        del self.digits[position]
        self.signs[position : position + 2] = [self.signs[position] + self.signs[position + 1]]
        if position == len(self.digits):
            self.signs[-1] = ""

    def insert_digit(self, position: int, digit: DigitRow) -> None:
        """Insert a digit before the one that is at this position now."""
        self.row = None
        self.digits.insert(position, digit)
        self.signs.insert(position if position else 1, "")

    def replace_digit(self, position: int, digit: DigitRow) -> None:
        """Replace a digit."""
        self.row = None
        self.digits[position] = digit


Line = list[Number]


@dataclass
class Layout:
    """The lines of a page."""

    lines: list[Line] = field(default_factory=list)

    def numbers(self) -> Iterator[Number]:
        """Yield all numbers in reading order."""
        for line in self.lines:
            yield from line

    def places(self) -> list[tuple[Number, int]]:
        """Return number and position of each digit in reading order."""
        return [(number, position) for number in self.numbers() for position in range(len(number.digits))]

    def within(self, place: Box) -> list[tuple[Number, int]]:
        """Return the places of the digits whose centre is in a box, in reading order."""
        return [(number, at) for number, at in self.places() if is_centre_in(box_of(number.digits[at]), place)]

    def drop_empty(self) -> None:
        """Remove numbers without digits, and lines without numbers."""
        lines = ([number for number in line if number.digits] for line in self.lines)
        self.lines = [line for line in lines if line]


def box_of(row: DigitRow | NumberRow | FieldRow) -> Box:
    """Return the box of a row."""
    return Box(row.left, row.top, row.width, row.height)


def around(digits: Sequence[DigitRow]) -> Box:
    """Return the box around digits."""
    boxes = [box_of(digit) for digit in digits]
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    return Box(left, top, max(box.right for box in boxes) - left, max(box.bottom for box in boxes) - top)


def is_centre_in(box: Box, place: Box) -> bool:
    """Return whether the centre of a box is in another box."""
    x, y = box.left + box.width / 2, box.top + box.height / 2
    return place.left <= x <= place.right and place.top <= y <= place.bottom


def split_signs(text: str) -> tuple[str, list[str]]:
    """Return the digits of a number, and the signs before each digit and after the last."""
    signs, digits = [""], ""
    for character in text:
        if character.isdigit():
            digits += character
            signs.append("")
        else:
            signs[-1] += character
    return digits, signs


def layout_of(result: PageResult) -> Layout:
    """Return the lines of a page that was read."""
    digits_of: dict[tuple[int, int], list[DigitRow]] = defaultdict(list)
    for digit in result.digits:
        digits_of[digit.line, digit.number].append(digit)
    lines: dict[int, Line] = defaultdict(list)
    for row in result.numbers:
        digits = digits_of[row.line, row.number]
        of_digits = set(_marks(digits))
        known = prod(digit.confidence for digit in digits)
        lines[row.line].append(
            Number(
                digits,
                split_signs(row.text)[1],
                min(1.0, row.confidence / known) if known else 1.0,
                [mark for mark in row.review.split(";") if mark and mark not in of_digits],
                row,
            )
        )
    return Layout([lines[line] for line in sorted(lines)])


def with_layout(result: PageResult, layout: Layout) -> PageResult:
    """Return a page with these lines. Lines, numbers and positions are counted again."""
    digits: list[DigitRow] = []
    numbers: list[NumberRow] = []
    for line_number, line in enumerate(layout.lines, 1):
        for number_in_line, number in enumerate(line, 1):
            own = [
                replace(digit, line=line_number, number=number_in_line, position=position)
                for position, digit in enumerate(number.digits, 1)
            ]
            digits += own
            row = number.row or _number_row(number)
            numbers.append(replace(row, line=line_number, number=number_in_line))
    page = replace(
        result.page,
        status="read" if digits else "empty",
        lines=len(layout.lines),
        numbers=len(numbers),
        digits=len(digits),
        review=sum(bool(digit.review) for digit in digits),
    )
    return replace(result, page=page, digits=tuple(digits), numbers=tuple(numbers))


def _number_row(number: Number) -> NumberRow:
    first, box = number.digits[0], around(number.digits)
    return NumberRow(
        file=first.file,
        page=first.page,
        line=first.line,
        number=first.number,
        text=number.text,
        digits="".join(str(digit.digit) for digit in number.digits),
        confidence=round(prod(digit.confidence for digit in number.digits) * number.sign_confidence, DECIMALS),
        origin=number.origin,
        left=box.left,
        top=box.top,
        width=box.width,
        height=box.height,
        review=";".join(dict.fromkeys([*_marks(number.digits), *number.marks])),
    )


def _marks(digits: Sequence[DigitRow]) -> list[str]:
    return [mark for digit in digits for mark in digit.review.split(";") if mark]
