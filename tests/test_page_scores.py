"""What was read on pages against what stands there, on cases small enough to count by hand."""

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
    """A digit read, 10 wide and 20 high, 30 lower on each line."""
    return DigitRow("a.png", 1, line, number, position, digit, confidence, 0, 0.0, left, 30 * line, 10, 20, "hand", "")


def line(text: str, number: int = 1) -> list[DigitRow]:
    return [row(int(d), 20 * i, line=number, position=i) for i, d in enumerate(text, 1)]


def true(text: str, left: int = 20) -> TrueNumber:
    """A number on the first line whose digits stand where `line` has them."""
    return {"text": text, "digits": [[int(d), left + 20 * i, 30, 10, 20] for i, d in enumerate(text)]}


def test_all_right() -> None:
    told, pairs = score_boxes({"a.png": [true("2017")]}, {"a.png": line("2017")})
    assert (told["accuracy"], told["errors"], told["count"]) == (1, 0, 4)
    assert (told["recall"], told["precision"], told["number_accuracy"]) == (1, 1, 1)
    assert told["expected_calibration_error"] == pytest.approx(0.1)
    assert told["coverage_at_error_0.001"] == 1
    assert pairs.true == pairs.predicted == [2, 0, 1, 7]


def test_a_wrong_a_missed_and_a_surplus_digit() -> None:
    read = [*line("2011")[:3], row(5, 300, number=2)]  # 2 0 1, nothing at the 7, a 5 where nothing is
    read[1] = row(6, 40, position=2, confidence=0.4)  # a 6 for the 0
    told, pairs = score_boxes({"a.png": [true("2017")]}, {"a.png": read})
    assert (told["errors"], told["recall"], told["precision"]) == (2, 0.75, 0.75)
    assert told["accuracy"] == 0.5 and told["number_accuracy"] == 0
    assert told["confusions"] == [{"true": 0, "predicted": 6, "count": 1}]
    assert sorted(zip(pairs.true, pairs.predicted, strict=True)) == [(-1, 5), (0, 6), (1, 1), (2, 2)]


def test_a_thin_box_of_a_1_is_matched_by_a_wider_one() -> None:
    """4 pixels wide and 52 high, as its ink; what was found is 20 wide and not about its middle."""
    there: list[TrueNumber] = [{"text": "1", "digits": [[1, 116, 30, 4, 52]]}]
    found = DigitRow("a.png", 1, 1, 1, 1, 1, 0.9, 7, 0.1, 105, 30, 20, 54, "hand", "")
    beside = DigitRow("a.png", 1, 1, 1, 1, 1, 0.9, 7, 0.1, 84, 30, 20, 54, "hand", "")
    assert score_boxes({"a.png": there}, {"a.png": [found]})[0]["accuracy"] == 1
    assert score_boxes({"a.png": there}, {"a.png": [beside]})[0]["recall"] == 0


def test_boxes_match_one_to_one_from_a_third_of_overlap() -> None:
    there: list[TrueNumber] = [true("3")]
    halves = [row(3, 20, confidence=0.8), row(3, 26, confidence=0.7)]  # IoU 1 and 0.25
    assert score_boxes({"a.png": there}, {"a.png": halves})[0]["precision"] == 0.5
    assert score_boxes({"a.png": there}, {"a.png": halves[1:]})[0]["recall"] == 0
    assert score_boxes({"a.png": there}, {})[0] == {
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


def test_a_number_is_right_only_as_one_number() -> None:
    parts = [*line("20"), *[row(int(d), 60 + 20 * i, number=2, position=i + 1) for i, d in enumerate("17")]]
    told, _ = score_boxes({"a.png": [true("2017")]}, {"a.png": parts})
    assert told["accuracy"] == 1 and told["number_accuracy"] == 0
    told, _ = score_boxes({"a.png": [true("20"), true("17", 60)]}, {"a.png": parts})
    assert told["number_accuracy"] == 1


ROWS: dict[str, tuple[list[str], list[str], int, int]] = {
    "all right": (["2017", "33"], ["2017", "33"], 0, 2),
    "surplus lines and ends": (["2017", "33"], ["5", "9920175", "33"], 0, 2),
    "a wrong digit": (["2017", "33"], ["2018", "33"], 1, 1),
    "a digit missed": (["2017"], ["207"], 1, 0),
    "a row missed": (["2017", "33"], ["33"], 4, 1),
    "nothing read": (["2017"], [], 4, 0),
    "the order is kept": (["11", "22"], ["22", "11"], 2, 1),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_are_laid_on_lines_in_order(case: str) -> None:
    rows, lines, errors, exact = ROWS[case]
    read: Sequence[DigitRow] = [digit for at, text in enumerate(lines, 1) for digit in line(text, at)]
    told = score_rows({"a.png": {"rows": rows}}, {"a.png": read})
    count = sum(map(len, rows))
    assert (told["errors"], told["count"], told["rows_exact"]) == (errors, count, round(exact / len(rows), 4))
    assert told["accuracy"] == round(1 - errors / count, 4)
    assert told["extra_digits_a_page"] == max(0, sum(map(len, lines)) - count)


def test_crops_are_right_where_one_digit_and_nothing_else_was_read() -> None:
    truth = {f"{i}.png": {"rows": [str(i)]} for i in range(4)}
    big = DigitRow("2.png", 1, 1, 1, 1, 2, 0.5, 0, 0.0, 0, 0, 20, 20, "hand", "")
    told, pairs = score_crops(truth, {"0.png": [row(0, 0)], "1.png": [row(7, 0)], "2.png": [big, row(5, 40)]})
    assert (told["accuracy"], told["errors"], told["count"]) == (0.25, 3, 4)
    assert (told["read_as_one_digit"], told["largest_right"]) == (0.5, 0.5)
    assert (pairs.true, pairs.predicted) == ([0, 1], [0, 7])


def test_figures_of_probabilities() -> None:
    probabilities = np.full((5, 11), 0.01)
    for place, answer in enumerate((3, 3, 9, 10, 9)):  # the last class is a refusal, and an error
        probabilities[place, answer] = 0.9 - 0.1 * place
    told = figures(probabilities, np.array([3, 5, 9, 4, 4]))
    assert (told["accuracy"], told["errors"], told["count"]) == (0.4, 3, 5)
    pairs = [(pair["true"], pair["predicted"], pair["count"]) for pair in told["confusions"]]
    assert pairs == [(4, 9, 1), (4, 10, 1), (5, 3, 1)]
    assert told["coverage_at_error_0.01"] == 0.2


def test_figures_count_what_is_no_digit_apart_and_as_a_wrong_row_where_it_was_read() -> None:
    probabilities = np.full((6, 11), 0.01)
    for place, answer in enumerate((3, 4, 10, 10, 7, 2)):
        probabilities[place, answer] = 0.9 - 0.05 * place
    told = figures(probabilities, np.array([3, 4, 8, 10, 10, 2]))
    assert (told["accuracy"], told["errors"], told["count"]) == (0.75, 1, 4)
    assert (told["others"], told["others_read"]) == (2, 1)
    assert told["confusions"] == [{"true": 8, "predicted": 10, "count": 1}]
    # rows: 3, 4, the 7 that is none, and 2; beside them the 8 that was missed
    assert told["coverage_at_error_0.01"] == 0.4
    assert {level["accepted"] for level in told["thresholds"]} == {None}
    assert told["least_max_error"] == pytest.approx(0.806, abs=1e-3)  # of 4 rows one wrong


def test_thresholds_tell_the_level_of_each_error() -> None:
    confidence = np.r_[np.full(1000, 0.99), np.full(1000, 0.7)]
    right = np.ones(2000, bool)
    right[1000:1100] = False
    told = trust(confidence, right)
    chosen = {
        level["max_error"]: (level["confidence"], level["accepted"], level["wrong"]) for level in told["thresholds"]
    }
    assert chosen[0.05] == chosen[0.005] == (0.7097, 1000, 0)
    assert chosen[0.002] == chosen[0.001] == (None, None, None)
    assert told["least_max_error"] == pytest.approx(0.003682, abs=2e-6)


def test_coverage_takes_equal_confidences_together() -> None:
    confidence = np.array([0.9, 0.8, 0.8, 0.7])
    right = np.array([True, True, False, True])
    assert coverage(0.1, confidence, right) == 0.25
    assert coverage(0.34, confidence, right) == 1.0
    assert coverage(0.1, confidence, ~right) == 0
    assert coverage(0.1, np.ones(4), right) == 0
