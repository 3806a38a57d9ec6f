"""What a page shows of its form: a page that is tilted too much, too small or cut off is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import ScanError
from batchocr.forms.form import Form
from batchocr.forms.placement_parameters import REASON, PlacementParameters
from batchocr.vision.geometry.laying import (
    Floats,
    Laying,
    Matrix,
    grid_points,
    scales_at,
    transformed,
)

_CHECKED = 20
"""Points across and down at which the view is checked: the centres of cells."""


def check_view(form: Form, laying: Laying, view: View, parameters: PlacementParameters) -> None:
    """Refuse a page that is tilted too much, too small, or cut off.

    Args:
        form: The form of the page.
        laying: Where it is on the level page.
        view: What the page shows.
        parameters: See the class.

    Raises:
        ScanError: The page is refused. The message says why.
    """
    p = parameters
    size = form.width_mm, form.height_mm
    scales = scales_at(grid_points(size, 3, 3), view.to_page @ laying.homography)
    if scales.min() < p.min_scale_ratio * scales.max():
        raise ScanError(
            REASON,
            f"the page of form {form.name} is tilted too much: take the photo from straight above, or scan the page",
        )
    if np.median(scales) < p.min_px_per_mm:
        raise ScanError(
            REASON,
            f"the page of form {form.name} has only {np.median(scales) * 25.4:.0f} dpi: scan it with 200 dpi or more, "
            "or take the photo from nearer",
        )
    inner = size[0] * (1 - 1 / _CHECKED), size[1] * (1 - 1 / _CHECKED)  # rectification cuts off the edge of the sheet
    grid = grid_points(inner, _CHECKED, _CHECKED) + np.array(size) / (2 * _CHECKED)
    visible = view.shows(laying.to_page(grid))
    if np.mean(visible) < p.min_visible_share:
        raise ScanError(
            REASON, f"{1 - np.mean(visible):.0%} of the page of form {form.name} is cut off: scan the whole page"
        )
    for each in form.fields:
        place, inset = each.place, p.cut_off_mm
        corners = np.array(
            [
                [x, y]
                for x in (place.left + inset, place.right - inset)
                for y in (place.top + inset, place.bottom - inset)
            ]
        )
        if not view.shows(laying.to_page(corners)).all():
            raise ScanError(REASON, f"the field {each.name} of form {form.name} is cut off: scan the whole page")


@dataclass(frozen=True)
class View:
    """What the page shows."""

    to_page: Matrix
    """From pixels of the level page to pixels of the page."""
    level_shape: tuple[int, ...]
    """Height and width of the level page."""
    page_shape: tuple[int, ...] | None
    """Height and width of the page. None: it ends where the level page ends."""
    is_bilevel: bool = False
    """Whether the page is only black and white: a fax loses thin and pale lines."""

    def shows(self, points: Floats) -> NDArray[np.bool_]:
        """Return which points (n, 2) of the level page the page shows: its border is replicated outside."""
        inside = ((points >= 0) & (points <= self.level_shape[1::-1])).all(axis=1)
        if self.page_shape is not None:
            on_page = transformed(points, self.to_page)
            inside &= ((on_page >= 0) & (on_page <= self.page_shape[1::-1])).all(axis=1)
        return np.asarray(inside, np.bool_)
