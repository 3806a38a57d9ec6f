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
            ignored = None
            if image.is_filled:
                places = [f.place for f in self.form.fields]
                ignored = np.array([[p.left, p.top, p.width, p.height] for p in places]).reshape(-1, 4)
            self._guides[parameters] = form_guide(image.pixels, self.size_mm, image.is_filled, ignored, parameters)
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
