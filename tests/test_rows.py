"""From detections to rows: positions on the upright page, marks, origins, and implausible pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from layouts import HIGH, classified, detected, row_of_boxes, together

from batchocr.decoding.digits.joint import Calibration
from batchocr.decoding.marking import Marking, mark_rows
from batchocr.decoding.marks.familiarity import Familiar
from batchocr.decoding.parameters import DecodingParameters
from batchocr.decoding.rows import page_boxes, page_result
from batchocr.records import (
    CLASSES,
    HAND,
    PRINT,
    SIGN,
    TILE,
    Detections,
    LevelPage,
    PageResult,
    PageRow,
    PreparedPage,
    Tiles,
    no_detections,
)

NO_TILES = Tiles(np.zeros((0, TILE, TILE, 2), np.uint8), np.zeros((0, 2), np.int32), 1.0)
BASE = 200.0


def page(to_page: np.ndarray | None = None, width: int = 1200, height: int = 900) -> PreparedPage:
    level = LevelPage(np.full((height, width), 250, np.uint8), np.eye(3) if to_page is None else to_page, NO_TILES)
    return PreparedPage(PageRow("a.png", 2, "read", width=width, height=height, angle=1.5, sha256="ab"), level)


def result(
    detections: Detections, printed: Literal["drop", "keep", "only"] = "drop", min_confidence: float = 0.5
) -> PageResult:
    return mark_rows(page_result(page(), detections, classified(detections)), Marking(min_confidence, printed))


def test_rows_have_the_position_of_each_digit() -> None:
    two = together(detected(row_of_boxes(100, BASE, 3), "123"), detected(row_of_boxes(300, BASE, 2), "45"))
    read = result(together(detected(row_of_boxes(90, BASE + 100, 1), "6"), two))
    assert [(d.line, d.number, d.position, d.digit) for d in read.digits] == [
        (1, 1, 1, 1),
        (1, 1, 2, 2),
        (1, 1, 3, 3),
        (1, 2, 1, 4),
        (1, 2, 2, 5),
        (2, 1, 1, 6),
    ]
    first = read.digits[0]
    assert (first.file, first.page, first.left, first.top, first.width, first.height) == ("a.png", 2, 100, 160, 24, 40)
    assert (read.page.status, read.page.lines, read.page.numbers, read.page.digits) == ("read", 2, 3, 6)
    assert (read.page.review, read.page.marks, read.page.angle, read.page.sha256) == (0, "", 1.5, "ab")


def test_a_number_row_has_the_text_with_signs_and_the_confidence_of_all_of_it() -> None:
    boxes = row_of_boxes(100, BASE, 3)
    point = detected(np.array([(154.0, BASE - 6, 5.0, 6.0)]), ".", SIGN)
    read = result(together(detected(boxes, "125"), point))
    (number,) = read.numbers
    assert (number.text, number.digits, number.origin, number.review) == ("12.5", "125", "hand", "")
    assert number.confidence < np.prod([d.confidence for d in read.digits])
    assert (number.left, number.top, number.width, number.height) == (100, 160, 84, 40)
    assert len(read.digits) == 3


def test_a_weak_detection_gives_no_row_and_marks_the_number_next_to_it() -> None:
    some = detected(row_of_boxes(100, BASE, 4), "1234")
    scores = np.array([0.8, 0.8, 0.8, 0.2], np.float32)
    weak = replace(some, scores=scores)
    read = result(weak)
    assert [(n.digits, n.review) for n in read.numbers] == [("123", "maybe-missed")]
    assert [d.review for d in read.digits] == [""] * 3
    far = together(detected(row_of_boxes(100, BASE, 3), "123"), replace(detected(row_of_boxes(600, BASE, 1), "4")))
    far = replace(far, scores=scores)
    assert [(n.digits, n.review) for n in result(far).numbers] == [("123", "")]


def test_a_page_that_differs_from_the_measured_pages_is_marked() -> None:
    some = detected(row_of_boxes(100, BASE, 8), "12345678")
    usual = DecodingParameters(familiar=Familiar(score=(0.5, 1.0)))
    assert page_result(page(), some, classified(some), usual).page.marks == ""
    poor = replace(some, scores=np.full(8, 0.4, np.float32))
    assert page_result(page(), poor, classified(poor), usual).page.marks == "unfamiliar"


def test_a_number_of_doubtful_origin_is_marked() -> None:
    some = detected(row_of_boxes(100, BASE, 3), "123")
    for share, origin, review in (
        (0.1, "hand", ""),
        (0.5, "hand", "origin"),
        (0.85, "print", "origin"),
        (1, "print", ""),
    ):
        shares = np.full(3, share, np.float32)
        (number,) = result(replace(some, print_shares=shares), "keep").numbers
        assert (number.origin, number.review) == (origin, review), share


def test_a_digit_that_may_be_a_sign_marks_its_number() -> None:
    some = detected(row_of_boxes(100, BASE, 3), "618", sure=0.9)
    probabilities = some.probabilities.copy()
    probabilities[1, 10:] = 0
    assert [n.review for n in result(replace(some, probabilities=probabilities), "keep").numbers] == [""]
    probabilities[1, 12] = 0.3  # a slash
    assert [n.review for n in result(replace(some, probabilities=probabilities), "keep").numbers] == ["sign"]


def test_digits_below_the_threshold_are_marked_and_kept() -> None:
    some = detected(row_of_boxes(100, BASE, 3), "123")
    all_marked = result(some, min_confidence=1.0)
    assert [d.review for d in all_marked.digits] == ["low-confidence"] * 3
    assert (all_marked.numbers[0].review, all_marked.page.review) == ("low-confidence", 3)
    assert [d.digit for d in result(some, min_confidence=0).digits] == [1, 2, 3]


def test_a_digit_at_the_threshold_is_not_marked() -> None:
    some = detected(row_of_boxes(100, BASE, 1), "1")
    (digit,) = result(some).digits
    assert result(some, min_confidence=digit.confidence).digits[0].review == ""


def test_a_number_is_marked_by_its_own_confidence() -> None:
    some = detected(row_of_boxes(100, BASE, 6), "123456", sure=0.9)
    lowest = min(d.confidence for d in result(some).digits)
    read = result(some, min_confidence=lowest)
    assert [d.review for d in read.digits] == [""] * 6
    assert read.numbers[0].confidence < lowest and read.numbers[0].review == "low-confidence"


def test_unexplained_ink_next_to_a_number_marks_it() -> None:
    boxes = row_of_boxes(100, BASE, 3)
    pixels = np.full((900, 1200), 250, np.uint8)
    for left, top, width, high in boxes.astype(int).tolist():
        pixels[top + 2 : top + high - 2, left + 8 : left + width - 8] = 20
    sheet = page()
    assert sheet.level
    sheet = replace(sheet, level=replace(sheet.level, pixels=pixels))
    for read, mark in ((detected(boxes, "123"), ""), (detected(boxes[:2], "12"), "unread-ink")):
        (number,) = page_result(sheet, read, classified(read)).numbers
        assert number.review == mark


def test_printed_numbers_are_dropped_kept_or_the_only_ones() -> None:
    both = together(
        detected(row_of_boxes(100, BASE, 3), "123", PRINT), detected(row_of_boxes(400, BASE, 2), "45", HAND)
    )
    dropped, kept, only = result(both), result(both, "keep"), result(both, "only")
    assert [n.digits for n in dropped.numbers] == ["45"] and dropped.page.printed == 3
    assert [(n.digits, n.origin) for n in kept.numbers] == [("123", "print"), ("45", "hand")]
    assert [n.digits for n in only.numbers] == ["123"] and (kept.page.printed, only.page.printed) == (0, 0)
    assert (dropped.numbers[0].number, dropped.numbers[0].line) == (1, 1)
    assert {d.origin for d in dropped.digits} == {"hand"}


def with_print_shares(boxes: np.ndarray, text: str, shares: list[float]) -> Detections:
    return replace(detected(boxes, text), print_shares=np.array(shares, np.float32))


def test_one_digit_that_looks_printed_in_a_handwritten_number_is_handwritten() -> None:
    (number,) = result(with_print_shares(row_of_boxes(100, BASE, 4), "1234", [0.1, 0.2, 0.95, 0.1])).numbers
    assert (number.digits, number.origin) == ("1234", "hand")


def test_adjacent_print_and_writing_are_separate_numbers() -> None:
    boxes = row_of_boxes(100, BASE, 4)
    alike = result(with_print_shares(boxes, "2017", [0.95, 0.95, 0.1, 0.1]), "keep")
    assert [n.digits for n in alike.numbers] == ["2017"]  # neat writing that partly looks like print
    boxes[:2, 1] += 0.2 * boxes[:2, 3]
    boxes[:2, 3] *= 0.8
    read = result(with_print_shares(boxes, "2017", [0.95, 0.95, 0.1, 0.1]), "keep")
    assert [(n.digits, n.origin) for n in read.numbers] == [("20", "print"), ("17", "hand")]


def test_a_printed_digit_in_a_cell_next_to_filled_cells_is_a_separate_number() -> None:
    cells = row_of_boxes(100, BASE, 4, step=60)
    read = result(with_print_shares(cells, "5823", [0.1, 0.95, 0.2, 0.1]), "keep")
    digits = sorted((d.left, d.digit, d.origin) for d in read.digits)
    assert [(digit, origin) for _, digit, origin in digits] == [(5, "hand"), (8, "print"), (2, "hand"), (3, "hand")]
    assert len(result(with_print_shares(cells, "5823", [0.1, 0.95, 0.2, 0.1])).digits) == 3


def test_digits_that_are_probably_wrong_give_no_row() -> None:
    some = together(detected(row_of_boxes(100, BASE, 3), "123"), detected(row_of_boxes(400, BASE, 2), "45"))
    some.probabilities[:3] = 1 / CLASSES
    parameters = DecodingParameters(calibration=Calibration(bias=-4.0))
    read = page_result(page(), some, classified(some), parameters)
    assert [d.digit for d in read.digits] == [4, 5]


def test_a_page_with_print_alone_is_empty_if_print_is_dropped() -> None:
    read = result(detected(row_of_boxes(100, BASE, 3), "123", PRINT))
    assert (read.page.status, read.page.digits, read.page.printed) == ("empty", 0, 3)


def test_a_non_digit_gives_no_row_unless_it_is_the_only_detection() -> None:
    poor = detected(row_of_boxes(100, BASE, 3), "123", score=0.1)
    said = classified(poor)
    said[:, 10] = 0.99
    assert page_result(page(), poor, said).digits == ()
    alone = poor.take(np.array([0]))
    (digit,) = page_result(page(), alone, said[:1]).digits
    assert digit.digit == 1 and "not-a-digit" in digit.review


def test_a_page_without_detections_and_a_failed_page() -> None:
    assert result(no_detections()).page.status == "empty"
    failed = PreparedPage(PageRow("a.png", 1, "failed", error="unreadable"))
    assert page_result(failed, no_detections(), np.empty((0, 11))).page == failed.row


def test_the_number_of_probabilities_must_match_the_detections() -> None:
    with pytest.raises(ValueError, match="0 probabilities for 3 detections"):
        page_result(page(), detected(row_of_boxes(100, BASE, 3)), np.empty((0, 11)))


def test_a_page_with_too_many_digits_is_marked_implausible() -> None:
    boxes = np.concatenate([row_of_boxes(10, 20 + 12 * i, 100, step=7, high=8) for i in range(50)])
    flood = detected(boxes, score=0.1, sure=0.3)
    read = result(flood)
    assert read.page.marks == "implausible"
    assert len(read.digits) == read.page.review == 5000
    assert all("implausible" in digit.review for digit in read.digits)


def test_boxes_are_transformed_to_the_upright_page_and_stay_inside() -> None:
    moved = np.array([[2.0, 0, 10], [0, 2, -50], [0, 0, 1]])
    boxes = np.array([(100.0, 50.0, 20.0, 30.0), (-5.0, 10.0, 4.0, 30.0), (590.0, 460.0, 50.0, 80.0)])
    assert page_boxes(boxes, moved, 1200, 900).tolist() == [[210, 50, 40, 60], [0, 0, 8, 30], [1190, 870, 10, 30]]
    turned = np.array([[0.0, -1, 1200], [1, 0, 0], [0, 0, 1]])
    assert page_boxes(boxes[:1], turned, 1200, 900).tolist() == [[1120, 100, 30, 20]]
    assert page_boxes(np.array([(3000.0, 3000.0, 9.0, 9.0)]), np.eye(3), 1200, 900).tolist() == [[1199, 899, 1, 1]]


def test_the_order_of_detections_does_not_change_the_rows() -> None:
    rng = np.random.default_rng(0)
    boxes = np.concatenate([row_of_boxes(rng.uniform(50, 90), 100 + 70 * i, 12) for i in range(10)])
    some = detected(boxes, "".join(map(str, rng.integers(0, 10, len(boxes)))))
    shuffled = some.take(rng.permutation(len(boxes)))
    assert result(some) == result(shuffled)


def test_the_height_of_digits_does_not_change_their_grouping() -> None:
    for factor in (0.3, 1.0, 3.0):
        boxes = np.concatenate([row_of_boxes(100, BASE, 3), row_of_boxes(100 + 3 * HIGH + 80, BASE, 2)]) * factor
        assert [len(n.digits) for n in result(detected(boxes)).numbers] == [3, 2]
