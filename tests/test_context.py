"""What neighbours on a line say of a candidate: drawn lines with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from batchocr.recognition.calibration import NONE, Floats
from batchocr.recognition.context import in_context
from batchocr.records import Box, Candidate, Style


def chances(*none: float, digit: int = 1) -> Floats:
    """Rows of (n, 11): so much for no digit, nearly all else for one digit."""
    rows = np.zeros((len(none), 11))
    rows[:, NONE] = none
    rows[:, digit] = 0.9 * (1 - rows[:, NONE])
    rows[:, digit + 1] = 0.1 * (1 - rows[:, NONE])
    return rows


def row(n: int, gap: int = 4, height: int = 30, start: int = 0) -> list[Candidate]:
    return [Candidate(Box(start + i * (20 + gap), 10, 20, height)) for i in range(n)]


def test_alone_on_a_line_nothing_changes() -> None:
    given = chances(0.4)
    assert in_context(given, row(1)) is given
    assert in_context(np.empty((0, 11)), []).shape == (0, 11)


def test_a_bar_within_a_word_is_a_letter() -> None:
    seen = in_context(chances(0.99, 0.98, 0.001, 0.99, 0.97), row(5))
    assert seen[2, NONE] > 0.5
    assert np.allclose(seen.sum(axis=1), 1)


def test_a_dirty_digit_within_a_number_is_a_digit() -> None:
    seen = in_context(chances(0.001, 0.001, 0.6, 0.002, 0.001), row(5))
    assert seen[2, NONE] < 0.5


def test_a_dash_within_a_number_stays_none() -> None:
    seen = in_context(chances(0.001, 0.001, 0.99, 0.002, 0.001), row(5))
    assert seen[2, NONE] > 0.8


def test_the_digits_keep_their_shares_of_what_is_left() -> None:
    given = chances(0.9, 0.3, 0.8, 0.2)
    seen = in_context(given, row(4))
    assert np.allclose(seen[:, 1] / seen[:, 2], given[:, 1] / given[:, 2])


@pytest.mark.parametrize("gap", [30, 90, 300])
def test_the_wider_the_gap_the_less_a_word_says_of_the_number_after_it(gap: int) -> None:
    boxes = [*row(6), *row(1, start=6 * 24 + gap)]
    near = in_context(chances(*[0.99] * 6, 0.02), [*row(6), *row(1, start=6 * 24)])[-1, NONE]
    far = in_context(chances(*[0.99] * 6, 0.02), boxes)[-1, NONE]
    assert far < near
    if gap >= 90:
        assert far == pytest.approx(0.02, abs=0.01)


def test_letters_far_apart_in_one_box_are_words_and_two_crosses_before_a_digit_are_not() -> None:
    spelled = chances(0.99, 0.97, 0.01, 0.99, 0.02, 0.98, 0.99, 0.9)
    assert in_context(spelled, row(8, gap=80), [0] * 8)[[2, 4], NONE].min() > 0.5
    assert in_context(spelled, row(8, gap=80), range(8))[[2, 4], NONE].max() < 0.5
    struck_out = in_context(chances(0.99, 0.99, 0.001), row(3, gap=60), [0] * 3)
    assert struck_out[2, NONE] < 0.3


def test_a_number_close_after_a_word_of_smaller_print_stays() -> None:
    boxes = [*row(6, height=14), *row(4, height=34, start=160)]
    seen = in_context(chances(*[0.99] * 6, *[0.002] * 4), boxes)
    assert seen[6:, NONE].max() < 0.05 and seen[:6, NONE].min() > 0.9


def test_a_line_read_backwards_says_the_same() -> None:
    given, boxes = chances(0.9, 0.01, 0.8, 0.02, 0.5), row(5)
    mirrored = [Candidate(Box(200 - c.box.right, c.box.top, c.box.width, c.box.height)) for c in reversed(boxes)]
    assert np.allclose(in_context(given, boxes), in_context(given[::-1], mirrored)[::-1])


def drawn(heights: Sequence[int], start: int = 0, foot: int = 60, stroke: float = 4.0) -> list[Candidate]:
    boxes = [Box(start + 16 * i, foot - high, 12, high) for i, high in enumerate(heights)]
    return [Candidate(box, style=Style(box, stroke, 200.0)) for box in boxes]


LABEL = (20, 15, 15, 20, 15, 15, 20, 15)
"""Heights of the letters of a printed word: capitals and small ones."""


def test_figures_printed_in_a_line_of_words_are_no_digits() -> None:
    line = [*drawn(LABEL), *drawn([20] * 4, start=150), *drawn(LABEL, start=230)]
    seen = in_context(chances(*[0.99] * 8, *[0.001] * 4, *[0.99] * 8), line)
    assert seen[8:12, NONE].min() > 0.5


@pytest.mark.parametrize(
    "written",
    [
        drawn([30, 28, 31, 29], start=150),
        drawn([21, 18, 22, 19], start=150, foot=56, stroke=5.5),
        drawn([25], start=150, foot=63),
    ],
    ids=["larger", "of the same size, with another pen", "one alone"],
)
def test_a_number_written_beside_a_printed_label_stays(written: list[Candidate]) -> None:
    seen = in_context(chances(*[0.99] * 8, *[0.001] * len(written)), [*drawn(LABEL), *written])
    assert seen[8:, NONE].max() < 0.2


def test_a_number_written_by_hand_after_words_of_the_same_hand_stays() -> None:
    rng = np.random.default_rng(7)
    hand = [
        Candidate(box, style=Style(box, float(4 + rng.normal(0, 0.4)), 200.0))
        for box in (
            Box(16 * i, 40 + int(rng.integers(-4, 5)), 12, high + int(rng.integers(-3, 4)))
            for i, high in enumerate((*LABEL, 20, 20, 20))
        )
    ]
    seen = in_context(chances(*[0.99] * 8, *[0.001] * 3), [*hand[:8], *(replace_left(c, 60) for c in hand[8:])])
    assert seen[8:, NONE].max() < 0.5


def replace_left(candidate: Candidate, by: int) -> Candidate:
    box = candidate.box
    return replace(candidate, box=Box(box.left + by, box.top, box.width, box.height))
