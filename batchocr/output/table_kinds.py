"""The tables of results: one for each type of row, and the wide table of forms, whose columns depend on the forms."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, get_args, get_type_hints

from batchocr.errors import FormError
from batchocr.forms.form import Form
from batchocr.output.table import Column, TableKind, Values
from batchocr.records import DigitRow, FieldRow, FormRow, NumberRow, PageResult, PageRow

WHOLE_SCAN = 0
"""The value of `page` for a scan that could not be opened, so that the column has whole numbers only."""

_DECIMALS = {"confidence": 4, "second_confidence": 4, "angle": 2, "seconds": 3, "residual_mm": 2}
"""Decimal places of each column with fractions, in every format."""
_NOT_COMPARED = ("seconds",)
"""Columns that differ each time a page is read."""
_PREFIX = "field."
"""Begins the name of the column of a field whose own name is that of another column of the wide table."""


def row_columns(row: type[Any]) -> tuple[Column, ...]:
    """Return the columns of a table whose rows are objects of a dataclass."""
    hints = get_type_hints(row)
    return tuple(_column(field.name, hints[field.name]) for field in dataclasses.fields(row))


def _column(name: str, hint: Any) -> Column:
    is_optional = type(None) in get_args(hint)
    return Column(
        name,
        next((kind for kind in (int, float) if hint is kind or kind in get_args(hint)), str),
        _DECIMALS.get(name),
        is_optional,
        WHOLE_SCAN if name == "page" and is_optional else None,
        name not in _NOT_COMPARED,
    )


@dataclass(frozen=True)
class _Rows:
    """Returns the rows of a page that are in one field of `PageResult`."""

    place: str
    names: tuple[str, ...]

    def __call__(self, result: PageResult) -> Iterable[Values]:
        rows = getattr(result, self.place)
        return map(attrgetter(*self.names), rows if isinstance(rows, tuple) else (rows,))


def _kind(name: str, place: str, row: type[Any], key: str) -> TableKind:
    columns = row_columns(row)
    return TableKind(name, columns, tuple(key.split()), _Rows(place, tuple(column.name for column in columns)))


TABLES = {
    "digits": _kind("digits", "digits", DigitRow, "file page line number position"),
    "numbers": _kind("numbers", "numbers", NumberRow, "file page line number"),
    "pages": _kind("pages", "page", PageRow, "file page"),
}
"""The tables of every run, by name."""
FIELDS = _kind("fields", "fields", FieldRow, "file page field")
"""The table of fields, of a run with forms."""
WIDE = "forms"
"""Name of the wide table, of a run with forms."""
ALL_NAMES = (*TABLES, FIELDS.name, WIDE)
"""The names of all tables that a run can write."""
WIDE_START = row_columns(FormRow)
"""The columns of the wide table before those of the fields."""

Kinds = tuple[TableKind, ...]
"""The tables of a run; that of the digits is first."""
BASIC: Kinds = tuple(TABLES.values())
"""The tables of a run without forms."""


def field_names(forms: Sequence[Form]) -> tuple[str, ...] | None:
    """Return the names of the fields of all forms, each once, in their order; None if there are no forms.

    Raises:
        FormError: Two names differ only in upper and lower case, which databases do not distinguish.
    """
    if not forms:
        return None
    names: dict[str, tuple[str, str]] = {}
    for form in forms:
        for field in form.fields:
            other, other_form = names.setdefault(field.name.casefold(), (field.name, form.name))
            if other != field.name:
                raise FormError(
                    f"the fields {other} (form {other_form}) and {field.name} (form {form.name}) would have the same "
                    "column: names must differ in more than upper and lower case: rename one"
                )
    return tuple(name for name, _ in names.values())


def table_kinds(fields: Sequence[str] | None) -> Kinds:
    """Return the tables of a run.

    Args:
        fields: The names of the fields of all forms, see `field_names`; None without forms.
    """
    return BASIC if fields is None else (*BASIC, FIELDS, wide_table(fields))


def wide_table(fields: Sequence[str]) -> TableKind:
    """Return the table with a row for each page and a column for each field.

    The values are the texts of the fields. The table of fields has them too, and is compared instead.

    Args:
        fields: The names of the fields.
    """
    taken = {column.name for column in WIDE_START}
    names = (f"{_PREFIX}{name}" if name.casefold() in taken else name for name in fields)
    columns = (*WIDE_START, *(Column(name, is_compared=False) for name in names))
    return TableKind(WIDE, columns, ("file", "page"), _WideRows(tuple(fields)))


@dataclass(frozen=True)
class _WideRows:
    """Returns the row of a page in the wide table."""

    fields: tuple[str, ...]

    def __call__(self, result: PageResult) -> Iterator[Values]:
        form, page = result.form, result.page
        if page.status == "failed":
            form = FormRow(page.file, page.page, "", None, "failed", page.error)
        if form is not None:  # else the page is removed
            texts = {field.field: field.text for field in result.fields}
            start = attrgetter(*(column.name for column in WIDE_START))(form)
            yield (*start, *(texts.get(name, "") for name in self.fields))
