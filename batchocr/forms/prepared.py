"""What the placement needs of a form, computed once in each process."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np

from batchocr.forms.form import Form
from batchocr.vision.geometry.form_fit import FormFitParameters, FormGuide, form_guide
from batchocr.vision.geometry.form_search import Features, find_features
from batchocr.vision.geometry.registration import RegistrationParameters

MAX_KEPT = 200
"""Number of prepared forms that a process keeps."""
_POINTS = np.array([[0, 0], [1, 0], [0.5, 0.5], [0, 1], [1, 1]])
POINTS_OF_FIELD = len(_POINTS)
"""Points of each field whose place must be sure."""


class PreparedForm:
    """A form with its features and its print. All of it is computed when it is first needed."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self._features: dict[RegistrationParameters, Features] = {}
        self._guides: dict[FormFitParameters, FormGuide] = {}

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the form."""
        return self.form.width_mm, self.form.height_mm

    @cached_property
    def layout(self) -> str:
        """What identifies the image of the form. Forms with the same image have the same print."""
        image = self.form.image
        if image is None:
            return ""
        content = np.ascontiguousarray(image.pixels)
        return hashlib.sha256(repr((content.shape, self.size_mm, image.is_filled)).encode() + content.data).hexdigest()

    def features_of(self, kind: RegistrationParameters) -> Features:
        """Return the features of the form, in mm."""
        if kind not in self._features:
            image = self.form.image
            assert image is not None
            height, width = image.pixels.shape
            scale = np.array([self.form.width_mm / width, self.form.height_mm / height])
            self._features[kind] = find_features(image.pixels, scale, kind)
        return self._features[kind]

    def guide(self, parameters: FormFitParameters) -> FormGuide:
        """Return the print of the form by which pages are laid on it."""
        if parameters not in self._guides:
            image = self.form.image
            assert image is not None
            places = [field.place for field in self.form.fields]
            boxes = np.array([[p.left, p.top, p.width, p.height] for p in places], np.float64).reshape(-1, 4)
            points = (boxes[:, None, :2] + boxes[:, None, 2:] * _POINTS).reshape(-1, 2)
            ignored = boxes if image.is_filled else None
            self._guides[parameters] = form_guide(
                image.pixels, self.size_mm, image.is_filled, ignored, points, parameters
            )
        return self._guides[parameters]


_prepared: dict[int, PreparedForm] = {}


def prepare_form(form: Form) -> PreparedForm:
    """Return a form with what the placement needs of it. The same object is returned for the same form."""
    known = _prepared.get(id(form))
    if known is not None and known.form is form:
        return known
    while len(_prepared) >= MAX_KEPT:
        del _prepared[next(iter(_prepared))]
    _prepared[id(form)] = PreparedForm(form)
    return _prepared[id(form)]
