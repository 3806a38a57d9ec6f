"""Form files, their blank forms, and their faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawing import Sheet
from PIL import Image

from batchocr.errors import FormError
from batchocr.forms.load import load_form

PAGE = "[page]\nsize_mm = [210, 297]\n"
MEMBER = '[[fields]]\nname = "member"\nkind = "cells"\nplace = [20, 40, 64, 8]\ncount = 8\n'
TABLE = """[[tables]]
name = "voters"
kind = "cells"
count = 3
rows = [{name = "lists", top = 100, height = 9}, {name = "total", top = 110, height = 9}]
columns = [{name = "men", left = 80, width = 30}, {name = "women", left = 112, width = 30, count = 2}]
"""


def write(folder: Path, text: str, name: str = "form.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def blank(path: Path, size: tuple[int, int] = (840, 1188), dpi: float | None = 101.6) -> Path:
    """Write a blank form: A4 at 101.6 dpi has 4 pixels for each mm."""
    sheet = Sheet(*size)
    for top in range(100, size[1] - 200, 90):
        sheet.frame(120, top, 300, 40)
    image = Image.fromarray(sheet.pixels)
    image.save(path, dpi=(dpi, dpi)) if dpi else image.save(path)
    return path


def faults(path: Path) -> list[str]:
    """Return the faults of a form file, each with its line."""
    with pytest.raises(FormError) as error:
        load_form(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    lines = message.removeprefix(f"{path}: ").split("\n  ")
    return lines[1:] if len(lines) > 1 else lines
