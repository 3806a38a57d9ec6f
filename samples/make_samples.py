"""Draw the sample scans with handwritten digits, and write the list of their numbers.

    python samples/make_samples.py [--out DIR]

The digits are made of the strokes in pen.py with a fixed seed: the same versions of the libraries write
the same bytes. The printed labels of the form require the font DejaVu Sans, which is a part of Matplotlib.
"""

import csv
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from kinds import make_fax, make_pdf, make_photo, make_webp, make_wide
from numpy.typing import NDArray
from paper import BLACK, BLUE, Colour, Row, Sheet, write_lines, write_number
from pen import Hand, write_digit
from PIL import Image, ImageDraw, ImageFont

SEED = 2017
PRINT: Colour = (96, 104, 108)
NUMBER_LINES = (
    ("0421", "7", "389", "15"),
    ("60", "2017", "8"),
    ("314159", "005", "92"),
    ("48", "73", "1", "506", "20"),
    ("99", "100482"),
    ("0007", "36", "645", "8"),
    ("27", "1905", "33"),
    ("5", "812", "4460", "09", "71"),
    ("730064", "58", "2"),
    ("16", "904", "38", "0523", "6"),
)


@dataclass(frozen=True)
class Field:
    """A labelled box of the form, in millimetres; a comb has one cell for each digit."""

    label: str
    text: str
    left: float
    top: float
    width: float
    cells: int = 0


FORM_BOX_MM = 11.0
FORM_FIELDS = (
    Field("Customer no.", "40927", 14, 38, 58),
    Field("Route", "15", 92, 38, 42),
    Field("Meter no.", "07318526", 14, 66, 60, cells=8),
    Field("Day", "09", 14, 94, 26),
    Field("Month", "11", 54, 94, 26),
    Field("Year", "2024", 94, 94, 40),
    Field("Previous reading", "28364", 14, 122, 52),
    Field("Reading", "28951", 82, 122, 52),
    Field("Total", "587", 14, 150, 52),
    Field("Signature", "", 14, 178, 120),
)


@dataclass(frozen=True)
class SingleDigit:
    """One small image of one digit."""

    digit: int
    size: tuple[int, int]  # width, height
    height: int  # of the digit
    form: int
    pen: float
    white_on_black: bool


SINGLE_DIGITS = (
    SingleDigit(2, (28, 28), 20, 1, 0.13, True),
    SingleDigit(0, (64, 72), 46, 0, 0.11, False),
    SingleDigit(1, (96, 140), 92, 2, 0.10, False),
    SingleDigit(7, (200, 200), 138, 2, 0.12, True),
)


def save_page(pixels: NDArray[np.uint8], colours: int, dpi: int, path: Path) -> None:
    """Write a PNG with few colours: the noise of the paper stays, and the file is small."""
    image = Image.fromarray(pixels).quantize(colours, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    image.save(path, optimize=True, dpi=(dpi, dpi))


def make_year(out: Path, rng: np.random.Generator) -> list[Row]:
    """Make a small cream sheet with the year 2017 in large digits, lit unevenly."""
    sheet = Sheet(210, 148, 150, (238, 232, 216))
    hand = Hand(pen=0.105, slant=0.1, width=1.1, habits={2: 0, 0: 2, 1: 0, 7: 0})
    ink = write_number("2017", sheet.pixels(24), hand, rng)
    height, width = sheet.image.shape[:2]
    sheet.lay(ink, (width - ink.shape[1]) * 0.48, (height - ink.shape[0]) * 0.47, BLUE)
    save_page(sheet.scan(0.2, 0.9, rng), 96, sheet.dpi, out / "2017.png")
    return [("2017.png", 1, "2017")]


def make_digit(spec: SingleDigit, out: Path, rng: np.random.Generator) -> Row:
    """Make a small image with one digit in its middle."""
    width, height = spec.size
    ink = write_digit(spec.digit, spec.height, Hand(pen=spec.pen, habits={spec.digit: spec.form}), rng)
    cover = np.zeros((height, width), np.float32)
    y, x = (height - ink.shape[0]) // 2, (width - ink.shape[1]) // 2
    cover[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
    ground, pen = (6, 250) if spec.white_on_black else (240, 44)
    pixels = ground + cover * (pen - ground) + rng.normal(0, 1.5, size=cover.shape)
    name = f"digits/{spec.digit}.jpg"
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out / name, quality=92)
    return name, 1, str(spec.digit)


def make_numbers(out: Path, rng: np.random.Generator) -> list[Row]:
    """Make a page of lines of numbers, each line in its own handwriting style."""
    sheet = Sheet(210, 297, 150, (247, 247, 244))
    write_lines(sheet, NUMBER_LINES, 30, 27, (BLUE, BLACK), rng)
    save_page(sheet.scan(0.04, 0.7, rng), 64, sheet.dpi, out / "numbers.png")
    return [("numbers.png", 1, text) for texts in NUMBER_LINES for text in texts]


def print_text(sheet: Sheet, text: str, left: float, top: float, size: float) -> None:
    """Print a label in DejaVu Sans, which is a part of Matplotlib."""
    import matplotlib  # only the form requires it

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    font = ImageFont.truetype(str(path), sheet.pixels(size))
    mask = Image.new("L", (int(font.getlength(text)) + 4, round(sheet.pixels(size * 1.4))))
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    sheet.lay(np.divide(np.asarray(mask), 255, dtype=np.float32), sheet.pixels(left), sheet.pixels(top), PRINT)


def print_box(sheet: Sheet, field: Field) -> None:
    """Print the thin lines of a box or comb."""
    width, height, line = round(sheet.pixels(field.width)), round(sheet.pixels(FORM_BOX_MM)), 2
    frame = np.ones((height, width), np.float32)
    walls = np.linspace(0, width - line, max(field.cells, 1) + 1).round().astype(int)
    for start, end in pairwise(walls):
        frame[line:-line, start + line : end] = 0
    sheet.lay(frame, sheet.pixels(field.left), sheet.pixels(field.top), PRINT)


def fill_in(sheet: Sheet, field: Field, hand: Hand, rng: np.random.Generator) -> None:
    """Write the number of a field into its box, or digit by digit into its comb."""
    height = sheet.pixels(6.4)
    cells = field.cells or 1
    pitch = field.width / cells
    parts = list(field.text) if field.cells else [field.text]
    for cell, part in enumerate(parts):
        ink = write_number(part, height, hand, rng)
        free = sheet.pixels(pitch) - ink.shape[1]
        # In a comb a digit is in the middle of its cell; in a box the number starts at the left.
        indent = free * rng.uniform(0.4, 0.6) if field.cells else sheet.pixels(rng.uniform(3, 6))
        top = sheet.pixels(field.top) + (sheet.pixels(FORM_BOX_MM) - ink.shape[0]) * rng.uniform(0.4, 0.6)
        sheet.lay(ink, sheet.pixels(field.left + cell * pitch) + indent, top, BLUE)


def make_form(out: Path, rng: np.random.Generator) -> list[Row]:
    """Make a printed form that is filled in with a blue pen."""
    sheet = Sheet(148, 210, 200, (250, 250, 247))
    hand = Hand(pen=0.1, slant=0.08, width=1.0, habits={1: 0, 4: 1, 7: 0, 2: 0})
    print_text(sheet, "Meter reading", 14, 16, 3.4)
    for field in FORM_FIELDS:
        print_text(sheet, field.label, field.left, field.top - 4.6, 2.8)
        print_box(sheet, field)
        if field.text:
            narrow = replace(hand, width=0.9) if field.cells else hand
            fill_in(sheet, field, narrow, rng)
    save_page(sheet.scan(0.03, 0.6, rng), 64, sheet.dpi, out / "form.png")
    return [("form.png", 1, field.text) for field in FORM_FIELDS if field.text]


def write_expected(rows: list[Row], path: Path) -> None:
    """Write expected.csv, with the files in the order of their paths."""
    # The sort is stable: the rows of one file stay in reading order.
    ordered = sorted(rows, key=itemgetter(0))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("file", "page", "text"))
        writer.writerows(ordered)


def main(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(__file__).parent,
) -> None:
    """Draw all samples and write expected.csv."""
    (out / "digits").mkdir(parents=True, exist_ok=True)
    # Each file has its own generator, so that a change of one file does not change the others.
    year, digits, numbers, form, fax, pdf, photo, wide, webp = np.random.default_rng(SEED).spawn(9)
    rows = make_year(out, year) + make_numbers(out, numbers) + make_form(out, form)
    rows += [make_digit(spec, out, digits) for spec in SINGLE_DIGITS]
    for make, rng in ((make_fax, fax), (make_pdf, pdf), (make_photo, photo), (make_wide, wide), (make_webp, webp)):
        rows += make(out, rng)
    write_expected(rows, out / "expected.csv")


if __name__ == "__main__":
    typer.run(main)
