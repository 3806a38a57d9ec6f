"""Draw the sample scans: hand-written digits on paper, and the list of what is written where.

    python samples/make_samples.py [--out DIR]

The digits come from the strokes in pen.py and a fixed seed, so a run with the same library
versions writes the same bytes. The printed labels of the form need Matplotlib's copy of DejaVu Sans.
"""

import csv
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from pen import Hand, Ink, write_digit
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Row = tuple[str, int, str]  # file, page, text: a line of expected.csv

SEED = 2017
MM_PER_INCH = 25.4
BLACK: Colour = (38, 36, 42)
BLUE: Colour = (32, 52, 138)
PRINT: Colour = (96, 104, 108)
MIN_NUMBER_GAP = 1.4  # digit heights between two numbers; digits of one number are 0.1 to 0.3 apart

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
    """One small picture of one digit."""

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


class Sheet:
    """A sheet of paper to write on; lengths are in millimetres."""

    def __init__(self, width: float, height: float, dpi: int, paper: Colour) -> None:
        self.dpi = dpi
        shape = (round(self.pixels(height)), round(self.pixels(width)), 3)
        self.image = np.full(shape, paper, np.float32)

    def pixels(self, millimetres: float) -> float:
        """Convert a length."""
        return millimetres * self.dpi / MM_PER_INCH

    def lay(self, ink: Ink, left: float, top: float, colour: Colour) -> None:
        """Put ink on the paper, its top left corner at the given pixel."""
        x, y = round(left), round(top)
        region = self.image[y : y + ink.shape[0], x : x + ink.shape[1]]
        if min(x, y) < 0 or region.shape[:2] != ink.shape:
            raise ValueError(f"ink of {ink.shape} at {x}, {y} leaves the sheet")
        region += ink[..., None] * (np.array(colour, np.float32) - region)

    def scan(self, light: float, noise: float, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return the sheet as a scanner or camera sees it: light falling off, soft edges, a little noise."""
        height, width = self.image.shape[:2]
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
        shade = 1 - light * ((x - 0.35) ** 2 + (y - 0.3) ** 2) + rng.normal(0, noise / 255, size=(height, width))
        # In whole steps, the same for all channels, the paper has few colours and the file stays small.
        shade = np.rint(shade * 150) / 150
        image = cv2.GaussianBlur(self.image, (0, 0), 0.5) * shade[..., None]
        pixels: NDArray[np.uint8] = np.clip(np.rint(image), 0, 255).astype(np.uint8)
        return pixels


def grain(ink: Ink, rng: np.random.Generator) -> Ink:
    """Let the paper show through a little, unevenly, as it does under a pen."""
    patches = cv2.GaussianBlur(rng.normal(0, 1, size=ink.shape).astype(np.float32), (0, 0), 1.2)
    cover: Ink = np.clip(0.94 + 0.1 * patches, 0.8, 1).astype(np.float32)
    return ink * cover


def write_number(text: str, height: float, hand: Hand, rng: np.random.Generator) -> Ink:
    """Write the digits of a number side by side, the base line and size a little unsteady."""
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


def save_page(pixels: NDArray[np.uint8], colours: int, dpi: int, path: Path) -> None:
    """Write a PNG with few colours, which keeps the noise of the paper but not its weight."""
    image = Image.fromarray(pixels).quantize(colours, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    image.save(path, optimize=True, dpi=(dpi, dpi))


def make_year(out: Path, rng: np.random.Generator) -> list[Row]:
    """Write the year 2017 large on a small cream sheet, unevenly lit."""
    sheet = Sheet(210, 148, 150, (238, 232, 216))
    hand = Hand(pen=0.105, slant=0.1, width=1.1, habits={2: 0, 0: 2, 1: 0, 7: 0})
    ink = write_number("2017", sheet.pixels(24), hand, rng)
    height, width = sheet.image.shape[:2]
    sheet.lay(ink, (width - ink.shape[1]) * 0.48, (height - ink.shape[0]) * 0.47, BLUE)
    save_page(sheet.scan(0.2, 0.9, rng), 96, sheet.dpi, out / "2017.png")
    return [("2017.png", 1, "2017")]


def make_digit(spec: SingleDigit, out: Path, rng: np.random.Generator) -> Row:
    """Draw one digit in the middle of a small picture."""
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


def spread(widths: list[int], least_gap: float, room: float, rng: np.random.Generator) -> list[float]:
    """Return the left edges of numbers spread at random over a line, never closer than the least gap."""
    spare = room - sum(widths) - least_gap * (len(widths) - 1)
    if spare < 0:
        raise ValueError("the line is too short for its numbers")
    shares = rng.dirichlet(np.full(len(widths) + 1, 3.0)) * spare
    edges, x = [], 0.0
    for width, share in zip(widths, shares, strict=False):
        x += share
        edges.append(x)
        x += width + least_gap
    return edges


def make_numbers(out: Path, rng: np.random.Generator) -> list[Row]:
    """Fill a page with lines of numbers, each line by another hand."""
    sheet = Sheet(210, 297, 150, (247, 247, 244))
    margin = sheet.pixels(18)
    for index, texts in enumerate(NUMBER_LINES):
        hand = Hand(rng.uniform(0.09, 0.13), rng.normal(0.1, 0.07), rng.uniform(0.95, 1.15))
        height = sheet.pixels(rng.uniform(5.4, 7.6))
        numbers = [write_number(text, height, hand, rng) for text in texts]
        room = sheet.image.shape[1] - 2 * margin
        edges = spread([ink.shape[1] for ink in numbers], MIN_NUMBER_GAP * height, room, rng)
        base, slope = sheet.pixels(30 + 27 * index), rng.normal(0, 0.004)
        for ink, edge in zip(numbers, edges, strict=True):
            wander = sheet.pixels(rng.uniform(-0.4, 0.4)) + slope * edge
            sheet.lay(ink, margin + edge, base + wander - ink.shape[0], (BLUE, BLACK)[index // 2 % 2])
    save_page(sheet.scan(0.04, 0.7, rng), 64, sheet.dpi, out / "numbers.png")
    return [("numbers.png", 1, text) for texts in NUMBER_LINES for text in texts]


def print_text(sheet: Sheet, text: str, left: float, top: float, size: float) -> None:
    """Print a label in DejaVu Sans, which comes with Matplotlib."""
    import matplotlib  # here, because only the form needs it

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
        # In a comb the digit stands in the middle of its cell, in a box the number starts at the left.
        indent = free * rng.uniform(0.4, 0.6) if field.cells else sheet.pixels(rng.uniform(3, 6))
        top = sheet.pixels(field.top) + (sheet.pixels(FORM_BOX_MM) - ink.shape[0]) * rng.uniform(0.4, 0.6)
        sheet.lay(ink, sheet.pixels(field.left + cell * pitch) + indent, top, BLUE)


def make_form(out: Path, rng: np.random.Generator) -> list[Row]:
    """Print a form and fill it in with a blue pen."""
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
    """Write what is on the pages, files in the order of their paths."""
    # The sort is stable: within a file the rows stay in reading order.
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
    # Each file has its own generator, so changing one leaves the others as they are.
    year, digits, numbers, form = np.random.default_rng(SEED).spawn(4)
    rows = make_year(out, year) + make_numbers(out, numbers) + make_form(out, form)
    rows += [make_digit(spec, out, digits) for spec in SINGLE_DIGITS]
    write_expected(rows, out / "expected.csv")


if __name__ == "__main__":
    typer.run(main)
