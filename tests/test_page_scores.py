"""The scores of pages with a known truth, on cases that are small enough to count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from batchocr.evaluation.figures import coverage, figures, trust
from batchocr.evaluation.page_scores import TrueNumber, score_boxes, score_crops, score_rows
from batchocr.records import DigitRow


def row(
    digit: int, left: int, *, line: int = 1, number: int = 1, position: int = 1, confidence: float = 0.9
) -> DigitRow:
    """Return the row of a digit, 10 wide and 20 high; lines are 30 apart."""
    return DigitRow("a.png", 1, line, number, position, digit, confidence, 0, 0.0, left, 30 * line, 10, 20, "hand", "")


def line(text: str, number: int = 1) -> list[DigitRow]:
    return [row(int(d), 20 * i, line=number, position=i) for i, d in enumerate(text, 1)]


def true(text: str, left: int = 20) -> TrueNumber:
    """Return a true number on the first line, with the digits at the places of `line`."""
    return {"text": text, "digits": [[int(d), left + 20 * i, 30, 10, 20] for i, d in enumerate(text)]}


def test_all_digits_correct() -> None:
    scores, pairs = score_boxes({"a.png": [true("2017")]}, {"a.png": line("2017")})
    assert (scores["accuracy"], scores["errors"], scores["count"]) == (1, 0, 4)
    assert (scores["recall"], scores["precision"], scores["number_accuracy"]) == (1, 1, 1)
    assert scores["expected_calibration_error"] == pytest.approx(0.1)
    assert scores["coverage_at_error_0.001"] == 1
    assert pairs.true == pairs.predicted == [2, 0, 1, 7]


def test_a_wrong_a_missed_and_an_extra_digit() -> None:
    read = [*line("2011")[:3], row(5, 300, number=2)]  # 2 0 1, the 7 is missed, and a 5 is extra
    read[1] = row(6, 40, position=2, confidence=0.4)  # 6 instead of 0
    scores, pairs = score_boxes({"a.png": [true("2017")]}, {"a.png": read})
    assert (scores["errors"], scores["recall"], scores["precision"]) == (2, 0.75, 0.75)
    assert scores["accuracy"] == 0.5 and scores["number_accuracy"] == 0
    assert scores["confusions"] == [{"true": 0, "predicted": 6, "count": 1}]
    assert sorted(zip(pairs.true, pairs.predicted, strict=True)) == [(-1, 5), (0, 6), (1, 1), (2, 2)]


def test_a_thin_box_of_a_1_is_matched_by_a_wider_one() -> None:
    """The true box is 4 by 52 pixels, like its ink. The one found is 20 wide and has another centre."""
    truth: list[TrueNumber] = [{"text": "1", "digits": [[1, 116, 30, 4, 52]]}]
    found = DigitRow("a.png", 1, 1, 1, 1, 1, 0.9, 7, 0.1, 105, 30, 20, 54, "hand", "")
    beside = DigitRow("a.png", 1, 1, 1, 1, 1, 0.9, 7, 0.1, 84, 30, 20, 54, "hand", "")
    assert score_boxes({"a.png": truth}, {"a.png": [found]})[0]["accuracy"] == 1
    assert score_boxes({"a.png": truth}, {"a.png": [beside]})[0]["recall"] == 0


def test_boxes_match_one_to_one_from_a_third_of_overlap() -> None:
    truth: list[TrueNumber] = [true("3")]
    halves = [row(3, 20, confidence=0.8), row(3, 26, confidence=0.7)]  # IoU 1 and 0.25
    assert score_boxes({"a.png": truth}, {"a.png": halves})[0]["precision"] == 0.5
    assert score_boxes({"a.png": truth}, {"a.png": halves[1:]})[0]["recall"] == 0
    assert score_boxes({"a.png": truth}, {})[0] == {
        "accuracy": 0,
        "errors": 1,
        "count": 1,
        "expected_calibration_error": None,
        "confusions": [],
        "recall": 0,
        "precision": 0,
        "accuracy_where_found": 0,
        "number_accuracy": 0,
        "numbers": 1,
        "pages": 1,
    }


def test_a_number_is_correct_only_as_one_number() -> None:
    parts = [*line("20"), *[row(int(d), 60 + 20 * i, number=2, position=i + 1) for i, d in enumerate("17")]]
    scores, _ = score_boxes({"a.png": [true("2017")]}, {"a.png": parts})
    assert scores["accuracy"] == 1 and scores["number_accuracy"] == 0
    scores, _ = score_boxes({"a.png": [true("20"), true("17", 60)]}, {"a.png": parts})
    assert scores["number_accuracy"] == 1


ROWS: dict[str, tuple[list[str], list[str], int, int]] = {
    "all right": (["2017", "33"], ["2017", "33"], 0, 2),
    "extra lines and ends": (["2017", "33"], ["5", "9920175", "33"], 0, 2),
    "a wrong digit": (["2017", "33"], ["2018", "33"], 1, 1),
    "a digit missed": (["2017"], ["207"], 1, 0),
    "a row missed": (["2017", "33"], ["33"], 4, 1),
    "nothing read": (["2017"], [], 4, 0),
    "the order is kept": (["11", "22"], ["22", "11"], 2, 1),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_are_aligned_with_lines_in_order(case: str) -> None:
    rows, lines, errors, exact = ROWS[case]
    read: Sequence[DigitRow] = [digit for at, text in enumerate(lines, 1) for digit in line(text, at)]
    scores = score_rows({"a.png": {"rows": rows}}, {"a.png": read})
    count = sum(map(len, rows))
    assert (scores["errors"], scores["count"], scores["rows_exact"]) == (errors, count, round(exact / len(rows), 4))
    assert scores["accuracy"] == round(1 - errors / count, 4)
    assert scores["extra_digits_a_page"] == max(0, sum(map(len, lines)) - count)


def test_a_file_of_one_digit_is_correct_if_only_this_digit_was_read() -> None:
    truth = {f"{i}.png": {"rows": [str(i)]} for i in range(4)}
    big = DigitRow("2.png", 1, 1, 1, 1, 2, 0.5, 0, 0.0, 0, 0, 20, 20, "hand", "")
    scores, pairs = score_crops(truth, {"0.png": [row(0, 0)], "1.png": [row(7, 0)], "2.png": [big, row(5, 40)]})
    assert (scores["accuracy"], scores["errors"], scores["count"]) == (0.25, 3, 4)
    assert (scores["read_as_one_digit"], scores["largest_right"]) == (0.5, 0.5)
    assert (pairs.true, pairs.predicted) == ([0, 1], [0, 7])


def test_figures_of_probabilities() -> None:
    probabilities = np.full((5, 11), 0.01)
    for place, answer in enumerate((3, 3, 9, 10, 9)):  # the last class is not a digit, which is an error
        probabilities[place, answer] = 0.9 - 0.1 * place
    scores = figures(probabilities, np.array([3, 5, 9, 4, 4]))
    assert (scores["accuracy"], scores["errors"], scores["count"]) == (0.4, 3, 5)
    pairs = [(pair["true"], pair["predicted"], pair["count"]) for pair in scores["confusions"]]
    assert pairs == [(4, 9, 1), (4, 10, 1), (5, 3, 1)]
    assert scores["coverage_at_error_0.01"] == 0.2


def test_non_digits_are_counted_separately_and_are_wrong_rows_if_they_are_read() -> None:
    probabilities = np.full((6, 11), 0.01)
    for place, answer in enumerate((3, 4, 10, 10, 7, 2)):
        probabilities[place, answer] = 0.9 - 0.05 * place
    scores = figures(probabilities, np.array([3, 4, 8, 10, 10, 2]))
    assert (scores["accuracy"], scores["errors"], scores["count"]) == (0.75, 1, 4)
    assert (scores["others"], scores["others_read"]) == (2, 1)
    assert scores["confusions"] == [{"true": 8, "predicted": 10, "count": 1}]
    # rows: 3, 4, 2, and 7 for a non-digit; the 8 was missed
    assert scores["coverage_at_error_0.01"] == 0.4
    assert {level["accepted"] for level in scores["thresholds"]} == {None}
    assert scores["least_max_error"] == pytest.approx(0.806, abs=1e-3)  # one of 4 rows is wrong


def test_thresholds_have_the_level_of_each_error() -> None:
    confidence = np.r_[np.full(1000, 0.99), np.full(1000, 0.7)]
    right = np.ones(2000, bool)
    right[1000:1100] = False
    scores = trust(confidence, right)
    chosen = {
        level["max_error"]: (level["confidence"], level["accepted"], level["wrong"]) for level in scores["thresholds"]
    }
    assert chosen[0.05] == chosen[0.005] == (0.7097, 1000, 0)
    assert chosen[0.002] == chosen[0.001] == (None, None, None)
    assert scores["least_max_error"] == pytest.approx(0.003682, abs=2e-6)


def test_coverage_accepts_equal_confidences_together() -> None:
    confidence = np.array([0.9, 0.8, 0.8, 0.7])
    right = np.array([True, True, False, True])
    assert coverage(0.1, confidence, right) == 0.25
    assert coverage(0.34, confidence, right) == 1.0
    assert coverage(0.1, confidence, ~right) == 0
    assert coverage(0.1, np.ones(4), right) == 0
