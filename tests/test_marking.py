"""Rows are left out and marked: the others keep their order, and lines and numbers are counted again."""

from __future__ import annotations

from dataclasses import replace

from batchocr.decoding.marking import Marking, mark_rows
from batchocr.records import DigitRow, NumberRow, Origin, PageResult, PageRow


def page(*numbers: tuple[int, int, str, Origin, float, str]) -> PageResult:
    """Return a page; each number has its line, its position, digits, origin, confidence and marks."""
    digits: list[DigitRow] = []
    rows: list[NumberRow] = []
    for line, number, text, origin, confidence, review in numbers:
        digits += [
            DigitRow("a", 1, line, number, at, int(c), confidence, 0, 0.0, at, line, 1, 1, origin, review)
            for at, c in enumerate(text, 1)
        ]
        whole = confidence ** len(text)
        rows.append(NumberRow("a", 1, line, number, text, text, whole, origin, 0, line, 1, 1, review))
    row = PageRow("a", 1, "read", lines=99, numbers=len(rows), digits=len(digits))
    return PageResult(row, tuple(digits), tuple(rows))


BOTH = page(
    (1, 1, "11", "print", 0.99, ""),
    (1, 2, "22", "hand", 0.95, ""),
    (2, 1, "3", "print", 0.7, "not-a-digit"),
    (3, 1, "4", "hand", 0.5, "struck-out"),
    (3, 2, "5", "print", 0.99, ""),
    (3, 3, "6", "hand", 1.0, ""),
)


def test_lines_and_numbers_are_counted_again_if_some_are_left_out() -> None:
    read = mark_rows(BOTH, Marking(0.0, "drop"))
    assert [(n.line, n.number, n.text) for n in read.numbers] == [(1, 1, "22"), (2, 1, "4"), (2, 2, "6")]
    assert [(d.line, d.number, d.position, d.digit) for d in read.digits] == [
        (1, 1, 1, 2),
        (1, 1, 2, 2),
        (2, 1, 1, 4),
        (2, 2, 1, 6),
    ]
    assert (read.page.lines, read.page.numbers, read.page.digits, read.page.printed) == (2, 3, 4, 4)
    only = mark_rows(BOTH, Marking(0.0, "only"))
    assert ("".join(str(d.digit) for d in only.digits), only.page.printed) == ("1135", 0)
    assert [(n.line, n.text) for n in only.numbers] == [(1, "11"), (2, "3"), (3, "5")]


def test_a_page_without_wanted_rows_is_empty() -> None:
    alone = page((1, 1, "7", "print", 0.9, ""))
    assert mark_rows(alone, Marking(0.5, "drop")).page.status == "empty"
    assert mark_rows(alone, Marking(0.5, "keep")).page.status == "read"


def test_the_mark_of_the_threshold_comes_first() -> None:
    read = mark_rows(BOTH, Marking(0.92))
    assert {d.digit: d.review for d in read.digits} == {
        1: "",
        2: "",
        3: "low-confidence;not-a-digit",
        4: "low-confidence;struck-out",
        5: "",
        6: "",
    }
    assert next(n.review for n in read.numbers if n.text == "22") == "low-confidence"  # 0.95 twice is 0.9025
    assert read.page.review == 2


def test_a_failed_page_is_unchanged() -> None:
    failed = PageResult(replace(BOTH.page, status="failed"))
    assert mark_rows(failed, Marking(0.5, "drop")) == failed
