"""Bounds of certificates: known exact values, the promise and the test of drift on simulated pages."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.review.certificate.bounds import choose_threshold, needed, upper_bound
from batchocr.review.certificate.drift import drift_chance


@pytest.mark.parametrize(
    ("wrong", "max_error", "items"),
    [(0, 0.01, 299), (1, 0.01, 473), (3, 0.01, 773), (0, 0.001, 2995), (1, 0.001, 4742)],
)
def test_known_numbers_of_items(wrong: int, max_error: float, items: int) -> None:
    assert needed(wrong, max_error, 0.95) == items
    assert upper_bound(wrong, items, 0.95) <= max_error < upper_bound(wrong, items - 1, 0.95)


def test_the_first_failure_ends_the_tests() -> None:
    confidences = [0.99] * 300 + [0.9] * 300 + [0.8] * 3000
    wrong = [False] * 300 + [True] * 10 + [False] * 3290
    tested = choose_threshold(confidences, wrong, (0.95, 0.85, 0.7), 0.01, 0.95)
    assert [(each.threshold, each.units, each.wrong, each.passed) for each in tested] == [
        (0.95, 300, 0, True),
        (0.85, 600, 10, False),
    ]


def test_the_promise_is_kept_in_95_of_100_draws() -> None:
    random, broken, stated = np.random.default_rng(3), 0, 0
    grid = (0.95, 0.9, 0.8)
    risk = {0.95: 0.01, 0.9: 0.0101, 0.8: 0.04}  # the second is just above the limit
    strata = [0.01, (0.0101 * 0.8 - 0.006) / 0.2, (0.04 - 0.0101 * 0.8) / 0.2]
    for _ in range(400):
        band = random.choice(3, 1200, p=[0.6, 0.2, 0.2])
        wrong = random.random(1200) < np.array(strata)[band]
        tested = choose_threshold(np.array(grid)[band].tolist(), wrong.tolist(), grid, 0.01005, 0.95)
        best = [each.threshold for each in tested if each.passed]
        stated += bool(best)
        broken += bool(best) and risk[best[-1]] > 0.01005
    assert stated > 0
    assert broken / 400 <= 0.05


def test_drift_is_rarely_seen_without_change_and_nearly_always_with_one() -> None:
    random = np.random.default_rng(5)
    alarms = [
        drift_chance(random.normal(4, 1, 150).tolist(), random.normal(4, 1, 100).tolist()) <= 0.05 for _ in range(60)
    ]
    found = [
        drift_chance(random.normal(4, 1, 150).tolist(), random.normal(3.2, 1, 100).tolist()) <= 0.05 for _ in range(30)
    ]
    assert sum(alarms) <= 6
    assert sum(found) >= 29
