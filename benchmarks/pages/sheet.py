"""Draw digits as strokes of ink, and a sheet to write them on. Lengths are pixels at 300 dpi."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypedDict

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MM = 300 / 25.4
"""Pixels per millimetre."""
WIDTH, HEIGHT = 2480, 3508
VISIBLE = 0.3
"""Ink from which a pixel belongs to a digit's true box."""
JPEG_SHARE, JPEG_QUALITY = 0.4, 70
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf", "DejaVuSansMono.ttf")
# Without digits, because printed digits would be missing in the truth.
WORDS = (
    "Account Amount Total Reference Number Date of birth Quantity Order Invoice Weight Postcode Telephone Item Batch "
    "Reading Price Serial Customer Office use only Please print clearly Page Length Room Signed Year Balance Code"
).split()

Array = NDArray[np.uint8]
Alpha = NDArray[np.floating]
Labels = NDArray[np.integer]
Colour = tuple[float, float, float]


class TrueNumber(TypedDict):
    """A written number: its text, and [digit, left, top, width, height] of each digit in pixels of the page."""

    text: str
    digits: list[list[int]]


@dataclass(frozen=True)
class Glyph:
    """A digit's ink (0 to 1) and its top left corner, first in its number, later on the page."""

    digit: int
    alpha: Alpha
    left: int
    top: int

    def moved(self, x: float, y: float) -> "Glyph":
        """Return the glyph moved by whole pixels."""
        return Glyph(self.digit, self.alpha, self.left + round(x), self.top + round(y))


@dataclass(frozen=True)
class Layout:
    """Layout of lines of writing: digit height in mm, line pitch and gap between numbers in digit heights."""

    height_mm: tuple[float, float] = (5.0, 8.0)
    pitch: tuple[float, float] = (1.9, 2.9)
    gap: tuple[float, float] = (1.3, 5.0)
    fill: tuple[float, float] = (0.45, 0.95)
    overlap: float = 0.0
    margin_mm: tuple[float, float] = (14.0, 26.0)


@dataclass
class Sheet:
    """A page in the making: its image (grey or BGR), the pen, the digits to write with and the written numbers."""

    canvas: Array
    rng: np.random.Generator
    digits: Array
    labels: Labels
    ink: Colour
    threshold: float
    grain: float = 0.0
    written: list[list[Glyph]] = field(default_factory=list)

    def tint(self, colour: Colour) -> Alpha:
        """Return a BGR colour as a value of the page's image: unchanged, or its brightness on a grey page."""
        bgr = np.array(colour)
        return bgr if self.canvas.ndim == 3 else bgr @ np.array([0.114, 0.587, 0.299])

    def bar(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Print a bar parallel to the edges; crossings of bars are not darker."""
        part = self.canvas[round(top) : round(bottom), round(left) : round(right)]
        part[:] = np.minimum(part, self.tint(colour).astype(np.uint8))

    def frame(self, left: float, top: float, right: float, bottom: float, width: int, colour: Colour) -> None:
        """Print a box with lines of `width` pixels inside its edges."""
        self.bar(left, top, right, top + width, colour)
        self.bar(left, bottom - width, right, bottom, colour)
        self.bar(left, top, left + width, bottom, colour)
        self.bar(right - width, top, right, bottom, colour)

    def stain(self, alpha: Alpha, left: int, top: int, colour: Colour) -> None:
        """Multiply ink of a colour onto the page; ink outside of the page is lost."""
        part = self.canvas[top : top + alpha.shape[0], left : left + alpha.shape[1]]
        alpha = alpha[: part.shape[0], : part.shape[1]]
        light = 1 - alpha[..., None] * (1 - np.atleast_1d(self.tint(colour)) / 255)
        part[:] = (part.reshape(light.shape) * light).round().reshape(part.shape).astype(np.uint8)

    def text(self, words: str, left: float, base: float, size_mm: float, font: str, colour: Colour) -> float:
        """Print words on a baseline and return their right edge."""
        face = font_named(font, round(size_mm * MM))
        box = face.getbbox(words, anchor="ls")
        image = Image.new("L", (int(box[2] - box[0]) + 4, int(box[3] - box[1]) + 4))
        ImageDraw.Draw(image).text((2 - box[0], 2 - box[1]), words, fill=255, font=face, anchor="ls")
        self.stain(np.asarray(image, np.float32) / 255, round(left), round(base + box[1]), colour)
        return left + box[2]

    def write(self, number: list[Glyph]) -> None:
        """Write a number whose glyphs have page coordinates, with small changes of the ink's darkness."""
        for glyph in number:
            shape = glyph.alpha.shape
            press = cv2.resize(self.rng.uniform(0.82, 1, (4, 3)).astype(np.float32), shape[::-1])
            if self.grain:
                press = press * cv2.GaussianBlur(self.rng.uniform(1 - self.grain, 1, shape), (0, 0), 0.8)
            self.stain(glyph.alpha * press, glyph.left, glyph.top, self.ink)
        self.written.append(number)

    def glyph(self, height: float, max_width: float) -> Glyph:
        """Draw a random digit on a baseline at 0, at most `height` pixels high and `max_width` wide."""
        pick = int(self.rng.integers(len(self.digits)))
        alpha = stroke(self.digits[pick], height, max_width, self.threshold)
        return Glyph(int(self.labels[pick]), alpha, 0, -alpha.shape[0])

    def number(self, count: int, height: float, overlap: float = 0.0) -> list[Glyph]:
        """Draw a number of `count` digits; each overlaps the digit before by the share `overlap` of its width."""
        spacing, glyphs, x = self.rng.uniform(0.1, 0.24), list[Glyph](), 0.0
        for _ in range(count):
            glyph = self.glyph(height * self.rng.uniform(0.9, 1.1), 1.15 * height)
            if glyphs and overlap:
                x -= overlap * min(glyph.alpha.shape[1], glyphs[-1].alpha.shape[1])
            elif glyphs:
                x += height * np.clip(spacing + self.rng.uniform(-0.06, 0.06), 0.08, 0.3)
            glyphs.append(glyph.moved(np.ceil(x), self.rng.uniform(-0.1, 0.1) * height))
            x = extent(glyphs)
        return glyphs


@cache
def font_named(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Load a font of matplotlib by its file name, or any font by its path."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)


def extent(number: list[Glyph]) -> int:
    """Return the width of a number in pixels, from its origin to the right edge of its ink."""
    return max(glyph.left + glyph.alpha.shape[1] for glyph in number)


def shift(by: Alpha | list[float]) -> Alpha:
    """Return the 3×3 matrix of a translation by x, y."""
    return np.array([[1, 0, by[0]], [0, 1, by[1]], [0, 0, 1]], np.float64)


def ink_box(glyph: Glyph, turn: Alpha, blur: float) -> list[int]:
    """Return [digit, left, top, width, height] of a glyph's visible ink after a 2×3 or 3×3 transformation."""
    pad = 6
    alpha = np.pad(glyph.alpha, pad)
    height, width = alpha.shape
    corners = np.array([[x, y, 1] for x in (0, width) for y in (0, height)]) + np.array(
        [glyph.left - pad, glyph.top - pad, 0]
    )
    ends = corners @ turn.T
    if len(turn) == 3:
        ends = ends[:, :2] / ends[:, 2:]
    origin = np.floor(ends.min(axis=0))
    size = (np.ceil(ends.max(axis=0) - origin).astype(int) + 1).tolist()
    local = turn.copy()
    if len(turn) == 3:
        local = shift(-origin) @ turn @ shift([glyph.left - pad, glyph.top - pad])
        ink = cv2.warpPerspective(alpha, local, size)
    else:
        local[:, 2] = turn @ [glyph.left - pad, glyph.top - pad, 1] - origin
        ink = cv2.warpAffine(alpha, local, size)
    ys, xs = np.nonzero((cv2.GaussianBlur(ink, (0, 0), blur) if blur else ink) > VISIBLE)
    left, top = int(origin[0] + xs.min()), int(origin[1] + ys.min())
    return [glyph.digit, left, top, int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1]


def stroke(digit: Array, height: float, max_width: float, threshold: float) -> Alpha:
    """Redraw a small white-on-black digit as with a pen: smooth, with sharp edges, `height` pixels high.

    A lower threshold gives a broader pen. A wide digit keeps its shape and becomes lower, so that its width is at most
    `max_width`.
    """
    grey = digit.astype(np.float32) / max(1, int(digit.max()))
    ys, xs = np.nonzero(grey > 0.25)
    grey = np.pad(grey[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1], 2)
    scale = min(height / (np.ptp(ys) + 1), max_width / (np.ptp(xs) + 1))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    smooth = cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC)
    # Black-and-white digits have visible steps; grey digits are smooth already.
    two_tone = np.mean((grey > 0.02) & (grey < 0.98)) < 0.01
    smooth = cv2.GaussianBlur(smooth, (0, 0), (0.65 if two_tone else 0.5) * scale)
    smooth = smooth / smooth.max()
    soft = min(0.3, 0.6 / scale)
    ramp = np.clip((smooth - threshold + soft) / (2 * soft), 0, 1)
    alpha = ramp * ramp * (3 - 2 * ramp)
    # Faint ink away from visible ink is removed, because it would be outside of the true box.
    alpha *= cv2.dilate((alpha > VISIBLE).astype(np.uint8), np.ones((5, 5), np.uint8))
    ys, xs = np.nonzero(alpha > 0.05)
    return alpha[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].astype(np.float32)


def write_lines(sheet: Sheet, layout: Layout, bases: Callable[[float], list[float]] | None = None) -> None:
    """Write lines of numbers over the page, on the baselines that `bases` returns for a digit height, or freely."""
    rng = sheet.rng
    size = rng.uniform(*layout.height_mm)
    min_mm, max_mm = max(layout.height_mm[0], size - 0.5), min(layout.height_mm[1], size + 0.5)
    margin = rng.uniform(*layout.margin_mm, 4) * MM
    slope = 0 if bases else rng.uniform(-0.006, 0.006)
    pitch, fill = rng.uniform(*layout.pitch) * max_mm * MM, rng.uniform(*layout.fill)
    tops = np.arange(margin[0] + 1.3 * max_mm * MM, HEIGHT - margin[1] - 20, pitch).tolist()
    for base in bases(max_mm * MM) if bases else tops:
        height = rng.uniform(min_mm, max_mm) * MM
        tilt = slope + rng.uniform(-0.001, 0.001)
        x = margin[2] + rng.uniform(0, 1 - fill) * WIDTH / 2
        end = WIDTH - margin[3] - rng.uniform(0, 1 - fill) * WIDTH
        while True:
            number = sheet.number(int(rng.integers(1, 10)), height, layout.overlap)
            if x + extent(number) > end:
                break
            sheet.write([glyph.moved(x, base + tilt * (x + glyph.left - WIDTH / 2)) for glyph in number])
            x += extent(number) + rng.uniform(*layout.gap) * height
