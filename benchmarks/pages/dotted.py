"""A form whose lines to write on and boxes are rows of dots or dashes, straight or a little bent."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from sheet import HEIGHT, MM, WIDTH, Alpha, Colour, Sheet, extent

FINE = 16
"""OpenCV draws between pixels in steps of a sixteenth."""


@dataclass(frozen=True)
class Pattern:
    """How a dotted or dashed line is printed, in pixels; a dot is as long as it is thick."""

    thick: float
    long: float
    step: float
    """From one to the next."""
    colour: Colour

    def print(self, sheet: Sheet, way: Alpha) -> None:
        """Print it along a way, (n, 2) x, y, from one point to the next."""
        origin = np.floor(way.min(axis=0)) - 8
        size = (np.ceil(way.max(axis=0)) + 8 - origin).astype(int)
        alpha = np.zeros(size[::-1] * 4, np.uint8)  # four times as large, so that thin ones have soft edges
        along = np.concatenate([[0], np.hypot(*np.diff(way, axis=0).T).cumsum()])
        for start in np.arange(0, along[-1] - self.long / 2, self.step):
            ends = np.linspace(start, min(start + self.long - self.thick, along[-1]), 4).clip(start)
            points = np.stack([np.interp(ends, along, way[:, i]) - origin[i] for i in (0, 1)], axis=1)
            fine = [np.round((points * 4 + 1.5) * FINE).astype(np.int32)]
            cv2.polylines(alpha, fine, False, 255, max(1, round(4 * self.thick)), cv2.LINE_AA, 4)
        small = cv2.resize(alpha, size.tolist(), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        sheet.stain(small, int(origin[0]), int(origin[1]), self.colour)


def pattern(rng: np.random.Generator) -> Pattern:
    """Return dots of 0.15 to 1 mm, or dashes of 0.4 to 4 mm, black or grey."""
    grey = rng.uniform(10, 60) if rng.random() < 0.5 else rng.uniform(60, 170)
    if rng.random() < 0.6:
        thick = long = 2 * rng.uniform(1, 3) * rng.choice([1, 2])
        gap = rng.uniform(1, 3.5) * max(long, 4)
    else:
        thick, long = rng.uniform(1.2, 8), rng.uniform(5, 45)
        long = max(long, 2 * thick)
        gap = rng.uniform(0.5, 1.5) * max(long, 8)
    return Pattern(thick, long, long + gap, (grey,) * 3)


def line(left: float, right: float, y: float, rng: np.random.Generator) -> Alpha:
    """Return the way of a line across, a little askew and bent."""
    x = np.linspace(left, right, 24)
    part = (x - left) / (right - left)
    return np.stack([x, y + rng.uniform(-0.006, 0.006) * (x - left) + rng.uniform(-7, 7) * np.sin(np.pi * part)], 1)


def dotted(sheet: Sheet) -> None:
    """Write numbers on dotted lines, through them, hanging below them, and in dotted boxes."""
    rng = sheet.rng
    margin, height, how = rng.uniform(14, 26) * MM, rng.uniform(5, 8) * MM, pattern(rng)
    for base in np.arange(margin + 1.5 * height, HEIGHT - margin - height, rng.uniform(2.8, 3.4) * height):
        x, end = margin + rng.uniform(0, 3) * height, WIDTH - margin
        while x < end - 2 * height:
            number = sheet.number(int(rng.integers(1, 10)), height)
            before, wide = rng.uniform(0.3, 1.5) * height, extent(number)
            right = x + before + wide + rng.uniform(0.3, 4) * height
            if right > end:
                break
            style, drop = str(rng.choice(["line", "line", "line", "box"])), 0.0
            if style == "box":
                corners = [(x, -1.35), (right, -1.35), (right, 0.35), (x, 0.35), (x, -1.35)]
                sides = np.array([(corner, base + up * height) for corner, up in corners])
                for start, stop in pairwise(sides):
                    how.print(sheet, np.stack([start, stop]))
            else:
                way = line(x, right, base, rng)
                how.print(sheet, way)
                stands = str(rng.choice(["on", "on", "through", "below"]))
                low, high = {"on": (-0.05, 0.08), "through": (0.2, 0.6), "below": (0.95, 1.1)}[stands]
                drop = rng.uniform(low, high) * height
            sheet.write([glyph.moved(x + before, base + drop) for glyph in number])
            x = right + rng.uniform(0.6, 3) * height
