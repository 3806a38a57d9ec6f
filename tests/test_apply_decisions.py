"""Decisions of a person applied to the rows of a page: known answers, and counts that always agree."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from decisions import decision
from hypothesis import given
from hypothesis import strategies as st

from batchocr.decoding.marking import Marking, mark_rows
from batchocr.forms.form import Field, Rect
from batchocr.records import DigitRow, FieldRow, NumberRow, PageResult, PageRow
from batchocr.review.corrections.alignment import aligned
from batchocr.review.corrections.apply import apply_decisions
from batchocr.review.decision import Decision

SHA = "0" * 64
WIDTH, HEIGHT, STEP = 20, 40, 24


def page(*lines: list[str], fields: tuple[FieldRow, ...] = ()) -> PageResult:
    """Return a page: digits 20 by 40 pixels, 24 apart, numbers 100 apart, lines 100 apart."""
    digits: list[DigitRow] = []
    numbers: list[NumberRow] = []
    for line, texts in enumerate(lines, 1):
        left = 50
        for number, text in enumerate(texts, 1):
            start = left
            own: list[DigitRow] = []
            for character in filter(str.isdigit, text):
                own.append(
                    DigitRow(
                        "a.png", 1, line, number, len(own) + 1, int(character), 0.9, 0, 0.1,
                        left, 100 * line, WIDTH, HEIGHT, "hand", "",
                    )
                )  # fmt: skip
                left += STEP
            digits += own
            plain = "".join(filter(str.isdigit, text))
            size = left - STEP + WIDTH - start, HEIGHT
            confidence = round(0.9 ** len(own) * 0.8, 4)
            numbers.append(
                NumberRow("a.png", 1, line, number, text, plain, confidence, "hand", start, 100 * line, *size, "sign")
            )
            left += 100
    row = PageRow(
        "a.png",
        1,
        "read" if digits else "empty",
        width=2000,
        height=1000,
        lines=len(lines),
        numbers=len(numbers),
        sha256=SHA,
    )
    return PageResult(replace(row, digits=len(digits)), tuple(digits), tuple(numbers), None, fields)


def digit(result: PageResult, index: int, text: str, **more: Any) -> Decision:
    return decision(asdict(result.digits[index]), SHA, text, **more)


def number(result: PageResult, index: int, text: str, **more: Any) -> Decision:
    return decision(asdict(result.numbers[index]), SHA, text, **more)


def texts(result: PageResult) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for row in result.numbers:
        found.setdefault(row.line, []).append(row.text)
    return list(found.values())


def check(result: PageResult) -> None:
    """Assert that counts, lines, numbers, positions, texts and boxes of a page agree."""
    assert (result.page.digits, result.page.numbers) == (len(result.digits), len(result.numbers))
    assert sorted({row.line for row in result.numbers}) == list(range(1, result.page.lines + 1))
    assert result.page.status == ("read" if result.digits else "empty")
    assert result.page.review == sum(bool(row.review) for row in result.digits)
    places = [(row.line, row.number) for row in result.numbers]
    assert places == sorted(set(places)) and all(at == 1 or (line, at - 1) in places for line, at in places)
    left = list(result.digits)
    for row in result.numbers:
        own = [left.pop(0) for _ in row.digits]
        assert [(d.line, d.number, d.position) for d in own] == [
            (row.line, row.number, at) for at in range(1, len(own) + 1)
        ]
        assert row.digits == "".join(str(d.digit) for d in own) == "".join(filter(str.isdigit, row.text))
        assert row.left == min(d.left for d in own) and row.left + row.width == max(d.left + d.width for d in own)
        assert all(d.left >= 0 and d.left + d.width <= 2000 and d.width > 0 for d in own)
        assert 0 <= row.confidence <= 1
    assert not left


def test_without_decisions_nothing_changes() -> None:
    before = page(["12", "3.45"], ["6"])
    check(before)
    assert apply_decisions(before, []) is before
    assert mark_rows(apply_decisions(before, [digit(before, 0, "1")]), Marking(0)).digits[1:] == before.digits[1:]


def test_a_changed_digit_changes_its_number_at_its_place() -> None:
    before = page(["12", "3.45"], ["6"])
    after = apply_decisions(before, [digit(before, 3, "9")])
    check(after)
    assert texts(after) == [["12", "3.95"], ["6"]]
    changed = after.digits[3]
    assert (changed.digit, changed.confidence, changed.review, changed.second, changed.second_confidence) == (
        9, 1.0, "", 4, 0.0,
    )  # fmt: skip
    assert after.numbers[1].confidence == pytest.approx(0.9 * 0.9 * 0.8, abs=2e-4)
    assert after.numbers[1].review == "sign" and after.numbers[0] == before.numbers[0]


def test_removed_digits_go_and_so_do_empty_numbers_and_lines() -> None:
    before = page(["12", "3.45"], ["6"])
    after = apply_decisions(before, [digit(before, 0, ""), digit(before, 5, ""), digit(before, 4, "")])
    check(after)
    assert texts(after) == [["2", "3.4"]]
    assert after.page.lines == 1


def test_a_number_settles_its_digits_and_new_ones_stand_between_their_neighbours() -> None:
    before = page(["125"])
    after = apply_decisions(before, [number(before, 0, "-12,345")])
    check(after)
    row = after.numbers[0]
    assert (row.text, row.digits, row.confidence, row.review) == ("-12,345", "12345", 1.0, "")
    assert [d.confidence for d in after.digits] == [1.0] * 5
    one, two, three, four, five = after.digits
    assert (one.left, two.left, five.left) == tuple(d.left for d in before.digits)
    assert two.left < three.left < four.left < five.left


def test_an_added_digit_joins_the_number_that_it_fits_or_is_one_of_its_own() -> None:
    before = page(["12", "3.45"], ["6"])
    beside = replace(digit(before, 1, "7"), left=50 + 2 * STEP, was="", decision="add")
    after = apply_decisions(before, [beside])
    check(after)
    assert texts(after) == [["127", "3.45"], ["6"]]
    alone = replace(beside, left=1000)
    assert texts(apply_decisions(before, [alone])) == [["12", "3.45", "7"], ["6"]]
    below = replace(beside, top=400)
    between_lines = replace(beside, top=150)
    assert texts(apply_decisions(before, [below])) == [["12", "3.45"], ["6"], ["7"]]
    assert texts(apply_decisions(before, [between_lines])) == [["12", "3.45"], ["7"], ["6"]]
    assert texts(apply_decisions(page(), [beside])) == [["7"]]


def test_a_doubt_marks_and_changes_nothing_else() -> None:
    before = page(["12"])
    after = apply_decisions(before, [digit(before, 0, "", decision="doubt")])
    check(after)
    assert (after.digits[0].review, after.numbers[0].review) == ("doubt", "doubt;sign")
    assert texts(after) == [["12"]] and after.digits[0].confidence == 0.9
    whole = apply_decisions(before, [number(before, 0, "", decision="doubt")])
    assert (whole.digits[0].review, whole.numbers[0].review) == ("", "sign;doubt")


def test_what_another_model_does_not_find_is_added_and_what_it_moves_a_little_is_matched() -> None:
    before = page(["12"])
    moved = replace(digit(before, 0, "5"), left=53, width=18)
    assert texts(apply_decisions(before, [moved])) == [["52"]]
    alone = replace(before, digits=before.digits[:1], numbers=(replace(before.numbers[0], text="1", digits="1"),))
    assert texts(apply_decisions(alone, [digit(before, 1, "2")])) == [["12"]]


def field(text: str, status: str = "review") -> FieldRow:
    return FieldRow("a.png", 1, "f", "sum", text, text, 0.4, status, "gap", 40, 90, 120, 60)  # type: ignore[arg-type]


FIELDS = {("f", "sum"): Field("sum", "decimal", Rect(0, 0, 0, 0), signs=".")}


def test_a_field_settles_its_digits_and_has_a_value_by_its_kind() -> None:
    before = page(["125"], fields=(field("12.5"),))
    after = apply_decisions(before, [decision(asdict(before.fields[0]), SHA, "13.50")], FIELDS)
    check(after)
    row = after.fields[0]
    assert (row.text, row.value, row.confidence, row.status, row.reason) == ("13.50", "13.50", 1.0, "ok", "")
    assert [d.digit for d in after.digits] == [1, 3, 5, 0] and {d.confidence for d in after.digits} == {1.0}
    empty = apply_decisions(before, [decision(asdict(before.fields[0]), SHA, "")], FIELDS)
    assert (empty.fields[0].status, empty.digits, empty.page.status) == ("empty", (), "empty")


def test_a_field_follows_its_digits_and_is_settled_when_all_are() -> None:
    before = page(["125"], fields=(field("12.5"),))
    first = digit(before, 1, "9")
    row = apply_decisions(before, [first], FIELDS).fields[0]
    assert (row.text, row.value, row.status, row.confidence) == ("19.5", "19.5", "review", 0.4)
    row = apply_decisions(before, [first, digit(before, 0, "1"), digit(before, 2, "")], FIELDS).fields[0]
    assert (row.text, row.status, row.confidence, row.reason) == ("19.", "ok", 1.0, "")
    row = apply_decisions(before, [number(before, 0, "1725")], FIELDS).fields[0]
    assert (row.text, row.status, row.confidence) == ("172.5", "ok", 1.0)


def test_the_alignment_has_the_fewest_changes() -> None:
    assert aligned("125", "12345") == [(0, 0), (1, 1), (None, 2), (None, 3), (2, 4)]
    assert aligned("9", "") == [(0, None)]
    assert aligned("", "9") == [(None, 0)]


TEXT = st.text("0123456789", min_size=1, max_size=5)
PAGE = st.lists(st.lists(TEXT, min_size=1, max_size=3), min_size=1, max_size=3)


@given(st.data(), PAGE)
def test_counts_and_texts_agree_after_any_decisions(data: st.DataObject, lines: list[list[str]]) -> None:
    before = page(*lines, fields=(field("12"),))
    decisions = []
    for i in range(data.draw(st.integers(1, 6))):
        at = f"2026-11-30T06:00:0{i}Z"
        if data.draw(st.booleans()):
            row = data.draw(st.sampled_from(before.digits))
            text = data.draw(st.sampled_from(["", *"0123456789"]))
        else:
            row = data.draw(st.sampled_from(before.numbers))  # type: ignore[assignment]
            text = data.draw(st.text("0123456789.,-", max_size=7).filter(lambda t: not t or any(map(str.isdigit, t))))
        made = decision(asdict(row), SHA, text, at=at)
        if text and data.draw(st.booleans()):
            place = data.draw(st.integers(0, 1900)), data.draw(st.integers(0, 900))
            made = replace(made, left=place[0], top=place[1], was="", decision="add")
        elif data.draw(st.integers(0, 4)) == 0:
            made = replace(made, text="", decision="doubt")
        decisions.append(made)
    after = apply_decisions(before, decisions)
    check(after)
    check(mark_rows(after, Marking(0.5)))
    assert apply_decisions(before, reversed(decisions)) == after
