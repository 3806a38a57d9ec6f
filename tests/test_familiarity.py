"""Pages that are unlike those that the models were measured on."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.decoding.marks.familiarity import Familiar, familiar_range, is_unfamiliar, page_medians

KNOWN = Familiar((0.55, 1.0), (12.0, 110.0), (40.0, 255.0))


@pytest.mark.parametrize(
    "medians, unfamiliar",
    [
        ((0.8, 30, 120), False),
        ((0.4, 30, 120), True),
        ((0.8, 9, 120), True),
        ((0.8, 200, 120), True),
        ((0.8, 30, 20), True),
    ],
)
def test_a_page_outside_the_measured_ranges_is_unfamiliar(
    medians: tuple[float, float, float], unfamiliar: bool
) -> None:
    assert is_unfamiliar(np.array(medians), KNOWN) is unfamiliar


def test_a_page_with_few_digits_is_not_judged() -> None:
    boxes, scores, strengths = np.full((7, 4), 30.0), np.full(7, 0.9), np.full(7, 100.0)
    assert page_medians(boxes[:5], scores[:5], strengths[:5]) is None
    scores[:2] = 0.1  # too weak to count
    assert page_medians(boxes, scores, strengths) is None
    scores[:2] = 0.5
    medians = page_medians(boxes, scores, strengths)
    assert medians is not None and medians.tolist() == [0.9, 30, 100]
    assert not is_unfamiliar(None, KNOWN)


def test_the_range_contains_the_measured_pages_and_has_no_upper_score() -> None:
    pages = np.column_stack([np.linspace(0.6, 0.9, 50), np.linspace(15.2, 60, 50), np.linspace(50.5, 180, 50)])
    known = familiar_range(pages)
    assert not any(is_unfamiliar(page, known) for page in pages[1:-1])
    assert known.score[1] == 1.0 and known.strength[1] == 255.0
    assert known.height_px == (15.0, 60.0)
    assert familiar_range(np.empty((0, 3))) == Familiar()


def test_synthetic_pages_do_not_change_the_range_of_the_score() -> None:
    paper = np.column_stack([np.linspace(0.6, 0.9, 50), np.full(50, 30.0), np.full(50, 100.0)])
    synthetic = np.column_stack([np.full(50, 0.2), np.linspace(12, 90, 50), np.full(50, 30.0)])
    known = familiar_range(paper, synthetic)
    assert known.score[0] == pytest.approx(0.6, abs=0.01)
    assert known.height_px == (12.0, 90.0)
    assert known.strength[0] == 30.0
