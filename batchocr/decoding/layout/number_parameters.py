"""Parameters of the step that splits lines of digits into numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchocr.decoding.layout.columns import ColumnParameters
from batchocr.decoding.layout.rules import RuleParameters


@dataclass(frozen=True)
class NumberParameters:
    """Which digits of a line belong to one number.

    Lengths are in heights of the nearby digits. A gap is the paper between two digits, a step is the distance of their
    centres. Basis of all: tried on composed pages (`benchmarks/pages/compose.py`), except where a field names another
    basis.
    """

    rules: RuleParameters = field(default_factory=RuleParameters)
    """What a vertical rule between two digits is."""
    columns: ColumnParameters = field(default_factory=ColumnParameters)
    """When rules are sides of the columns of a table."""
    max_joined_gap_heights: float = 0.4
    """Maximum gap that is within a number whatever is in it."""
    max_gap_heights: float = 0.9
    """Maximum gap within a number on plain paper, if the gaps of the page do not show another limit."""
    max_step_heights: float = 1.3
    """Maximum step within a number on plain paper, even if the gap is larger, as beside a narrow 1."""
    min_gap_limit_heights: float = 0.5
    """Lower bound of the limit that the gaps of a page show."""
    max_gap_limit_heights: float = 1.3
    """Upper bound of the limit that the gaps of a page show."""
    min_hole_ratio: float = 1.5
    """Minimum ratio of the larger gap to the smaller gap at the two ends of the hole in which the limit is."""
    hole_distance_weight: float = 0.3
    """Weight of a hole's distance from the usual limit, when the widest hole is chosen (both as logarithms)."""
    min_page_gaps: int = 20
    """Minimum number of gaps of a page that can show another limit."""
    max_thousands_gap_heights: float = 1.45
    """Maximum gap before a group of three digits of one number. Basis: of 1,080 amounts of cheques 4 are split instead
    of 38."""
    max_inspected_step_heights: float = 2.2
    """Maximum step for which the gap is inspected; digits with a larger step are never in one number."""
    max_comb_gap_heights: float = 2.0
    """Maximum gap between the digits on both sides of a comb's tooth, or in neighbouring narrow columns."""
    max_comb_step_heights: float = 1.9
    """Maximum step between the digits on both sides of a comb's tooth."""
    min_table_rule_heights: float = 0.8
    """Minimum length by which a rule of a table reaches above or below the digits."""
    max_narrow_column_heights: float = 1.35
    """Maximum width of a column that holds one digit of a number."""
    max_over_rule_heights: float = 0.12
    """Maximum length by which digits reach over a rule between columns."""
    max_same_rule_heights: float = 0.12
    """Maximum distance of two rules that are the two sides of one thick rule."""
    max_box_distance_heights: float = 0.6
    """Maximum distance between boxes that hold one digit each of one number."""
    max_pitch_ratio: float = 0.12
    """Maximum difference of regular steps from their median, as a share of the median."""
    min_regular_digits: int = 4
    """Minimum number of digits with regular steps that are one number without visible rules. Basis: combs whose teeth
    are not visible on the scan."""
    min_regular_step_heights: float = 0.8
    """Minimum regular step of such a number."""
    max_regular_step_heights: float = 1.9
    """Maximum regular step of such a number."""
    height_digits: int = 4
    """Number of digits on each side of a gap whose heights determine the height of the writing there."""
    height_quantile: float = 0.6
    """Quantile of these heights that is the height of the writing. Basis: some digits are flat, so that it is above the
    median."""
    max_leading_overlap_heights: float = 0.3
    """Maximum overlap of a sign before a number with the first digit of the number. Basis: chosen by eye."""


PARAMETERS = NumberParameters()
