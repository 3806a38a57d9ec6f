"""Temperature, threshold and calibration error, with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from batchocr.recognition.calibration import (
    Floats,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    scale,
    threshold_at,
)


def honest(n: int, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    """Probabilities (n, 10), and digits that were drawn by them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2.5, (n, 10))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, (rng.random((n, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 9)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_scaled_rows_sum_to_one_and_keep_their_order(temperature: float) -> None:
    probabilities, _ = honest(200)
    scaled = scale(probabilities, temperature)
    assert np.allclose(scaled.sum(axis=1), 1)
    assert np.array_equal(scaled.argsort(axis=1), probabilities.argsort(axis=1))


def test_a_temperature_of_one_changes_nothing_above_one_humbles() -> None:
    probabilities, _ = honest(50)
    assert np.allclose(scale(probabilities, 1.0), probabilities)
    assert (scale(probabilities, 2.0).max(axis=1) < probabilities.max(axis=1)).all()
    assert np.allclose(scale(np.array([[0.8, 0.2]]), 2.0), [[2 / 3, 1 / 3]])  # √4 : 1


def test_scaling_bears_a_zero_and_32_bits() -> None:
    scaled = scale(np.array([[1, 0, 0]], np.float32), 0.5)
    assert scaled.dtype == np.float64
    assert np.isfinite(scaled).all()
    assert scaled[0, 0] == pytest.approx(1)


def test_the_likelihood_of_known_probabilities() -> None:
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert negative_log_likelihood(probabilities, np.array([0, 0])) == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert np.isfinite(negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1])))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_fitting_finds_the_temperature_that_was_taken_away(temperature: float) -> None:
    probabilities, truth = honest(20_000)
    assert fit_temperature(scale(probabilities, 1 / temperature), truth) == pytest.approx(temperature, rel=0.04)


def test_fitted_temperatures_keep_within_bounds() -> None:
    sure_and_right = scale(np.eye(10)[np.arange(100) % 10] * 0.9 + 0.01, 1.0)
    assert fit_temperature(sure_and_right, np.arange(100) % 10) == pytest.approx(0.25, rel=0.01)
    assert fit_temperature(sure_and_right, (np.arange(100) + 1) % 10) == pytest.approx(8, rel=0.01)


CONFIDENCE = np.array([0.6, 0.9, 0.7, 0.8])
RIGHT = np.array([True, True, False, True])


@pytest.mark.parametrize(
    ("error", "threshold"),
    [(0.0, 0.8), (0.2, 0.8), (0.25, 0.6), (0.5, 0.6)],
)
def test_the_threshold_is_the_lowest_that_keeps_the_error(error: float, threshold: float) -> None:
    assert threshold_at(error, CONFIDENCE, RIGHT) == threshold


def test_digits_of_equal_confidence_are_accepted_together() -> None:
    confidence = np.array([0.9, 0.9, 0.8, 0.8])
    assert threshold_at(0.1, confidence, np.array([True, True, True, False])) == 0.9
    assert threshold_at(0.1, confidence, np.array([True, True, False, True])) == 0.9


def test_where_no_threshold_serves_it_is_one() -> None:
    assert threshold_at(0.01, np.array([0.9, 0.5]), np.array([False, True])) == 1.0
    assert threshold_at(0.01, np.array([]), np.array([], bool)) == 1.0


def test_at_the_threshold_no_more_are_wrong_than_asked_for() -> None:
    probabilities, truth = honest(5000, seed=3)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    accepted = confidence >= threshold_at(0.05, confidence, right)
    assert 100 < accepted.sum() < 5000
    assert (~right[accepted]).mean() <= 0.05


def test_calibration_errors_with_known_answers() -> None:
    four_of_five = np.array([True, True, True, True, False])
    assert expected_calibration_error(np.full(5, 0.8), four_of_five) == pytest.approx(0)
    assert expected_calibration_error(np.full(5, 0.5), four_of_five) == pytest.approx(0.3)
    assert expected_calibration_error(np.ones(3), np.zeros(3, bool)) == pytest.approx(1)
    # two bins with one digit each: gaps of 0.1 and 0.4
    assert expected_calibration_error(np.array([0.9, 0.4]), np.array([True, False])) == pytest.approx(0.25)
    assert expected_calibration_error(np.array([]), np.array([], bool)) == 0


def test_honest_probabilities_have_hardly_a_calibration_error() -> None:
    probabilities, truth = honest(20_000)
    right = probabilities.argmax(axis=1) == truth
    assert expected_calibration_error(probabilities.max(axis=1), right) < 0.015
    assert expected_calibration_error(scale(probabilities, 0.3).max(axis=1), right) > 0.1
