"""Print a sheet for ID numbers with a check digit, and write its form files, with and without the rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from sheet import MM, Sheet

ROWS = 10
COUNT = 9
"""Digits of an ID number."""
DARK, PALE = (90.0, 90.0, 90.0), (160.0, 160.0, 160.0)
CELLS_MM, BOX_MM = (22.0, 63.0), (112.0, 78.0)
"""Left side and width of the column of cells and of the column of boxes."""
HEAD = '[page]\nimage = "ids.png"\nsize_mm = [210, 297]\n'
RULES = f'length = {COUNT}\ncheck = "luhn"\n'


def tops() -> list[float]:
    """Return the upper sides of the rows in mm."""
    return [45 + 22.0 * row for row in range(ROWS)]


def print_sheet(path: Path) -> None:
    """Print the blank sheet."""
    none = np.zeros((0, 28, 28), np.uint8)
    canvas = np.full((round(297 * MM), round(210 * MM)), 255, np.uint8)
    sheet = Sheet(canvas, np.random.default_rng(0), none, np.zeros(0, np.int64), DARK, 0.5)
    sheet.text("Register of cards", 22 * MM, 25 * MM, 6, "DejaVuSans-Bold.ttf", (40, 40, 40))
    sheet.text("Please copy the number of each card.", 22 * MM, 34 * MM, 3, "DejaVuSans.ttf", (40, 40, 40))
    for row, top in enumerate(tops()):
        upper, lower = top * MM, (top + 9) * MM
        for at in range(1, COUNT):
            x = (CELLS_MM[0] + at * CELLS_MM[1] / COUNT) * MM
            sheet.bar(x - 1, upper, x + 2, lower, PALE)
        for left, width in (CELLS_MM, BOX_MM):
            name = f"Card {'ABCDEFGHIJ'[row]}"
            sheet.text(name, left * MM, upper - 1.5 * MM, 2.6, "DejaVuSans.ttf", (60, 60, 60))
            sheet.frame(left * MM, upper, (left + width) * MM, lower, 3, DARK)
    Image.fromarray(sheet.canvas).save(path, optimize=True, dpi=(300, 300))


def form_text(rules: str) -> str:
    """Return the form file with the given rules for each field."""
    fields = []
    for row, top in enumerate(tops()):
        name = "abcdefghij"[row]
        fields.append(
            f'[[fields]]\nname = "cells-{name}"\nkind = "cells"\ncount = {COUNT}\n'
            f"place = [{CELLS_MM[0]}, {top}, {CELLS_MM[1]}, 9]\nmay_be_empty = false\n{rules}"
        )
        fields.append(
            f'[[fields]]\nname = "box-{name}"\nkind = "number"\n'
            f"place = [{BOX_MM[0]}, {top}, {BOX_MM[1]}, 9]\nmay_be_empty = false\n{rules}"
        )
    return "\n".join([HEAD, *fields])


def write_id_forms(out: Path) -> Path:
    """Write the blank and both form files to a folder; return the form file with rules."""
    print_sheet(out / "ids.png")
    (out / "ids-without-rules.toml").write_text('name = "ids"\n\n' + form_text(""), encoding="utf-8")
    (out / "ids.toml").write_text('name = "ids"\n\n' + form_text(RULES), encoding="utf-8")
    return out / "ids.toml"
