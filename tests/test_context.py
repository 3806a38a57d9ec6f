"""What neighbours on a line say of a candidate: drawn lines with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.recognition.calibration import NONE, Floats
from batchocr.recognition.context import in_context
from batchocr.records import Box


def chances(*none: float, digit: int = 1) -> Floats:
    """Rows of (n, 11): so much for no digit, nearly all else for one digit."""
    rows = np.zeros((len(none), 11))
    rows[:, NONE] = none
    rows[:, digit] = 0.9 * (1 - rows[:, NONE])
    rows[:, digit + 1] = 0.1 * (1 - rows[:, NONE])
    return rows


def row(n: int, gap: int = 4, height: int = 30, start: int = 0) -> list[Box]:
    return [Box(start + i * (20 + gap), 10, 20, height) for i in range(n)]


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


def test_a_number_close_after_a_word_of_smaller_print_stays() -> None:
    boxes = [*row(6, height=14), *row(4, height=34, start=160)]
    seen = in_context(chances(*[0.99] * 6, *[0.002] * 4), boxes)
    assert seen[6:, NONE].max() < 0.05 and seen[:6, NONE].min() > 0.9


def test_a_line_read_backwards_says_the_same() -> None:
    given, boxes = chances(0.9, 0.01, 0.8, 0.02, 0.5), row(5)
    mirrored = [Box(200 - box.right, box.top, box.width, box.height) for box in reversed(boxes)]
    assert np.allclose(in_context(given, boxes), in_context(given[::-1], mirrored)[::-1])
