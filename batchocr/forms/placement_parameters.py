"""Which pages are placed on a form, and how they are resampled."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchocr.vision.geometry.form_fit import FormFitParameters
from batchocr.vision.geometry.form_search import (
    FormSearchParameters,
)

REASON = "other-form"
"""Reason of a page that fits no form."""


@dataclass(frozen=True)
class PlacementParameters:
    """Which pages are placed, and how they are resampled."""

    search: FormSearchParameters = field(default_factory=FormSearchParameters)
    fit: FormFitParameters = field(default_factory=FormFitParameters)
    max_fitted: int = 3
    """Number of forms on which a page is laid exactly. Basis: chosen for speed."""
    min_rival_ratio: float = 0.5
    """Matches of a form as a share of those of the best form, from which the page is laid on this form too.
    Basis: on six photos, another form with a similar layout reached 0.6."""
    min_alike_ratio: float = 0.8
    """The same if the page fits the best form. Basis: chosen by eye."""
    min_sure_matches: int = 40
    """Number of matches from which the page is of this form or of another edition; with fewer, more features are
    searched. Basis: of pages of their form the six photos have 90 or more."""
    min_features: int = 60
    """Number of features of a page that has enough print. Basis: chosen by eye."""
    max_deviation_mm: float = 0.2
    """Largest standard deviation of the place of a field. Basis: an error of 0.5 mm then has a probability of 0.2%."""
    min_px_per_mm: float = 2.5
    """Minimum resolution of a page. Basis: at 64 dpi digits of 4 mm have 10 px."""
    min_scale_ratio: float = 0.4
    """Smallest scale of the form on the page, in any place and direction, as a share of the largest one.
    Basis: a camera that is tilted by 30° at 1.4 heights of the sheet gives 0.6, by 45° 0.3."""
    min_visible_share: float = 0.85
    """Share of the form that the page must show. Basis: a crop of a tenth is usual."""
    cut_off_mm: float = 0.5
    """A field may be cut off by this. Basis: the permitted error of its place."""
    min_second_page_matches: int = 20
    """Number of matches outside of a form from which there is a second page. Basis: chosen by eye."""
    max_megapixels: float = 9.0
    """Size of the largest level page. Basis: A4 at 300 dpi; no network sees more detail."""
    bend_spacing_mm: float = 10.0
    """Distance of the points at which the bend of the paper is given. Basis: a third of the spline's knots."""
    max_cubic_megapixels: float = 4.0
    """Pages up to this size are resampled by cubic interpolation. Basis: digits on larger pages have enough pixels."""
    max_aspect_ratio: float = 1.02
    """Ratio of the proportions of page and form up to which a form without an image fits. Basis:
    scanners cut off up to 2% of a sheet."""
    alike_share: float = 0.01
    """Two forms fit alike if their well fitting print differs by up to this share. Basis: chosen by eye."""
    code_px_per_mm: float = 10.0
    """Resolution at which a code is read. Basis: modules of 0.3 mm have 3 px."""
    code_margin_mm: float = 3.0
    """Margin around the field of a code. Basis: a quiet zone of four modules."""


PARAMETERS = PlacementParameters()
