"""Find the form of a page by its print: the best of several, told apart by codes if they look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from batchocr.errors import ScanError
from batchocr.forms.codes import read_code
from batchocr.forms.form import Form
from batchocr.forms.page_view import View
from batchocr.forms.placement_parameters import REASON, PlacementParameters
from batchocr.forms.prepared import POINTS_OF_FIELD, PreparedForm
from batchocr.records import Pixels
from batchocr.vision.geometry.form_fit import FormFit, fit_form
from batchocr.vision.geometry.form_search import (
    Features,
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
    PointMap,
    resampled,
)
from batchocr.vision.geometry.registration import RegistrationParameters

_SECTORS = ("upper", "middle", "lower"), ("left", "centre", "right")


@dataclass(frozen=True)
class FittedForm:
    """A form on which the page was laid exactly."""

    index: int
    """Index of the form."""
    form: Form
    fit: FormFit
    max_deviation_mm: float
    """Largest permitted standard deviation of the place of a field."""

    @property
    def fits(self) -> bool:
        """Whether print is at its place, and the places of all fields are sure."""
        return self.fit.residual_mm <= self.form.max_residual_mm and self.unsure_field is None

    @property
    def unsure_field(self) -> str | None:
        """Name of the field whose place is least sure; None if all are sure enough."""
        deviations = self.fit.deviations_mm
        if not len(deviations) or deviations.max() <= self.max_deviation_mm:
            return None
        return self.form.fields[int(deviations.argmax()) // POINTS_OF_FIELD].name

    @property
    def score(self) -> int:
        """How much print fits, and how much does not."""
        return self.fit.good - 2 * self.fit.bad


def find_by_print(
    pixels: Pixels, which: Sequence[int], prepared: Sequence[PreparedForm], view: View, parameters: PlacementParameters
) -> FittedForm:
    """Find the form by its print, and lay the page on it.

    Args:
        pixels: (height, width) uint8, the level page.
        which: Indices of the forms that have an image.
        prepared: All forms.
        view: What the page shows.
        parameters: See the class.

    Returns:
        The form that fits best.

    Raises:
        ScanError: No form fits. The message says why.
    """
    p = parameters
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
    view: View,
    p: PlacementParameters,
) -> FittedForm:
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
    fitted: list[FittedForm] = []
    for index, place in rivals:
        if any(each.fits for each in fitted) and place.matches < p.min_alike_ratio * found[0][1].matches:
            break
        guide = prepared[index].guide(p.fit)
        if (fit := fit_form(pixels, Laying(place.homography), guide, view.shows, view.is_bilevel, p.fit)) is not None:
            fitted.append(FittedForm(index, prepared[index].form, fit, p.max_deviation_mm))
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


def _edition_fault(fitted: Sequence[FittedForm], names: str) -> ScanError:
    """Return the error of a page that has print of a form, but not at its place."""
    if not fitted:
        return ScanError(REASON, f"the page fits no form ({names}): give its form, or scan the whole page")
    best = max(fitted, key=lambda each: each.score)
    if best.fit.residual_mm <= best.form.max_residual_mm:
        return ScanError(
            REASON,
            f"the page fits the form {best.form.name}, but the place of the field {best.unsure_field} is not sure: too "
            "little print is visible near it. Scan the page flat, or take the photo from straight above",
        )
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
    good: Sequence[FittedForm],
    which: Sequence[int],
    prepared: Sequence[PreparedForm],
    p: PlacementParameters,
) -> FittedForm:
    """Choose among the forms that fit: by the code on the page, then by their print."""
    expanded = [
        FittedForm(index, prepared[index].form, each.fit, p.max_deviation_mm)
        for each in good
        for index in which
        if prepared[index].layout == prepared[each.index].layout
    ]
    alike = [each for each in expanded if each.score >= expanded[0].score - max(1, p.alike_share * expanded[0].score)]
    if not any(_code_places(each.form) for each in alike):
        if len(alike) > 1 and len({prepared[each.index].layout for each in alike}) < len(alike):
            raise ScanError(REASON, _alike_message([each.form.name for each in alike]))
        return alike[0]
    codes = {each.index: _codes(pixels, each, p) for each in alike}
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


def _codes(pixels: Pixels, candidate: FittedForm, p: PlacementParameters) -> bool | None:
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
    chosen: FittedForm,
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
