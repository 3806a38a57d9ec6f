"""Draw sheets of paper with lines of numbers."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from pen import Hand, Ink, write_digit

Colour = tuple[int, int, int]
Row = tuple[str, int, str]  # file, page, text: a line of expected.csv

MM_PER_INCH = 25.4
BLACK: Colour = (38, 36, 42)
BLUE: Colour = (32, 52, 138)
MARGIN_MM = 18
MIN_NUMBER_GAP = 1.4  # in digit heights; the gap between two digits of a number is 0.1 to 0.3


class Sheet:
    """A sheet of paper; lengths are in millimetres."""

    def __init__(self, width: float, height: float, dpi: int, paper: Colour) -> None:
        self.dpi = dpi
        shape = (round(self.pixels(height)), round(self.pixels(width)), 3)
        self.image = np.full(shape, paper, np.float32)

    def pixels(self, millimetres: float) -> float:
        """Convert a length to pixels."""
        return millimetres * self.dpi / MM_PER_INCH

    def lay(self, ink: Ink, left: float, top: float, colour: Colour) -> None:
        """Put ink on the paper, with its top left corner at a pixel."""
        x, y = round(left), round(top)
        region = self.image[y : y + ink.shape[0], x : x + ink.shape[1]]
        if min(x, y) < 0 or region.shape[:2] != ink.shape:
            raise ValueError(f"ink of {ink.shape} at {x}, {y} leaves the sheet")
        region += ink[..., None] * (np.array(colour, np.float32) - region)

    def scan(self, light: float, noise: float, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return the image of a scanner or camera, with uneven light, soft edges and a little noise."""
        height, width = self.image.shape[:2]
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
        shade = 1 - light * ((x - 0.35) ** 2 + (y - 0.3) ** 2) + rng.normal(0, noise / 255, size=(height, width))
        # Steps that are the same for all channels give the paper few colours, and a small file.
        shade = np.rint(shade * 150) / 150
        image = cv2.GaussianBlur(self.image, (0, 0), 0.5) * shade[..., None]
        pixels: NDArray[np.uint8] = np.clip(np.rint(image), 0, 255).astype(np.uint8)
        return pixels


def grain(ink: Ink, rng: np.random.Generator) -> Ink:
    """Make the ink unevenly transparent, as that of a pen is."""
    patches = cv2.GaussianBlur(rng.normal(0, 1, size=ink.shape).astype(np.float32), (0, 0), 1.2)
    cover: Ink = np.clip(0.94 + 0.1 * patches, 0.8, 1).astype(np.float32)
    return ink * cover


def write_number(text: str, height: float, hand: Hand, rng: np.random.Generator) -> Ink:
    """Write the digits of a number side by side, with small changes of base line and size."""
    digits = [write_digit(int(char), height * rng.uniform(0.93, 1.07), hand, rng) for char in text]
    gaps = [round(height * rng.uniform(0.12, 0.28)) for _ in digits[1:]] + [0]
    drops = [round(height * rng.uniform(0, 0.06)) for _ in digits]
    bottom = max(digit.shape[0] for digit in digits)
    width = sum(digit.shape[1] for digit in digits) + sum(gaps)
    strip = np.zeros((bottom + max(drops), width), np.float32)
    x = 0
    for digit, gap, drop in zip(digits, gaps, drops, strict=True):
        y = bottom + drop - digit.shape[0]
        strip[y : y + digit.shape[0], x : x + digit.shape[1]] = digit
        x += digit.shape[1] + gap
    return grain(strip, rng)


def spread(widths: list[int], min_gap: float, room: float, rng: np.random.Generator) -> list[float]:
    """Return the left edges of numbers at random places of a line, at least `min_gap` apart."""
    spare = room - sum(widths) - min_gap * (len(widths) - 1)
    if spare < 0:
        raise ValueError("the line is too short for its numbers")
    shares = rng.dirichlet(np.full(len(widths) + 1, 3.0)) * spare
    edges, x = [], 0.0
    for width, share in zip(widths, shares, strict=False):
        x += share
        edges.append(x)
        x += width + min_gap
    return edges


def write_lines(
    sheet: Sheet,
    lines: Sequence[Sequence[str]],
    top: float,
    pitch: float,
    colours: Sequence[Colour],
    rng: np.random.Generator,
    habits: Mapping[int, int] | None = None,
) -> None:
    """Write lines of numbers, each in its own handwriting style.

    Two lines have the same colour. `top` is the first base line and `pitch` the distance of lines, in mm.
    """
    margin = sheet.pixels(MARGIN_MM)
    for index, texts in enumerate(lines):
        hand = Hand(rng.uniform(0.09, 0.13), rng.normal(0.1, 0.07), rng.uniform(0.95, 1.15), habits=dict(habits or {}))
        height = sheet.pixels(rng.uniform(5.4, 7.6))
        numbers = [write_number(text, height, hand, rng) for text in texts]
        room = sheet.image.shape[1] - 2 * margin
        edges = spread([ink.shape[1] for ink in numbers], MIN_NUMBER_GAP * height, room, rng)
        base, slope = sheet.pixels(top + pitch * index), rng.normal(0, 0.004)
        for ink, edge in zip(numbers, edges, strict=True):
            wander = sheet.pixels(rng.uniform(-0.4, 0.4)) + slope * edge
            sheet.lay(ink, margin + edge, base + wander - ink.shape[0], colours[index // 2 % len(colours)])
