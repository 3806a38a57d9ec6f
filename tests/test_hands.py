"""Digits drawn from pen strokes: the same from the same seed, whole, of the size asked, and what they say they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from batchocr.recognition.classifier import Classifier
from batchocr.training.draw import VISIBLE, Ink
from batchocr.training.hands import FORMS, Form, strokes, write, written
from batchocr.vision.normalize import normalize

AMERICAN = {(0, "round"), (0, "narrow"), (1, "plain"), (2, "round"), (2, "looped"), (3, "round"), (4, "open")} | {
    (5, "two strokes"), (6, "round"), (7, "plain"), (8, "round"), (8, "open top"), (9, "straight"), (9, "like a g")
}  # fmt: skip
"""Forms that MNIST's writers have too."""
TRIES = 60
names = {form: f"{form.digit} {form.name}" for form in FORMS}


def crop(ink: Ink) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The 28×28 picture of a drawing."""
    contrast = cv2.copyMakeBorder((200 * ink).astype(np.uint8), 2, 2, 2, 2, cv2.BORDER_CONSTANT)
    return normalize(contrast, cv2.compare(contrast, 80, cv2.CMP_GT))


def test_the_same_seed_writes_the_same() -> None:
    first, second, other = (np.random.default_rng(seed) for seed in (7, 7, 8))
    same = [(written(30, first), written(30, second)) for _ in range(20)]
    assert all(a[1] == b[1] and np.array_equal(a[0], b[0]) for a, b in same)
    assert [written(30, other)[1] for _ in range(20)] != [a[1] for a, _ in same]


def test_all_digits_come_about_equally_often() -> None:
    rng = np.random.default_rng(1)
    counts = np.bincount([written(16, rng)[1] for _ in range(2000)], minlength=10)
    assert counts.min() > 150 and counts.max() < 260


def test_forms_are_named_once_and_taken() -> None:
    assert len({(form.digit, form.name) for form in FORMS}) == len(FORMS)
    assert all(form.weight > 0 for form in FORMS)
    assert {(form.digit, form.name) for form in FORMS} >= AMERICAN
    assert {form.digit for form in FORMS} == set(range(10))


@pytest.mark.parametrize("form", [form for form in FORMS if form.other], ids=names.get)
def test_both_extremes_have_the_same_points_and_corners(form: Form) -> None:
    kinds = [[[p.endswith("!") for p in way.split()] for way in text.split("/")] for text in (form.strokes, form.other)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("form", FORMS, ids=names.get)
def test_a_form_is_drawn_tight_and_as_high_as_asked(form: Form) -> None:
    rng = np.random.default_rng(2)
    for height in (15.0, 18.5, 33.0, 80.0):
        for _ in range(5):
            ink = write(form, height, rng)
            assert ink.dtype == np.float32 and ink.min() >= 0 and ink.max() <= 1
            seen = ink > VISIBLE
            assert seen[0].any() and seen[-1].any() and seen[:, 0].any() and seen[:, -1].any()
            # where the ink breaks off at an end, a piece is missing
            assert 0.7 * height < ink.shape[0] < 1.15 * height + 2
            assert ink.shape[1] < 2 * height


@pytest.mark.parametrize("form", FORMS, ids=names.get)
def test_no_two_hands_write_the_same(form: Form) -> None:
    rng = np.random.default_rng(3)
    some = [write(form, 40, rng).tobytes() for _ in range(8)]
    assert len(set(some)) == 8


def test_pens_are_fine_and_broad() -> None:
    rng = np.random.default_rng(4)
    bar = next(form for form in FORMS if form.digit == 1)
    pens = [float(np.median((write(bar, 60, rng) > 0.5).sum(axis=1))) for _ in range(200)]
    assert min(pens) < 4 and max(pens) > 9
    small = [(write(bar, 16, rng) > VISIBLE).sum() for _ in range(100)]
    assert min(small) >= 10, "the finest pen still leaves a line"


def test_ink_breaks_off_now_and_then() -> None:
    rng = np.random.default_rng(9)
    bar = next(form for form in FORMS if form.digit == 1)
    parts = [cv2.connectedComponents((write(bar, 50, rng) > VISIBLE).astype(np.uint8))[0] - 1 for _ in range(400)]
    assert 2 <= sum(n > 1 for n in parts) < 60


@pytest.mark.parametrize("form", [f for f in FORMS if f.digit == 1 and "flag" in f.name], ids=names.get)
def test_the_flag_of_a_1_rises_or_is_short(form: Form) -> None:
    rng = np.random.default_rng(5)
    for _ in range(TRIES):
        way = strokes(form, rng)[0]
        top = way[way[:, 1].argmin()]
        high = float(np.ptp(way[:, 1]))
        across, rise = top[0] - way[0, 0], way[0, 1] - top[1]
        assert across < 0.33 * high or rise > 0.5 * across


@pytest.mark.parametrize("form", [f for f in FORMS if f.digit == 7], ids=names.get)
def test_the_bar_of_a_7_is_about_level_and_long(form: Form) -> None:
    rng = np.random.default_rng(6)
    for _ in range(TRIES):
        way = strokes(form, rng)[0]
        upper = way[way[:, 1] < way[:, 1].min() + 0.3 * np.ptp(way[:, 1])]
        right = upper[upper[:, 0].argmax()]
        left = upper[upper[:, 0].argmin()]
        across = right[0] - left[0]
        assert across > 0.3 * np.ptp(way[:, 1])
        serif = 0.3 if "serif" in form.name else 0.0
        assert left[1] - right[1] < (0.5 + serif) * across, "it rises as a 1's flag does"


def test_forms_that_americans_write_too_are_read_right(classifier: Classifier) -> None:
    rng = np.random.default_rng(7)
    forms = [form for form in FORMS if (form.digit, form.name) in AMERICAN for _ in range(TRIES)]
    read = classifier.classify(np.stack([crop(write(form, 36, rng)) for form in forms])).argmax(axis=1)
    right = read == [form.digit for form in forms]
    assert right.mean() > 0.97
    # each form for itself, so that one drawn wrong is not lost among the others
    assert right.reshape(-1, TRIES).mean(axis=1).min() > 0.85


def test_a_mix_of_all_hands_is_mostly_read_right(classifier: Classifier) -> None:
    rng = np.random.default_rng(8)
    some = [written(float(rng.uniform(18, 60)), rng) for _ in range(600)]
    read = classifier.classify(np.stack([crop(ink) for ink, _ in some])).argmax(axis=1)
    assert (read == [digit for _, digit in some]).mean() > 0.9
