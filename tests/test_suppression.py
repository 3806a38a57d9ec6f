"""Detections of one digit become one detection."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.decoding.digits.suppression import SuppressionParameters, non_maximum_suppression
from batchocr.records import CLASSES, HAND, PRINT, SIGN, Detections


def found(*rows: tuple[tuple[float, float, float, float], float, int, int]) -> Detections:
    """Return detections with box, score, kind and class; the class is certain."""
    return Detections(
        np.array([box for box, *_ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _, _ in rows], np.float32),
        np.array([kind for _, _, kind, _ in rows], np.int8),
        np.eye(CLASSES, dtype=np.float32)[[label for *_, label in rows]],
        np.array([kind == PRINT for _, _, kind, _ in rows], np.float32),
    )


def test_no_detections_give_no_detections() -> None:
    assert len(non_maximum_suppression(found())) == 0


def test_separate_detections_are_kept_in_order() -> None:
    given = found(((0, 0, 20, 30), 0.5, HAND, 1), ((22, 0, 20, 30), 0.9, HAND, 2), ((0, 40, 20, 30), 0.7, PRINT, 3))
    kept = non_maximum_suppression(given)
    for field in ("boxes", "scores", "kinds", "probabilities"):
        assert np.array_equal(getattr(kept, field), getattr(given, field))


def test_the_stronger_detection_is_kept_and_classes_are_averaged_by_score() -> None:
    kept = non_maximum_suppression(found(((1, 1, 20, 30), 0.3, HAND, 1), ((0, 0, 20, 30), 0.9, HAND, 7)))
    assert kept.boxes.tolist() == [[0, 0, 20, 30]]
    assert kept.scores == pytest.approx([0.9])
    assert kept.probabilities[0, [1, 7]] == pytest.approx([0.25, 0.75])


def test_hand_and_print_at_one_place_are_one_digit() -> None:
    kept = non_maximum_suppression(found(((0, 0, 20, 30), 0.2, HAND, 7), ((0, 1, 20, 30), 0.9, PRINT, 7)))
    assert kept.kinds.tolist() == [PRINT]
    assert kept.scores == pytest.approx([1])  # the sum of both scores


def test_the_share_of_print_in_a_score_is_kept() -> None:
    kept = non_maximum_suppression(found(((0, 0, 20, 30), 0.3, HAND, 7), ((0, 1, 20, 30), 0.6, PRINT, 7)))
    assert kept.scores == pytest.approx([0.9])
    assert kept.print_shares == pytest.approx([2 / 3])


def test_a_part_of_a_digit_is_removed_and_does_not_change_its_class() -> None:
    kept = non_maximum_suppression(found(((0, 0, 30, 40), 0.9, HAND, 8), ((5, 0, 20, 19), 0.3, HAND, 0)))
    assert len(kept) == 1
    assert kept.probabilities[0, 8] == 1


def test_a_sure_digit_inside_the_box_of_another_digit_is_kept() -> None:
    """In a slanted 17 the box of the 1 is inside the box of the 7 with its long tail."""
    kept = non_maximum_suppression(found(((10, 24, 32, 54), 0.77, HAND, 7), ((14, 24, 12, 22), 0.48, HAND, 1)))
    assert kept.boxes[:, 0].tolist() == [10, 14]


def test_a_sign_and_a_digit_do_not_suppress_each_other() -> None:
    kept = non_maximum_suppression(
        found(((0, 0, 30, 40), 0.9, HAND, 7), ((5, 20, 15, 4), 0.5, SIGN, 13), ((5, 20, 15, 5), 0.4, SIGN, 13))
    )
    assert kept.kinds.tolist() == [HAND, SIGN]


def test_a_suppressed_detection_does_not_suppress_others() -> None:
    """Three boxes overlap like a chain. The first one suppresses the middle one, and the last one stays."""
    kept = non_maximum_suppression(
        found(((0, 0, 30, 30), 0.9, HAND, 1), ((9, 0, 30, 30), 0.8, HAND, 1), ((18, 0, 30, 30), 0.7, HAND, 1))
    )
    assert kept.boxes[:, 0].tolist() == [0, 18]


def test_of_too_many_detections_the_strongest_are_kept() -> None:
    rng = np.random.default_rng(3)
    n = 3000
    boxes = np.concatenate([rng.uniform(0, 1000, (n, 2)), rng.uniform(10, 60, (n, 2))], axis=1).astype(np.float32)
    scores = rng.uniform(0.3, 1, n).astype(np.float32)
    classes = np.full((n, CLASSES), 1 / CLASSES, np.float32)
    flood = Detections(boxes, scores, np.zeros(n, np.int8), classes, np.zeros(n, np.float32))
    kept = non_maximum_suppression(flood, SuppressionParameters(max_detections=500))
    assert 0 < len(kept) <= 500
    assert kept.scores.min() >= np.sort(scores)[-500]


def test_the_result_is_that_of_a_check_of_all_pairs() -> None:
    rng = np.random.default_rng(5)
    n = 300
    boxes = np.concatenate([rng.uniform(0, 300, (n, 2)), rng.uniform(15, 40, (n, 2))], axis=1).astype(np.float32)
    given = Detections(
        boxes,
        (rng.permutation(n) / n).astype(np.float32),
        np.zeros(n, np.int8),
        np.full((n, CLASSES), 1 / CLASSES, np.float32),
        np.zeros(n, np.float32),
    )
    left: list[int] = []
    ends = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1).astype(float)
    for i in np.argsort(-given.scores).tolist():
        for j in left:
            wide = min(ends[i, 2], ends[j, 2]) - max(ends[i, 0], ends[j, 0])
            high = min(ends[i, 3], ends[j, 3]) - max(ends[i, 1], ends[j, 1])
            shared = max(0, wide) * max(0, high)
            areas = [np.prod(ends[k, 2:] - ends[k, :2]) for k in (i, j)]
            inside = shared >= 0.8 * min(areas) and given.scores[i] < 0.4
            if shared >= 0.5 * (sum(areas) - shared) or inside:
                break
        else:
            left.append(i)
    assert non_maximum_suppression(given).boxes.tolist() == boxes[sorted(left)].tolist()
