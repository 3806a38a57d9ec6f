"""Parameters of the steps that decide which signs belong to numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchocr.decoding.layout.sign_positions import SignPositionParameters


@dataclass(frozen=True)
class SignParameters:
    """When a sign belongs to a number and when it is sure; gaps in heights of the digits beside it."""

    positions: SignPositionParameters = field(default_factory=SignPositionParameters)
    """Where a sign is beside a digit."""
    max_gap_heights: float = 0.9
    """Maximum gap between a sign and a digit of its number. Basis: chosen by eye."""
    max_leading_gap_heights: float = 0.7
    """Maximum gap between a sign before a number and the number. Basis: chosen by eye."""
    max_height_ratio: float = 2.2
    """Maximum height of a sign, in heights of the digit beside it. Basis: chosen by eye."""
    max_width_ratio: float = 1.6
    """Maximum width of a sign, in heights of the digit beside it. Basis: chosen by eye."""
    max_inside_ratio: float = 0.6
    """Maximum share of a sign's box that is inside a digit or a larger sign; a sign with more is a part of it.
    Basis: chosen by eye."""
    min_larger_score_ratio: float = 0.5
    """Minimum score of such a larger sign, as a share of the score of the sign inside it. Basis: chosen by eye."""
    min_same_ratio: float = 0.4
    """Minimum intersection over union at which a sign and a digit are the same ink; then the stronger one is kept.
    Basis: chosen by eye."""
    position_weight: float = 0.7
    """Weight of the distance from the usual position when the digit beside a sign is chosen; the gap has the weight 1.
    Basis: chosen by eye."""
    min_slash_height_ratio: float = 1.15
    """Minimum height of a slash, in heights of the digits beside it; a lower one is a 1, and doubtful. Basis: on
    composed pages each of 25 such slashes was a leaning 1; of 187 slashes in lines of pen strokes none is lower."""
    max_slash_height_ratio: float = 2.0
    """Greater height ratios count as this one in the regression below. Basis: chosen by eye."""
    min_slash_share: float = 0.1
    """Minimum probability of being a sign, of the slash or of the digit, for a slash. Basis: chosen by eye."""
    slash_height_weight: float = 8.8
    """Weight of the slash's height ratio in the logistic regression that distinguishes slashes from ones. Basis: fitted
    to 235 slashes and 15 ones of UNIPEN's writers, and 122 ones of composed pages, cheques and registers; 97% of the
    slashes are recognised, 77% of them were stronger than the digit."""
    slash_score_weight: float = -2.1
    """Weight of the slash's score in this regression. Basis: the same fit."""
    slash_digit_score_weight: float = -3.6
    """Weight of the digit's score in this regression. Basis: the same fit."""
    slash_share_weight: float = 3.8
    """Weight of the greater probability of being a sign in this regression. Basis: the same fit."""
    slash_bias: float = -9.4
    """Constant term of this regression. Basis: the same fit."""
    min_slash_probability: float = 0.5
    """Minimum probability of this regression for a slash. Basis: the more likely one is chosen."""
    min_doubtful_slash_probability: float = 0.1
    """A slash or digit with a probability above this one and below the maximum is doubtful. Basis: chosen by eye."""
    max_doubtful_slash_probability: float = 0.9
    """The maximum of this range. Basis: chosen by eye."""
    max_slash_digit_share: float = 0.5
    """A slash on no digit needs a smaller probability of being a digit to be kept in spite of a low score.
    Basis: it is then more likely a sign."""
    max_slash_digit_distance_heights: float = 3.0
    """Maximum horizontal distance from a slash to the digits that its height is compared with, in heights of the slash.
    Basis: chosen by eye."""
    max_slash_digit_offset_heights: float = 0.5
    """Maximum vertical distance to these digits, in heights of the slash. Basis: chosen by eye."""
    min_doubtful_strength_ratio: float = 0.6
    """Minimum ratio of the weaker strength to the stronger strength at which the choice between a sign and a digit is
    doubtful. Basis: chosen by eye."""
    min_score: float = 0.25
    """Minimum score of a sign that is written; a weaker sign only marks the number. Basis: chosen by eye."""
    sure_score: float = 0.5
    """Score of the detector below which a sign is doubtful. Basis: chosen by eye."""
    weak_presence: float = 0.5
    """Probability that a sign with the score 0 is there. It increases with the score and is 1 at `sure_score`. Basis:
    the score says as much about the accuracy of the centre as about the presence of a sign."""
    min_digit_sign_share: float = 0.08
    """Minimum probability of being a sign at which a digit marks its number, such as a slash that is read as 1. Basis:
    of the 1s of composed pages 5% have more, of those that are slashes nearly all."""
    sure_margin: float = 0.3
    """Difference between the most likely sign and the second below which a sign is doubtful. Basis: chosen by eye."""


PARAMETERS = SignParameters()
