"""Fit the weights and the calibration of the joint reading to detections whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.joint import (
    DIGIT_FEATURES,
    FEATURE_PARAMETERS,
    Calibration,
    FeatureParameters,
    Floats,
    JointParameters,
    joint_probabilities,
    sigmoid,
)

DECIMALS = 4
"""Number of decimals of the fitted coefficients in `reading.json`."""


@dataclass(frozen=True)
class JointFitParameters:
    """How weights and calibration are fitted."""

    ridge: float = 1.0
    """Weight of the ridge penalty on the coefficients, in observations of unit size. Basis: chosen by eye."""
    bias_ridge: float = 1e-6
    """The same for the constant term. Basis: nearly none, so that it stays free and the equations stay solvable."""
    max_steps: int = 50
    """Maximum number of Newton steps. Basis: a regression that converges needs fewer than ten."""
    max_step: float = 2.0
    """Maximum change of a coefficient in one step. Basis: it keeps the first steps stable."""
    min_step: float = 1e-8
    """The fit ends if no coefficient changes by more. Basis: far below the decimals that are written."""
    weight_steps: int = 11
    """Number of detector weights that are tried, from 0 to 1. Basis: a grid of tenths."""
    temperature_steps: int = 17
    """Number of temperatures that are tried, in a geometric series. Basis: a ratio of 2 to the power of 1/4."""
    min_temperature: float = 0.25
    """Minimum temperature that is tried. Basis: chosen by eye."""
    max_temperature: float = 4.0
    """Maximum temperature that is tried. Basis: chosen by eye."""


PARAMETERS = JointFitParameters()


def fit_logistic(
    feature_rows: Floats,
    holds: NDArray[np.bool_],
    counts: Floats | None = None,
    parameters: JointFitParameters = PARAMETERS,
) -> tuple[float, Floats]:
    """Fit a logistic regression with Newton's method and a ridge penalty.

    Args:
        feature_rows: (n, k) features of the observations.
        holds: (n,) what the regression predicts.
        counts: (n,) weight of each observation; None if each has the weight 1.
        parameters: how it is fitted.

    Returns:
        The constant term, and the weights (k,) of the features.
    """
    p = parameters
    inputs = np.concatenate([np.ones((len(feature_rows), 1)), feature_rows], axis=1)
    count = np.ones(len(inputs)) if counts is None else counts
    weights = np.zeros(inputs.shape[1])
    ridge = np.full(inputs.shape[1], p.ridge)
    ridge[0] = p.bias_ridge
    for _ in range(p.max_steps):
        predicted = sigmoid(inputs @ weights)
        gradient = inputs.T @ (count * (holds - predicted)) - ridge * weights
        curvature = (inputs * (count * predicted * (1 - predicted))[:, None]).T @ inputs + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        weights += np.clip(step, -p.max_step, p.max_step)
        if np.abs(step).max() < p.min_step:
            break
    return float(weights[0]), weights[1:]


def fit_calibration(
    feature_rows: Floats,
    right: NDArray[np.bool_],
    a_digit: NDArray[np.bool_],
    counts: Floats | None = None,
    digit_counts: Floats | None = None,
    parameters: JointFitParameters = PARAMETERS,
) -> Calibration:
    """Fit the calibration of the joint reading.

    Args:
        feature_rows: (n, 7) features of the detections.
        right: (n,) which detections are read right.
        a_digit: (n,) which detections are digits.
        counts: (n,) weight of each detection for the confidence; None if each has the weight 1.
        digit_counts: (n,) the same for the probability of being a digit.
        parameters: how it is fitted.

    Returns:
        The calibration, rounded to the decimals of `reading.json`.
    """
    bias, weights = fit_logistic(feature_rows, right, counts, parameters)
    digit_bias, digit_weights = fit_logistic(feature_rows[:, DIGIT_FEATURES], a_digit, digit_counts, parameters)
    a, b, c, d, e, f, g = (round(float(w), DECIMALS) for w in weights)
    score, none, beside, both = (round(float(w), DECIMALS) for w in digit_weights)
    return Calibration(
        round(bias, DECIMALS), (a, b, c, d, e, f, g), round(digit_bias, DECIMALS), (score, none, beside, both)
    )


def fit_weights(
    detector: NDArray[np.floating],
    classifier: NDArray[np.floating],
    labels: NDArray[np.integer],
    counts: Floats | None = None,
    parameters: JointFitParameters = PARAMETERS,
    feature_parameters: FeatureParameters = FEATURE_PARAMETERS,
) -> JointParameters:
    """Find the weights of both networks with the fewest wrong digits, by a grid search.

    Args:
        detector: (n, 10 or more) class probabilities of the detector.
        classifier: (n, 10 or more) class probabilities of the classifier.
        labels: (n,) the true digits.
        counts: (n,) weight of each digit; None if each has the weight 1.
        parameters: the grid.
        feature_parameters: limits of the probabilities.

    Returns:
        The weights and the temperature. Of those with equally many wrong digits, the most likely ones are returned.
    """
    p = parameters
    best, best_loss = JointParameters(), (np.inf, np.inf)
    for detector_weight in np.linspace(0, 1, p.weight_steps):
        for temperature in np.geomspace(p.min_temperature, p.max_temperature, p.temperature_steps):
            candidate = JointParameters(
                round(float(detector_weight), 2),
                round(float(1 - detector_weight), 2),
                round(float(temperature), DECIMALS),
            )
            joint = joint_probabilities(detector, classifier, candidate, feature_parameters)
            losses = -np.log(np.maximum(joint[np.arange(len(labels)), labels], feature_parameters.min_probability))
            wrong = float(np.average(joint.argmax(axis=1) != labels, weights=counts))
            loss = round(wrong, 9), float(np.average(losses, weights=counts))
            if loss < best_loss:
                best, best_loss = candidate, loss
    return best
