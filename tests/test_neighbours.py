"""The scores of the detections beside each detection in a number."""

from __future__ import annotations

import numpy as np

from batchocr.decoding.digits.neighbours import neighbour_scores


def test_each_detection_has_the_best_score_of_both_sides() -> None:
    boxes = np.array([(40, 10, 12, 20), (0, 10, 12, 20), (20, 11, 12, 20), (21, 12, 11, 18)], float)
    best = neighbour_scores(boxes, np.array([0.9, 0.8, 0.2, 0.6]))
    assert best[2].tolist() == [0.8, 0.9] and best[3].tolist() == [0.8, 0.9]
    assert best[0].tolist() == [0.6, 0.0] and best[1].tolist() == [0.0, 0.6]


def test_detections_on_other_lines_of_other_sizes_and_far_away_are_not_neighbours() -> None:
    one = (100, 100, 14, 20)
    others = [(100, 130, 14, 20), (120, 60, 40, 80), (140, 100, 14, 20), (102, 101, 13, 19)]
    for other in others:
        assert not neighbour_scores(np.array([one, other], float), np.array([0.9, 0.9])).any(), other


def test_no_detections_and_many_detections_are_accepted() -> None:
    assert neighbour_scores(np.empty((0, 4)), np.empty(0)).shape == (0, 2)
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.uniform(0, 3000, (800, 2)), rng.uniform(8, 60, (800, 2))], axis=1)
    best = neighbour_scores(boxes, rng.random(800))
    slow = np.zeros((800, 2))
    for i, (left, top, width, height) in enumerate(boxes):
        for j, (x, y, wide, high) in enumerate(boxes):
            low, tall = min(height, high), max(height, high)
            step = (x + wide / 2) - (left + width / 2)
            fits = min(top + height, y + high) - max(top, y) >= 0.5 * low and tall <= 2 * low and step >= 0.25 * low
            if fits and x - left - width <= 0.6 * low:
                slow[i, 1] += 1
                slow[j, 0] += 1
    assert ((best > 0) == (slow > 0)).all()
