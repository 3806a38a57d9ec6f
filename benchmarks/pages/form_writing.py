"""Write into the fields of a form with the digits of one writer. Lengths are pixels at 300 dpi."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from form_values import Written
from sheet import MM, Alpha, Array, Glyph, Labels, Sheet, extent, stroke

from batchocr.forms.form import Field, Form, Rect

MARKS = (
    ((0, 0, 1, 1), (1, 0, 0, 1)),
    ((0, 0.55, 0.35, 1), (0.35, 1, 1, 0)),
    ((0, 1, 1, 0),),
)
"""Lines of a tick as shares of its box: a cross, a tick, a slash."""
SIGN_LINES = {
    "/": (0.0, 1.0, 0.4, 0.0),
    "-": (0.0, 0.5, 0.35, 0.5),
    ".": (0.0, 1.0, 0.02, 1.0),
    ",": (0.06, 0.95, 0, 1.2),
}
"""For each sign a line on a baseline at 1, in heights of a digit."""


@dataclass(frozen=True)
class Care:
    """How carefully a person writes."""

    height: tuple[float, float] = (0.58, 0.85)
    """Height of digits as a share of the height of a cell."""
    too_big_share: float = 0.05
    """Share of the digits that are as high as their cell, or higher."""
    off_share: float = 0.12
    """Standard deviation of the place of a digit as a share of its cell."""
    max_width: float = 0.95
    """Largest width of a digit as a share of its cell."""
    overlap: tuple[float, float] = (-0.35, -0.12)
    """How much digits in a box without cells overlap, in widths of a digit; negative for a gap."""
    cut_share: float = 0.0
    """Share of the digits whose strokes have gaps."""
    darkness: tuple[float, float] = (0.85, 1.0)
    """How much the ink of a page covers."""


CAREFUL = Care()
POOR = Care((0.65, 0.98), 0.08, 0.15, 1.15, (0.02, 0.15), 0.2, (0.45, 0.8))


@dataclass(frozen=True)
class Pen:
    """One writer: the digits, and how they are drawn."""

    digits: Array
    labels: Labels
    care: Care
    threshold: float
    slant: float
    darkness: float
    """How much the ink covers, 0 to 1."""
    rng: np.random.Generator

    def cover(self) -> float:
        """Return how much the ink of one digit or line covers."""
        return float(min(1.0, self.darkness * self.rng.uniform(0.9, 1.05)))

    def glyph(self, digit: str, height: float, max_width: float) -> Glyph:
        """Draw a digit of the writer on a baseline at 0."""
        pick = int(self.rng.choice(np.flatnonzero(self.labels == int(digit))))
        alpha = stroke(self.digits[pick], height, max_width, self.threshold)
        alpha = sheared(alpha, self.slant + self.rng.normal(0, 0.04))
        if self.rng.random() < self.care.cut_share:
            alpha = with_gap(alpha, self.rng)
        return Glyph(int(digit), alpha * np.float32(self.cover()), 0, -alpha.shape[0])

    def sign(self, sign: str, height: float) -> Glyph:
        """Draw a sign on a baseline at 0."""
        x0, y0, x1, y1 = (round(part * height) for part in SIGN_LINES[sign])
        width, pad = max(3, round(0.09 * height)), max(4, round(0.1 * height))
        canvas = np.zeros((max(y0, y1) + 2 * pad, max(x0, x1) + 2 * pad), np.uint8)
        cv2.line(canvas, (x0 + pad, y0 + pad), (x1 + pad, y1 + pad), 255, width, cv2.LINE_AA)
        top = min(y0, y1)
        alpha = canvas[top:].astype(np.float32) / 255 * np.float32(self.cover())
        return Glyph(-1, alpha, 0, round(top - height - pad))


def sheared(alpha: Alpha, slant: float) -> Alpha:
    """Slant a digit; its top moves to the right if `slant` is positive."""
    height, width = alpha.shape
    more = abs(slant) * height
    view = np.array([[1, -slant, slant * height if slant > 0 else 0], [0, 1, 0]], np.float64)
    wide = cv2.warpAffine(alpha.astype(np.float32), view, (width + int(np.ceil(more)), height))
    columns = np.flatnonzero(wide.max(axis=0) > 0.05)
    return np.asarray(wide[:, columns[0] : columns[-1] + 1], np.float32)


def with_gap(alpha: Alpha, rng: np.random.Generator) -> Alpha:
    """Remove a narrow band across a digit, where the pen did not write."""
    height, width = alpha.shape
    ys, xs = np.mgrid[0:height, 0:width]
    turn = rng.uniform(0, np.pi)
    away = (xs - rng.uniform(0.25, 0.75) * width) * np.cos(turn) + (ys - rng.uniform(0.25, 0.75) * height) * np.sin(
        turn
    )
    return np.asarray(alpha * (np.abs(away) > rng.uniform(0.02, 0.04) * height), np.float32)


def put(sheet: Sheet, glyph: Glyph) -> None:
    """Put a glyph with page coordinates on the sheet; ink outside of the sheet is lost."""
    crop_x, crop_y = max(0, -glyph.left), max(0, -glyph.top)
    alpha = glyph.alpha[crop_y:, crop_x:]
    if alpha.size and glyph.left < sheet.canvas.shape[1] and glyph.top < sheet.canvas.shape[0]:
        press = cv2.resize(sheet.rng.uniform(0.82, 1, (4, 3)).astype(np.float32), alpha.shape[::-1])
        if sheet.grain:
            press = press * sheet.rng.uniform(1 - sheet.grain, 1, alpha.shape)
        sheet.stain(alpha * press, max(0, glyph.left), max(0, glyph.top), sheet.ink)


def in_cell(sheet: Sheet, pen: Pen, digit: str, cell: Rect, size: float) -> None:
    """Write a digit into a cell, more or less in its middle."""
    care, rng, height = pen.care, pen.rng, cell.height * MM
    share = rng.uniform(1.0, 1.2) if rng.random() < care.too_big_share else size * rng.uniform(0.92, 1.08)
    glyph = pen.glyph(digit, share * height, care.max_width * cell.width * MM)
    spare = np.array([cell.width * MM - glyph.alpha.shape[1], height - glyph.alpha.shape[0]])
    off = rng.normal(0, care.off_share, 2).clip(-0.35, 0.35) * (cell.width * MM, 0.5 * height)
    left, top = np.array([cell.left * MM, cell.top * MM]) + spare / 2 + off
    put(sheet, glyph.moved(left, top - glyph.top))


def in_box(sheet: Sheet, pen: Pen, text: str, place: Rect, size: float) -> None:
    """Write digits and signs one after the other into a box."""
    rng, height = pen.rng, size * place.height * MM
    spacing = rng.uniform(*pen.care.overlap)
    glyphs, x = list[Glyph](), 0.0
    for character in text:
        own = height * rng.uniform(0.92, 1.08)
        glyph = pen.glyph(character, own, 1.1 * own) if character.isdigit() else pen.sign(character, own)
        if glyphs:
            digits = glyph.digit >= 0 and glyphs[-1].digit >= 0
            gap = -spacing if digits else 0.1
            x += (gap + rng.normal(0, 0.03)) * min(glyph.alpha.shape[1], glyphs[-1].alpha.shape[1])
        glyphs.append(glyph.moved(x, rng.uniform(-0.05, 0.05) * height))
        x = extent(glyphs)
    # Long numbers are written smaller, so that they end before the right side of the box.
    room = 0.94 * place.width * MM
    shrink = min(1.0, room / max(1.0, x))
    left = place.left * MM + rng.uniform(0.02, 0.3) * max(0.0, room - x)
    base = (place.top + place.height) * MM - rng.uniform(0.1, 0.3) * (place.height * MM - shrink * height)
    for glyph in glyphs:
        if shrink < 1:
            shape = (max(1, round(glyph.alpha.shape[1] * shrink)), max(1, round(glyph.alpha.shape[0] * shrink)))
            small = cv2.resize(glyph.alpha, shape, interpolation=cv2.INTER_AREA)
            glyph = Glyph(glyph.digit, small, round(glyph.left * shrink), round(glyph.top * shrink))
        put(sheet, glyph.moved(left, base))


def lines(sheet: Sheet, place: Rect, parts: tuple[tuple[float, ...], ...], width: float, darkness: float) -> None:
    """Draw straight lines, given as shares of a place, that are not quite straight."""
    pad = round(1.5 * MM)
    size = (round(place.width * MM) + 2 * pad, round(place.height * MM) + 2 * pad)
    alpha = np.zeros(size[::-1], np.uint8)
    for part in parts:
        ends = np.array(part).reshape(2, 2) * (place.width * MM, place.height * MM) + pad
        ends += sheet.rng.normal(0, 0.06 * place.height * MM, (2, 2))
        middle = ends.mean(axis=0) + sheet.rng.normal(0, 0.03 * place.height * MM, 2)
        points = np.array([ends[0], middle, ends[1]]).round().astype(np.int32)
        cv2.polylines(alpha, [points], False, 255, max(2, round(width)), cv2.LINE_AA)
    ink = Glyph(-1, alpha.astype(np.float32) / 255 * np.float32(darkness), 0, 0)
    put(sheet, ink.moved(place.left * MM - pad, place.top * MM - pad))


def write_field(sheet: Sheet, pen: Pen, field: Field, written: Written, size: float) -> None:
    """Write into a field, with what is crossed out."""
    rng, text = pen.rng, written.text
    width = rng.uniform(0.4, 0.7) * MM
    if field.kind == "mark":
        if text == "1":
            lines(sheet, field.place, MARKS[int(rng.integers(len(MARKS)))], width, pen.cover())
        return
    if not field.cells:
        in_box(sheet, pen, text, field.place, size * 0.8)
        return
    digits = written.crossed_out + text
    start = len(field.cells) - len(digits) if field.align == "right" else 0
    cells = field.cells[start:]
    for digit, cell in zip(digits, cells, strict=False):
        in_cell(sheet, pen, digit, cell, size)
    crossed = cells[: len(written.crossed_out)]
    if crossed:
        first, last = crossed[0], crossed[-1]
        place = Rect(first.left, first.top, last.right - first.left, first.height)
        parts = ((0.1, 0.4, 0.9, 0.5), (0.9, 0.6, 0.1, 0.65)) if len(crossed) > 1 else (*MARKS[0], (0, 0.5, 1, 0.5))
        lines(sheet, place, parts, 1.2 * width, 0.95)


def write_form(sheet: Sheet, pen: Pen, form: Form, written: dict[str, Written]) -> None:
    """Write into all fields of a form."""
    size = pen.rng.uniform(*pen.care.height)
    for field in form.fields:
        if field.name in written:
            write_field(sheet, pen, field, written[field.name], size)
