"""Digits as pen strokes: the same for the same seed, all different, and readable."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from batchocr.recognition.classifier import Classifier
from batchocr.records import Pixels
from batchocr.training.synthesis.digit_forms import DIGIT_FORMS, DigitForm
from batchocr.training.synthesis.pen import Pen, based, render
from batchocr.training.synthesis.stroke_digits import draw_strokes
from batchocr.vision.crops import make_crops

AMERICAN = {(0, "round"), (0, "narrow"), (1, "plain"), (2, "round"), (2, "looped"), (3, "round"), (4, "open")} | {
    (5, "two strokes"), (6, "round"), (7, "plain"), (8, "round"), (8, "open top"), (9, "straight"), (9, "like a g")
}  # fmt: skip
"""Forms that the writers of MNIST use too."""
TRIES = 60
names = {form: f"{form.digit} {form.name}" for form in DIGIT_FORMS}


PEN = Pen(width_ratio=0.09, opacity=1.0)


def crop(form: DigitForm, rng: np.random.Generator) -> Pixels:
    """Return the 28×28 crop of a form of 36 pixels."""
    paths = based([np.asarray(path, np.float32) for path in draw_strokes(form, rng)])
    assert paths is not None
    drawn = render(paths, 36, PEN, PEN.width_ratio * 36)
    assert drawn is not None
    left, top, width, height = cv2.boundingRect(cv2.compare(drawn[0], 80, cv2.CMP_GT))
    page = cv2.bitwise_not(cv2.copyMakeBorder(drawn[0], 20, 20, 20, 20, cv2.BORDER_CONSTANT))
    return make_crops(page, np.array([[left + 20, top + 20, width, height]], np.float32))[0]


def test_the_same_seed_writes_the_same() -> None:
    for form in DIGIT_FORMS:
        first, second = (draw_strokes(form, np.random.default_rng(7)) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_names_of_forms_are_unique_and_used() -> None:
    assert len({(form.digit, form.name) for form in DIGIT_FORMS}) == len(DIGIT_FORMS)
    assert all(form.weight > 0 for form in DIGIT_FORMS)
    assert {(form.digit, form.name) for form in DIGIT_FORMS} >= AMERICAN
    assert {form.digit for form in DIGIT_FORMS} == set(range(10))


@pytest.mark.parametrize("form", [form for form in DIGIT_FORMS if form.other], ids=names.get)
def test_both_extremes_have_the_same_points_and_corners(form: DigitForm) -> None:
    kinds = [
        [[p.endswith("!") for p in path.split()] for path in text.split("/")]
        for text in (form.draw_strokes, form.other)
    ]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("form", DIGIT_FORMS, ids=names.get)
def test_drawings_of_the_same_form_differ(form: DigitForm) -> None:
    rng = np.random.default_rng(3)
    some = [np.concatenate(draw_strokes(form, rng)).tobytes() for _ in range(8)]
    assert len(set(some)) == 8


@pytest.mark.parametrize("form", [f for f in DIGIT_FORMS if f.digit == 1 and "flag" in f.name], ids=names.get)
def test_the_flag_of_a_1_rises_or_is_short(form: DigitForm) -> None:
    rng = np.random.default_rng(5)
    for _ in range(TRIES):
        path = draw_strokes(form, rng)[0]
        top = path[path[:, 1].argmin()]
        high = float(np.ptp(path[:, 1]))
        across, rise = top[0] - path[0, 0], path[0, 1] - top[1]
        assert across < 0.33 * high or rise > 0.5 * across


@pytest.mark.parametrize("form", [f for f in DIGIT_FORMS if f.digit == 7], ids=names.get)
def test_the_bar_of_a_7_is_about_level_and_long(form: DigitForm) -> None:
    rng = np.random.default_rng(6)
    for _ in range(TRIES):
        path = draw_strokes(form, rng)[0]
        upper = path[path[:, 1] < path[:, 1].min() + 0.3 * np.ptp(path[:, 1])]
        right = upper[upper[:, 0].argmax()]
        left = upper[upper[:, 0].argmin()]
        across = right[0] - left[0]
        assert across > 0.3 * np.ptp(path[:, 1])
        serif = 0.3 if "serif" in form.name else 0.0
        assert left[1] - right[1] < (0.5 + serif) * across, "it rises as a 1's flag does"


def test_forms_that_americans_write_too_are_read_correctly(classifier: Classifier) -> None:
    rng = np.random.default_rng(7)
    forms = [form for form in DIGIT_FORMS if (form.digit, form.name) in AMERICAN for _ in range(TRIES)]
    read = classifier.classify(np.stack([crop(form, rng) for form in forms])).argmax(axis=1)
    right = read == [form.digit for form in forms]
    assert right.mean() > 0.97
    # each form separately, so that a form that is drawn wrongly is found
    assert right.reshape(-1, TRIES).mean(axis=1).min() > 0.85


def test_a_mix_of_all_styles_is_mostly_read_correctly(classifier: Classifier) -> None:
    rng = np.random.default_rng(8)
    forms = [form for form in DIGIT_FORMS for _ in range(6)]
    read = classifier.classify(np.stack([crop(form, rng) for form in forms])).argmax(axis=1)
    assert (read == [form.digit for form in forms]).mean() > 0.9
