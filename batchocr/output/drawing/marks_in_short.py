"""The marks of numbers in short, for labels on an image, and what the legend says about them."""

from __future__ import annotations

from collections.abc import Sequence

from batchocr.records import DigitRow, NumberRow

TAGS = {
    "low-confidence": ("low", "the whole number is below the threshold"),
    "not-a-digit": ("letter?", "probably a letter, a tick or a stain"),
    "struck-out": ("struck", "a stroke runs through it"),
    "sign": ("sign", "a sign is doubtful"),
    "origin": ("origin", "handwritten or printed is unsure"),
    "unread-ink": ("ink", "ink beside it was not read"),
    "maybe-missed": ("missed", "a digit may be missing"),
    "implausible": ("implausible", "the page has more digits than writing could have"),
    "doubt": ("doubt", "a person could not tell"),
}
"""By mark: its tag, and what it says about a number."""


def marks_of(row: DigitRow | NumberRow) -> list[str]:
    """Return the marks in a row's column `review`."""
    return [mark for mark in row.review.split(";") if mark]


def own_marks(number: NumberRow, digits: Sequence[DigitRow]) -> list[str]:
    """Return the marks of a number, without `low-confidence` if one of its digits has it."""
    of_digits = any("low-confidence" in marks_of(digit) for digit in digits)
    return [mark for mark in marks_of(number) if not (of_digits and mark == "low-confidence")]


def tag_of(mark: str) -> str:
    """Return the short form of a mark; the mark itself if it has none."""
    return TAGS[mark][0] if mark in TAGS else mark


def explanation_of(mark: str) -> str:
    """Return what the legend says about a mark: its tag, its name and its meaning."""
    if mark not in TAGS:
        return mark
    tag, words = TAGS[mark]
    return f"{tag}: {words}" if tag == mark else f"{tag} ({mark}): {words}"
