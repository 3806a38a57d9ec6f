"""Ink of fields: its area and span in drawn masks, and the print that drawn cells have in common."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_fields import INK_PX_PER_MM, LEFT, TOP, cells_field, ink_of

from batchocr.forms.form import Field, Form, Rect
from batchocr.forms.ink.darkness import darkness, paper_brightness
from batchocr.forms.ink.estimated_blank import estimate_blank
from batchocr.forms.ink.parameters import DarknessParameters, EstimatedBlankParameters
from batchocr.forms.reading.field_ink import area_mm2, ink_within, share, span

FIELD = cells_field(2)
WHOLE = FIELD.place
INK = ink_of(FIELD, Rect(LEFT + 1, TOP + 2, 2, 4))
PX_PER_MM = 8.0


def test_the_area_of_ink_is_in_square_millimetres() -> None:
    assert area_mm2(INK, WHOLE) == pytest.approx(8.0)
    assert area_mm2(INK, Rect(LEFT + 2, TOP, 4, 4)) == pytest.approx(1 * 2)
    assert area_mm2(INK, Rect(LEFT + 8, TOP, 8, 8)) == 0


def test_the_share_of_a_place_that_is_ink() -> None:
    assert share(INK, Rect(LEFT, TOP + 2, 4, 4)) == pytest.approx(0.5)
    assert share(INK, Rect(LEFT + 1, TOP + 2, 2, 4)) == 1
    assert share(INK, Rect(LEFT + 1, TOP + 2, 0, 4)) == 0


def test_the_span_of_ink_is_in_shares_of_the_place() -> None:
    assert span(INK, Rect(LEFT, TOP, 8, 8)) == pytest.approx((0.25, 0.5))
    assert span(INK, Rect(LEFT + 8, TOP, 8, 8)) == (0, 0)
    apart = ink_of(FIELD, Rect(LEFT + 1, TOP + 2, 1, 1), Rect(LEFT + 5, TOP + 2, 1, 1))
    assert span(apart, Rect(LEFT, TOP, 8, 8)) == pytest.approx((5 / 8, 1 / 8))


def test_a_place_beyond_the_margin_has_only_what_is_within() -> None:
    everywhere = ink_of(FIELD, Rect(LEFT - 4, TOP - 4, 24, 16))
    beyond = Rect(LEFT - 6, TOP, 4, 2)
    assert ink_within(everywhere, beyond).shape == (2 * INK_PX_PER_MM, 2 * INK_PX_PER_MM)
    assert ink_within(everywhere, Rect(LEFT - 40, TOP, 4, 2)).size == 0
    assert area_mm2(everywhere, Rect(LEFT - 40, TOP, 4, 2)) == 0


def test_darkness_is_a_share_of_the_paper_also_in_shade() -> None:
    pixels = np.full((200, 400), 240, np.uint8)
    pixels[:, 200:] = 120
    pixels[90:94, 40:360] //= 2
    found = darkness(pixels, PX_PER_MM, DarknessParameters())
    assert found[92, 100] == pytest.approx(0.5, abs=0.02)
    assert found[92, 300] == pytest.approx(0.5, abs=0.02)
    assert found[40, 100] < 0.02
    assert paper_brightness(pixels, PX_PER_MM, DarknessParameters())[92, 100] == pytest.approx(241, abs=1)


def test_only_ink_that_is_wider_than_the_square_of_paper_is_paper() -> None:
    pixels = np.full((200, 200), 240, np.uint8)
    pixels[80:120] = 60
    narrow, wide = (
        darkness(pixels, PX_PER_MM, DarknessParameters(paper_mm=side, smooth_mm=0.1))[100, 100] for side in (1.6, 12.0)
    )
    assert narrow < 0.05
    assert wide > 0.7


@pytest.mark.parametrize(("wider_mm", "is_found"), [(0.12, True), (2.5, False)])
def test_cells_of_nearly_the_same_size_have_common_print(wider_mm: float, is_found: bool) -> None:
    """Widths around 6.5 mm that were measured by eye are one size; of two sizes, there are too few cells of each."""
    width_mm = 6.5 - 0.06
    widths = [width_mm + (wider_mm if i % 2 else 0.0) for i in range(6)]
    cells = tuple(Rect(10 + 11 * i, 10, width, 8) for i, width in enumerate(widths))
    pixels = np.full((240, 640), 240, np.uint8)
    for i, cell in enumerate(cells):
        x0, y0, x1, y1 = (round(side * PX_PER_MM) for side in (cell.left, cell.top, cell.right, cell.bottom))
        pixels[y0 : y0 + 3, x0:x1] = pixels[y1 - 3 : y1, x0:x1] = 90
        pixels[y0:y1, x0 : x0 + 3] = pixels[y0:y1, x1 - 3 : x1] = 90
        pixels[y0 + 10 : y1 - 10, x0 + 12 + 5 * i : x0 + 16 + 5 * i] = 20  # writing, each time elsewhere
    field = Field("f", "cells", Rect(10, 10, 70, 8), cells)
    form = Form("f", 80, 30, (field,))
    blank = estimate_blank(pixels, form, PX_PER_MM, EstimatedBlankParameters(), DarknessParameters())
    frame = [blank[round(cell.top * PX_PER_MM) + 1, round((cell.left + 3) * PX_PER_MM)] for cell in cells]
    writing = [blank[round(14 * PX_PER_MM), round(cell.left * PX_PER_MM) + 14 + 5 * i] for i, cell in enumerate(cells)]
    assert (max(frame) < 160) == is_found
    assert (min(frame) > 220) == (not is_found)
    assert min(writing) > 200
