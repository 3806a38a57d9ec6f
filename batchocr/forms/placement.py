"""Place a page on the form that it fits, so that it becomes the page as the blank form shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.errors import ScanError
from batchocr.forms.codes import read_code
from batchocr.forms.form import Form
from batchocr.forms.prepared import PreparedForm, prepare_form
from batchocr.records import LevelPage, Pixels, Placement
from batchocr.vision.geometry.form_fit import FormFit, FormFitParameters, fit_form
from batchocr.vision.geometry.form_search import (
    Features,
    FormSearchParameters,
    FoundForm,
    Matches,
    corners_on_page,
    find_features,
    find_form,
    match_features,
)
from batchocr.vision.geometry.laying import (
    Floats,
    Laying,
    Matrix,
    PointMap,
    bend_at,
    grid_points,
    resampled,
    scales_at,
    transformed,
)
from batchocr.vision.geometry.registration import RegistrationParameters
from batchocr.vision.scales import first_scale
from batchocr.vision.tiles import make_tiles

REASON = "other-form"
"""Reason of a page that fits no form."""


@dataclass(frozen=True)
class PlacementParameters:
    """Which pages are placed, and how they are resampled."""

    search: FormSearchParameters = field(default_factory=FormSearchParameters)
    fit: FormFitParameters = field(default_factory=FormFitParameters)
    max_fitted: int = 3
    """Number of forms on which a page is laid exactly."""
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
    """Ratio of the proportions of page and form up to which a form without an image fits."""
    alike_share: float = 0.01
    """Two forms fit alike if their well fitting print differs by up to this share. Basis: chosen by eye."""
    code_px_per_mm: float = 10.0
    """Resolution at which a code is read. Basis: modules of 0.3 mm have 3 px."""
    code_margin_mm: float = 3.0
    """Margin around the field of a code. Basis: a quiet zone of four modules."""


PARAMETERS = PlacementParameters()
_CHECKED = 20
"""Points across and down at which the view is checked: the centres of cells."""
_SECTORS = ("upper", "middle", "lower"), ("left", "centre", "right")


@dataclass(frozen=True)
class _Candidate:
    """A form on which the page was laid exactly."""

    index: int
    form: Form
    fit: FormFit

    @property
    def fits(self) -> bool:
        return self.fit.residual_mm <= self.form.max_residual_mm

    @property
    def score(self) -> int:
        """How much print fits, and how much does not."""
        return self.fit.good - 2 * self.fit.bad


def place_page(
    pixels: Pixels,
    to_page: Matrix,
    forms: Sequence[Form],
    page_shape: tuple[int, ...] | None = None,
    parameters: PlacementParameters = PARAMETERS,
) -> LevelPage:
    """Place a page on the form that it fits best.

    Args:
        pixels: (height, width) uint8, the page after rectification and deskewing, dark on light.
        to_page: (3, 3) homography from points of `pixels` to points of a page with square pixels.
        forms: The forms that are possible.
        page_shape: Height and width of that page; None: the page ends where `pixels` ends.
        parameters: See the class.

    Returns:
        The page as the form shows it, with its placement and its tiles.

    Raises:
        ScanError: The page fits no form. The message says why.
    """
    p = parameters
    prepared = [prepare_form(form) for form in forms]
    with_image = [index for index, form in enumerate(forms) if form.image is not None]
    fault: ScanError | None = None
    if with_image:
        try:
            view = _View(to_page, pixels.shape, page_shape)
            chosen = _by_print(pixels, with_image, prepared, view, p)
            laying = chosen.fit.laying
            _check_view(forms[chosen.index], laying, view, p)
            return _placed(pixels, to_page, chosen.index, forms[chosen.index], laying, chosen.fit.residual_mm, p)
        except ScanError as error:
            fault = error
    without_image = [index for index, form in enumerate(forms) if form.image is None]
    if (edges := _by_edges(pixels, without_image, forms, p)) is not None:
        index, laying = edges
        return _placed(pixels, to_page, index, forms[index], laying, None, p)
    if fault is not None:
        raise fault
    sizes = ", ".join(f"{form.name} ({form.width_mm:g} × {form.height_mm:g} mm)" for form in forms)
    raise ScanError(
        REASON,
        f"the page has other proportions than the forms {sizes}: scan the whole sheet and nothing else, or give the "
        "form an image",
    )


def form_angle(level: LevelPage) -> float:
    """Return by how many degrees the form runs downhill to the right on the page, from -180 to 180.

    Args:
        level: The placed page; its `to_page` leads to a page with square pixels.
    """
    height, width = level.pixels.shape
    ends = np.array([[0.4 * width, height / 2], [0.6 * width, height / 2]])
    if level.placement is not None:
        ends = ends + bend_at(ends, level.placement.bend, level.pixels.shape)
    start, end = transformed(ends, level.to_page)
    return round(float(np.degrees(np.arctan2(end[1] - start[1], end[0] - start[0]))), 2) + 0.0


def _by_print(
    pixels: Pixels, which: Sequence[int], prepared: Sequence[PreparedForm], view: _View, p: PlacementParameters
) -> _Candidate:
    """Find the form by its print, and lay the page on it."""
    fault: ScanError | None = None
    for features in (p.search.features, p.search.more_features):
        try:
            return _attempt(pixels, which, prepared, features, view, p)
        except _Unsure as unsure:
            fault = unsure.fault
    assert fault is not None
    raise fault


class _Unsure(Exception):
    """The page was not placed, but more features may help."""

    def __init__(self, fault: ScanError) -> None:
        super().__init__(fault.message)
        self.fault = fault


def _attempt(
    pixels: Pixels,
    which: Sequence[int],
    prepared: Sequence[PreparedForm],
    kind: RegistrationParameters,
    view: _View,
    p: PlacementParameters,
) -> _Candidate:
    """Find the form with one kind of features."""
    page = find_features(pixels, np.ones(2), kind)
    if len(page.points) < p.min_features:
        raise _Unsure(
            ScanError(
                REASON, "the page has too little print that can be recognized: is it blank or blurred? Scan it again"
            )
        )
    matches = {index: match_features(page, prepared[index].features_of(kind), p.search) for index in which}
    found: list[tuple[int, FoundForm]] = []
    layouts: set[str] = set()
    for index in which:
        form = prepared[index]
        if form.layout in layouts:
            continue  # the same image: its code decides later
        layouts.add(form.layout)
        if (place := find_form(matches[index], form.size_mm, _resolution(pixels, form), p.search)) is not None:
            found.append((index, place))
    found.sort(key=lambda each: -each[1].matches)
    names = ", ".join(prepared[index].form.name for index in which)
    if not found:
        raise _Unsure(ScanError(REASON, f"the page fits no form ({names}): give its form, or scan the whole page"))
    rivals = [each for each in found if each[1].matches >= p.min_rival_ratio * found[0][1].matches][: p.max_fitted]
    fitted: list[_Candidate] = []
    for index, place in rivals:
        if any(each.fits for each in fitted) and place.matches < p.min_alike_ratio * found[0][1].matches:
            break
        guide = prepared[index].guide(p.fit)
        if (fit := fit_form(pixels, Laying(place.homography), guide, view.shows, p.fit)) is not None:
            fitted.append(_Candidate(index, prepared[index].form, fit))
    good = [each for each in fitted if each.fits]
    if not good:
        fault = _edition_fault(fitted, names)
        raise _Unsure(fault) if found[0][1].matches < p.min_sure_matches else fault
    good.sort(key=lambda each: -each.score)
    chosen = _by_code(pixels, good, which, prepared, p)
    _check_single(page, matches, chosen, prepared, _resolution(pixels, prepared[chosen.index]), p)
    return chosen


def _resolution(pixels: Pixels, form: PreparedForm) -> float:
    """Return about how many pixels of the page are a millimetre of the form."""
    return max(pixels.shape) / max(form.size_mm)


def _edition_fault(fitted: Sequence[_Candidate], names: str) -> ScanError:
    """Return the error of a page that has print of a form, but not at its place."""
    if not fitted:
        return ScanError(REASON, f"the page fits no form ({names}): give its form, or scan the whole page")
    best = max(fitted, key=lambda each: each.score)
    row, column = best.fit.sector
    place = " ".join((_SECTORS[0][row], _SECTORS[1][column])) if (row, column) != (1, 1) else "centre"
    return ScanError(
        REASON,
        f"the page does not fit the form {best.form.name}: at the {place} print is missing or "
        f"{best.fit.residual_mm:.1f} mm from its place (permitted: {best.form.max_residual_mm:g} mm). Is it another "
        "edition of the form? Give that one",
    )


def _by_code(
    pixels: Pixels,
    good: Sequence[_Candidate],
    which: Sequence[int],
    prepared: Sequence[PreparedForm],
    p: PlacementParameters,
) -> _Candidate:
    """Choose among the forms that fit: by the code on the page, then by their print."""
    expanded = [
        _Candidate(index, prepared[index].form, each.fit)
        for each in good
        for index in which
        if prepared[index].layout == prepared[each.index].layout
    ]
    alike = [each for each in expanded if each.score >= expanded[0].score - max(1, p.alike_share * expanded[0].score)]
    if not any(_code_places(each.form) for each in alike):
        if len(alike) > 1 and len({prepared[each.index].layout for each in alike}) < len(alike):
            raise ScanError(REASON, _alike_message([each.form.name for each in alike]))
        return alike[0]
    codes = {each.index: _codes(pixels, each) for each in alike}
    by_code = [each for each in alike if codes[each.index] is True]
    if len(by_code) == 1:
        return by_code[0]
    possible = by_code or [each for each in alike if codes[each.index] is None]
    if len(possible) == 1:
        return possible[0]
    if not possible:
        names = ", ".join(each.form.name for each in alike)
        raise ScanError(REASON, f"the code on the page is not of the form {names}: give the form of this code")
    raise ScanError(REASON, _alike_message([each.form.name for each in possible]))


def _alike_message(names: Sequence[str]) -> str:
    return (
        f"the page fits the forms {', '.join(names)} alike, and no code that can be read distinguishes them: give only "
        "one of them, or a field of kind code with the allowed texts"
    )


def _code_places(form: Form) -> list[tuple[Floats, frozenset[str]]]:
    """Return left, top, width and height in mm and the allowed texts of the codes that name a form."""
    return [
        (np.array([f.place.left, f.place.top, f.place.width, f.place.height]), f.rules.allowed)
        for f in form.fields
        if f.kind == "code" and f.rules.allowed is not None
    ]


def _codes(pixels: Pixels, candidate: _Candidate, p: PlacementParameters = PARAMETERS) -> bool | None:
    """Return whether the codes on the page are those of the form; None if none can be read."""
    answer: bool | None = None
    scale, margin = p.code_px_per_mm, p.code_margin_mm
    for place, allowed in _code_places(candidate.form):
        size = round((place[2] + 2 * margin) * scale), round((place[3] + 2 * margin) * scale)
        part = resampled(pixels, _part_map(candidate.fit.laying, place[:2] - margin, scale), size)
        text = read_code(part)
        if text and text not in allowed:
            return False
        answer = True if text else answer
    return answer


def _part_map(laying: Laying, origin: Floats, scale: float) -> PointMap:
    """Return the map from pixels of a part of the form, which starts at `origin` in mm, to the page."""
    return lambda points: laying.to_page(origin + points / scale)


def _check_single(
    page: Features,
    matches: dict[int, Matches],
    chosen: _Candidate,
    prepared: Sequence[PreparedForm],
    px_per_mm: float,
    p: PlacementParameters,
) -> None:
    """Refuse a page that shows a second form beside the chosen one."""
    outline = corners_on_page(chosen.fit.laying.homography, prepared[chosen.index].size_mm).astype(np.float32)
    for index, each in matches.items():
        outside = np.array(
            [cv2.pointPolygonTest(outline, (float(x), float(y)), False) < 0 for x, y in each.on_page], np.bool_
        )
        if np.count_nonzero(outside) < p.min_second_page_matches:
            continue
        second = find_form(each.take(outside), prepared[index].size_mm, px_per_mm, p.search)
        if second is not None and second.matches >= p.min_second_page_matches:
            raise ScanError(
                REASON,
                f"the image shows two pages, of the forms {chosen.form.name} and {prepared[index].form.name}: scan "
                "each page alone",
            )


def _check_view(
    form: Form,
    laying: Laying,
    view: _View,
    p: PlacementParameters,
) -> None:
    """Refuse a page that is tilted too much, too small, or cut off."""
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
class _View:
    """What the page shows."""

    to_page: Matrix
    """From pixels of the level page to pixels of the page."""
    level_shape: tuple[int, ...]
    page_shape: tuple[int, ...] | None

    def shows(self, points: Floats) -> NDArray[np.bool_]:
        """Return which points (n, 2) of the level page the page shows: its border is replicated outside."""
        inside = ((points >= 0) & (points <= self.level_shape[1::-1])).all(axis=1)
        if self.page_shape is not None:
            on_page = transformed(points, self.to_page)
            inside &= ((on_page >= 0) & (on_page <= self.page_shape[1::-1])).all(axis=1)
        return np.asarray(inside, np.bool_)


def _by_edges(
    pixels: Pixels, which: Sequence[int], forms: Sequence[Form], p: PlacementParameters
) -> tuple[int, Laying] | None:
    """Find a form without an image by the proportions of the page; None if none agrees."""
    height, width = pixels.shape
    found: list[tuple[float, int, Laying]] = []
    for index in which:
        size = forms[index].width_mm, forms[index].height_mm
        for turned in (False, True):
            across, down = (height, width) if turned else (width, height)
            ratio = (across / size[0]) / (down / size[1])
            ratio = max(ratio, 1 / ratio)
            if ratio <= p.max_aspect_ratio:
                back = np.array([[0, -1, width], [1, 0, 0], [0, 0, 1]], np.float64) if turned else np.eye(3)
                found.append((ratio, index, Laying(back @ np.diag([across / size[0], down / size[1], 1.0]))))
    if not found:
        return None
    if len({index for _, index, _ in found}) > 1:
        raise ScanError(
            REASON,
            f"the page fits the forms {', '.join(dict.fromkeys(forms[index].name for _, index, _ in found))} alike, "
            "because they have no image: give only one of them, or an image of each blank form",
        )
    _, index, laying = min(found, key=lambda each: each[0])
    return index, laying


def _placed(
    pixels: Pixels,
    to_page: Matrix,
    index: int,
    form: Form,
    laying: Laying,
    residual_mm: float | None,
    p: PlacementParameters,
) -> LevelPage:
    """Resample the page as the form shows it."""
    size_mm = form.width_mm, form.height_mm
    grid_mm = grid_points(size_mm, 5, 7)
    largest = float(scales_at(grid_mm, laying.homography)[:, 0].max())
    px_per_mm = min(largest, (p.max_megapixels * 1e6 / (size_mm[0] * size_mm[1])) ** 0.5)
    size = max(1, round(size_mm[0] * px_per_mm)), max(1, round(size_mm[1] * px_per_mm))
    columns, rows = (max(2, round(each / p.bend_spacing_mm) + 1) for each in size_mm)
    grid = grid_points((float(size[0]), float(size[1])), columns, rows)
    on_level = laying.to_page(grid / px_per_mm)
    flat, _ = cv2.findHomography(grid, on_level, 0)
    bend = (transformed(on_level, np.linalg.inv(flat)) - grid).reshape(rows, columns, 2).astype(np.float32)
    shape = size[1], size[0]
    is_small = size[0] * size[1] <= p.max_cubic_megapixels * 1e6
    placed = resampled(
        pixels,
        lambda points: transformed(points + bend_at(points, bend, shape), flat),
        size,
        cv2.INTER_CUBIC if is_small else cv2.INTER_LINEAR,
    )
    tiles = make_tiles(placed, first_scale(placed.shape))
    placement = Placement(index, px_per_mm, None if residual_mm is None else round(residual_mm, 3), bend)
    return LevelPage(placed, np.asarray(to_page @ flat, np.float64), tiles, placement)
