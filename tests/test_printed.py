"""Print told from handwriting, of drawn lines with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from batchocr.recognition.printed import odds, traits
from batchocr.records import Box, Candidate, Style


def line(*boxes: Box, stroke: float = 3.0) -> list[Candidate]:
    return [Candidate(box, style=Style(box, stroke, 180.0)) for box in boxes]


WORD = [Box(14 * i, 80 - high, 10, high) for i, high in enumerate((20, 14, 20, 14, 20, 14))]
FIGURE, LARGE = Box(100, 60, 10, 20), Box(100, 50, 18, 36)
NONE = np.array([0.99] * 6 + [0.0])


def test_a_figure_of_the_print_is_told_from_one_written_larger() -> None:
    printed, share = odds(line(*WORD, FIGURE), NONE)
    written, _ = odds(line(*WORD, LARGE), NONE)
    assert printed[6] > 1 and written[6] < -1
    assert share > 0.5


def test_another_pen_is_less_like_print() -> None:
    pen = [*line(*WORD), *line(FIGURE, stroke=6.0)]
    assert odds(pen, NONE)[0][6] < odds(line(*WORD, FIGURE), NONE)[0][6] - 2


def test_a_sloping_line_is_print_all_the_same() -> None:
    word = [Box(b.left + 120 * k, b.top, b.width, b.height) for k in range(2) for b in WORD]
    boxes = [Box(b.left, b.top + round(0.05 * b.left), b.width, b.height) for b in [*word, Box(220, 60, 10, 20)]]
    fits = traits([c.style for c in line(*boxes) if c.style], np.arange(13) < 12)
    assert fits[12].min() > 0


def test_a_few_letters_or_marks_far_apart_say_nothing() -> None:
    few, share = odds(line(*WORD[:2], FIGURE), np.array([0.99, 0.99, 0.0]))
    assert not few.any() and share == 0
    spread = [Box(80 * i, 60, 10, 20) for i in range(7)]
    assert not odds(line(*spread), NONE)[0].any()


def test_a_few_figures_of_a_row_that_look_like_none_are_no_word() -> None:
    row = [Box(14 * i, 60, 10, 20) for i in range(20)]
    none = np.zeros(20)
    none[[2, 3, 9, 10, 11, 16, 17]] = 0.9
    assert not odds(line(*row), none)[0].any()


def test_nothing_is_said_where_nothing_was_measured() -> None:
    assert not odds([replace(c, style=None) for c in line(*WORD, FIGURE)], NONE)[0].any()
