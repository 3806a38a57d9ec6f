"""The answers of both networks are combined, and the coefficients can be fitted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from batchocr.decoding.digits.joint import (
    Calibration,
    JointParameters,
    confidence,
    features,
    joint_probabilities,
    read_jointly,
)
from batchocr.decoding.digits.joint_fit import fit_calibration, fit_logistic, fit_weights

ALONE = np.zeros((1, 2))


def says(digit: int, sure: float, second: int = 8, none: float = 0.0, classes: int = 11) -> NDArray[np.float64]:
    row = np.zeros(classes)
    row[digit] = sure * (1 - none)
    row[second] += (1 - sure) * (1 - none)
    if classes == 11:
        row[10] = none
    return row[None]


def test_agreement_of_both_networks_gives_more_confidence() -> None:
    both = read_jointly(np.array([0.8]), says(3, 0.9, classes=16), says(3, 0.9), ALONE)
    one = read_jointly(np.array([0.8]), says(3, 0.9, classes=16), says(8, 0.6, second=3), ALONE)
    assert both.digits[0] == one.digits[0] == 3
    assert both.confidences[0] > one.confidences[0]
    assert one.seconds[0] == 8


def test_the_weights_decide_which_network_counts() -> None:
    detector, classifier = says(3, 0.8, second=5, classes=16), says(5, 0.8, second=3)
    assert joint_probabilities(detector, classifier, JointParameters(1.0, 0.0))[0].argmax() == 3
    assert joint_probabilities(detector, classifier, JointParameters(0.0, 1.0))[0].argmax() == 5


def test_probabilities_add_up_to_one() -> None:
    rng = np.random.default_rng(0)
    detector, classifier = rng.dirichlet(np.full(16, 0.2), 200), rng.dirichlet(np.full(11, 0.2), 200)
    assert joint_probabilities(detector, classifier).sum(axis=1) == pytest.approx(1)
    read = read_jointly(rng.random(200), detector, classifier, rng.random((200, 2)))
    assert (read.confidences + read.second_confidences <= 1 + 1e-9).all()
    assert (read.second_confidences <= read.confidences).all()
    assert (read.digits != read.seconds).all()


def test_a_low_score_and_a_likely_non_digit_make_it_a_non_digit() -> None:
    sure = read_jointly(np.array([0.9]), says(3, 0.99, classes=16), says(3, 0.99, none=0.001), ALONE)
    poor = read_jointly(np.array([0.2]), says(3, 0.99, classes=16), says(3, 0.99, none=0.99), ALONE)
    assert sure.is_digit[0] > 0.9 and poor.is_digit[0] < 0.1
    assert poor.confidences[0] < sure.confidences[0]


def test_sure_neighbours_make_a_weak_detection_a_digit() -> None:
    calibration = Calibration(digit_weights=(1.0, -0.35, 0.4, 0.4), weights=(0.7, 1.0, 0.5, -0.3, 0.5, 0.3, 0.2))
    alone, beside, below = (
        read_jointly(
            np.array([0.2]),
            says(3, 0.9, classes=16),
            says(3, 0.9, none=0.3),
            np.array([sides]),
            calibration=calibration,
        )
        for sides in ((0.0, 0.0), (0.95, 0.9), (0.29, 0.1))
    )
    assert beside.is_digit[0] > alone.is_digit[0] + 0.2 and beside.confidences[0] > alone.confidences[0]
    assert below.is_digit[0] == alone.is_digit[0], "a weak neighbour does not make a detection more likely"


def test_of_equally_likely_digits_the_smaller_one_comes_first() -> None:
    read = read_jointly(np.array([0.5]), np.full((1, 16), 1 / 16), np.full((1, 11), 1 / 11), ALONE)
    assert (read.digits[0], read.seconds[0]) == (0, 1)


def test_zero_probabilities_are_accepted() -> None:
    read = read_jointly(np.zeros(1), np.zeros((1, 16)), np.zeros((1, 11)), ALONE)
    assert np.isfinite(read.confidences).all() and np.isfinite(read.is_digit).all()
    assert len(read_jointly(np.zeros(0), np.zeros((0, 16)), np.zeros((0, 11)), np.zeros((0, 2))).digits) == 0


def test_a_logistic_regression_finds_its_coefficients() -> None:
    rng = np.random.default_rng(1)
    inputs = rng.normal(0, 1, (20_000, 2))
    holds = rng.random(20_000) < 1 / (1 + np.exp(-(0.5 + inputs @ np.array([2.0, -1.0]))))
    bias, weights = fit_logistic(inputs, holds)
    assert bias == pytest.approx(0.5, abs=0.1)
    assert weights == pytest.approx([2, -1], abs=0.1)


def test_a_fitted_calibration_gives_the_share_that_is_right() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    truth = rng.integers(0, 10, n)
    logits = rng.normal(0, 1, (n, 10))
    logits[np.arange(n), truth] += rng.choice([1.0, 5.0], n)
    said = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classifier = np.concatenate([said * 0.95, np.full((n, 1), 0.05)], axis=1)
    evidence = features(np.full(n, 0.7), said, classifier, joint_probabilities(said, classifier), np.zeros((n, 2)))
    right = said.argmax(axis=1) == truth
    calibration = fit_calibration(evidence, right, np.ones(n, np.bool_))
    assert isinstance(calibration, Calibration)
    sure = confidence(evidence, calibration)
    for low, high in ((0.3, 0.6), (0.6, 0.9), (0.9, 1.0)):
        some = (sure >= low) & (sure < high)
        assert sure[some].mean() == pytest.approx(right[some].mean(), abs=0.1)


def test_fitted_weights_prefer_the_better_network() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 10, 500)
    knows = np.full((500, 10), 0.02)
    knows[np.arange(500), truth] = 0.82
    guesses = rng.dirichlet(np.ones(10), 500)
    parameters = fit_weights(knows, guesses, truth)
    assert parameters.detector_weight > 0.8
