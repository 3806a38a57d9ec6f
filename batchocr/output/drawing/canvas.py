"""Draw on colour images: text, frames and lines that do not hide the ink below them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from batchocr.records import Box, Pixels

Canvas = NDArray[np.uint8]
"""(height, width, 3), red green blue."""

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

BLUE: Colour = (0, 114, 178)
SKY_BLUE: Colour = (86, 180, 233)
VERMILLION: Colour = (213, 94, 0)
ORANGE: Colour = (230, 159, 0)
GREEN: Colour = (0, 158, 115)
"""Colours that people with any colour vision distinguish: Okabe and Ito, "Color Universal Design", 2008."""
TEXT: Colour = (40, 40, 40)
WHITE: Colour = (255, 255, 255)
GREY: Colour = (110, 110, 110)

CAP_RATIO = 0.73
"""Height of a digit of DejaVu Sans per font size."""


@dataclass(frozen=True)
class Text:
    """A text and its place in an image."""

    content: str
    left: float
    baseline: float
    size_px: int
    """Font size in pixels; a digit is `CAP_RATIO` of it in height."""
    colour: Colour = TEXT
    bold: bool = False
    halo: Colour | None = None
    """Colour of an outline that separates the text from its background; None for no outline."""


def text_width(content: str, size_px: int, *, bold: bool = False) -> int:
    """Return the width of a text in pixels."""
    return round(_font(size_px, bold).getlength(printable(content)))


def draw_texts(canvas: Canvas, texts: Iterable[Text]) -> None:
    """Draw texts on `canvas`, in place."""
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    for text in texts:
        font = _font(text.size_px, text.bold)
        place, content = (text.left, text.baseline), printable(text.content)
        if text.halo is not None:
            width = max(1, text.size_px // 8)
            pen.text(place, content, text.halo, font, anchor="ls", stroke_width=width, stroke_fill=text.halo)
        pen.text(place, content, text.colour, font, anchor="ls")
    canvas[:] = np.asarray(image)


def draw_frame(canvas: Canvas, box: Box, width_px: int, colour: Colour, *, on_dark: bool = False) -> None:
    """Draw a frame round `box`, in place. The frame is outside the box, and ink below it stays visible."""
    outer = Box(box.left - width_px, box.top - width_px, box.width + 2 * width_px, box.height + 2 * width_px)
    for left, top, width, height in (
        (outer.left, outer.top, outer.width, width_px),
        (outer.left, outer.bottom - width_px, outer.width, width_px),
        (outer.left, box.top, width_px, box.height),
        (outer.right - width_px, box.top, width_px, box.height),
    ):
        fill(canvas, Box(left, top, width, height), colour, on_dark=on_dark)


def draw_dashes(canvas: Canvas, box: Box, dash_px: int, colour: Colour, *, on_dark: bool = False) -> None:
    """Fill `box`, a horizontal line, with dashes of this length, in place. Ink below them stays visible."""
    for left in range(box.left, box.right, 2 * dash_px):
        dash = Box(left, box.top, min(dash_px, box.right - left), box.height)
        fill(canvas, dash, colour, on_dark=on_dark)


def fill(canvas: Canvas, box: Box, colour: Colour, *, on_dark: bool = False) -> None:
    """Fill `box` with a colour, in place. Ink stays visible: dark ink on light paper, or light ink with `on_dark`."""
    part = canvas[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    blend = np.maximum if on_dark else np.minimum
    blend(part, np.array(colour, np.uint8), out=part)


def in_colour(pixels: Pixels) -> Canvas:
    """Return a copy of a grey image (height, width) with three channels."""
    return np.repeat(pixels[..., None], 3, axis=2)


def resized(pixels: Pixels, scale: float) -> Pixels:
    """Return an image at another scale, averaged where it becomes smaller; the image itself at scale 1."""
    if scale == 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def printable(content: str) -> str:
    """Return a text on one line, its control characters escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "replace").decode() for each in content
    )


@lru_cache(maxsize=64)
def _font(size_px: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which is a part of Matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size_px)
