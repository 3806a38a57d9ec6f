"""Sizes by which the places of a blank form are recognized."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DraftParameters:
    """How places to write on are found on a blank form; lengths in millimetres of the paper.

    Basis of all: tried on the blanks of eight printed forms, and on drawn forms.
    """

    px_per_mm: float = 8.0
    """Resolution at which a blank is inspected. Basis: 203 dpi; printed rules are two pixels wide or more."""
    min_contrast: int = 12
    """Lowest contrast of ink, of 255. Basis: the palest guides of the printed forms have 20."""
    dark_ratio: float = 0.45
    """Print is dark if its contrast is more than this share of the darkest print. Guides to write on are paler."""
    darkest_percent: float = 98.0
    """Percentile of the contrast of all ink that stands for the darkest print."""
    min_line_mm: float = 2.2
    """Length of the shortest straight line. Basis: sides of tick boxes."""
    max_thickness_mm: float = 1.4
    """Thicker ink is not a line."""
    max_gap_mm: float = 0.25
    """Gaps in lines up to this are closed."""
    end_mm: float = 0.4
    """Lines are extended by this at their ends, so that the corners of boxes close."""
    max_dot_mm: float = 0.95
    """Width and height of the largest dot of a dotted line."""
    max_dash_mm: float = 3.0
    """Length of the longest dash of a dashed line."""
    max_dot_gap_mm: float = 1.7
    """Distance between the dots of a dotted line."""
    max_step_ratio: float = 1.6
    """Distance of the dots of a dotted line, in units of their usual distance."""
    min_dots: int = 5
    """Number of dots of the shortest dotted line."""
    min_dotted_mm: float = 4.0
    """Length of the shortest dotted line."""
    max_guide_box_mm: float = 14.0
    """Dotted lines in a box that is at most this wide and high are guides for a digit."""
    min_box_mm: float = 1.8
    """Width and height of the inside of the smallest box."""
    min_rectangle_share: float = 0.86
    """Share of its bounding rectangle that the inside of a box fills."""
    min_filled_rectangle_share: float = 0.6
    """The same on a page that is filled in. Basis: writing on the lines cuts parts off."""
    min_inner_ratio: float = 0.6
    """Height of a cell in a box of a page that is filled in, in units of the height of the box."""
    inset_mm: float = 0.4
    """Print closer to the sides of a box belongs to its lines."""
    line_half_mm: float = 0.12
    """The place of a box reaches this far into its lines. Basis: half of the thickness of thin lines."""
    min_print_mm2: float = 0.3
    """Area of dark print from which the inside of a box is printed. Basis: a full stop of 12 points has less."""
    min_side_share: float = 0.75
    """Share of each side of a box that has ink of a line."""
    align_mm: float = 0.7
    """Sides that differ by less than this are aligned."""
    min_cell_width_mm: float = 2.3
    """Width of the narrowest cell for a digit."""
    max_cell_width_mm: float = 11.0
    """Width of the widest cell for a digit."""
    min_cell_height_mm: float = 2.4
    """Height of the lowest cell for a digit."""
    min_height_mm: float = 3.0
    """Height of the lowest place for a number."""
    max_height_mm: float = 15.0
    """Height of the highest place for a number. Higher boxes are for signatures and remarks."""
    min_cell_aspect: float = 0.33
    """Width divided by height of the narrowest cell for a digit."""
    max_cell_aspect: float = 1.35
    """Width divided by height of the widest cell for a digit."""
    size_tolerance_ratio: float = 0.2
    """Relative difference between the widths of cells of one field."""
    max_cell_gap_ratio: float = 0.6
    """Distance between separate cells of one field, in units of their width."""
    max_date_gap_ratio: float = 4.0
    """Distance between day, month and year, in units of the width of a cell."""
    min_separate_cell_mm: float = 3.6
    """Width of the narrowest separate box for a digit. Narrower ones are tick boxes."""
    min_mark_mm: float = 2.0
    """Width and height of the smallest tick box or bubble."""
    max_mark_mm: float = 5.6
    """Width and height of the largest tick box or bubble."""
    max_mark_aspect: float = 1.2
    """Ratio of the sides of a tick box at most."""
    max_oval_aspect: float = 2.4
    """Ratio of the axes of a bubble at most."""
    max_rim_ratio: float = 0.16
    """Thickness of the rim of a bubble, in units of its shorter axis. Basis: letters are bolder."""
    oval_tolerance: float = 0.06
    """Difference between the share of its bounding rectangle that a bubble fills and that of an ellipse, pi / 4."""
    min_number_aspect: float = 1.3
    """Width divided by height of the narrowest box for a number."""
    min_number_mm: float = 7.0
    """Width of the narrowest box for a number."""
    max_number_mm: float = 90.0
    """Width of the widest place for a number. Wider ones are for names and addresses."""
    max_label_mm: float = 4.0
    """Height of a label that is printed in the upper part of a box."""
    max_label_share: float = 0.45
    """Share of the height of a box that such a label may take."""
    min_tick_mm: float = 0.9
    """Length of the ticks that divide a comb."""
    max_tick_width_mm: float = 1.0
    """Width of the ticks that divide a comb."""
    tick_tolerance_ratio: float = 0.18
    """Relative difference between the widths of the cells of a comb."""
    min_letter_gap_ratio: float = 0.5
    """Letters are closer to each other than this, in units of their height. Marks are farther from letters."""
    max_mark_ink_share: float = 0.05
    """Share of the inside of a tick box that may be ink. Basis: a speck."""
    max_ring_ink_share: float = 0.1
    """Share of a narrow ring around a tick box that may be ink. Basis: a label on one side."""
    min_solid_run_mm: float = 4.0
    """Straight ink that is at least this long without any gap is no part of a letter. Basis: height of a headline."""
    max_attached_share: float = 0.2
    """Share of the length of such a line at which ink is attached above or below. Basis: stems of letters."""
    min_writing_line_mm: float = 8.0
    """Length of the shortest line to write on."""
    max_writing_height_mm: float = 8.0
    """Height above a line that is taken for writing, if it is free."""
    min_writing_height_mm: float = 2.5
    """Free height above a line that one writes on."""
    max_rule_share: float = 0.7
    """Solid lines that are longer than this share of the paper separate parts of the form."""
    label_reach_mm: float = 8.0
    """Distance of a label to the left of its line, if another label is below the line."""
    far_label_reach_mm: float = 25.0
    """The same if no label is below the line."""
    above_dots_mm: float = 0.2
    """Letters beside a dotted line are higher than its dots by more than this."""
    min_label_mm2: float = 0.15
    """Area of print of a label above the level of the dots of its line."""
    label_below_mm: float = 3.5
    """Distance of a label below its line."""
    max_point_mm: float = 2.2
    """Width and height of the largest printed decimal point or comma."""
    max_decimals: int = 3
    """Number of cells after a printed decimal point."""
    max_cells: int = 20
    """Number of cells of the longest number. Longer rows are for words."""
    min_filled_cells: int = 3
    """Number of cells of a comb on a page that is filled in. Basis: a stroke of a digit looks like one tick."""
    max_row_gap_ratio: float = 0.6
    """Distance between rows of one table, in units of their height."""
    min_rows_of_one_column: int = 4
    """Number of rows from which a single column is a table."""
    row_mm: float = 10.0
    """Height of the upper part of a place that decides its row in the reading order. Basis: height of a box."""
    code_margin_mm: float = 1.0
    """Margin around a code."""


PARAMETERS = DraftParameters()
