"""A form with dotted or dashed lines and boxes, straight or slightly bent."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from sheet import HEIGHT, MM, WIDTH, Alpha, Colour, Sheet, extent

FINE = 16
"""Subpixel steps of OpenCV's drawing functions."""


@dataclass(frozen=True)
class Pattern:
    """A dotted or dashed line, in pixels. The length of a dot is equal to its thickness."""

    thickness: float
    length: float
    step: float
    """Distance from the start of a dot or dash to that of the next."""
    colour: Colour

    def print(self, sheet: Sheet, path: Alpha) -> None:
        """Print the pattern along a path (n, 2) of points x, y."""
        origin = np.floor(path.min(axis=0)) - 8
        size = (np.ceil(path.max(axis=0)) + 8 - origin).astype(int)
        alpha = np.zeros(size[::-1] * 4, np.uint8)  # four times as large, so that thin lines have soft edges
        along = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
        for start in np.arange(0, along[-1] - self.length / 2, self.step):
            ends = np.linspace(start, min(start + self.length - self.thickness, along[-1]), 4).clip(start)
            points = np.stack([np.interp(ends, along, path[:, i]) - origin[i] for i in (0, 1)], axis=1)
            fine = [np.round((points * 4 + 1.5) * FINE).astype(np.int32)]
            cv2.polylines(alpha, fine, False, 255, max(1, round(4 * self.thickness)), cv2.LINE_AA, 4)
        small = cv2.resize(alpha, size.tolist(), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        sheet.stain(small, int(origin[0]), int(origin[1]), self.colour)


def pattern(rng: np.random.Generator) -> Pattern:
    """Return a pattern of dots of 0.15 to 1 mm or of dashes of 0.4 to 4 mm, black or grey."""
    grey = rng.uniform(10, 60) if rng.random() < 0.5 else rng.uniform(60, 170)
    if rng.random() < 0.6:
        thickness = length = 2 * rng.uniform(1, 3) * rng.choice([1, 2])
        gap = rng.uniform(1, 3.5) * max(length, 4)
    else:
        thickness, length = rng.uniform(1.2, 8), rng.uniform(5, 45)
        length = max(length, 2 * thickness)
        gap = rng.uniform(0.5, 1.5) * max(length, 8)
    return Pattern(thickness, length, length + gap, (grey,) * 3)


def line(left: float, right: float, y: float, rng: np.random.Generator) -> Alpha:
    """Return the path of a line across the page, slightly sloping and bent."""
    x = np.linspace(left, right, 24)
    part = (x - left) / (right - left)
    return np.stack([x, y + rng.uniform(-0.006, 0.006) * (x - left) + rng.uniform(-7, 7) * np.sin(np.pi * part)], 1)


def dotted(sheet: Sheet) -> None:
    """Write numbers on, across and below dotted lines, and in dotted boxes."""
    rng = sheet.rng
    margin, height, printed = rng.uniform(14, 26) * MM, rng.uniform(5, 8) * MM, pattern(rng)
    for base in np.arange(margin + 1.5 * height, HEIGHT - margin - height, rng.uniform(2.8, 3.4) * height):
        x, end = margin + rng.uniform(0, 3) * height, WIDTH - margin
        while x < end - 2 * height:
            number = sheet.number(int(rng.integers(1, 10)), height)
            before, width = rng.uniform(0.3, 1.5) * height, extent(number)
            right = x + before + width + rng.uniform(0.3, 4) * height
            if right > end:
                break
            style, drop = str(rng.choice(["line", "line", "line", "box"])), 0.0
            if style == "box":
                corners = [(x, -1.35), (right, -1.35), (right, 0.35), (x, 0.35), (x, -1.35)]
                sides = np.array([(corner, base + up * height) for corner, up in corners])
                for start, end_point in pairwise(sides):
                    printed.print(sheet, np.stack([start, end_point]))
            else:
                path = line(x, right, base, rng)
                printed.print(sheet, path)
                position = str(rng.choice(["on", "on", "through", "below"]))
                lower, upper = {"on": (-0.05, 0.08), "through": (0.2, 0.6), "below": (0.95, 1.1)}[position]
                drop = rng.uniform(lower, upper) * height
            sheet.write([glyph.moved(x + before, base + drop) for glyph in number])
            x = right + rng.uniform(0.6, 3) * height
