"""Compose A4 pages of hand-written digits, with a true box for every digit, from any npz of digits.

The pages measure a reader, so they are built from what real scans show (pens, paper, rules, forms, skew, shadows,
noise) and know nothing about how a reader works. True boxes come from each digit's ink alone, taken through the same
turn, scale and blur as its page. Lengths are pixels at 300 dots per inch unless a name or docstring says otherwise.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Annotated, TypedDict

import cv2
import matplotlib
import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MM = 300 / 25.4
WIDTH, HEIGHT = 2480, 3508
VISIBLE = 0.3
JPEG_SHARE, JPEG_QUALITY = 0.4, 70
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf", "DejaVuSansMono.ttf")
# No printed digits: they would be digits on the page that the truth does not know.
WORDS = (
    "Account Amount Total Reference Number Date of birth Quantity Order Invoice Weight Postcode Telephone Item Batch "
    "Reading Price Serial Customer Office use only Please print clearly Page Length Room Signed Year Balance Code"
).split()

Array = NDArray[np.uint8]
Alpha = NDArray[np.floating]
Labels = NDArray[np.integer]
Colour = tuple[float, float, float]


class TrueNumber(TypedDict):
    """A number as it was written: its text, and [digit, left, top, width, height] of each digit, in page pixels."""

    text: str
    digits: list[list[int]]


@dataclass(frozen=True)
class Glyph:
    """A digit's ink (0 to 1) and where its top left corner goes, first within its number, then on the page."""

    digit: int
    alpha: Alpha
    left: int
    top: int

    def moved(self, x: float, y: float) -> "Glyph":
        """Return the glyph moved by whole pixels."""
        return Glyph(self.digit, self.alpha, self.left + round(x), self.top + round(y))


@dataclass(frozen=True)
class Layout:
    """How free lines of writing are set: digit height in mm, line pitch and number gap in digit heights."""

    height_mm: tuple[float, float] = (5.0, 8.0)
    pitch: tuple[float, float] = (1.9, 2.9)
    gap: tuple[float, float] = (1.3, 5.0)
    fill: tuple[float, float] = (0.45, 0.95)
    overlap: float = 0.0
    margin_mm: tuple[float, float] = (14.0, 26.0)


@dataclass
class Sheet:
    """A page being made: its picture (grey or BGR), the pen, the digits to write with and the numbers written."""

    canvas: Array
    rng: np.random.Generator
    digits: Array
    labels: Labels
    ink: Colour
    threshold: float
    grain: float = 0.0
    written: list[list[Glyph]] = field(default_factory=list)

    def tint(self, colour: Colour) -> Alpha:
        """Return a BGR colour as this page's picture holds it: as it is, or as its brightness."""
        bgr = np.array(colour)
        return bgr if self.canvas.ndim == 3 else bgr @ np.array([0.114, 0.587, 0.299])

    def bar(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Print an upright bar; crossing bars do not get darker."""
        part = self.canvas[round(top) : round(bottom), round(left) : round(right)]
        part[:] = np.minimum(part, self.tint(colour).astype(np.uint8))

    def frame(self, left: float, top: float, right: float, bottom: float, width: int, colour: Colour) -> None:
        """Print a box whose lines are `width` pixels wide and lie inside it."""
        self.bar(left, top, right, top + width, colour)
        self.bar(left, bottom - width, right, bottom, colour)
        self.bar(left, top, left + width, bottom, colour)
        self.bar(right - width, top, right, bottom, colour)

    def stain(self, alpha: Alpha, left: int, top: int, colour: Colour) -> None:
        """Multiply ink of a colour onto the page; what falls off the page is lost."""
        part = self.canvas[top : top + alpha.shape[0], left : left + alpha.shape[1]]
        alpha = alpha[: part.shape[0], : part.shape[1]]
        light = 1 - alpha[..., None] * (1 - np.atleast_1d(self.tint(colour)) / 255)
        part[:] = (part.reshape(light.shape) * light).round().reshape(part.shape).astype(np.uint8)

    def text(self, words: str, left: float, base: float, size_mm: float, font: str, colour: Colour) -> float:
        """Print words on a base line and return where they end."""
        face = _font(font, round(size_mm * MM))
        box = face.getbbox(words, anchor="ls")
        picture = Image.new("L", (int(box[2] - box[0]) + 4, int(box[3] - box[1]) + 4))
        ImageDraw.Draw(picture).text((2 - box[0], 2 - box[1]), words, fill=255, font=face, anchor="ls")
        self.stain(np.asarray(picture, np.float32) / 255, round(left), round(base + box[1]), colour)
        return left + box[2]

    def write(self, number: list[Glyph]) -> None:
        """Write a number whose glyphs stand at page pixels, with slight changes in how dark the pen is."""
        for glyph in number:
            shape = glyph.alpha.shape
            press = cv2.resize(self.rng.uniform(0.82, 1, (4, 3)).astype(np.float32), shape[::-1])
            if self.grain:
                press = press * cv2.GaussianBlur(self.rng.uniform(1 - self.grain, 1, shape), (0, 0), 0.8)
            self.stain(glyph.alpha * press, glyph.left, glyph.top, self.ink)
        self.written.append(number)

    def glyph(self, height: float, widest: float) -> Glyph:
        """Draw a digit at random, at most `height` tall and `widest` wide, standing on a base line at 0."""
        pick = int(self.rng.integers(len(self.digits)))
        alpha = stroke(self.digits[pick], height, widest, self.threshold)
        return Glyph(int(self.labels[pick]), alpha, 0, -alpha.shape[0])

    def number(self, count: int, height: float, overlap: float = 0.0) -> list[Glyph]:
        """Draw a number of `count` digits from 0 on; `overlap` is the share of its width a digit lies on the last."""
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
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)


def extent(number: list[Glyph]) -> int:
    """Return where a number's ink ends, in pixels from where it starts."""
    return max(glyph.left + glyph.alpha.shape[1] for glyph in number)


def stroke(digit: Array, height: float, widest: float, threshold: float) -> Alpha:
    """Redraw a small white-on-black digit as a pen would: smooth, with crisp edges, `height` pixels tall.

    A lower threshold is a broader pen. Flat digits keep their shape and end lower, so as to be `widest` at most.
    """
    grey = digit.astype(np.float32) / max(1, int(digit.max()))
    ys, xs = np.nonzero(grey > 0.25)
    grey = np.pad(grey[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1], 2)
    scale = min(height / (np.ptp(ys) + 1), widest / (np.ptp(xs) + 1))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    smooth = cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC)
    # Digits kept as black and white have steps to hide; grey ones are smooth already.
    two_tone = np.mean((grey > 0.02) & (grey < 0.98)) < 0.01
    smooth = cv2.GaussianBlur(smooth, (0, 0), (0.65 if two_tone else 0.5) * scale)
    smooth = smooth / smooth.max()
    soft = min(0.3, 0.6 / scale)
    ramp = np.clip((smooth - threshold + soft) / (2 * soft), 0, 1)
    alpha = ramp * ramp * (3 - 2 * ramp)
    # Faint wisps away from visible ink go, since the true box would not hold them.
    alpha *= cv2.dilate((alpha > VISIBLE).astype(np.uint8), np.ones((5, 5), np.uint8))
    ys, xs = np.nonzero(alpha > 0.05)
    return alpha[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].astype(np.float32)


def write_lines(sheet: Sheet, layout: Layout, bases: Callable[[float], list[float]] | None = None) -> None:
    """Write lines of numbers over the page, on the base lines that `bases` gives for a digit height, or on none."""
    rng = sheet.rng
    size = rng.uniform(*layout.height_mm)
    low, high = max(layout.height_mm[0], size - 0.5), min(layout.height_mm[1], size + 0.5)
    margin = rng.uniform(*layout.margin_mm, 4) * MM
    slope = 0 if bases else rng.uniform(-0.006, 0.006)
    pitch, fill = rng.uniform(*layout.pitch) * high * MM, rng.uniform(*layout.fill)
    tops = np.arange(margin[0] + 1.3 * high * MM, HEIGHT - margin[1] - 20, pitch).tolist()
    for base in bases(high * MM) if bases else tops:
        height = rng.uniform(low, high) * MM
        tilt = slope + rng.uniform(-0.001, 0.001)
        x = margin[2] + rng.uniform(0, 1 - fill) * WIDTH / 2
        end = WIDTH - margin[3] - rng.uniform(0, 1 - fill) * WIDTH
        while True:
            number = sheet.number(int(rng.integers(1, 10)), height, layout.overlap)
            if x + extent(number) > end:
                break
            sheet.write([glyph.moved(x, base + tilt * (x + glyph.left - WIDTH / 2)) for glyph in number])
            x += extent(number) + rng.uniform(*layout.gap) * height


def line_colour(rng: np.random.Generator) -> Colour:
    """Return the BGR colour of a form's lines: dark, grey, or one of the colours forms are printed in, some pale."""
    colours = [(30, 30, 30), (rng.uniform(20, 200),) * 3, (200, 130, 60), (90, 90, 210), (110, 170, 80)]
    chosen = np.array(colours[int(rng.integers(len(colours)))])
    b, g, r = chosen + rng.uniform(0, 0.45) * (225 - chosen)
    return (b, g, r)


def ruled(sheet: Sheet) -> None:
    """Write on lined paper."""
    rng = sheet.rng
    pitch, first = rng.uniform(7, 10) * MM, rng.uniform(20, 35) * MM
    light, width = rng.uniform(0, 50), int(rng.integers(2, 5))
    colour = (205 + light, 160 + light, 130 + light) if rng.random() < 0.6 else (140 + light,) * 3
    rules = np.arange(first, HEIGHT - 10 * MM, pitch).tolist()
    for y in rules:
        sheet.bar(0, y, WIDTH, y + width, colour)
    if rng.random() < 0.5:
        x = rng.uniform(18, 32) * MM
        sheet.bar(x, 0, x + width, HEIGHT, (130 + light, 130 + light, 225))
    # Writers skip lines when they write large, so that digits never run into the line above.
    write_lines(
        sheet, Layout(fill=(0.3, 0.8)), lambda height: [y + 2 for y in rules[:: int(np.ceil(1.45 * height / pitch))]]
    )


def in_cells(sheet: Sheet, count: int, height: float, cell: float) -> list[Glyph]:
    """Draw a number of `count` digits, each in a cell `cell` wide."""
    rng, number = sheet.rng, []
    for place in range(count):
        glyph = sheet.glyph(height * rng.uniform(0.9, 1.1), 0.82 * cell)
        slack = cell - glyph.alpha.shape[1] - 0.1 * height
        x = place * cell + 0.05 * height + slack * rng.uniform(0.2, 0.8)
        number.append(glyph.moved(x, rng.uniform(-0.1, 0.1) * height))
    return number


def entry(sheet: Sheet, style: str, left: float, base: float, height: float, room: float, colour: Colour) -> float:
    """Print a box, a comb or a dotted line, write a number in it, return its right edge; nothing where room lacks."""
    rng = sheet.rng
    count, thick, cell = int(rng.integers(1, 10)), int(rng.integers(2, 6)), rng.uniform(0.95, 1.2) * height
    before, after = rng.uniform(0.25, 0.6, 2) * height
    cells = count + (int(rng.integers(1, 3)) if rng.random() < 0.2 else 0)
    if style == "comb":
        number, before, wide = in_cells(sheet, count, height, cell), rng.choice([0, cells - count]) * cell, cells * cell
    else:
        number = sheet.number(count, height)
        wide = before + extent(number) + after
    if wide > room:
        return left
    right, top, bottom = left + wide, base - 1.35 * height, base + 0.3 * height
    if style == "dots":
        right, drop = max(right, left + rng.uniform(0.6, 1) * room), base + rng.uniform(0.02, 0.14) * height
        for x in np.arange(left, right - thick, rng.uniform(10, 18)):
            sheet.bar(x, drop, x + thick, drop + thick, colour)
    else:
        sheet.frame(left, top, right, bottom, thick, colour)
    teeth = bottom - height * rng.uniform(0.3, 0.6) if rng.random() < 0.3 else top
    for x in left + cell * np.arange(1, cells) if style == "comb" else ():
        sheet.bar(x - thick / 2, teeth, x + thick / 2, bottom, colour)
    sheet.write([glyph.moved(left + before, base) for glyph in number])
    return right


def comb(sheet: Sheet) -> None:
    """Write numbers in combs and in boxes, half and half."""
    rng = sheet.rng
    margin, height, colour = rng.uniform(14, 26) * MM, rng.uniform(5, 8) * MM, line_colour(rng)
    for base in np.arange(margin + 1.5 * height, HEIGHT - margin, rng.uniform(2.4, 3.2) * height):
        x, end = margin + rng.uniform(0, 3) * height, WIDTH - margin
        while x < end:
            right = entry(sheet, str(rng.choice(["box", "comb"])), x, base, height, end - x, colour)
            x = max(right, x + height) + rng.uniform(1.3, 3) * height


def phrase(rng: np.random.Generator, most: int) -> str:
    """Return up to `most` words to print."""
    return " ".join(rng.choice(WORDS, int(rng.integers(1, most + 1)))).capitalize()


def table(sheet: Sheet, top: float, height: float, margin: float, colour: Colour, font: str) -> float:
    """Print a table with a heading row, write a number in most cells, and return where it ends."""
    rng = sheet.rng
    columns, rows, row = int(rng.integers(3, 6)), int(rng.integers(4, 9)), rng.uniform(1.6, 2.1) * height
    rows = min(rows, int((HEIGHT - margin - top) / row) - 1)
    edges, thick = np.linspace(margin, WIDTH - margin, columns + 1), int(rng.integers(2, 6))
    for line in range(rows + 2):
        sheet.bar(margin, top + line * row, WIDTH - margin + thick, top + line * row + thick, colour)
    for x in edges:
        sheet.bar(x, top, x + thick, top + (rows + 1) * row, colour)
    for x, place in ((x, place) for place in range(rows + 1) for x in edges[:-1]):
        base, wide = top + (place + 0.8) * row, edges[1] - edges[0]
        if place == 0:
            sheet.text(phrase(rng, 1), x + 20, base - 0.1 * row, 3.4, font, colour)
        elif rng.random() < 0.85:
            number = sheet.number(int(rng.integers(1, 7)), height * 0.95)
            slack = wide - extent(number) - 1.3 * height
            if slack > 0:
                x += 0.65 * height + rng.uniform(0, slack)
                sheet.write([glyph.moved(x, base) for glyph in number])
    return top + (rows + 1) * row


def form(sheet: Sheet) -> None:
    """Fill in a form: headings, labels beside boxes, combs and dotted lines, a table, small print."""
    rng = sheet.rng
    margin, height = rng.uniform(14, 22) * MM, rng.uniform(5, 7) * MM
    colour, dark = line_colour(rng), (rng.uniform(20, 70),) * 3
    font, size, half = str(rng.choice(FONTS)), rng.uniform(2.8, 4), (WIDTH - 2 * margin) / 2
    y = margin + 8 * MM
    sheet.text(phrase(rng, 3), margin, y, rng.uniform(5, 8), font, dark)
    y += rng.uniform(6, 12) * MM
    for part in rng.permutation(["fields", "table", "fields"]):
        if y > HEIGHT - margin - 4 * height:
            break
        sheet.text(phrase(rng, 4), margin, y + 5 * MM, size * 1.3, font, dark)
        y += 8 * MM
        if part == "table":
            y = table(sheet, y, height, margin, colour, font) + 4 * MM
            continue
        for _ in range(int(rng.integers(3, 6))):
            base = y + 1.5 * height
            if base > HEIGHT - margin:
                break
            for left in (margin, margin + half):
                end = sheet.text(phrase(rng, 2), left, base, size, font, dark) + 0.5 * height
                style, room = str(rng.choice(["box", "comb", "dots"])), left + half - 1.3 * height - end
                entry(sheet, style, end, base, height, room, colour)
            y += rng.uniform(2.1, 2.6) * height
        y += 4 * MM
    for _ in range(int(rng.integers(2, 6))):
        y += 5 * MM
        if y < HEIGHT - 8 * MM:
            sheet.text(" ".join(rng.choice(WORDS, 12)), margin, y, 2.4, font, dark)


MAKERS: dict[str, Callable[[Sheet], None]] = {
    "plain": partial(write_lines, layout=Layout()),
    "ruled": ruled,
    "comb": comb,
    "form": form,
    "skewed": partial(write_lines, layout=Layout(margin_mm=(22.0, 30.0))),
    "photo": partial(write_lines, layout=Layout()),
    "pencil": partial(write_lines, layout=Layout()),
    "dpi150": partial(write_lines, layout=Layout()),
    "dense": partial(write_lines, layout=Layout((3.2, 4.2), pitch=(1.5, 1.75), gap=(1.3, 2.6), fill=(0.85, 1.0))),
    "touching": partial(write_lines, layout=Layout(overlap=1 / 8)),
}
KINDS = tuple(MAKERS)


def new_sheet(kind: str, digits: Array, labels: Labels, rng: np.random.Generator) -> Sheet:
    """Take paper and a pen: white to greyish paper, black or blue ink or pencil, a colour scan or a grey one."""
    paper, blue = rng.uniform(235, 255), kind != "pencil" and rng.random() < 0.45
    grey = rng.uniform(120, 165) if kind == "pencil" else rng.uniform(10, 80)
    ink = (rng.uniform(120, 190), rng.uniform(40, 90), rng.uniform(15, 70)) if blue else (grey,) * 3
    yellow = np.array([rng.uniform(0, 6), rng.uniform(0, 2), 0])
    colour = blue or rng.random() < 0.3
    shade = np.maximum(paper - yellow, 235) if colour else np.array([paper])
    canvas = np.tile(shade.round().astype(np.uint8), (HEIGHT, WIDTH, 1))
    threshold, grain = rng.uniform(0.36, 0.5), rng.uniform(0.1, 0.4) if kind == "pencil" else 0.0
    return Sheet(canvas if colour else canvas[..., 0], rng, digits, labels, ink, threshold, grain)


def shadow(shape: tuple[int, ...], rng: np.random.Generator) -> Alpha:
    """Return light from 1 down to 0.45 or more over a page: a slow gradient and the soft edge of a shadow."""
    ys, xs = np.mgrid[0:1:88j, 0:1:62j]
    turns = rng.uniform(0, 2 * np.pi, 2)
    across, edge = (np.cos(turn) * (xs - 0.5) + np.sin(turn) * (ys - 0.5) for turn in turns)
    dark = 0.6 * (across + 0.7) / 1.4 + 0.4 / (1 + np.exp(-(edge - rng.uniform(-0.2, 0.3)) / rng.uniform(0.02, 0.08)))
    dark = (dark - dark.min()) / np.ptp(dark)
    light = (1 - rng.uniform(0.35, 0.55) * dark).astype(np.float32)
    return cv2.resize(light, shape[1::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)


def ink_box(glyph: Glyph, turn: Alpha, blur: float) -> list[int]:
    """Return [digit, left, top, width, height] of a glyph's visible ink on the finished page."""
    pad = 6
    alpha = np.pad(glyph.alpha, pad)
    high, wide = alpha.shape
    corners = np.array([[x, y, 1] for x in (0, wide) for y in (0, high)]) + np.array(
        [glyph.left - pad, glyph.top - pad, 0]
    )
    ends = corners @ turn.T
    origin = np.floor(ends.min(axis=0))
    local = turn.copy()
    local[:, 2] = turn @ [glyph.left - pad, glyph.top - pad, 1] - origin
    size = np.ceil(ends.max(axis=0) - origin).astype(int) + 1
    ink = cv2.warpAffine(alpha, local, size.tolist())
    ys, xs = np.nonzero((cv2.GaussianBlur(ink, (0, 0), blur) if blur else ink) > VISIBLE)
    left, top = int(origin[0] + xs.min()), int(origin[1] + ys.min())
    return [glyph.digit, left, top, int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1]


def scan(sheet: Sheet, kind: str) -> tuple[Array, list[TrueNumber]]:
    """Turn a written sheet into a scan of it, and its numbers into the truth about that scan."""
    rng = sheet.rng
    # No sheet lies quite straight on the glass.
    angle = rng.uniform(2, 6) * rng.choice([-1, 1]) if kind == "skewed" else rng.uniform(-0.6, 0.6)
    scale = 0.5 if kind == "dpi150" else 1.0
    blur = rng.uniform(0.8, 1.8) if kind == "photo" else 0.0
    width, height = round(WIDTH * scale), round(HEIGHT * scale)
    turn = np.asarray(cv2.getRotationMatrix2D(((WIDTH - 1) / 2, (HEIGHT - 1) / 2), float(angle), scale), np.float64)
    turn[:, 2] += np.array([width - WIDTH, height - HEIGHT]) / 2
    paper = np.atleast_1d(np.median(sheet.canvas[::50, ::50], axis=(0, 1))).tolist()
    image = cv2.warpAffine(sheet.canvas, turn, (width, height), borderValue=paper)
    for _ in range(int(rng.integers(0, 121))):
        x, y, side = int(rng.integers(width)), int(rng.integers(height)), int(rng.integers(1, 4))
        image[y : y + side, x : x + int(rng.integers(1, 4))] = int(rng.uniform(60, 190))
    light = shadow(image.shape, rng) if kind == "photo" else None
    image = cv2.GaussianBlur(image, (0, 0), blur) if blur else image
    noisy = np.asarray(rng.standard_normal(image.shape, dtype=np.float32))
    noisy *= rng.uniform(1, 5)
    noisy += image if light is None else image * (light[..., None] if image.ndim == 3 else light)
    numbers: list[TrueNumber] = [
        {"text": "".join(str(g.digit) for g in number), "digits": [ink_box(g, turn, blur) for g in number]}
        for number in sheet.written
    ]
    return np.asarray(noisy.round().clip(0, 255), np.uint8), numbers


def compose(kind: str, digits: Array, labels: Labels, rng: np.random.Generator) -> tuple[Array, list[TrueNumber]]:
    """Compose one page of a kind from white-on-black digits; return the page (grey or BGR) and its true numbers."""
    sheet = new_sheet(kind, digits, labels, rng)
    MAKERS[kind](sheet)
    return scan(sheet, kind)


def load(path: Path, split: str) -> tuple[Array, Labels]:
    """Load the digits of a split, or all of an npz that has no splits; blank pictures are left out."""
    with np.load(path) as data:
        names = (f"x_{split}", f"y_{split}") if f"x_{split}" in data else ("x", "y")
        if not set(names) <= set(data):
            raise typer.BadParameter(f"{path.name} has neither x_{split} and y_{split} nor x and y")
        digits, labels = data[names[0]], data[names[1]].ravel()
    inked = digits.reshape(len(digits), -1).max(axis=1) > 0
    return digits[inked], labels[inked]


def write_pages(
    digits: Array, labels: Labels, kinds: Sequence[str], pages: int, seed: int, out: Path
) -> dict[str, list[TrueNumber]]:
    """Write `pages` composed pages of each kind, and truth.json, to the folder `out`; return the truth."""
    out.mkdir(parents=True, exist_ok=True)
    truth: dict[str, list[TrueNumber]] = {}
    for each in kinds:
        for index in range(pages):
            # A page depends on the seed, its kind and its place alone, not on which other pages are made.
            rng = np.random.default_rng([seed, zlib.crc32(each.encode()), index])
            image, numbers = compose(each, digits, labels, rng)
            name = f"{each}-{index:03d}" + (".jpg" if rng.random() < JPEG_SHARE else ".png")
            options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if name.endswith("jpg") else []
            if not cv2.imwrite(str(out / name), image, options):
                raise typer.BadParameter(f"cannot write {name} to {out}")
            truth[name] = numbers
    (out / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    return truth


def main(
    digits: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="npz of white-on-black digits.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the pages and truth.json.")],
    split: Annotated[str, typer.Option(help="Which digits of the npz: train or test.")] = "test",
    kind: Annotated[list[str] | None, typer.Option(help=f"Kind of page: {', '.join(KINDS)}. May repeat.")] = None,
    pages: Annotated[int, typer.Option(min=1, max=1000, help="Pages of each kind.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pages.")] = 1000,
) -> None:
    """Compose pages of hand-written digits and the truth about them."""
    if unknown := set(kind or ()) - set(KINDS):
        raise typer.BadParameter(f"no such kind: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    pictures, labels = load(digits, split)
    truth = write_pages(pictures, labels, list(dict.fromkeys(kind or KINDS)), pages, seed, out)
    count = sum(len(number["digits"]) for numbers in truth.values() for number in numbers)
    typer.echo(f"{len(truth)} pages, {count} digits in {out}")


if __name__ == "__main__":
    typer.run(main)
