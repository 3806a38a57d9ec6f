"""Read the places of the fields from the form file, so that what is printed and what is described agree."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Place(NamedTuple):
    """A rectangle in millimetres from the top left corner of the sheet."""

    left: float
    top: float
    width: float
    height: float


class Entry(NamedTuple):
    """A field: its kind, and its cells from the left. A field without cells has one place."""

    kind: str
    cells: tuple[Place, ...]
    is_box: bool
    """Whether the digits are anywhere in one box."""


def equal_cells(place: Place, count: int) -> tuple[Place, ...]:
    """Divide a place into cells of equal width."""
    width = place.width / count
    return tuple(Place(place.left + i * width, place.top, width, place.height) for i in range(count))


def entry(field: dict[str, Any]) -> Entry:
    """Return the cells of a field of the form file."""
    if "cells" in field:
        return Entry(field["kind"], tuple(Place(*cell) for cell in field["cells"]), False)
    place = Place(*field["place"])
    return Entry(field["kind"], equal_cells(place, field.get("count", 1)), "count" not in field)


def read_entries(path: Path = HERE / "form.toml") -> dict[str, Entry]:
    """Return all fields of the form file by their names, those of tables as `table.row.column`."""
    form = tomllib.loads(path.read_text(encoding="utf-8"))
    entries = {field["name"]: entry(field) for field in form["fields"]}
    for table in form.get("tables", []):
        for row in table["rows"]:
            for column in table["columns"]:
                place = Place(column["left"], row["top"], column["width"], row["height"])
                name = f"{table['name']}.{row['name']}.{column['name']}"
                entries[name] = Entry(table["kind"], equal_cells(place, table["count"]), False)
    return entries
