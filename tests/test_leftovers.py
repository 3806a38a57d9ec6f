"""What is left of ruled lines: drawn pages whose bars are weak, and whose bars are not."""

from __future__ import annotations

import numpy as np

from batchocr.recognition.calibration import Floats
from batchocr.recognition.leftovers import leftovers
from batchocr.records import Box, Candidate, Layout, Line, Number, Style


def layout(*strokes: list[float]) -> Layout:
    """Lines of candidates whose strokes are so wide."""
    box = Box(0, 0, 10, 30)
    lines = [Line((Number(tuple(Candidate(box, style=Style(box, s, 200.0)) for s in line)),)) for line in strokes]
    return Layout(tuple(lines), np.zeros((sum(map(len, strokes)), 28, 28), np.uint8), 0.0)


def sure_of(*digits: int) -> Floats:
    return np.asarray(np.eye(11)[list(digits)] * 0.98 + 0.02 / 11)


def test_a_hairline_among_numbers_is_what_is_left_of_a_rule() -> None:
    seen = leftovers(sure_of(2, 0, 1, 7, 1, 3, 4, 5, 6, 8), layout([5, 5, 5, 5, 1.5], [5, 4, 6, 5, 5]))
    assert np.flatnonzero(seen).tolist() == [4]


def test_what_is_weak_but_no_bar_is_kept() -> None:
    seen = leftovers(sure_of(2, 0, 1, 7, 9, 3, 4, 5, 6, 8), layout([5, 5, 5, 5, 1.5], [5, 4, 6, 5, 5]))
    assert not seen.any()


def test_a_bar_among_digits_as_weak_is_one_of_them() -> None:
    seen = leftovers(sure_of(*[3] * 30, 2, 0, 1, 7), layout([6.0] * 30, [2.0, 2.0, 2.0, 2.0]))
    assert not seen.any()


def test_few_digits_tell_nothing() -> None:
    assert not leftovers(sure_of(2, 0, 1, 7), layout([5, 5, 1, 5])).any()
    assert leftovers(np.empty((0, 11)), layout()).shape == (0,)
