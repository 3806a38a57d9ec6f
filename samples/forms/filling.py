"""Fill in a printed form with a pen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from layout import Entry, Place
from numpy.typing import NDArray
from paper import Colour, Sheet, grain, write_number
from pen import Hand, Ink, Stroke, write_strokes
from printing import DPI, HEIGHT_MM, WIDTH_MM

from batchocr.training.synthesis.digit_forms import parse_strokes

CROSS = "0,0 100,100 / 100,4 2,96"
TICK = "0,55 35,100! 100,0"
SIGNATURE = (
    "0,70 8,10 14,60 20,95 26,30 33,64 40,28 46,66 52,34 58,62 66,30 72,66 80,40 92,58 110,34 130,60 150,44 190,52 /"
    "60,96 200,82"
)


@dataclass(frozen=True)
class Writer:
    """A person who fills in a form."""

    hand: Hand
    colour: Colour
    height_mm: float = 5.8
    """Height of the digits."""
    drift: float = 0.5
    """How far digits are from the middle of their cells: 1 uses all free space."""
    mark: str = CROSS
    """Strokes of a tick."""


def strokes_of(text: str) -> list[Stroke]:
    """Return the strokes of a drawing in the notation of `DigitForm`."""
    strokes = []
    for points, corners in parse_strokes(text):
        repeated = np.repeat(points, np.where(corners, 2, 1), axis=0)
        strokes.append([(float(x), float(y)) for x, y in repeated])
    return strokes


def new_sheet(blank: NDArray[np.uint8], paper: Colour) -> Sheet:
    """Return a printed sheet of paper."""
    sheet = Sheet(WIDTH_MM, HEIGHT_MM, DPI, paper)
    sheet.image *= (blank / np.float32(255))[..., None]
    return sheet


def fit(ink: Ink, max_width: float) -> Ink:
    """Make ink narrower if it is wider than a cell."""
    if ink.shape[1] <= max_width:
        return ink
    return cv2.resize(ink, (max(1, int(max_width)), ink.shape[0]), interpolation=cv2.INTER_AREA)


def put(sheet: Sheet, ink: Ink, place: Place, writer: Writer, rng: np.random.Generator) -> None:
    """Write something near the middle of a place."""
    spare_x, spare_y = sheet.pixels(place.width) - ink.shape[1], sheet.pixels(place.height) - ink.shape[0]
    share_x, share_y = 0.5 + 0.5 * writer.drift * rng.uniform(-1, 1, 2)
    left, top = sheet.pixels(place.left) + spare_x * share_x, sheet.pixels(place.top) + spare_y * share_y
    sheet.lay(grain(ink, rng), left, top, writer.colour)


def write_in_cells(
    sheet: Sheet, text: str, entry: Entry, writer: Writer, slips: Mapping[int, str], rng: np.random.Generator
) -> None:
    """Write the digits of a text into the last cells of a field, one in each.

    Args:
        sheet: The sheet to write on.
        text: Digits, at most one for each cell.
        entry: The field.
        writer: Who writes.
        slips: For a position of the text from 0 the strokes that are drawn instead of its digit.
        rng: Source of randomness.
    """
    height = sheet.pixels(writer.height_mm)
    for index, cell in enumerate(entry.cells[len(entry.cells) - len(text) :]):
        size = height * rng.uniform(0.93, 1.07)
        strokes = strokes_of(slips[index]) if index in slips else writer.hand.choose_form(int(text[index]), rng)
        ink = write_strokes(strokes, size, writer.hand, rng)
        put(sheet, fit(ink, 0.9 * sheet.pixels(cell.width)), cell, writer, rng)


def fill_in(
    sheet: Sheet,
    entries: Mapping[str, Entry],
    answers: Mapping[str, str],
    writer: Writer,
    rng: np.random.Generator,
    slips: Mapping[str, Mapping[int, str]] | None = None,
) -> None:
    """Write the answers into the fields of a form.

    Args:
        sheet: The printed sheet.
        entries: All fields by name.
        answers: For each field its digits; for a tick box `1` or `0`. Fields without an answer stay empty.
        writer: Who writes.
        rng: Source of randomness.
        slips: For a field and a position of its text from 0 the strokes that are drawn instead of the digit.
    """
    for name, text in answers.items():
        entry = entries[name]
        place = entry.cells[0]
        if entry.kind == "mark":
            if text == "1":
                size = sheet.pixels(place.height) * rng.uniform(0.75, 0.95)
                put(sheet, write_strokes(strokes_of(writer.mark), size, writer.hand, rng), place, writer, rng)
        elif entry.is_box:
            ink = write_number(text, sheet.pixels(writer.height_mm), writer.hand, rng)
            indent = sheet.pixels(rng.uniform(2, 5))
            spare = sheet.pixels(place.height) - ink.shape[0]
            top = sheet.pixels(place.top) + spare * rng.uniform(0.4, 0.6)
            sheet.lay(ink, sheet.pixels(place.left) + indent, top, writer.colour)
        else:
            write_in_cells(sheet, text, entry, writer, (slips or {}).get(name, {}), rng)


def sign(sheet: Sheet, place: Place, writer: Writer, rng: np.random.Generator) -> None:
    """Write a signature that nobody can read."""
    ink = write_strokes(strokes_of(SIGNATURE), sheet.pixels(place.height), Hand(pen=0.06, slant=0.2), rng)
    sheet.lay(grain(ink, rng), sheet.pixels(place.left), sheet.pixels(place.top), writer.colour)
