"""Write a draft as the text of a form file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from batchocr.forms.draft.places import FieldPlace, TablePlace
from batchocr.forms.form import Rect

_HEAD = """\
#:schema form.schema.json
# A first draft. All places are in mm: left, top, width, height. Change what is wrong, then see it with
#     batchocr form check {name} --watch
# 1. Give each field its own name, such as member or total. The image {picture} shows which is which.
# 2. Remove fields that you do not need. Fields that are written as comments are mostly for signatures and remarks.
# 3. Correct kind: cells, number, decimal, date, mark (tick box) or code (bar or QR code).
# 4. Say more of fields, so that mistakes are found: may_be_empty = false, length = 8, range = [0, 999],
#    check = "luhn". docs/form-files.md has all keys.
# Editors complete the keys if this folder has the output of: batchocr form schema > form.schema.json
"""
_OF_KIND = {
    "date": "order of day, month and year: dmy, mdy or ymd",
    "decimal": "decimals: cells after the printed point",
    "code": 'a code has the same text on each page: add allowed = ["TEXT"] to accept no other form',
}
_UNLIKELY = "For a signature, a name or a remark? Remove the # of all lines below if it is for a number."
_PER_LINE = 4


def form_text(
    places: Sequence[FieldPlace | TablePlace],
    *,
    file_name: str,
    picture: str,
    image: str,
    image_page: int,
    is_filled: bool,
    size_mm: tuple[float, float],
    size_note: str,
) -> str:
    """Return the text of a form file.

    Args:
        places: Fields and tables in reading order.
        file_name: Name of the form file.
        picture: Name of the image that shows the fields.
        image: Path of the image of the blank form from the folder of the form file.
        image_page: Its page, from 1.
        is_filled: Whether the page is filled in.
        size_mm: Width and height of the paper.
        size_note: What a person should know of the size; may be empty.
    """
    lines = [_HEAD.format(name=file_name, picture=picture), "[page]", f"image = {_quoted(image)}"]
    if image_page > 1:
        lines.append(f"image_page = {image_page}")
    if is_filled:
        lines.append("filled = true")
    lines.append(f"size_mm = [{_mm(size_mm[0])}, {_mm(size_mm[1])}]{'  # ' + size_note if size_note else ''}")
    if not any(isinstance(each, TablePlace) or each.is_likely for each in places):
        lines += ["", "# No place for a number was found: add [[fields]], or remove the # of some fields below."]
    for place, name in zip(places, field_names(places), strict=True):
        if isinstance(place, TablePlace):
            lines += ["", *_table(place, name)]
        elif place.is_likely:
            lines += ["", *_field(place, name)]
        else:
            lines += ["", f"# {_UNLIKELY}", *(f"# {line}" for line in _field(place, name))]
    return "\n".join(lines) + "\n"


def field_names(places: Sequence[FieldPlace | TablePlace]) -> list[str]:
    """Return the names in order: field-1 and table-1; comment-1 for fields that are written as comments."""
    count: Counter[str] = Counter()
    names = []
    for each in places:
        word = "table" if isinstance(each, TablePlace) else "field" if each.is_likely else "comment"
        count[word] += 1
        names.append(f"{word}-{count[word]}")
    return names


def _field(field: FieldPlace, name: str) -> Iterator[str]:
    note = _OF_KIND.get(field.kind, "")
    yield "[[fields]]"
    yield f"name = {_quoted(name)}"
    yield f"kind = {_quoted(field.kind)}{'  # ' + note if note else ''}"
    if field.cells:
        yield "cells = ["
        for at in range(0, len(field.cells), _PER_LINE):
            yield "    " + " ".join(f"{_place(cell)}," for cell in field.cells[at : at + _PER_LINE])
        yield "]"
    else:
        yield f"place = {_place(field.place)}"
    if field.count:
        yield f"count = {field.count}"
    if field.kind == "date":
        yield f"order = {_quoted(field.order)}"
    if field.decimals:
        yield f"decimals = {field.decimals}"


def _table(table: TablePlace, name: str) -> Iterator[str]:
    counts = set(table.counts)
    yield "[[tables]]  # a field for each row and column, such as " + f"{name}.r1.c1"
    yield f"name = {_quoted(name)}"
    yield f"kind = {_quoted(table.kind)}"
    if counts != {0} and len(counts) == 1:
        yield f"count = {table.counts[0]}"
    rows = [f"r{at}" for at in range(1, len(table.rows) + 1)]
    columns = [f"c{at}" for at in range(1, len(table.columns) + 1)]
    even_rows, even_columns = _is_even(table.rows), _is_even(table.columns) and len(counts) == 1
    if even_rows or even_columns:
        yield f"place = {_place(table.place)}"
    if even_rows:
        yield f"rows = [{', '.join(_quoted(each) for each in rows)}]"
    else:
        yield "rows = ["
        for row, (top, height) in zip(rows, table.rows, strict=True):
            yield f"    {{name = {_quoted(row)}, top = {_mm(top)}, height = {_mm(height)}}},"
        yield "]"
    if even_columns:
        yield f"columns = [{', '.join(_quoted(each) for each in columns)}]"
        return
    yield "columns = ["
    for column, (left, width), count in zip(columns, table.columns, table.counts, strict=True):
        own = "" if len(counts) == 1 else f", count = {count}" if count else ', kind = "number"'
        yield f"    {{name = {_quoted(column)}, left = {_mm(left)}, width = {_mm(width)}{own}}},"
    yield "]"


def _is_even(parts: Sequence[tuple[float, float]]) -> bool:
    """Return whether rows or columns are of equal size and follow each other without gaps, to 0.3 mm."""
    pitch = (sum(parts[-1]) - parts[0][0]) / len(parts)
    return all(
        abs(start - parts[0][0] - at * pitch) < 0.3 and abs(size - pitch) < 0.6
        for at, (start, size) in enumerate(parts)
    )


def _place(rect: Rect) -> str:
    return f"[{_mm(rect.left)}, {_mm(rect.top)}, {_mm(rect.width)}, {_mm(rect.height)}]"


def _mm(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _quoted(text: str) -> str:
    """Return a TOML string. Its escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)
