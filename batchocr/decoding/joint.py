"""What both networks say of a detection together: which digit, and how sure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DIGITS = 10
TINY = 1e-6
"""Probabilities are held at least so far from 0 and 1 before a logarithm is taken."""
FEATURES = ("score", "joint", "margin", "none", "agree", "beside", "both sides")
"""Of a detection, in the order of `Calibration.weights`."""
OF_DIGIT = [0, 3, 5, 6]
"""Those that tell whether it is a digit at all: `Calibration.digit_weights`."""
WEAK = 0.3
"""Lower scores of neighbours count as this one, so that what is found below it changes nothing."""


@dataclass(frozen=True)
class JointParameters:
    """How the two networks are weighed: `fit_weights`. A run takes what was fitted, from `reading.json`."""

    detector_weight: float = 0.5
    """Of the logarithm of the detector's digit probabilities."""
    classifier_weight: float = 0.5
    """Of the logarithm of the classifier's; equal ones make a geometric mean."""
    temperature: float = 1.0
    """The weighed sum is divided by it; above 1 makes the joint probabilities humbler."""


@dataclass(frozen=True)
class Calibration:
    """Coefficients of two logistic regressions: `fit_calibration`. A run takes what was fitted, from `reading.json`.

    Those here are plain ones, for where nothing is fitted.
    """

    bias: float = -1.0
    weights: tuple[float, float, float, float, float, float, float] = (0.7, 1.0, 0.5, -0.3, 0.5, 0.0, 0.0)
    """Of FEATURES, for the confidence: that a detection is a digit and is read right."""
    digit_bias: float = 0.5
    digit_weights: tuple[float, float, float, float] = (1.0, -0.35, 0.0, 0.0)
    """Of the features OF_DIGIT alone, for whether a detection is a digit at all."""

    def moved(self, slope: float, shift: float) -> Calibration:
        """The same with the confidences' logits scaled and shifted."""
        a, b, c, d, e, f, g = (slope * weight for weight in self.weights)
        return replace(self, bias=slope * self.bias + shift, weights=(a, b, c, d, e, f, g))


@dataclass(frozen=True)
class JointReading:
    """What was decided for each of n detections."""

    digits: NDArray[np.int64]
    """(n,) the likeliest digit."""
    seconds: NDArray[np.int64]
    """(n,) the runner-up."""
    confidences: Floats
    """(n,) probability that it is a digit and is that one."""
    second_confidences: Floats
    """(n,) the same for the runner-up."""
    is_digit: Floats
    """(n,) probability that it is a digit at all."""


def _logit(probabilities: Floats) -> Floats:
    held = np.clip(probabilities, 1e-3, 1 - 1e-3)
    return np.log(held / (1 - held))


def _sigmoid(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(values, -40, 40)))


def _normalised(probabilities: NDArray[np.floating]) -> Floats:
    """Of ten digits, adding up to 1; all alike where nothing is said of a digit."""
    of_digits = np.maximum(probabilities[:, :DIGITS].astype(np.float64), TINY)
    return of_digits / of_digits.sum(axis=1, keepdims=True)


def joint_probabilities(
    detector: NDArray[np.floating], classifier: NDArray[np.floating], parameters: JointParameters | None = None
) -> Floats:
    """Probabilities (n, 10) of the digits from both networks: a weighed product.

    `detector` (n, 10 or more) and `classifier` (n, 10 or more) hold the digits first; each is taken as if it were
    certain that there is a digit.
    """
    how = parameters or JointParameters()
    logs = how.detector_weight * np.log(_normalised(detector)) + how.classifier_weight * np.log(_normalised(classifier))
    logs = (logs - logs.max(axis=1, keepdims=True)) / how.temperature
    raised = np.exp(logs)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def features(
    scores: NDArray[np.floating],
    detector: NDArray[np.floating],
    classifier: NDArray[np.floating],
    joint: Floats,
    beside: NDArray[np.floating],
) -> Floats:
    """FEATURES (n, 7) of detections: by them confidence is told.

    `scores` (n,) of the detector, `detector` (n, 10 or more), `classifier` (n, 11) with "none" last, `joint` (n, 10),
    `beside` (n, 2) the scores of the neighbours.
    """
    if not len(joint):
        return np.empty((0, len(FEATURES)))
    first_two = np.sort(joint, axis=1)[:, -2:]
    logs = np.log(np.maximum(first_two, TINY))
    agree = detector[:, :DIGITS].argmax(axis=1) == classifier[:, :DIGITS].argmax(axis=1)
    sides = np.sort(_logit(np.maximum(beside, WEAK)), axis=1)
    return np.stack(
        [
            _logit(np.asarray(scores, np.float64)),
            logs[:, 1],
            logs[:, 1] - logs[:, 0],
            _logit(np.asarray(classifier[:, DIGITS], np.float64)),
            agree.astype(np.float64),
            sides[:, 1],
            sides[:, 0],
        ],
        axis=1,
    )


def confidence(of_features: Floats, calibration: Calibration | None = None) -> Floats:
    """Probability (n,) that a detection is a digit and is read right, from its features (n, 7)."""
    how = calibration or Calibration()
    return _sigmoid(how.bias + of_features @ np.array(how.weights))


def is_digit(of_features: Floats, calibration: Calibration | None = None) -> Floats:
    """Probability (n,) that a detection is a digit at all, from its features (n, 7)."""
    how = calibration or Calibration()
    return _sigmoid(how.digit_bias + of_features[:, OF_DIGIT] @ np.array(how.digit_weights))


def read_jointly(
    scores: NDArray[np.floating],
    detector: NDArray[np.floating],
    classifier: NDArray[np.floating],
    beside: NDArray[np.floating],
    parameters: JointParameters | None = None,
    calibration: Calibration | None = None,
) -> JointReading:
    """What both networks say of n detections.

    `scores` (n,) and `detector` (n, 16) come from the detector, `classifier` (n, 11) from the classifier of crops: ten
    digits, and none of them; `beside` (n, 2) from `neighbour_scores`. Of equals the smaller digit comes first.
    """
    joint = joint_probabilities(detector, classifier, parameters)
    order = np.argsort(-joint, axis=1, kind="stable")
    first, second = order[:, 0], order[:, 1]
    each = np.arange(len(joint))
    told = features(scores, detector, classifier, joint, beside)
    sure = confidence(told, calibration)
    runner_up = np.minimum(sure * joint[each, second] / joint[each, first], 1 - sure)
    return JointReading(first, second, sure, runner_up, is_digit(told, calibration))


def fit_logistic(
    of_features: Floats, holds: NDArray[np.bool_], counts: Floats | None = None, ridge: float = 1.0
) -> tuple[float, Floats]:
    """Bias and weights (k,) of the logistic regression by which features (n, k) tell whether something holds (n,).

    Newton's method; each observation counts as `counts` (n,) says, 1 where nothing is said. `ridge` holds the weights
    near 0 as that many observations of unit size would.
    """
    inputs = np.concatenate([np.ones((len(of_features), 1)), of_features], axis=1)
    count = np.ones(len(inputs)) if counts is None else counts
    weights = np.zeros(inputs.shape[1])
    pull = np.full(inputs.shape[1], ridge)
    pull[0] = TINY
    for _ in range(50):
        told = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (count * (holds - told)) - pull * weights
        curvature = (inputs * (count * told * (1 - told))[:, None]).T @ inputs + np.diag(pull)
        step = np.linalg.solve(curvature, gradient)
        weights += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return float(weights[0]), weights[1:]


def fit_calibration(
    of_features: Floats,
    right: NDArray[np.bool_],
    a_digit: NDArray[np.bool_],
    counts: Floats | None = None,
    digit_counts: Floats | None = None,
) -> Calibration:
    """The calibration from detections with features (n, 7): which are read right, and which are digits at all.

    Each counts as `counts` (n,) says for the one, and `digit_counts` (n,) for the other; 1 where nothing is said.
    """
    bias, weights = fit_logistic(of_features, right, counts)
    digit_bias, digit_weights = fit_logistic(of_features[:, OF_DIGIT], a_digit, digit_counts)
    a, b, c, d, e, f, g = (round(float(w), 4) for w in weights)
    score, none, beside, both = (round(float(w), 4) for w in digit_weights)
    return Calibration(round(bias, 4), (a, b, c, d, e, f, g), round(digit_bias, 4), (score, none, beside, both))


def fit_weights(
    detector: NDArray[np.floating],
    classifier: NDArray[np.floating],
    labels: NDArray[np.integer],
    counts: Floats | None = None,
) -> JointParameters:
    """The weights by which the fewest true digits (n,) are read wrongly, and their likeliest temperature, from a grid.

    Of weights with as many wrong the likelier ones are taken. Each digit counts as `counts` (n,) says, 1 where nothing
    is said.
    """
    best, least = JointParameters(), (np.inf, np.inf)
    for of_detector in np.linspace(0, 1, 11):
        for temperature in np.geomspace(0.25, 4, 17):
            how = JointParameters(
                round(float(of_detector), 2), round(float(1 - of_detector), 2), round(float(temperature), 4)
            )
            joint = joint_probabilities(detector, classifier, how)
            losses = -np.log(np.maximum(joint[np.arange(len(labels)), labels], TINY))
            wrong = float(np.average(joint.argmax(axis=1) != labels, weights=counts))
            loss = round(wrong, 9), float(np.average(losses, weights=counts))
            if loss < least:
                best, least = how, loss
    return best
