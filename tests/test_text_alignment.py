"""Known texts are aligned with detections."""

from __future__ import annotations

import numpy as np

from batchocr.records import CLASSES, HAND, SIGN, SIGNS, Detections
from batchocr.training.detection.cells import UNKNOWN
from batchocr.training.text_alignment import align_text, align_text_with_gaps


def found(text: str, scores: float = 0.9, sure: float = 0.9) -> Detections:
    """Return detections of a text, 20 px apart; a space is a place without a detection."""
    boxes, kinds, probabilities = [], [], []
    for at, character in enumerate(text):
        if character != " ":
            place = int(character) if character.isdigit() else 10 + SIGNS.index(character)
            boxes.append((20 * at, 10, 12, 24))
            kinds.append(HAND if place < 10 else SIGN)
            row = np.full(CLASSES, (1 - sure) / (CLASSES - 1))
            row[place] = sure
            probabilities.append(row)
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, scores, np.float32),
        np.array(kinds, np.int8),
        np.array(probabilities, np.float32).reshape(-1, CLASSES),
        np.zeros(count, np.float32),
    )


def test_each_digit_takes_its_detection_in_order() -> None:
    alignment = align_text("12,5", found("12,5"))
    assert alignment is not None and alignment.quality > 0.75
    assert [(int(box[0]), box[1], box[5]) for box in alignment.boxes] == [
        (1, 0, HAND), (2, 20, HAND), (11, 40, SIGN), (5, 60, HAND)
    ]  # fmt: skip


def test_a_misread_digit_is_aligned_too() -> None:
    detections = found("127", sure=0.6)
    detections.probabilities[2] = 0.01
    detections.probabilities[2, 1], detections.probabilities[2, 7] = 0.5, 0.35
    alignment = align_text("127", detections)
    assert alignment is not None and [int(box[0]) for box in alignment.boxes] == [1, 2, 7]


def test_the_order_of_the_detections_does_not_matter() -> None:
    detections = found("480")
    alignment = align_text("480", detections.take(np.array([2, 0, 1])))
    assert alignment is not None and [int(box[0]) for box in alignment.boxes] == [4, 8, 0]


def test_the_place_of_a_missed_sign_is_unknown() -> None:
    alignment = align_text("12.50", found("12 50"))
    assert alignment is not None
    (unknown,) = [box for box in alignment.boxes if box[5] == UNKNOWN]
    assert 20 < unknown[1] < 60 and unknown[1] + unknown[3] < 72


def test_detections_that_do_not_fit_are_not_aligned() -> None:
    assert align_text("123", found("12")) is None, "a digit was not found"
    assert align_text("12", found("13")) is None, "another digit is at this place"
    assert align_text("12", found("312")) is None, "there is a digit that is not in the text"
    assert align_text("12", found("12", scores=0.2, sure=0.3)) is None, "too unsure"
    assert align_text("", found("12")) is None


def test_a_weak_extra_detection_is_ignored() -> None:
    detections = found("312")
    detections.scores[0] = 0.3
    alignment = align_text("12", detections)
    assert alignment is not None and [box[1] for box in alignment.boxes] == [20, 40]


def test_a_missed_digit_has_the_box_of_its_ink() -> None:
    pixels = np.full((60, 120), 230, np.uint8)
    for x in (0, 20, 40):
        pixels[10:34, x + 4 : x + 12] = 40
    pixels[14:50, 24:30] = 40  # the one in the middle goes below the line
    boxes = align_text_with_gaps("152", found("1 2"), pixels)
    assert boxes is not None and [int(box[0]) for box in boxes] == [1, 2, 5]
    left, top, _, height = boxes[-1][1:5]
    assert abs(left - 24) <= 3 and abs(top - 10) <= 3 and abs(height - 40) <= 6
    assert align_text_with_gaps("1552", found("1 2"), pixels) is None, "two are missing, but there is one piece of ink"
    assert align_text_with_gaps("152", found("1 7"), pixels) is None, "another digit is at this place"
    assert align_text_with_gaps("1a2", found("1 2"), pixels) is None, "letters have no boxes"
