"""Fields without cells: digits and signs anywhere in the place, also when they touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from batchocr.forms.form import Field, Rect
from batchocr.forms.reading.cells import UNREAD_INK, FieldEvidence, inside_shares, shifted
from batchocr.forms.reading.evidence import Evidence
from batchocr.forms.reading.field_ink import area_mm2, ink_within
from batchocr.forms.reading.parameters import FieldParameters, FreeParameters
from batchocr.forms.reading.slots import UNREADABLE, Slot
from batchocr.records import SIGNS, FieldInk

TWO_LINES = "two-lines"
_WRITTEN_SIGNS = {"decimal": ".,", "date": "./-,"}


@dataclass(frozen=True)
class _Item:
    """A detection within the field, in millimetres of the form."""

    left: float
    right: float
    top: float
    bottom: float
    presence: float
    """Probability that it is there."""
    texts: dict[str, float]
    """Probabilities of what it is, if it is there."""

    @property
    def box(self) -> Rect:
        """Its box."""
        return Rect(self.left, self.top, self.right - self.left, self.bottom - self.top)


def read_free(
    field: Field, evidence: Evidence, ink: FieldInk, px_per_mm: float, parameters: FieldParameters
) -> FieldEvidence:
    """Determine which digits and signs a field may contain.

    Detections that share ink exclude each other. All ways to choose some of them are alternatives of one slot.

    Args:
        field: a field without cells.
        evidence: the digits and signs of the page.
        ink: the ink of the field.
        px_per_mm: pixels of the level page for each millimetre.
        parameters: the parameters of the reading of fields.

    Returns:
        The slots from the left, and the marks of the field.
    """
    p = parameters.free
    items = [*_digits(field.place, evidence, px_per_mm, p), *_signs(field, evidence, px_per_mm, p)]
    length = area_mm2(ink, field.place) / parameters.cells.pen_mm / field.place.height
    if length < p.min_ink_heights and (not items or max(item.presence for item in items) < p.min_sure):
        return FieldEvidence(())
    slots = [_slot(cluster, ink, parameters) for cluster in _clusters(items, ink, p)]
    marks = []
    kept = [item for item in items if item.presence >= p.min_present]
    if _has_unread_ink(field.place, ink, kept, p):
        marks.append(UNREAD_INK)
    if _has_two_lines(kept, p):
        marks.append(TWO_LINES)
    if not slots:
        slots = [Slot((UNREADABLE,), (1.0,))]
    return FieldEvidence(tuple(slots), tuple(marks))


def _digits(place: Rect, evidence: Evidence, px_per_mm: float, p: FreeParameters) -> list[_Item]:
    inside = inside_shares(evidence.boxes / px_per_mm, place)
    found = np.flatnonzero((inside >= p.min_inside_share) & (evidence.is_digit >= p.min_digit))
    items, s = [], px_per_mm
    for i in found.tolist():
        left, top, width, height = evidence.boxes[i].tolist()
        texts = {str(digit): share for digit, share in enumerate(evidence.digits[i].tolist())}
        presence = shifted(float(evidence.is_digit[i]), p.digit_bias)
        items.append(_Item(left / s, (left + width) / s, top / s, (top + height) / s, presence, texts))
    return items


def _signs(field: Field, evidence: Evidence, px_per_mm: float, p: FreeParameters) -> list[_Item]:
    allowed = set(field.signs)
    if field.kind != "decimal" or field.decimals is None:
        allowed |= set(_WRITTEN_SIGNS.get(field.kind, ""))
    if not allowed or not len(evidence.sign_boxes):
        return []
    inside = inside_shares(evidence.sign_boxes / px_per_mm, field.place)
    items, s = [], px_per_mm
    for i in np.flatnonzero(inside >= p.min_inside_share).tolist():
        shares = dict(zip(SIGNS, evidence.sign_probabilities[i].tolist(), strict=True))
        texts = {sign: share for sign, share in shares.items() if sign in allowed}
        presence = min(1.0, p.sign_factor * float(evidence.sign_scores[i])) * sum(texts.values())
        if presence < p.min_digit:
            continue
        left, top, width, height = evidence.sign_boxes[i].tolist()
        items.append(_Item(left / s, (left + width) / s, top / s, (top + height) / s, presence, texts))
    return items


def _excludes(one: _Item, other: _Item, ink: FieldInk, p: FreeParameters) -> bool:
    """Return whether two detections are the same ink; boxes of slanted digits overlap without that."""
    left, right = max(one.left, other.left), min(one.right, other.right)
    top, bottom = max(one.top, other.top), min(one.bottom, other.bottom)
    if right <= left or bottom <= top:
        return False
    areas = [area_mm2(ink, item.box) for item in (one, other)]
    if min(areas) <= 0:
        return right - left > p.max_overlap_ratio * min(one.box.width, other.box.width)
    return area_mm2(ink, Rect(left, top, right - left, bottom - top)) > p.max_common_ink * min(areas)


def _has_unread_ink(place: Rect, ink: FieldInk, items: Sequence[_Item], p: FreeParameters) -> bool:
    """Return whether there is ink beside the detections that may be a digit."""
    total = area_mm2(ink, place)
    mask, s = ink_within(ink, place), ink.px_per_mm
    covered = np.zeros_like(mask)
    for item in items:
        x0, x1 = (round((x - place.left) * s) for x in (item.left, item.right))
        y0, y1 = (round((y - place.top) * s) for y in (item.top, item.bottom))
        covered[max(0, y0 - 1) : max(0, y1 + 2), max(0, x0 - 1) : max(0, x1 + 2)] = True
    rest = float(np.count_nonzero(mask & ~covered)) / s**2
    if rest > (1 - p.min_explained_share) * total:
        return True
    digits = [area_mm2(ink, item.box) for item in items if len(item.texts) == 10]
    return bool(digits) and rest > p.max_rest_digits * float(np.median(digits))


def _clusters(items: Sequence[_Item], ink: FieldInk, p: FreeParameters) -> list[list[_Item]]:
    """Group the items that share ink, from the left."""
    clusters: list[list[_Item]] = []
    for item in sorted(items, key=lambda each: ((each.left + each.right) / 2, each.left)):
        joined = [cluster for cluster in clusters if any(_excludes(item, other, ink, p) for other in cluster)]
        clusters = [cluster for cluster in clusters if cluster not in joined]
        clusters.append([*(other for cluster in joined for other in cluster), item])
    return sorted(clusters, key=lambda cluster: float(np.mean([each.left + each.right for each in cluster])))


def _slot(cluster: Sequence[_Item], ink: FieldInk, parameters: FieldParameters) -> Slot:
    """Return the ways to choose items of a cluster that do not exclude each other.

    A sure digit that is left out, and whose ink no chosen item has, is unreadable: the ink is there.
    """
    p = parameters.free
    strongest = sorted(cluster, key=lambda item: -item.presence)[: p.max_cluster]
    items = sorted(strongest, key=lambda item: item.left + item.right)
    excluding = {(i, j) for i, j in combinations(range(len(items)), 2) if _excludes(items[i], items[j], ink, p)}
    stays = [item.presence >= p.min_sure and _is_inked(item, ink, parameters) for item in items]
    weights: dict[str, float] = {}
    for count in range(len(items) + 1):
        for chosen in combinations(range(len(items)), count):
            if any(pair in excluding for pair in combinations(chosen, 2)):
                continue
            weight, shown = 1.0, []
            for i, item in enumerate(items):
                presence = min(p.max_presence, item.presence)
                weight *= presence if i in chosen else 1 - presence
                if i in chosen:
                    shown.append(item.texts)
                elif stays[i] and not any((min(i, j), max(i, j)) in excluding for j in chosen):
                    shown.append({UNREADABLE: 1.0})
            for text, share in _texts(shown, parameters.rules.min_alternative).items():
                weights[text] = weights.get(text, 0.0) + weight * share
    return Slot.of(weights, parameters.rules.min_alternative)


def _is_inked(item: _Item, ink: FieldInk, parameters: FieldParameters) -> bool:
    """Return whether there is so much ink in the box of a detection that it is not texture or print."""
    length = area_mm2(ink, item.box) / parameters.cells.pen_mm / item.box.height
    return length >= parameters.free.min_ink_heights


def _texts(items: Sequence[Mapping[str, float]], min_share: float) -> dict[str, float]:
    """Return the probabilities of all texts of items from the left, each given by the probabilities of its texts."""
    texts = {"": 1.0}
    for item in items:
        texts = {
            text + own: share * own_share
            for text, share in texts.items()
            for own, own_share in item.items()
            if share * own_share >= min_share
        }
    return texts


def _has_two_lines(items: Sequence[_Item], p: FreeParameters) -> bool:
    """Return whether one item is above another one."""
    digits = [item for item in items if len(item.texts) == 10]
    return any(
        one.bottom <= other.top + p.max_lines_overlap * (other.bottom - other.top)
        and min(one.right, other.right) - max(one.left, other.left) > 0
        for one in digits
        for other in digits
        if one is not other
    )
