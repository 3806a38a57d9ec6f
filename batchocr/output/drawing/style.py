"""Colours and line widths of what is drawn on a page, by its paper and the size of its digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchocr.output.drawing.canvas import BLUE, ORANGE, SKY_BLUE, VERMILLION, Canvas, Colour, draw_dashes, draw_frame
from batchocr.records import Box, Pixels

DASH_PX = 8


@dataclass(frozen=True)
class Style:
    """How digits and numbers are marked on one page."""

    sure: Colour
    doubtful: Colour
    paper: Colour
    """The median grey of the page."""
    on_dark: bool
    """Whether the paper is dark."""
    thin_px: int
    """Line width of the box of a sure digit."""
    thick_px: int
    """Line width of the box of a digit for review."""

    @property
    def colours(self) -> tuple[Colour, Colour]:
        """The colour of sure digits, and of digits for review."""
        return self.sure, self.doubtful

    def frame(self, canvas: Canvas, box: Box, *, doubtful: bool) -> None:
        """Draw the box of a digit, in place."""
        width = self.thick_px if doubtful else self.thin_px
        draw_frame(canvas, box, width, self.colours[doubtful], on_dark=self.on_dark)

    def underline(self, number: Box) -> Box:
        """Return the place of the dashed line below a number."""
        top = number.bottom + 2 * self.thick_px
        return Box(number.left - self.thick_px, top, number.width + 2 * self.thick_px, max(2, self.thick_px - 1))

    def dashes(self, canvas: Canvas, line: Box) -> None:
        """Draw a dashed line, in place."""
        draw_dashes(canvas, line, DASH_PX, self.doubtful, on_dark=self.on_dark)

    def frame_swatch(self, canvas: Canvas, box: Box, *, doubtful: bool) -> None:
        """Draw a sample of a digit's box into a legend, on paper of the page's grey."""
        self._patch(canvas, box)
        inner = Box(box.left + 4, box.top + 3, box.width - 8, box.height - 6)
        width = min(3, self.thick_px) if doubtful else 1
        draw_frame(canvas, inner, width, self.colours[doubtful], on_dark=self.on_dark)

    def dashes_swatch(self, canvas: Canvas, box: Box) -> None:
        """Draw a sample of a dashed line into a legend, on paper of the page's grey."""
        self._patch(canvas, box)
        self.dashes(canvas, Box(box.left, box.top + box.height // 2, box.width, 2))

    def _patch(self, canvas: Canvas, box: Box) -> None:
        if self.on_dark:
            canvas[box.top : box.bottom, box.left : box.right] = self.paper


def style_of(page: Pixels, digit_height_px: float) -> Style:
    """Return the style for a grey page (height, width) with digits of this height."""
    grey = int(np.median(page[::8, ::8]))
    on_dark = grey <= 127
    thin = max(1, round(digit_height_px / 60))
    return Style(
        sure=SKY_BLUE if on_dark else BLUE,
        doubtful=ORANGE if on_dark else VERMILLION,
        paper=(grey, grey, grey),
        on_dark=on_dark,
        thin_px=thin,
        thick_px=max(3, 2 * thin),
    )
