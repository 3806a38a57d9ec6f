"""Two drawn forms with boxes for digits, their form files, and pages that are filled in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
from drawing import Sheet
from strokes import save

WIDTH, HEIGHT, PX_PER_MM = 1184, 840, 8
LEFT, TOP, ACROSS, DOWN, SIDE, CELLS = 600, 140, 80, 90, 64, 4

WEATHER = ("Weather station", "Number of member", "Rain in mm", "Hours of wind", "Total of both", "Remarks 62", "Date")
GAS = ("Gas works Springfield", "Meter at house", "Reading of day", "Street", "Postal code", "Officer", "District")
SUM = '[[rules]]\nequation = "total = rain + wind"\n'


def sheet(labels: Sequence[str], texts: Sequence[str] = ()) -> Sheet:
    """Return a form with a title and labels, each with four boxes, in the first of which these texts are written."""
    drawn = Sheet(WIDTH, HEIGHT)
    cv2.putText(drawn.pixels, labels[0], (60, 80), cv2.FONT_HERSHEY_COMPLEX, 1.4, 40, 3, cv2.LINE_AA)
    for row, label in enumerate(labels[1:]):
        top = TOP + DOWN * row
        cv2.putText(drawn.pixels, label, (60, top + 44), cv2.FONT_HERSHEY_COMPLEX, 1.0, 40, 2, cv2.LINE_AA)
        for cell in range(CELLS):
            drawn.frame(LEFT + ACROSS * cell, top, SIDE, SIDE)
    for row, text in enumerate(texts):
        for cell, digit in enumerate(text):
            drawn.digit(digit, LEFT + ACROSS * cell + 16, TOP + DOWN * row + 10, 44, 5)
    return drawn


def form_file(folder: Path, labels: Sequence[str], name: str, fields: Sequence[str], rules: str = "") -> Path:
    """Write a form file whose fields are the boxes beside the first labels, and its blank; return the form file."""
    save(folder / f"{name}.png", sheet(labels).pixels)
    lines = [f'name = "{name}"', "[page]", f'image = "{name}.png"']
    lines.append(f"size_mm = [{WIDTH / PX_PER_MM}, {HEIGHT / PX_PER_MM}]")
    for row, field in enumerate(fields):
        cells = ([LEFT + ACROSS * cell, TOP + DOWN * row, SIDE, SIDE] for cell in range(CELLS))
        places = [[side / PX_PER_MM for side in cell] for cell in cells]
        lines += ["[[fields]]", f'name = "{field}"', 'kind = "cells"', f"cells = {places}"]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n" + rules)
    return path
