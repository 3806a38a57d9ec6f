"""Lay a page exactly on its form, and measure how well its print fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.geometry.bend_field import BendField, BendFieldParameters, Mask, fit_bend_field
from batchocr.vision.geometry.laying import Floats, Laying, grid_points, reduced_page, resampled, scales_at
from batchocr.vision.geometry.local_alignment import (
    Ink,
    InkParameters,
    Patches,
    SearchParameters,
    find_patches,
    ink_of,
    reduced_ink,
    search_patches,
)

_MIN_PATCHES = 12  # a homography has 8 unknowns
Size = tuple[float, float]
"""Width and height in mm."""


@dataclass(frozen=True)
class FormFitParameters:
    """How a page is laid on its form, and when its print fits."""

    coarse: SearchParameters = field(
        default_factory=lambda: SearchParameters(
            px_per_mm=1.5, patch_mm=28.0, spacing_mm=20.0, reach_mm=12.0, distinct_mm=3.0, min_correlation=0.5
        )
    )
    """The first search. Basis: where a form has few features, the search by features is wrong by up to 10 mm."""
    wide: SearchParameters = field(
        default_factory=lambda: SearchParameters(px_per_mm=2.0, patch_mm=14.0, spacing_mm=16.0, reach_mm=4.0)
    )
    """The second search. Basis: bent paper is up to 4 mm from its place after the first one."""
    fine: SearchParameters = field(default_factory=SearchParameters)
    """The last search."""
    again_mm: float = 2.0
    """The second search is repeated if it moves a patch by more than this. Basis: half of its reach."""
    max_wide_searches: int = 3
    """Number of second searches. Basis: chosen by eye."""
    bend: BendFieldParameters = field(default_factory=BendFieldParameters)
    ink: InkParameters = field(default_factory=InkParameters)
    dark: int = 110
    """Ink of the form from which print is dark, 0 to 255. Basis: grey lines are paler; a fax loses them."""
    band: int = 20
    """Width of the bands of ink in which it is counted how much print a fax has kept. Basis: chosen by eye."""
    min_kept_share: float = 0.985
    """Share of the print of a band that a fax of the form has kept. Basis: on drawn faxes of the form 0.99 or more from
    130 on; on those of other editions 0.97 or less."""
    max_lost_dark: int = 150
    """Print from this ink on is not lost by a fax. Basis: as `min_kept_share`."""
    min_dark_px: int = 25
    """Number of dark pixels in a patch that must be on the page. Basis: a letter of 2 mm at 100 dpi has more."""
    near_mm: float = 0.5
    """Print of the form counts as present if the page has ink up to this distance. Basis: the permitted error."""
    min_ink_ratio: float = 0.5
    """Ink of the page as a share of the form's ink, with the same contrast, from which print is present.
    Basis: chosen by eye."""
    min_present_share: float = 0.6
    """Share of the dark pixels of a patch that must be present. Basis: of pages of their form 0 to 2% of the patches
    in a sector have less, of other editions 13% or more, on six real pages and four drawn editions."""
    min_sure_correlation: float = 0.5
    """Minimum correlation of a patch whose distance from its place counts for the residual. Basis: chosen by eye."""
    min_sure_pale_correlation: float = 0.8
    """The same of a pale patch. Basis: writing beside pale print has less; print that was moved has 0.9 or more."""
    min_dark_patches: int = 6
    """A sector with fewer dark patches is judged by its pale ones too. Basis: chosen by eye."""
    min_pale_correlation: float = 0.3
    """Minimum correlation of a pale patch that is found. Basis: noise and other print have up to 0.25."""
    max_lost_share: float = 0.6
    """Share of the pale patches of a sector that may be lost. Basis: handwriting covers up to a half of a table."""
    sectors: int = 3
    """Number of sectors across and down. Basis: an edition may differ in one corner only."""
    max_bad_share: float = 0.15
    """Share of the patches of a sector that may be absent or displaced. Basis: as `min_present_share`."""
    max_bad_filled_share: float = 0.25
    """The same if the image of the form is filled in. Basis: chosen by eye."""
    min_bad_patches: int = 3
    """Number of absent or displaced patches from which a sector with few patches does not fit. Basis: chosen by eye."""


PARAMETERS = FormFitParameters()


@dataclass(frozen=True)
class FormGuide:
    """The print of a form by which a page is laid on it."""

    size_mm: Size
    coarse: Patches
    wide: Patches
    fine: Patches
    dark: Mask
    """(n,): the fine patches with enough dark print."""
    is_filled: bool
    places_mm: Floats
    """(n, 2): points of the form whose place must be sure."""


@dataclass(frozen=True)
class FormFit:
    """How a page fits a form."""

    laying: Laying
    residual_mm: float
    """How far print of the page is from its place, in the worst sector."""
    sector: tuple[int, int]
    """Row and column of the worst sector."""
    deviations_mm: Floats
    """(n,): standard deviations of the places of the guide; 0 where the page does not show them."""
    good: int
    """Number of dark patches that are found at their place."""
    bad: int
    """Number of dark patches that are absent or displaced."""
    visible: int
    """Number of dark patches that the page shows."""


def form_guide(
    pixels: Pixels,
    size_mm: Size,
    is_filled: bool = False,
    ignored_mm: Floats | None = None,
    places_mm: Floats | None = None,
    parameters: FormFitParameters = PARAMETERS,
) -> FormGuide:
    """Choose the print of a form by which pages are laid on it.

    Args:
        pixels: (height, width) uint8, the blank form, dark on light.
        size_mm: Its width and height.
        is_filled: Whether it is filled in.
        ignored_mm: (n, 4) left, top, width and height of parts that are not print.
        places_mm: (n, 2) points whose place must be sure.
        parameters: See the class.
    """
    p = parameters
    fine = p.fine.px_per_mm
    size = max(1, round(size_mm[0] * fine)), max(1, round(size_mm[1] * fine))
    reduces = size[0] < pixels.shape[1]
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if reduces else cv2.INTER_LINEAR)
    ink = ink_of(scaled, fine, p.ink)
    for left, top, width, height in np.rint((np.empty((0, 4)) if ignored_mm is None else ignored_mm) * fine).astype(
        int
    ):
        ink[max(0, top) : top + height, max(0, left) : left + width] = 0
    patches = find_patches(ink, p.fine)
    dark = (patches.pixels >= p.dark).sum(axis=(1, 2)) >= p.min_dark_px
    coarse, wide = (find_patches(reduced_ink(ink, each.px_per_mm / fine), each) for each in (p.coarse, p.wide))
    places = np.empty((0, 2)) if places_mm is None else places_mm
    return FormGuide(size_mm, coarse, wide, patches, dark, is_filled, places)


def fit_form(
    pixels: Pixels,
    laying: Laying,
    guide: FormGuide,
    shows: Callable[[Floats], Mask] | None = None,
    is_bilevel: bool = False,
    parameters: FormFitParameters = PARAMETERS,
) -> FormFit | None:
    """Lay a page exactly on a form.

    Args:
        pixels: (height, width) uint8, the page, dark on light.
        laying: Where the form is on the page, approximately.
        guide: The print of the form.
        shows: Returns which points (n, 2) of `pixels` are on the page as given; None: all of them.
        is_bilevel: Whether the page is only black and white. If it has lost all pale print, only dark print is judged.
        parameters: See the class.

    Returns:
        None if too little print of the form is found.
    """
    p = parameters
    scale = float(np.median(scales_at(grid_points(guide.size_mm, 3, 3), laying.homography)))
    page = _Page(pixels, p.fine.px_per_mm / scale, guide.size_mm, shows, p)
    if (coarse := _fitted(page.ink(laying, p.coarse.px_per_mm), laying, page, guide.coarse, p)) is not None:
        laying = coarse.laying
    for _ in range(p.max_wide_searches):
        wide = _fitted(page.ink(laying, p.wide.px_per_mm), laying, page, guide.wide, p)
        if wide is None:
            return None
        laying = wide.laying
        if np.abs(wide.moved).max() < p.again_mm:
            break
    ink = page.ink(laying, p.fine.px_per_mm)
    fine = _fitted(ink, laying, page, guide.fine, p, is_last=True)
    return None if fine is None else _judged(ink, fine, page, guide, is_bilevel, p)


@dataclass(frozen=True)
class _Fitted:
    """The result of a search."""

    laying: Laying
    field: BendField
    """The displacements of `laying`."""
    rest: Floats
    """(n, 2) in mm: how far each patch is from its place on `laying`; 0 in a direction that is not known."""
    moved: Floats
    """(n, 2) in mm: how far `laying` is from the one before, at each patch."""
    correlations: Floats
    visible: Mask


class _Page:
    """A page that is laid on a form again and again, at a low resolution."""

    def __init__(
        self,
        pixels: Pixels,
        scale: float,
        size_mm: Size,
        shows: Callable[[Floats], Mask] | None,
        p: FormFitParameters,
    ) -> None:
        self._pixels, self._share = reduced_page(pixels, scale)
        self._shape, self.size_mm, self._shows, self._parameters = pixels.shape, size_mm, shows, p

    def ink(self, laying: Laying, px_per_mm: float) -> Ink:
        """Return the ink of the page as it is laid on the form."""
        fine = self._parameters.fine.px_per_mm
        width, height = (max(1, round(each * fine)) for each in self.size_mm)
        laid = resampled(self._pixels, lambda points: laying.to_page(points / fine) * self._share, (width, height))
        ink = ink_of(laid, fine, self._parameters.ink)
        return ink if px_per_mm == fine else reduced_ink(ink, px_per_mm / fine)

    def shows(self, laying: Laying, patches: Patches) -> Mask:
        """Return the patches (n,) that are whole on the page."""
        half = patches.parameters.patch_mm / 2
        visible = np.ones(len(patches.corners), np.bool_)
        for offset in ((-half, -half), (half, -half), (half, half), (-half, half)):
            visible &= self.shows_points(laying.to_page(patches.centres_mm + offset))
        return visible

    def shows_points(self, points: Floats) -> Mask:
        """Return which points (n, 2) of the page it shows."""
        inside = ((points >= 0) & (points <= self._shape[::-1])).all(axis=1)
        return np.asarray(inside & self._shows(points) if self._shows is not None else inside, np.bool_)


def _fitted(
    ink: Ink, laying: Laying, page: _Page, patches: Patches, p: FormFitParameters, is_last: bool = False
) -> _Fitted | None:
    """Search patches and fit a field to their displacements; None if there are too few."""
    visible, centres = page.shows(laying, patches), patches.centres_mm
    found = search_patches(ink, visible, patches)
    known = found.correlations >= patches.parameters.min_correlation
    if np.count_nonzero(known) < _MIN_PATCHES:
        return None
    weights = patches.directions * (known * np.clip(found.correlations, 0, 1) ** 2)[:, None]
    flat, own = laying.flat(page.size_mm), found.displacements_mm * patches.directions
    expected, measured = (flat.displacements(centres, laying.to_page(each)) for each in (centres, centres + own))
    field = fit_bend_field(centres, measured, weights, page.size_mm, is_last, p.bend)
    at = field.at(centres)
    rest = (measured - at) * patches.directions
    return _Fitted(Laying(flat.homography, field), field, rest, at - expected, found.correlations, visible)


def _judged(ink: Ink, fine: _Fitted, page: _Page, guide: FormGuide, is_bilevel: bool, p: FormFitParameters) -> FormFit:
    """Measure how far print is from its place in each sector, and how sure the places of fields are."""
    patches, visible = guide.fine, fine.visible
    away = np.hypot(fine.rest[:, 0], fine.rest[:, 1])
    dark, present = _present(ink, fine, guide, is_bilevel, p)
    sure = visible & (fine.correlations >= np.where(dark, p.min_sure_correlation, p.min_sure_pale_correlation))
    absent = dark & ~present
    pale = visible & ~dark
    reach = p.fine.reach_mm
    errors = np.where(absent, reach, np.where(sure, np.minimum(away, reach), np.nan))
    share = p.max_bad_filled_share if guide.is_filled else p.max_bad_share
    places = np.minimum(p.sectors - 1, (patches.centres_mm / guide.size_mm * p.sectors).astype(np.intp))
    worst, sector = 0.0, (0, 0)
    for row in range(p.sectors):
        for column in range(p.sectors):
            here = (places[:, 0] == column) & (places[:, 1] == row)
            own = np.sort(errors[here & ~np.isnan(errors)])
            if len(own) < p.min_dark_patches and np.count_nonzero(here & pale) >= p.min_dark_patches:
                lost = np.mean(fine.correlations[here & pale] < p.min_pale_correlation)
                own = np.full(1 + p.min_bad_patches, reach) if lost > p.max_lost_share else own
            ignored = max(p.min_bad_patches - 1, int(share * len(own)))
            if len(own) > ignored and own[-1 - ignored] > worst:
                worst, sector = float(own[-1 - ignored]), (row, column)
    counted = ~np.isnan(errors)
    good = counted & (errors <= p.near_mm)
    deviations = fine.field.deviation_at(guide.places_mm) * page.shows_points(fine.laying.to_page(guide.places_mm))
    return FormFit(
        fine.laying,
        worst,
        sector,
        deviations,
        int(good.sum()),
        int((counted & ~good).sum()),
        int(dark.sum()),
    )


def _present(ink: Ink, fine: _Fitted, guide: FormGuide, is_bilevel: bool, p: FormFitParameters) -> tuple[Mask, Mask]:
    """Return the dark patches (n,) that the page shows, and those whose print is on it. Added ink does not count."""
    patches, scale = guide.fine, p.fine.px_per_mm
    near, reach = round(p.near_mm * scale), round(p.fine.reach_mm * scale)
    shown = guide.dark & fine.visible
    which = np.nonzero(shown)[0]
    present = np.zeros(len(patches.corners), np.bool_)
    if not len(which):
        return shown, present
    wide = cv2.dilate(ink, np.ones((2 * near + 1, 2 * near + 1), np.uint8))
    wide = cv2.copyMakeBorder(wide, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    shifts = np.rint(fine.moved[which] * scale).astype(np.intp).clip(-reach, reach)
    left, top = (patches.corners[which] + shifts + reach).T
    side = patches.pixels.shape[1]
    on_page = np.lib.stride_tricks.sliding_window_view(wide, (side, side))[top, left].astype(np.float32)
    form = patches.pixels[which].astype(np.float32)
    dark = form >= p.dark
    ratios = (on_page * dark).sum(axis=(1, 2)) / (form * dark).sum(axis=(1, 2))
    sure = fine.correlations[which] >= p.min_sure_correlation
    contrast = float(np.median(ratios[sure])) if sure.any() else 1.0
    found = on_page >= p.min_ink_ratio * contrast * form
    if is_bilevel:
        dark = form >= _kept_level(form, found, p)
    counts = dark.sum(axis=(1, 2))
    shown[which] = counts >= p.min_dark_px
    present[which] = (dark & found).sum(axis=(1, 2)) >= p.min_present_share * counts
    return shown, present


def _kept_level(form: NDArray[np.float32], found: NDArray[np.bool_], p: FormFitParameters) -> float:
    """Return the ink from which a fax has kept the print of the form.

    On a fax of the form all print that is darker is there. On one of another edition a part of it is missing, too: then
    all of it is judged.
    """
    edges = np.arange(p.dark, 256, p.band)
    shares = [found[band].mean() if (band := (form >= edge) & (form < edge + p.band)).any() else 1.0 for edge in edges]
    lost = [index for index, share in enumerate(shares) if share < p.min_kept_share]
    if not lost or edges[lost[-1]] >= p.max_lost_dark:
        return p.dark
    return float(edges[lost[-1] + 1])
