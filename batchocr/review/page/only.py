"""The items that a file is about: what two persons differ in, or what was decided before."""

from __future__ import annotations

from pathlib import Path

from batchocr.errors import UsageError
from batchocr.review.corrections.of_run import KEY
from batchocr.review.page.items import Item, all_items
from batchocr.review.page.tables import RunTables
from batchocr.spreadsheets import read_sheet


def only_items(path: Path, tables: RunTables, left_out: list[str]) -> list[Item]:
    """Return the items that a file of differences or of corrections is about, the least sure first.

    Args:
        path: The CSV file. Its lines with a known answer are ignored.
        tables: The rows of the run.
        left_out: A line is added for each line of the file that is about none of these rows.

    Raises:
        UsageError: The file cannot be read, lacks a column, or is about no row of the run.
    """
    sheet = read_sheet(path)
    if missing := [name for name in KEY if name not in sheet.header]:
        raise UsageError(
            f"--only {path}: has no column {', '.join(missing)}: give the file of differences of `batchocr correct "
            "--compare`, or a file of corrections"
        )
    by_key = {_key(item, tables): item for items in all_items(tables).values() for item in items}
    chosen: dict[tuple[str, ...], Item] = {}
    for line, cells in sheet.lines:
        row = dict(zip(sheet.header, cells, strict=False))
        key = tuple(row.get(name, "") for name in KEY)
        if row.get("task") == "known":
            continue
        if key in by_key:
            chosen[key] = by_key[key]
        else:
            left_out.append(f"{path}:{line}: is about nothing that the results have")
    if not chosen:
        raise UsageError(f"--only {path}: is about nothing that the results have: give the results that it belongs to")
    return sorted(chosen.values(), key=lambda item: item.confidence)


def _key(item: Item, tables: RunTables) -> tuple[str, ...]:
    box = item.box.left, item.box.top, item.box.width, item.box.height
    sha256 = tables.pages[item.place]["sha256"]
    return item.place[0], str(item.place[1]), sha256, item.kind, item.name, *map(str, box)
