"""Draw the blank form, the filled pages, and the list of what is written on them.

    python samples/forms/make_forms.py [--out DIR]

The places of the fields are read from form.toml. The digits are made of the strokes in samples/pen.py with a fixed
seed: the same versions of the libraries write the same bytes.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

sys.path.append(str(Path(__file__).parents[1]))
from filling import CROSS, TICK, Writer, fill_in, new_sheet, sign
from layout import Place, read_entries
from paper import BLACK, BLUE
from pen import Hand
from pictures import save_fax, save_photo, save_scan
from printing import DPI, OTHER_ENTRIES, print_blank, print_other

SEED = 2025
SIGNATURE_PLACE = Place(26, 228, 60, 13)

Answers = Mapping[str, str]


def consumption(*rows: tuple[str, str, str]) -> dict[str, str]:
    """Return the answers of the table: for house, barn, workshop and total the columns day, night and total."""
    names = ("house", "barn", "workshop", "total")
    columns = ("day", "night", "total")
    return {
        f"kwh.{name}.{column}": text
        for name, row in zip(names, rows, strict=True)
        for column, text in zip(columns, row, strict=True)
        if text
    }


SCAN: Answers = {
    "member": "40718264",
    "read_on": "31122025",
    "phone": "0634581972",
    "paid": "94750",
    "gas": "1",
    "wood": "1",
    **consumption(("1840", "726", "2566"), ("95", "38", "133"), ("402", "61", "463"), ("2337", "825", "3162")),
}
SLIP: Answers = {
    "member": "52309473",
    "read_on": "30122025",
    "phone": "58820417",
    "paid": "136015",
    "oil": "1",
    "old_meter": "8265",
    **consumption(("2715", "904", "3619"), ("308", "147", "455"), ("", "", ""), ("3023", "1051", "4074")),
}
DESK: Answers = {
    "member": "61900841",
    "read_on": "02012026",
    "phone": "071395526048",
    "paid": "58225",
    "wood": "1",
    **consumption(("963", "417", "1380"), ("72", "9", "81"), ("1256", "530", "1786"), ("2291", "956", "3247")),
}
FAX: Answers = {
    "member": "73554016",
    "read_on": "28122025",
    "paid": "120390",
    "gas": "1",
    "old_meter": "104673",
    **consumption(("3084", "1215", "4299"), ("", "", ""), ("647", "258", "905"), ("3731", "1473", "5204")),
}
OTHER: Answers = {"member": "40718264", "plot": "1827", "postcode": "73065", "power": "24", "date": "14032025"}

SLIPS = {
    "member": {5: "32,1 11,8 4,28 6,46 22,54 40,50 53,40 / 54,2 52,40 50,70 47,100"},
    "kwh.barn.night": {2: "11,15 20,9 34,3! 31,35 28,70 27,100"},
}
"""A 4 of the member number that is almost a 9, which the check digit decides, and a 7 like a 1, which sums decide."""

Row = tuple[str, int, str, str, str]
"""File, page, field, text, value: a line of expected.csv."""


def value_of(kind: str, text: str) -> str:
    """Return the value that a text of a field stands for."""
    if kind == "mark":
        return text or "0"
    if text and kind == "date":
        return f"{text[4:]}-{text[2:4]}-{text[:2]}"
    if text and kind == "decimal":
        return f"{text[:-2]}.{text[-2:]}"
    return text


def expected(name: str, answers: Answers) -> list[Row]:
    """Return the lines of expected.csv for a page, a line for each field of the form."""
    rows: list[Row] = []
    for field, entry in read_entries().items():
        text = answers.get(field, "")
        rows.append((name, 1, field, text, value_of(entry.kind, text)))
    return rows


def make_pages(out: Path) -> list[Row]:
    """Draw the five filled pages and return the lines of expected.csv."""
    blank, entries = print_blank(), read_entries()
    first, second, third, fourth, fifth = np.random.default_rng(SEED).spawn(5)

    writer = Writer(Hand(0.1, 0.1, 1.0, habits={1: 2, 4: 0, 7: 1, 2: 0, 9: 0}), BLUE)
    sheet = new_sheet(blank, (250, 249, 244))
    fill_in(sheet, entries, SCAN, writer, first)
    sign(sheet, SIGNATURE_PLACE, writer, first)
    save_scan(sheet, 0.7, out / "scan.jpg", first)

    writer = Writer(Hand(0.115, 0.2, 0.95, 0.016, {1: 0, 4: 2, 7: 2, 2: 2, 0: 2}), BLACK, 6.4, 0.8, TICK)
    sheet = new_sheet(blank, (248, 248, 246))
    fill_in(sheet, entries, SLIP, writer, second, SLIPS)
    sign(sheet, SIGNATURE_PLACE, writer, second)
    save_scan(sheet, -1.2, out / "slip.jpg", second)

    writer = Writer(Hand(0.11, 0.0, 1.05, habits={1: 1, 4: 1, 7: 0, 2: 1}), BLUE, 6.0, 0.6, CROSS)
    sheet = new_sheet(blank, (243, 240, 232))
    fill_in(sheet, entries, DESK, writer, third)
    sign(sheet, SIGNATURE_PLACE, writer, third)
    save_photo(sheet, (16, -11), 4, out / "desk.jpg", third)

    writer = Writer(Hand(0.12, 0.14, 1.0, habits={1: 2, 4: 0, 7: 2, 2: 0}), BLACK, 5.6, 0.5, CROSS)
    sheet = new_sheet(blank, (250, 250, 250))
    fill_in(sheet, entries, FAX, writer, fourth)
    sign(sheet, SIGNATURE_PLACE, writer, fourth)
    save_fax(sheet, 0.5, out / "upside-down.tif", fourth)

    writer = Writer(Hand(0.1, 0.1, 1.0, habits={1: 2, 4: 0, 7: 1, 2: 0, 9: 0}), BLUE)
    sheet = new_sheet(print_other(), (250, 249, 244))
    fill_in(sheet, OTHER_ENTRIES, OTHER, writer, fifth)
    sign(sheet, Place(116, 144, 60, 13), writer, fifth)
    save_scan(sheet, -0.4, out / "other-form.jpg", fifth)

    rows = [("other-form.jpg", 1, "", "", "refused")]
    for name, answers in (("scan.jpg", SCAN), ("slip.jpg", SLIP), ("desk.jpg", DESK), ("upside-down.tif", FAX)):
        rows += expected(name, answers)
    return sorted(rows, key=lambda row: row[0])


def main(out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(__file__).parent) -> None:
    """Draw the blank and all pages, and write expected.csv."""
    (out / "pages").mkdir(parents=True, exist_ok=True)
    Image.fromarray(print_blank()).save(out / "blank.png", optimize=True, dpi=(DPI, DPI))
    rows = make_pages(out / "pages")
    with (out / "expected.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("file", "page", "field", "text", "value"))
        writer.writerows(rows)


if __name__ == "__main__":
    typer.run(main)
