"""The parameters of the reading of fields."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class CrossParameters:
    """What a cross is. Lengths are shares of half of its box.

    Basis of all: of 24 crosses on a public tally form 23 are found, of 5,000 digits of MNIST 20.
    """

    min_ink: int = 100
    """Minimum value of ink, of 255."""
    min_pixels: int = 20
    """Minimum number of pixels of ink."""
    min_side_ratio: float = 0.5
    """Minimum ratio of the sides of the box."""
    max_distance_ratio: float = 0.28
    """Maximum distance of ink from a diagonal."""
    min_near_share: float = 0.75
    """Minimum share of the ink near the diagonals."""
    length_ratio: float = 0.85
    """Part of the diagonals that must be ink."""
    parts: int = 8
    """Number of parts of a diagonal that are inspected."""
    min_covered_share: float = 0.85
    """Minimum share of these parts with ink."""


@dataclass(frozen=True)
class CellParameters:
    """What a cell contains."""

    trimmed_share: float = 0.1
    """Share of a cell at each side in which ink does not count: ends of digits of neighbours. Basis: chosen by eye."""
    cross_bias: float = -4.0
    """Added to the logit of the probability of being a digit, if the ink is a cross. Basis: a sure digit stays one."""
    crop_weight: float = 0.5
    """Weight of the classifier's answer for the crop without print, if the page has a detection in the cell too; that
    of the detection is the rest. Basis: chosen by eye."""
    digit_bias: float = 1.5
    """Added to the logit of the probability of being a digit, if the digit explains the ink of its cell. Basis: a cell
    contains a digit far more often than a place of a free page."""
    min_ink_heights: float = 0.18
    """Length of ink, in heights of the cell, at which a cell is as likely empty as not. Basis: the shortest 1 has 0.4,
    a dot or a stain 0.1."""
    ink_slope_heights: float = 0.035
    """Length over which the probability changes. Basis: chosen by eye."""
    pen_mm: float = 0.5
    """Width of a stroke, by which the area of ink is divided for its length. Basis: ball pens and felt pens draw 0.4
    to 0.8 mm."""
    min_inside_share: float = 0.5
    """Minimum share of a detection's box within its cell. Basis: more would be in a neighbour."""
    inside_exponent: float = 0.5
    """Power of the share of a detection's box within its cell, by which its probability is multiplied. Basis: chosen by
    eye."""
    min_explained_share: float = 0.7
    """Minimum share of a cell's ink within the box of its digit; otherwise there is other ink in the cell. Basis:
    chosen by eye."""
    min_seen_digit: float = 0.2
    """Minimum probability of a digit, for ink of which most is in neighbouring cells to be a digit of this cell. Basis:
    chosen by eye."""
    strange_ink_ratio: float = 0.4
    """Other such ink counts as this share of its area. Basis: ends of digits of neighbours have up to a third of the
    ink of a digit."""
    min_second_digit: float = 0.6
    """Minimum probability of a second digit beside the first one that marks a cell. Basis: chosen by eye."""
    max_second_overlap: float = 0.3
    """Maximum width that both digits have in common, in widths of the narrower one. Basis: otherwise they are two
    detections of one digit."""
    min_second_ink_share: float = 0.15
    """Minimum share of the cell's ink outside of the first digit, for a second one. Basis: chosen by eye."""
    min_crossed_span: float = 0.55
    """Minimum width and height of the ink of a crossed-out cell, as a share of the cell. Basis: chosen by eye."""
    meaningless_share: float = 0.002
    """Probability that ink that is not a digit stands for nothing, such as a crossed-out digit. Basis: a sum then drops
    it, but not a digit that is more probable than 0.95."""
    min_other_probability: float = 0.002
    """Minimum probability of ink that is not a digit. Basis: the networks were never shown all that people write."""


@dataclass(frozen=True)
class FreeParameters:
    """The digits of a field without cells."""

    min_digit: float = 0.03
    """Detections that are less likely a digit are left out. Basis: chosen by eye."""
    max_common_ink: float = 0.65
    """Two detections exclude each other if more of the ink of one of them is in both. Basis: boxes of slanted digits
    share up to a half of the ink of a 1."""
    max_overlap_ratio: float = 0.4
    """The same for the smaller width, if there is no ink. Basis: touching digits share less."""
    min_present: float = 0.5
    """Minimum probability of a detection that explains ink. Basis: below it, it is more likely not there."""
    max_presence: float = 0.9999
    """Maximum probability that a detection is there. Basis: nothing is ever excluded."""
    min_sure: float = 0.9
    """Probability from which a detection with ink is not left out without a trace: if no other one has its ink, this
    ink is unreadable. Basis: otherwise a sum could drop a sure digit."""
    max_rest_digits: float = 0.3
    """Ink beside all detections, in areas of a digit's ink, from which a digit may be missing. Basis: a 1 has half of
    the ink of the other digits."""
    max_lines_overlap: float = 0.2
    """A digit is in the line above another one if it ends within this share of the other's height. Basis: chosen by
    eye."""
    sign_factor: float = 2.0
    """Probability that a sign is there, in scores of the detector. Basis: chosen by eye."""
    max_cluster: int = 8
    """Number of detections that are combined freely; of more, the weakest are left out. Basis: a digit has rarely
    more than three detections."""
    min_inside_share: float = 0.6
    """Minimum share of a detection's box within the field. Basis: writing extends beyond a box."""
    min_explained_share: float = 0.75
    """Minimum share of a field's ink within the boxes of digits and signs. Basis: chosen by eye."""
    min_ink_heights: float = 0.25
    """Length of ink, in heights of the field, from which a field is not empty. Basis: chosen by eye."""
    digit_bias: float = 1.0
    """Added to the logit of the probability of being a digit. Basis: a field contains digits far more often than a
    place of a free page."""


@dataclass(frozen=True)
class MarkParameters:
    """When a tick box or a bubble is marked."""

    trimmed_share: float = 0.1
    """Share of a box at each side in which ink does not count: its own lines. Basis: chosen by eye."""
    min_ink_share: float = 0.035
    """Share of the box that is ink, at which it is as likely marked as not. Basis: a thin tick has 0.08."""
    slope_share: float = 0.007
    """Share over which the probability changes. Basis: chosen by eye."""
    full_share: float = 0.8
    """A box with more ink is blackened; a blackened box beside ticked ones is a correction. Basis: chosen by eye."""


@dataclass(frozen=True)
class RuleParameters:
    """How rules choose between readings."""

    max_candidates: int = 400
    """Number of readings of a field that are tried. Basis: the right one of poor writing is among the first hundred."""
    min_probability_ratio: float = 1e-7
    """Readings with a smaller share of the best reading's probability are left out. Basis: they never win."""
    min_alternative: float = 1e-4
    """Alternatives of a cell below this probability are left out. Basis: chosen by eye."""
    max_field_candidates: int = 12
    """Number of readings of a field that equations combine. Basis: alternatives of two doubtful digits."""
    min_field_probability: float = 1e-5
    """Readings of a field that are less probable are not combined. Basis: chosen by eye."""
    max_combinations: int = 4000
    """Number of combinations of fields that are tried. Basis: a fifth of a second."""
    min_relevant_share: float = 1e-3
    """Combinations that weigh less than this share of the best one are not tried. Basis: chosen by eye."""
    writer_error_share: float = 0.02
    """Share of values that break their rule on paper. Basis: people err in 1 to 3% of the sums that they write."""
    min_valid_share: float = 1e-4
    """Lower shares of values that satisfy a rule count as this one. Basis: chosen by eye."""
    sampled_values: int = 500
    """Number of values of which the share that satisfies a rule is measured. Basis: its error is a fiftieth then."""


@dataclass(frozen=True)
class ConfidenceParameters:
    """How the probabilities of readings become confidences.

    Basis of all: fitted to 1,379 fields of composed forms, filled in with digits of MNIST's test writers, careful and
    poor, with rules and without.
    """

    min_doubt: float = 2e-4
    """Probabilities closer to 0 and 1 count as this far from them."""
    cells_slope: float = 1.0
    """Factor of the logit for fields with cells."""
    cells_bias: float = 0.5
    """Added to the logit for fields with cells."""
    free_slope: float = 0.84
    """Factor of the logit for fields without cells."""
    free_bias: float = -0.74
    """Added to the logit for fields without cells."""


@dataclass(frozen=True)
class FieldParameters:
    """The parameters of the reading of fields."""

    crosses: CrossParameters = field(default_factory=CrossParameters)
    """What a cross is."""
    cells: CellParameters = field(default_factory=CellParameters)
    """What a cell contains."""
    free: FreeParameters = field(default_factory=FreeParameters)
    """The digits of a field without cells."""
    marks: MarkParameters = field(default_factory=MarkParameters)
    """When a tick box is marked."""
    rules: RuleParameters = field(default_factory=RuleParameters)
    """How rules choose."""
    confidence: ConfidenceParameters = field(default_factory=ConfidenceParameters)
    """How probabilities become confidences."""


PARAMETERS = FieldParameters()
