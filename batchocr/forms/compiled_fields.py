"""Turn the tables and fields of a form file into the fields that the stages use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from batchocr.forms.faults import Faults
from batchocr.forms.form import CheckDigit, Field, FieldKind, FieldRules, Rect
from batchocr.forms.form_file import FieldsOfTable, FieldTable, FormFile, TableColumn, TableRow, ValueKeys, WeightedSum
from batchocr.forms.toml_lines import KeyPath

ListReader = Callable[[str, str | None], frozenset[str]]
"""Returns the values of a CSV file and a column. Raises ValueError if it cannot."""

_WRITTEN: tuple[FieldKind, ...] = ("cells", "number", "decimal", "date")
_KINDS: dict[str, tuple[FieldKind, ...]] = {
    "count": ("cells", "decimal", "date"),
    "cells": ("cells", "decimal", "date"),
    "align": ("cells", "decimal"),
    "crossed_out": (*_WRITTEN, "mark"),
    "decimals": ("decimal",),
    "order": ("date",),
    "signs": _WRITTEN,
    "length": (*_WRITTEN, "code"),
    "range": _WRITTEN,
    "pattern": (*_WRITTEN, "code"),
    "allowed": (*_WRITTEN, "code"),
    "allowed_from": (*_WRITTEN, "code"),
    "allowed_column": (*_WRITTEN, "code"),
    "check": ("cells", "number", "code"),
}
"""The kinds of fields for which a key has a meaning. All other keys suit all kinds."""
_DATE_CELLS = (6, 8)
_SIGNS_OF_DATES = "./-"
_SIGNS_OF_DECIMALS = ".,"


@dataclass(frozen=True)
class LocatedField:
    """A field, and where the form file has it."""

    field: Field
    path: KeyPath


@dataclass(frozen=True)
class Unit:
    """The size of a unit of the places in the form file, in mm."""

    across: float = 1.0
    down: float = 1.0

    def rect(self, place: Sequence[float]) -> Rect:
        """Return a place in mm."""
        left, top, width, height = place
        return Rect(left * self.across, top * self.down, width * self.across, height * self.down)


def compile_fields(
    file: FormFile, indices: dict[str, list[int]], unit: Unit, read_list: ListReader, faults: Faults
) -> list[LocatedField]:
    """Return all fields of a form, in the order of the file: first the fields, then those of the tables.

    Args:
        file: The form file.
        indices: For `fields` and `tables`, the place of each item in the file as written.
        unit: The unit of places.
        read_list: Reads lists of values.
        faults: Receives the faults.
    """
    found: list[LocatedField] = []
    for index, entry in zip(indices["fields"], file.fields, strict=True):
        path: KeyPath = ("fields", index)
        if entry.place is None and entry.cells is None:
            faults.add(path, "place is missing: add place = [left, top, width, height]")
            continue
        compiler = _FieldCompiler(entry, path, unit, read_list, faults)
        place = unit.rect(entry.place) if entry.place else None
        cells = tuple(unit.rect(cell) for cell in entry.cells or ())
        found += compiler.compiled(entry.name, place, cells)
    for index, table in zip(indices["tables"], file.tables, strict=True):
        found += _table_fields(table, ("tables", index), unit, read_list, faults)
    return found


def repeated(names: Sequence[str]) -> list[int]:
    """Return the indices of names that are used before. Upper and lower case count as equal, as in databases."""
    found, known = [], set[str]()
    for at, name in enumerate(names):
        if name.casefold() in known:
            found.append(at)
        known.add(name.casefold())
    return found


def _table_fields(
    table: FieldsOfTable, path: KeyPath, unit: Unit, read_list: ListReader, faults: Faults
) -> Iterator[LocatedField]:
    rows = [TableRow(name=row) if isinstance(row, str) else row for row in table.rows]
    columns = [TableColumn(name=column) if isinstance(column, str) else column for column in table.columns]
    left, top, width, height = table.place or (None, None, None, None)
    across = _intervals("columns", [(each.left, each.width) for each in columns], left, width, path, faults)
    down = _intervals("rows", [(each.top, each.height) for each in rows], top, height, path, faults)
    for key, items in (("rows", rows), ("columns", columns)):
        for at in repeated([item.name for item in items]):
            faults.add((*path, key, at), f"there are two {key} of this name: rename one")
    if across is None or down is None:
        return
    compilers = []
    for at, column in enumerate(columns):
        keys, is_own = _merged(table, column)
        if keys.kind is None:
            faults.add(path, "kind is missing: add kind, for the table or for each column")
            return
        where = (*path, "columns", at) if is_own else path
        compilers.append((column.name, _FieldCompiler(keys, where, unit, read_list, faults)))
    for row, (row_top, row_height) in zip(rows, down, strict=True):
        for (name, compiler), (column_left, column_width) in zip(compilers, across, strict=True):
            place = unit.rect((column_left, row_top, column_width, row_height))
            yield from compiler.compiled(f"{table.name}.{row.name}.{name}", place, ())


def _merged(table: FieldsOfTable, column: TableColumn) -> tuple[ValueKeys, bool]:
    """Return the keys of a column, and whether it has some of its own. A key of the table that does not suit the
    column's own kind is left out."""
    names = ValueKeys.model_fields.keys()
    own = {name: getattr(column, name) for name in names & column.model_fields_set}
    inherited = {name: getattr(table, name) for name in names & table.model_fields_set}
    if "kind" in own:
        inherited = {
            name: value for name, value in inherited.items() if own["kind"] in _KINDS.get(name, (own["kind"],))
        }
    values: dict[str, Any] = {**inherited, **own}
    return ValueKeys.model_construct(**values), bool(own)


def _intervals(
    key: str,
    places: list[tuple[float | None, float | None]],
    start: float | None,
    length: float | None,
    path: KeyPath,
    faults: Faults,
) -> list[tuple[float, float]] | None:
    """Return the start and the length of each row or column. Without places of their own they are equal."""
    if all(each == (None, None) for each in places):
        if start is None or length is None:
            faults.add(
                path, f"place is missing: add place = [left, top, width, height], or a place for each of the {key}"
            )
            return None
        share = length / len(places)
        return [(start + at * share, share) for at in range(len(places))]
    found = []
    for at, (own_start, own_length) in enumerate(places):
        if own_start is None or own_length is None:
            keys = "left and width" if key == "columns" else "top and height"
            faults.add((*path, key, at), f"its place is missing: give {keys} to all {key}, or to none")
        else:
            found.append((own_start, own_length))
    return found if len(found) == len(places) else None


class _FieldCompiler:
    """Compiles fields of the same keys. Their rules are read and checked once."""

    def __init__(self, keys: ValueKeys, path: KeyPath, unit: Unit, read_list: ListReader, faults: Faults) -> None:
        self._keys, self._path, self._unit = keys, path, unit
        self._read_list, self._faults = read_list, faults
        self._check_keys()
        self._rules = self._compiled_rules()

    def compiled(self, name: str, place: Rect | None, cells: tuple[Rect, ...]) -> Iterator[LocatedField]:
        """Yield the field, if its keys have no fault that makes it impossible."""
        keys = self._keys
        if keys.kind is None:
            return
        if place is None:
            right, bottom = max(cell.right for cell in cells), max(cell.bottom for cell in cells)
            left, top = min(cell.left for cell in cells), min(cell.top for cell in cells)
            place = Rect(left, top, right - left, bottom - top)
        if keys.count and not cells:
            width = place.width / keys.count
            cells = tuple(replace(place, left=place.left + at * width, width=width) for at in range(keys.count))
        field = Field(
            name=name,
            kind=keys.kind,
            place=place,
            cells=cells,
            may_be_empty=keys.may_be_empty,
            crossed_out=keys.crossed_out,
            align=keys.align,
            decimals=keys.decimals,
            order=keys.order,
            signs=self._signs(),
            rules=self._rules,
        )
        yield LocatedField(field, self._path)

    def _fault(self, key: str, what: str) -> None:
        self._faults.add((*self._path, key), what)

    @property
    def _cell_count(self) -> int:
        """Number of cells; 0 if the field has none."""
        keys = self._keys
        return keys.count or (len(keys.cells) if isinstance(keys, FieldTable) and keys.cells else 0)

    def _signs(self) -> str:
        keys = self._keys
        if keys.signs is not None:
            return keys.signs
        if keys.kind == "date" and not self._cell_count:
            return _SIGNS_OF_DATES
        return _SIGNS_OF_DECIMALS if keys.kind == "decimal" and keys.decimals is None else ""

    def _check_keys(self) -> None:
        keys, count = self._keys, self._cell_count
        for key in sorted(keys.model_fields_set & _KINDS.keys()):
            if keys.kind not in _KINDS[key]:
                kinds = ", ".join(_KINDS[key])
                self._fault(
                    key, f"has no meaning for kind = {keys.kind!r}: remove it, or choose one of the kinds {kinds}"
                )
        if keys.kind == "cells" and not count:
            self._faults.add(self._path, "count is missing: add count = the number of cells, or choose kind = 'number'")
        if isinstance(keys, FieldTable) and keys.count and keys.cells:
            self._fault("count", "count and cells are both given: remove one")
        if keys.kind == "date" and count and count not in _DATE_CELLS:
            self._fault("count" if keys.count else "cells", f"a date cannot have {count} cells: give 6 or 8 cells")
        if keys.kind == "decimal" and count and keys.decimals is None:
            self._faults.add(self._path, "decimals is missing: add decimals, because a point has no cell")
        if keys.allowed_column is not None and keys.allowed_from is None:
            self._fault("allowed_column", "allowed_from is missing: add allowed_from = the CSV file of this column")

    def _compiled_rules(self) -> FieldRules:
        keys = self._keys
        lengths = keys.length if isinstance(keys.length, tuple) else (keys.length, keys.length)
        smallest, largest = self._range()
        if keys.length is not None:
            self._check_lengths(*lengths)
        if keys.pattern is not None:
            try:
                re.compile(keys.pattern)
            except (re.error, OverflowError, RecursionError) as error:
                self._fault("pattern", f"{keys.pattern!r} is not a regular expression ({error}): correct it")
        return FieldRules(
            min_length=lengths[0],
            max_length=lengths[1],
            min_value=smallest,
            max_value=largest,
            pattern=keys.pattern or "",
            allowed=self._allowed(),
            checks=self._checks(),
        )

    def _check_lengths(self, smallest: int | None, largest: int | None) -> None:
        if smallest is None or largest is None:
            return
        if smallest > largest:
            self._fault("length", f"the minimum {smallest} is above the maximum {largest}: exchange them")
        elif self._cell_count and self._keys.kind != "code" and smallest > self._cell_count:
            self._fault("length", f"is {smallest}, but there are {self._cell_count} cells: give at most that")

    def _range(self) -> tuple[float | None, float | None]:
        keys = self._keys
        if keys.range is None:
            return None, None
        ends: list[float] = []
        for end in keys.range:
            if keys.kind != "date" and isinstance(end, str):
                self._fault("range", f"{end!r} is not a number: give numbers without quotation marks")
            elif keys.kind == "date" and not isinstance(end, str):
                self._fault("range", f'{end:g} is not a date: give dates such as "2000-01-01"')
            else:
                try:
                    ends.append(_day_number(end) if isinstance(end, str) else end)
                except ValueError:
                    self._fault("range", f'{end!r} is not a date: give dates such as "2000-01-01"')
        if len(ends) < 2:
            return None, None
        if ends[0] > ends[1]:
            smallest, largest = (end if isinstance(end, str) else f"{end:g}" for end in keys.range)
            self._fault("range", f"the minimum {smallest} is above the maximum {largest}: exchange them")
        return ends[0], ends[1]

    def _allowed(self) -> frozenset[str] | None:
        keys = self._keys
        if keys.allowed is None and keys.allowed_from is None:
            return None
        allowed = frozenset(keys.allowed or ())
        if keys.allowed_from is None:
            return allowed
        try:
            listed = self._read_list(keys.allowed_from, keys.allowed_column)
        except ValueError as error:
            self._fault("allowed_from", str(error))
            return allowed
        return allowed | listed if allowed else listed

    def _checks(self) -> tuple[CheckDigit, ...]:
        check, count = self._keys.check, self._cell_count
        if check is None:
            return ()
        if not isinstance(check, WeightedSum):
            return (CheckDigit(check),)
        if count and count != len(check.weights):
            self._fault("check", f"there are {len(check.weights)} weights for {count} cells: give one for each cell")
        return (CheckDigit("weights", check.weights, check.modulus),)


def _day_number(text: str) -> float:
    """Return the number YYYYMMDD of a date such as 2000-01-01. Raise ValueError if it is not one."""
    day = date.fromisoformat(text)
    return float(day.year * 10_000 + day.month * 100 + day.day)
