"""From probabilities to rows: which digit, how sure, why a person should look, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from batchocr.recognition.calibration import Floats
from batchocr.recognition.reading import page_result, read
from batchocr.records import Box, Candidate, Layout, Line, Number, PageRow, SeenPage


def sure_of(digit: int, confidence: float = 0.99, second: int = 8) -> list[float]:
    """A row of probabilities; what is left over is the runner-up's, but for a little."""
    row = [0.0] * 11
    row[digit], row[second] = confidence, 1 - confidence
    return row


def probabilities(*rows: Sequence[float]) -> Floats:
    return np.array(rows, np.float64)


def candidates(n: int, joined: Sequence[int] = ()) -> list[Candidate]:
    return [Candidate(Box(10 + 30 * i, 20 - i, 20, 40), joined=i in joined, start=i, stop=i + 1) for i in range(n)]


def seen(*lines: Sequence[int], joined: Sequence[int] = ()) -> SeenPage:
    """A page whose lines have numbers of so many digits."""
    rest = iter(candidates(sum(map(sum, lines)), joined))
    layout = Layout(
        tuple(Line(tuple(Number(tuple(next(rest) for _ in range(n))) for n in line)) for line in lines),
        np.zeros((sum(map(sum, lines)), 28, 28), np.uint8),
        angle=1.5,
    )
    return SeenPage(PageRow("a.png", 1, "read", width=640, height=480, angle=1.5, sha256="ab"), layout)


def test_the_digit_its_confidence_and_the_runner_up() -> None:
    (reading,) = read(probabilities(sure_of(7, 0.91, second=1)), candidates(1), 0.9)
    assert (reading.digit, reading.confidence, reading.second, reading.second_confidence) == (7, 0.91, 1, 0.09)
    assert reading.review == ()


def test_of_equals_the_smaller_digit_comes_first_whatever_the_machine() -> None:
    (reading,) = read(np.full((1, 11), 1 / 11), candidates(1), 0.0)
    assert (reading.digit, reading.second) == (0, 1)


def test_below_the_threshold_is_marked_at_it_is_not_and_none_is_dropped() -> None:
    rows = probabilities(sure_of(1, 0.8), sure_of(2, 0.9), sure_of(3, 0.8999), sure_of(4, 0.89996))
    readings = read(rows, candidates(4), 0.9)
    assert [r.digit for r in readings] == [1, 2, 3, 4]
    # 0.89996 is written as 0.9000, and the file must agree with its own marks
    assert [r.review for r in readings] == [("low-confidence",), (), ("low-confidence",), ()]


def test_joined_strokes_are_marked_beside_low_confidence() -> None:
    readings = read(probabilities(sure_of(1), sure_of(1, 0.6)), candidates(2, joined=[0, 1]), 0.9)
    assert [r.review for r in readings] == [("joined",), ("low-confidence", "joined")]
    result = page_result(seen([2], joined=[0, 1]), probabilities(sure_of(1), sure_of(1, 0.6)), 0.9)
    assert [row.review for row in result.digits] == ["joined", "low-confidence;joined"]
    assert set(result.numbers[0].review.split(";")) == {"joined", "low-confidence"}


def test_a_probability_for_each_candidate_or_a_fault() -> None:
    with pytest.raises(ValueError, match="zip"):
        read(probabilities(sure_of(1)), candidates(2), 0.9)


def none(share: float = 0.97, digit: int = 3) -> list[float]:
    """A row of probabilities of what is no digit, or else one."""
    row = [0.0] * 11
    row[digit], row[10] = 1 - share, share
    return row


def test_what_is_most_likely_no_digit_gives_no_row() -> None:
    result = page_result(seen([3], [1]), probabilities(sure_of(1), none(), sure_of(2), none()), 0.9)
    assert [(r.line, r.number, r.position, r.digit) for r in result.digits] == [(1, 1, 1, 1), (1, 1, 2, 2)]
    assert [number.text for number in result.numbers] == ["12"]
    assert (result.page.lines, result.page.numbers, result.page.digits) == (1, 1, 2)


def test_a_page_of_letters_is_empty() -> None:
    result = page_result(seen([3]), probabilities(none(), none(), none()), 0.9)
    assert (result.page.status, result.digits, result.numbers) == ("empty", (), ())


def test_the_only_piece_of_writing_in_a_picture_is_told_and_marked() -> None:
    result = page_result(seen([1]), probabilities(none(0.8, 3)), 0.5)
    assert [(r.digit, r.confidence, r.review) for r in result.digits] == [(3, 0.2, "low-confidence;not-a-digit")]


def test_a_bar_among_letters_is_no_digit_and_one_among_digits_is() -> None:
    bar = none(0.01, 1)
    letters = page_result(seen([5]), probabilities(none(), none(), bar, none(), none()), 0.9)
    assert letters.digits == ()
    digits = page_result(seen([5]), probabilities(*map(sure_of, (2, 0)), bar, *map(sure_of, (1, 7))), 0.9)
    assert [r.digit for r in digits.digits] == [2, 0, 1, 1, 7]


def test_the_only_piece_of_a_page_gives_a_row_though_neither_it_nor_its_parts_look_like_a_digit() -> None:
    whole = Candidate(Box(10, 10, 40, 40), start=0, stop=2)
    parts = [Candidate(Box(10 + 20 * i, 10, 20, 40), start=i, stop=i + 1, cut=True) for i in range(2)]
    layout = Layout((Line((Number((whole, *parts)),)),), np.zeros((3, 28, 28), np.uint8), 0.0)
    page = SeenPage(PageRow("a.png", 1, "read"), layout)
    (row,) = page_result(page, probabilities(none(0.8, 3), none(), none()), 0.9).digits
    assert (row.digit, row.width, row.review) == (3, 40, "low-confidence;not-a-digit")
    apart = page_result(page, probabilities(none(), sure_of(1), sure_of(7)), 0.9).digits
    assert [r.digit for r in apart] == [1, 7]


def test_a_number_after_a_word_stays() -> None:
    word = [Candidate(Box(12 * i, 30, 10, 20), start=i, stop=i + 1) for i in range(6)]
    number = [Candidate(Box(110 + 25 * i, 10, 20, 40), start=i, stop=i + 1) for i in range(4)]
    line = Line((Number(tuple(word)), Number(tuple(number))))
    layout = Layout((line,), np.zeros((10, 28, 28), np.uint8), 0.0)
    page = SeenPage(PageRow("a.png", 1, "read"), layout)
    result = page_result(page, probabilities(*[none()] * 6, *map(sure_of, (2, 0, 1, 7))), 0.9)
    assert [number.text for number in result.numbers] == ["2017"]
    assert min(r.confidence for r in result.digits) > 0.95


def test_numbers_keep_their_leading_zeros() -> None:
    result = page_result(seen([3]), probabilities(sure_of(0), sure_of(0), sure_of(7)), 0.9)
    assert [number.text for number in result.numbers] == ["007"]


def test_a_number_is_as_sure_as_all_its_digits_together() -> None:
    result = page_result(seen([2, 1]), probabilities(sure_of(1, 0.9), sure_of(2, 0.8), sure_of(3, 0.7)), 0.5)
    assert [number.confidence for number in result.numbers] == pytest.approx([0.72, 0.7])


def test_lines_numbers_and_positions_count_from_one_in_reading_order() -> None:
    digits = [5, 4, 3, 2, 1, 0]
    result = page_result(seen([2, 1], [3]), probabilities(*map(sure_of, digits)), 0.5)
    assert [(r.line, r.number, r.position) for r in result.digits] == [
        (1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1), (2, 1, 2), (2, 1, 3),
    ]  # fmt: skip
    assert [row.digit for row in result.digits] == digits
    assert [(n.line, n.number, n.text) for n in result.numbers] == [(1, 1, "54"), (1, 2, "3"), (2, 1, "210")]
    assert {(row.file, row.page) for row in result.digits} == {("a.png", 1)}
    assert {(row.file, row.page) for row in result.numbers} == {("a.png", 1)}


def test_a_digit_has_its_own_box_and_a_number_the_one_round_its_digits() -> None:
    result = page_result(seen([3]), probabilities(sure_of(1), sure_of(2), sure_of(3)), 0.5)
    boxes = [(r.left, r.top, r.width, r.height) for r in result.digits]
    assert boxes == [(10, 20, 20, 40), (40, 19, 20, 40), (70, 18, 20, 40)]
    (number,) = result.numbers
    assert (number.left, number.top, number.width, number.height) == (10, 18, 80, 42)


def test_the_page_counts_what_is_on_it() -> None:
    rows = probabilities(sure_of(1, 0.6), sure_of(2), sure_of(3))
    page = page_result(seen([2], [1], joined=[0]), rows, 0.9).page
    assert (page.status, page.lines, page.numbers, page.digits, page.review) == ("read", 2, 2, 3, 1)
    assert (page.width, page.height, page.angle, page.sha256) == (640, 480, 1.5, "ab")


def test_a_page_without_digits_is_empty_and_one_that_failed_stays_failed() -> None:
    nothing = np.empty((0, 11))
    blank = page_result(seen(), nothing, 0.9)
    assert (blank.page.status, blank.page.digits, blank.digits, blank.numbers) == ("empty", 0, (), ())
    row = PageRow("b.png", None, "failed", "damaged", "b.png: is damaged")
    assert page_result(SeenPage(row), nothing, 0.9).page == row
