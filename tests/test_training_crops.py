"""Training crops of the classifier: digits from their boxes, non-digits, and no crops from unknown areas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from strokes import write

from batchocr.decoding.digits.overlaps import shared_areas
from batchocr.recognition.calibration import NOT_A_DIGIT
from batchocr.records import CLASSES, HAND, PRINT, SIGN, SIGNS, Detections, Pixels
from batchocr.training.crops import (
    FOUND,
    HANDWRITTEN,
    MARKS,
    NEAR,
    PAPER,
    PRINTED,
    CropSampling,
    intersection_over_union,
    labelled_crops,
)
from batchocr.training.detection.cells import UNKNOWN, Boxes

PLACES = [(digit, 30 + 50 * (digit % 5), 40 + 90 * (digit // 5)) for digit in range(10)]
EXACT = CropSampling(jitter_ratio=0, large_jitter_ratio=0, bar_px=0)


def page(noisy: bool = False) -> tuple[Pixels, Boxes]:
    """Return a page with ten separate digits of 40 px, and the boxes of their ink."""
    pixels = np.full((240, 300), 245, np.uint8)
    boxes = []
    for digit, left, top in PLACES:
        alone = np.full_like(pixels, 255)
        write(alone, digit, left, top, 40, 4)
        boxes.append((digit, *cv2.boundingRect((alone < 160).view(np.uint8)), HAND))
        np.minimum(pixels, alone, out=pixels)
    if noisy:
        cv2.circle(pixels, (260, 215), 12, 20, 2)
    return pixels, np.array(boxes, np.float32)


def is_ring(crop: Pixels) -> bool:
    """Return whether a crop is square, without ink in the middle and with ink on all sides."""
    _, _, width, height = cv2.boundingRect((crop > 60).view(np.uint8))
    sides = [part.any() for part in (crop[:10, 13:15], crop[18:, 13:15], crop[13:15, :10], crop[13:15, 18:])]
    return abs(width - height) <= 2 and not crop[12:16, 12:16].any() and all(sides)


def detections(*boxes: tuple[float, float, float, float]) -> Detections:
    """Return detections of handwritten digits."""
    count = len(boxes)
    kinds, probabilities = np.full(count, HAND, np.int8), np.full((count, CLASSES), 1 / CLASSES, np.float32)
    sides, scores = np.array(boxes, np.float32).reshape(-1, 4), np.full(count, 0.9, np.float32)
    return Detections(sides, scores, kinds, probabilities, np.zeros(count, np.float32))


def test_intersection_over_union() -> None:
    first = np.array([(0, 0, 10, 10), (20, 20, 4, 4)], np.float32)
    second = np.array([(5, 0, 10, 10), (0, 0, 10, 10), (100, 0, 1, 1)], np.float32)
    assert shared_areas(first, second).tolist() == [[50, 100, 0], [0, 0, 0]]
    assert intersection_over_union(first, second)[0].tolist() == pytest.approx([1 / 3, 1, 0])


def test_every_digit_is_cut_once_with_its_label() -> None:
    pixels, boxes = page()
    groups = labelled_crops(pixels, boxes, np.random.default_rng(0), p=EXACT)
    assert sorted(groups[HANDWRITTEN].labels.tolist()) == list(range(10))
    for image in groups[HANDWRITTEN].images:
        _, _, width, height = cv2.boundingRect((image > 60).view(np.uint8))
        assert 18 <= max(width, height) <= 22
    assert all((digits.labels == NOT_A_DIGIT).all() for name, digits in groups.items() if name.startswith("none"))
    assert {NEAR, HANDWRITTEN} <= set(groups) and FOUND not in groups


def test_the_same_seed_cuts_the_same() -> None:
    pixels, boxes = page(noisy=True)
    first, second = (labelled_crops(pixels, boxes, np.random.default_rng(3)) for _ in range(2))
    assert list(first) == list(second)
    assert all(np.array_equal(first[name].images, second[name].images) for name in first)


def test_printed_digits_are_a_separate_group() -> None:
    pixels, boxes = page()
    boxes[:4, 5] = PRINT
    groups = labelled_crops(pixels, boxes, np.random.default_rng(0))
    assert sorted(groups[PRINTED].labels.tolist()) == [0, 1, 2, 3] and len(groups[HANDWRITTEN]) == 6


def test_ink_without_a_box_is_a_non_digit() -> None:
    """The ring is a non-digit, but never the digit beside it; a crop of both is left out."""
    pixels, boxes = page(noisy=True)
    pixels[:, :220], pixels[:110] = 245, 245
    found = 0
    for seed in range(12):
        groups = labelled_crops(pixels, boxes[9:], np.random.default_rng(seed), p=EXACT)
        if MARKS in groups:
            (ring,) = groups[MARKS].images
            assert is_ring(ring)
            found += 1
    assert found >= 4


def test_unknown_areas_give_no_crops() -> None:
    pixels, boxes = page(noisy=True)
    unknown = [[0, 75, 0, 225, 110, UNKNOWN], [0, 0, 110, 300, 130, UNKNOWN]]
    boxes = np.concatenate([boxes[:1], unknown]).astype(np.float32)
    for seed in range(5):
        groups = labelled_crops(pixels, boxes, np.random.default_rng(seed), detections((248, 203, 25, 25)))
        assert groups[HANDWRITTEN].labels.tolist() == [0]
        assert MARKS not in groups and FOUND not in groups


def test_only_false_detections_are_non_digits() -> None:
    pixels, boxes = page(noisy=True)
    six = boxes[6, 1:5] + (1, -2, 2, 2)
    found = detections((248, 203, 25, 25), tuple(six), tuple(boxes[3, 1:5] * (1, 1, 0.4, 1)))
    groups = labelled_crops(pixels, boxes, np.random.default_rng(0), found, p=EXACT)
    assert len(groups[FOUND]) == 1
    (ring,) = groups[FOUND].images
    assert is_ring(ring)


def test_a_known_slash_is_not_a_non_digit() -> None:
    pixels = np.full((120, 120), 240, np.uint8)
    cv2.line(pixels, (50, 90), (62, 40), 20, 3)
    slash = np.array([(10 + SIGNS.index("/"), 48, 38, 16, 54, SIGN)], np.float32)
    for seed in range(5):
        assert MARKS not in labelled_crops(pixels, slash, np.random.default_rng(seed))
        empty = labelled_crops(pixels, slash[:0], np.random.default_rng(seed), p=EXACT)
        assert len(empty[MARKS]) == 1


def test_bare_paper_gives_an_empty_crop_at_most() -> None:
    groups = labelled_crops(np.full((200, 200), 240, np.uint8), np.empty((0, 6), np.float32), np.random.default_rng(0))
    assert set(groups) <= {PAPER} and not any(digits.images.any() for digits in groups.values())
