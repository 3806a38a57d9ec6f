"""Ink that is lost in luma is found in the channel that shows it. If luma shows the writing, it is taken."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.sources.colour import Colours, darkest_channel, has_faint_ink

Colour = tuple[int, int, int]
WHITE, GREY, YELLOW, GREEN = (250, 250, 250), (200, 200, 200), (250, 220, 40), (150, 230, 110)


def written(paper: Colour, ink: Colour, light: float = 1.0, black: bool = False) -> Colours:
    """Return a number on paper, in light that decreases to the share `light` from left to right."""
    sheet = Sheet(900, 700, grey=255)
    sheet.number("2075", 150, 200, 200, pen=24, grey=0)
    share = (sheet.pixels / 255.0)[..., None]
    page = share * np.array(paper[::-1]) + (1 - share) * np.array(ink[::-1])
    if black:
        other = Sheet(900, 700, grey=255)
        other.number("31864", 200, 520, 100, pen=10, grey=0)
        page *= (other.pixels / 255.0)[..., None]
    page *= np.linspace(1, light, 900)[:, None]
    return np.asarray(page.round(), np.uint8)


@pytest.mark.parametrize(("paper", "ink"), [(WHITE, YELLOW), (GREY, YELLOW), (GREY, GREEN)])
@pytest.mark.parametrize("light", [1.0, 0.6])
def test_yellow_and_light_green_ink_is_visible(paper: Colour, ink: Colour, light: float) -> None:
    page = written(paper, ink, light)
    assert has_faint_ink(page)
    grey = darkest_channel(page)
    assert grey[300, 20] - int(grey[200:400, 150:300].min()) > 50


@pytest.mark.parametrize("ink", [(20, 20, 20), (30, 60, 150), (210, 40, 40), (40, 140, 70), (120, 120, 120)])
def test_ink_that_luma_shows_is_not_faint(ink: Colour) -> None:
    assert not has_faint_ink(written(WHITE, ink))


def test_black_writing_on_a_page_with_yellow_marks_is_not_faint() -> None:
    assert not has_faint_ink(written(WHITE, YELLOW, black=True))


@pytest.mark.parametrize("paper", [WHITE, (250, 235, 150), (225, 210, 250)])
def test_empty_paper_of_any_colour_has_no_ink(paper: Colour) -> None:
    page = np.empty((600, 500, 3), np.uint8)
    page[:] = paper[::-1]
    assert not has_faint_ink(page)


def test_a_desk_beside_a_sheet_is_not_ink() -> None:
    page = np.empty((600, 800, 3), np.uint8)
    page[:], page[:, :120] = WHITE, (130, 200, 235)
    assert not has_faint_ink(page)


def test_chalk_on_a_board_is_not_faint() -> None:
    assert not has_faint_ink(written((40, 60, 45), YELLOW))


def test_the_order_of_channels_does_not_matter() -> None:
    page = written(GREY, YELLOW)
    np.testing.assert_array_equal(darkest_channel(page), darkest_channel(cv2.cvtColor(page, cv2.COLOR_RGB2BGR)))
