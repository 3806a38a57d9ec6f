"""Print blank forms: text in DejaVu Sans, which is a part of Matplotlib, lines, boxes and cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from layout import Entry, Place, read_entries
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

DPI = 200
WIDTH_MM, HEIGHT_MM = 210.0, 297.0
GREYS = 16
DARK, LINE, PALE = 40, 90, 150
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"

Label = tuple[float, float, float, str]
"""Left and top in mm, size in mm, text."""

TITLE: Label = (20, 15, 5.6, "Riverside Energy Cooperative")
LABELS: tuple[Label, ...] = (
    (20, 24, 4.0, "Yearly meter card"),
    (20, 36, 2.8, "Please read your meters on the last day of the year and return this card by 31 January."),
    (20, 41, 2.8, "Write one digit into each box, with a dark pen. Leave boxes empty that you do not need."),
    (20, 55, 2.8, "Member number"),
    (110, 55, 2.8, "Read on (day, month, year)"),
    (20, 77, 2.8, "Telephone"),
    (110, 77, 2.8, "Amount paid this year, in euros"),
    (20, 104, 3.4, "1  Consumption in kWh"),
    (56, 116, 2.8, "day"),
    (96, 116, 2.8, "night"),
    (138, 116, 2.8, "day and night"),
    (20, 125, 2.8, "House"),
    (20, 134, 2.8, "Barn"),
    (20, 143, 2.8, "Workshop"),
    (20, 154, 2.8, "Total"),
    (20, 172, 3.4, "2  Heating"),
    (28, 185, 2.8, "gas"),
    (28, 193, 2.8, "oil"),
    (28, 201, 2.8, "wood"),
    (110, 172, 3.4, "3  Exchanged meter"),
    (110, 180, 2.8, "Last reading of the old meter, if any"),
    (20, 243, 2.8, "Signature"),
    (20, 262, 2.4, "We keep the card for 3 years. Questions: office, Mill Lane 12, Monday to Friday, 9 to 16 h."),
    (20, 279, 2.4, "Form 27 B"),
    (172, 279, 2.4, "page 1 of 1"),
)
RULES_MM: tuple[Place, ...] = (
    Place(20, 31.5, 170, 0.5),
    Place(20, 99, 170, 0.25),
    Place(20, 167, 170, 0.25),
    Place(20, 242, 80, 0.25),
    Place(20, 258, 170, 0.5),
)
"""Lines as thin rectangles."""
POINT_MM = Place(139.4, 89.0, 1.0, 1.0)
"""The decimal point of the amount."""

OTHER_TITLE: Label = (20, 15, 5.6, "Riverside Energy Cooperative")
OTHER_LABELS: tuple[Label, ...] = (
    (20, 24, 4.0, "Application for a new connection"),
    (20, 36, 2.8, "Please fill in all boxes. We answer within 14 days."),
    (20, 47, 2.8, "Member number, if you have one"),
    (110, 47, 2.8, "Plot number"),
    (20, 72, 2.8, "Name"),
    (20, 92, 2.8, "Street and town"),
    (20, 112, 2.8, "Postcode"),
    (70, 112, 2.8, "Power in kW"),
    (20, 140, 2.8, "Date"),
    (110, 140, 2.8, "Signature"),
    (20, 279, 2.4, "Form 31 A"),
    (172, 279, 2.4, "page 1 of 1"),
)
OTHER_RULES_MM: tuple[Place, ...] = (
    Place(20, 31.5, 170, 0.5),
    Place(20, 84, 170, 0.25),
    Place(20, 104, 170, 0.25),
    Place(110, 158, 80, 0.25),
)
OTHER_ENTRIES: dict[str, Entry] = {
    "member": Entry("cells", tuple(Place(20 + 8 * i, 52, 8, 9) for i in range(8)), False),
    "plot": Entry("number", (Place(110, 52, 60, 10),), True),
    "postcode": Entry("cells", tuple(Place(20 + 8 * i, 117, 8, 9) for i in range(5)), False),
    "power": Entry("cells", tuple(Place(70 + 8 * i, 117, 8, 9) for i in range(2)), False),
    "date": Entry("cells", tuple(Place(20 + 8 * i, 145, 8, 9) for i in range(8)), False),
}


def px(millimetres: float) -> int:
    """Convert a length to whole pixels."""
    return round(millimetres * DPI / 25.4)


def print_entry(draw: ImageDraw.ImageDraw, entry: Entry) -> None:
    """Print the outline of a box, or the outlines of cells that touch with pale lines between them."""
    groups: list[list[Place]] = []
    for cell in entry.cells:
        if groups and abs(groups[-1][-1].left + groups[-1][-1].width - cell.left) < 0.1:
            groups[-1].append(cell)
        else:
            groups.append([cell])
    for group in groups:
        first, last = group[0], group[-1]
        for cell in group[1:]:
            draw.line((px(cell.left), px(cell.top), px(cell.left), px(cell.top + cell.height)), fill=PALE, width=2)
        right, bottom = px(last.left + last.width), px(first.top + first.height)
        draw.rectangle((px(first.left), px(first.top), right, bottom), outline=LINE, width=2)


def print_form(
    title: Label, labels: Sequence[Label], rules: Sequence[Place], entries: dict[str, Entry]
) -> NDArray[np.uint8]:
    """Return the image of a blank form.

    Returns:
        (height, width), uint8, dark print on white paper, 200 dpi.
    """
    image = Image.new("L", (px(WIDTH_MM), px(HEIGHT_MM)), 255)
    draw = ImageDraw.Draw(image)
    for name, texts in (("DejaVuSans-Bold.ttf", [title]), ("DejaVuSans.ttf", labels)):
        for left, top, size, text in texts:
            font = ImageFont.truetype(str(FONTS / name), px(size), layout_engine=ImageFont.Layout.BASIC)
            draw.text((px(left), px(top)), text, fill=DARK, font=font)
    for rule in rules:
        right, bottom = px(rule.left + rule.width), px(rule.top) + max(2, px(rule.height)) - 1
        draw.rectangle((px(rule.left), px(rule.top), right, bottom), fill=LINE)
    for entry in entries.values():
        print_entry(draw, entry)
    step = 255 / (GREYS - 1)
    return np.rint(np.rint(np.asarray(image) / step) * step).astype(np.uint8)


def print_blank() -> NDArray[np.uint8]:
    """Return the image of the meter card of form.toml."""
    return print_form(TITLE, LABELS, (*RULES_MM, POINT_MM), read_entries())


def print_other() -> NDArray[np.uint8]:
    """Return the image of a form that form.toml does not describe."""
    return print_form(OTHER_TITLE, OTHER_LABELS, OTHER_RULES_MM, OTHER_ENTRIES)
