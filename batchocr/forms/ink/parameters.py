"""The parameters by which ink that was filled in is found."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchocr.vision.crops import CropParameters


@dataclass(frozen=True)
class DarknessParameters:
    """How the brightness of the paper is found, of which the darkness of ink is a share."""

    paper_mm: float = 1.6
    """Side of the square whose lightest pixel is paper. Basis: wider than a stroke."""
    smooth_mm: float = 5.0
    """Side of the square over which the brightness of the paper is averaged. Basis: chosen by eye."""


@dataclass(frozen=True)
class EstimatedBlankParameters:
    """How the print of a form is estimated from a filled page."""

    max_size_step_mm: float = 0.3
    """Cells are of the same size if their widths, one after the other in ascending order, differ by at most this, and
    their heights too. Basis: places that are measured by eye."""
    min_cells: int = 6
    """Minimum number of cells of the same size. Basis: fewer may have writing at the same place."""
    percentile: float = 30.0
    """Percentile of the darkness over all cells that is print. Basis: writing covers a pixel in fewer than two thirds
    of the cells."""
    rounds: int = 3
    """Number of times that cells are laid on their common print. Basis: more change nothing."""
    min_print_darkness: float = 0.12
    """Darkness from which a pixel of the common print is print. Basis: as that of ink."""
    gain_percentile: float = 25.0
    """Percentile over the print of a cell of its darkness, in darknesses of the common print. Basis: writing makes a
    part of it darker."""
    max_gain: float = 1.25
    """Maximum darkness of the print of a cell, in darknesses of the common print. Basis: chosen by eye."""
    margin_share: float = 0.1
    """Margin around a cell, as a share of its height, that is part of its print. Basis: frames are at its sides."""
    max_shift_mm: float = 1.5
    """Maximum distance of a cell's print from its place. Basis: places that are measured by eye."""
    min_line_darkness: float = 0.2
    """Minimum darkness of a line, as a share of the paper's brightness. Basis: pale print has this."""
    line_heights: float = 1.5
    """Minimum length of a horizontal line, in heights of the field. Basis: no stroke of a digit is as long."""
    side_line_share: float = 0.75
    """Minimum length of a line at the left or right side, as a share of the field's height. Basis: chosen by eye."""
    side_heights: float = 0.25
    """Distance from the sides of the margin up to which such a line may be, in heights. Basis: chosen by eye."""


@dataclass(frozen=True)
class InkParameters:
    """Which ink of a field was filled in. Lengths are in millimetres of the form."""

    working_px_per_mm: float = 8.0
    """Pages with more pixels for each millimetre are reduced. Basis: 200 dpi show every stroke."""
    margin_mm: float = 4.0
    """Paper around a field that is inspected too. Basis: wider than a stroke by far, and digits extend beyond cells."""
    cover_mm: float = 0.4
    """Print of the blank covers ink of the page up to this distance. Basis: the largest error of the places of pages
    that are accepted is 0.5 mm."""
    min_contrast: float = 0.12
    """Minimum darkness of ink, as a share of the paper's brightness. Basis: pale pencil has twice this."""
    min_pen_ratio: float = 0.4
    """Minimum darkness of ink as a share of that of the pen. Basis: edges of strokes are paler than their middle."""
    min_darker: float = 0.15
    """Ink on print of the blank is darker than that by this share of the paper's brightness. Basis: chosen by eye."""
    dark_print: float = 0.42
    """Darkness from which print hides ink. Basis: guides for writing are paler; on a fax all print is black."""
    bridge_mm: float = 1.2
    """Strokes are joined across dark print of this width. Basis: a line of 0.4 mm with its cover at both sides."""
    min_print_darkness: float = 0.04
    """Darkness from which a pixel of the blank form is print. Basis: paler print is not visible on a scan."""
    pen_percentile: float = 75.0
    """Percentile of the darkness of all ink that was filled in, which is the darkness of the pen. Basis: chosen by
    eye."""
    min_component_mm2: float = 0.15
    """Smaller components are specks. Basis: a point of a ball pen has 0.2."""
    min_cell_ink_mm2: float = 0.5
    """A cell with less ink has no crop. Basis: a short 1 of a thin pen has 1."""
    min_own_share: float = 0.3
    """Minimum share of a component within a cell, so that it belongs to the cell. Basis: a stroke across a border
    belongs to two cells only if it is a part of two digits."""
    min_chain_cells: int = 3
    """Digits that touch across this number of cells are cut at the sides of the cells. Basis: no digit is as wide."""
    min_chain_share: float = 0.4
    """Minimum ink of a cell of such a chain, as a share of that of its fullest cell. Basis: chosen by eye."""
    min_inner_share: float = 0.25
    """Minimum share of a component within the inner part of the cell. Basis: the rest of a printed frame is at the
    sides."""
    frame_share: float = 0.12
    """Width of the sides, as a share of the cell. Basis: chosen by eye."""
    min_whole_share: float = 0.6
    """A component with a smaller share in the cell is cut at its sides. Basis: chosen by eye."""
    max_outside_share: float = 0.3
    """A digit may extend beyond its cell by this share of the cell. Basis: chosen by eye."""
    darkness: DarknessParameters = field(default_factory=DarknessParameters)
    """How dark ink is."""
    crops: CropParameters = field(default_factory=CropParameters)
    """How crops are made."""
    estimated_blank: EstimatedBlankParameters = field(default_factory=EstimatedBlankParameters)
    """How the print is estimated if there is no image of the blank form."""


PARAMETERS = InkParameters()
