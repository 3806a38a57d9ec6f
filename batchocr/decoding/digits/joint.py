"""The joint reading: detector and classifier decide together which digit a detection is, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DIGITS = 10
"""Number of digit classes; they come first in all class probabilities."""
FEATURES = ("score", "joint", "margin", "none", "agree", "beside", "both sides")
"""Features of a detection, in the order of `Calibration.weights`: the detector's score, the joint probability of the
most likely digit, its margin to the runner-up, the classifier's probability of a non-digit, whether both networks name
the same digit, and the greater and the smaller score of the neighbours."""
DIGIT_FEATURES = [0, 3, 5, 6]
"""Indices of the features in the order of `Calibration.digit_weights`."""


@dataclass(frozen=True)
class JointParameters:
    """How the two networks are weighted. A run takes the values of `reading.json`, which `fit_weights` determined.

    Basis of all: the geometric mean, as long as nothing is fitted.
    """

    detector_weight: float = 0.5
    """Weight of the logarithm of the detector's digit probabilities."""
    classifier_weight: float = 0.5
    """Weight of the logarithm of the classifier's digit probabilities."""
    temperature: float = 1.0
    """Divisor of the weighted sum; above 1 it makes the joint probabilities less extreme."""


@dataclass(frozen=True)
class FeatureParameters:
    """Limits of what a single feature of a detection can contribute.

    `reading.json` is fitted for these values.
    """

    min_probability: float = 1e-6
    """Lower probabilities of digits count as this one. Basis: their logarithm must be finite."""
    min_logit_probability: float = 1e-3
    """Lower scores and probabilities count as this one before the logit, and those above 1 minus this one as that.
    Basis: chosen by eye."""
    min_neighbour_score: float = 0.3
    """Lower scores of neighbours count as this one. Basis: the shipped minimum score of digits, so that detections
    below it change nothing."""


@dataclass(frozen=True)
class Calibration:
    """Coefficients of two logistic regressions. A run takes those of `reading.json`, which `fit_calibration`
    determined.

    The defaults are plain values for models for which nothing is fitted.
    """

    bias: float = -1.0
    """Constant term of the regression of the confidence."""
    weights: tuple[float, float, float, float, float, float, float] = (0.7, 1.0, 0.5, -0.3, 0.5, 0.0, 0.0)
    """Weights of FEATURES for the confidence: the probability that a detection is a digit and is read right."""
    digit_bias: float = 0.5
    """Constant term of the regression of the probability of being a digit."""
    digit_weights: tuple[float, float, float, float] = (1.0, -0.35, 0.0, 0.0)
    """Weights of DIGIT_FEATURES for the probability that a detection is a digit at all."""

    def rescaled(self, slope: float, shift: float) -> Calibration:
        """Return the calibration whose confidences have the logits `slope` times the old ones plus `shift`."""
        a, b, c, d, e, f, g = (slope * weight for weight in self.weights)
        return replace(self, bias=slope * self.bias + shift, weights=(a, b, c, d, e, f, g))


PARAMETERS = JointParameters()
FEATURE_PARAMETERS = FeatureParameters()
CALIBRATION = Calibration()


@dataclass(frozen=True)
class JointReading:
    """The joint reading of n detections."""

    digits: NDArray[np.int64]
    """(n,) the most likely digit."""
    seconds: NDArray[np.int64]
    """(n,) the runner-up."""
    confidences: Floats
    """(n,) probability that the detection is a digit and is the most likely one."""
    second_confidences: Floats
    """(n,) the same for the runner-up."""
    is_digit: Floats
    """(n,) probability that the detection is a digit at all."""

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> JointReading:
        """Return the reading of some of the detections, by indices or by a mask (n,)."""
        return JointReading(*(getattr(self, name)[which] for name in JointReading.__dataclass_fields__))


def joint_probabilities(
    detector: NDArray[np.floating],
    classifier: NDArray[np.floating],
    parameters: JointParameters = PARAMETERS,
    feature_parameters: FeatureParameters = FEATURE_PARAMETERS,
) -> Floats:
    """Combine the digit probabilities of both networks as a weighted product (logarithmic opinion pool).

    Args:
        detector: (n, 10 or more) class probabilities of the detector, the digits first.
        classifier: (n, 10 or more) class probabilities of the classifier, the digits first.
        parameters: the weights of both networks.
        feature_parameters: limits of the probabilities.

    Returns:
        (n, 10) probabilities of the digits; each row adds up to 1, as if the detection was certainly a digit.
    """
    p, minimum = parameters, feature_parameters.min_probability
    logs = p.detector_weight * np.log(_digit_probabilities(detector, minimum)) + p.classifier_weight * np.log(
        _digit_probabilities(classifier, minimum)
    )
    logs = (logs - logs.max(axis=1, keepdims=True)) / p.temperature
    raised = np.exp(logs)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def features(
    scores: NDArray[np.floating],
    detector: NDArray[np.floating],
    classifier: NDArray[np.floating],
    joint: Floats,
    neighbours: NDArray[np.floating],
    parameters: FeatureParameters = FEATURE_PARAMETERS,
) -> Floats:
    """Compute the features of detections that determine their confidence.

    Args:
        scores: (n,) scores of the detector.
        detector: (n, 10 or more) class probabilities of the detector.
        classifier: (n, 11) class probabilities of the classifier: ten digits, then the non-digit.
        joint: (n, 10) joint probabilities of the digits.
        neighbours: (n, 2) scores of the neighbours to the left and to the right.
        parameters: limits of the features.

    Returns:
        (n, 7) the FEATURES of each detection.
    """
    p = parameters
    if not len(joint):
        return np.empty((0, len(FEATURES)))
    best_two = np.sort(joint, axis=1)[:, -2:]
    logs = np.log(np.maximum(best_two, p.min_probability))
    agree = detector[:, :DIGITS].argmax(axis=1) == classifier[:, :DIGITS].argmax(axis=1)
    sides = np.sort(_logit(np.maximum(neighbours, p.min_neighbour_score), p), axis=1)
    return np.stack(
        [
            _logit(np.asarray(scores, np.float64), p),
            logs[:, 1],
            logs[:, 1] - logs[:, 0],
            _logit(np.asarray(classifier[:, DIGITS], np.float64), p),
            agree.astype(np.float64),
            sides[:, 1],
            sides[:, 0],
        ],
        axis=1,
    )


def confidence(feature_rows: Floats, calibration: Calibration = CALIBRATION) -> Floats:
    """Return the probability (n,) that a detection is a digit and is read right, from its features (n, 7)."""
    return sigmoid(calibration.bias + feature_rows @ np.array(calibration.weights))


def is_digit(feature_rows: Floats, calibration: Calibration = CALIBRATION) -> Floats:
    """Return the probability (n,) that a detection is a digit at all, from its features (n, 7)."""
    return sigmoid(calibration.digit_bias + feature_rows[:, DIGIT_FEATURES] @ np.array(calibration.digit_weights))


def read_jointly(
    scores: NDArray[np.floating],
    detector: NDArray[np.floating],
    classifier: NDArray[np.floating],
    neighbours: NDArray[np.floating],
    parameters: JointParameters = PARAMETERS,
    calibration: Calibration = CALIBRATION,
    feature_parameters: FeatureParameters = FEATURE_PARAMETERS,
) -> JointReading:
    """Read n detections by both networks.

    Args:
        scores: (n,) scores of the detector.
        detector: (n, 16) class probabilities of the detector.
        classifier: (n, 11) class probabilities of the classifier: ten digits, then the non-digit.
        neighbours: (n, 2) scores of the neighbours, from `neighbour_scores`.
        parameters: the weights of both networks.
        calibration: the coefficients of the confidences.
        feature_parameters: limits of the features.

    Returns:
        The joint reading. Of equally likely digits the smaller one comes first.
    """
    joint = joint_probabilities(detector, classifier, parameters, feature_parameters)
    order = np.argsort(-joint, axis=1, kind="stable")
    best, second = order[:, 0], order[:, 1]
    rows = np.arange(len(joint))
    feature_rows = features(scores, detector, classifier, joint, neighbours, feature_parameters)
    confidences = confidence(feature_rows, calibration)
    runner_up = np.minimum(confidences * joint[rows, second] / joint[rows, best], 1 - confidences)
    return JointReading(best, second, confidences, runner_up, is_digit(feature_rows, calibration))


def sigmoid(values: Floats) -> Floats:
    """Return the logistic function of values (n,)."""
    return 1 / (1 + np.exp(-np.clip(values, -40, 40)))  # beyond 40 it is 0 or 1 within the precision of a float


def _logit(probabilities: Floats, p: FeatureParameters) -> Floats:
    """Return the logits of clipped probabilities."""
    clipped = np.clip(probabilities, p.min_logit_probability, 1 - p.min_logit_probability)
    return np.log(clipped / (1 - clipped))


def _digit_probabilities(probabilities: NDArray[np.floating], minimum: float) -> Floats:
    """Return the probabilities of the ten digits, adding up to 1; all equal if all of them are below the minimum."""
    of_digits = np.maximum(probabilities[:, :DIGITS].astype(np.float64), minimum)
    return of_digits / of_digits.sum(axis=1, keepdims=True)
