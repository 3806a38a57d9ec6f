"""Collect all faults of a form file, with their lines, for one error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from batchocr.errors import FormError
from batchocr.forms.form_file import (
    CheckName,
    FieldsOfTable,
    FieldTable,
    FormFile,
    PageTable,
    RuleTable,
    TableColumn,
    TableRow,
    WeightedSum,
)
from batchocr.forms.toml_lines import KeyPath
from batchocr.records import SIGNS

_MAX_REPORTED = 30
_NOTHING = object()
_SHAPES = {
    "place": "must be [left, top, width, height], with a width and height above 0",
    "cells": "must be a list of [left, top, width, height], one for each cell",
    "size_mm": "must be [width, height] in mm, both above 0",
    "length": "must be the number of digits, or [min, max]",
    "range": 'must be [min, max]: numbers, or for a date strings such as "2000-01-01"',
    "check": f"must be {', '.join(get_args(CheckName))} or {{weights = [3, 1, 3, 1], modulus = 10}}",
    "signs": f"must be a string of signs, of {SIGNS}",
    "name": "must be a string of letters, digits, _ and -, not with - as the first",
    "image": "must be the name of a file",
    "allowed_from": "must be the name of a file",
    "allowed": 'must be a list of strings, such as ["12", "17"]',
    "rows": 'must be a list of names, or of tables such as {name = "total", top = 110, height = 9}',
    "columns": 'must be a list of names, or of tables such as {name = "men", left = 80, width = 30}',
}
"""What is allowed for keys whose values are not plain."""
_WHOLE = {
    "name": "must be a string of 1 to 200 characters, in one line",
    "page": "must be a table: write [page]",
    "fields": "must be a list of tables: write [[fields]]",
    "tables": "must be a list of tables: write [[tables]]",
    "rules": "must be a list of tables: write [[rules]]",
}
"""What is allowed for the keys of the file itself."""
_ITEMS = {"fields": "field", "tables": "table", "rules": "rule", "rows": "row", "columns": "column"}
_MODELS: dict[str, type[BaseModel]] = {
    "page": PageTable,
    "fields": FieldTable,
    "tables": FieldsOfTable,
    "rules": RuleTable,
    "rows": TableRow,
    "columns": TableColumn,
    "check": WeightedSum,
}


class Faults:
    """The faults of one form file."""

    def __init__(self, file: str, data: Mapping[str, Any], lines: Mapping[KeyPath, int]) -> None:
        self._file = file
        self._data = data
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: KeyPath, what: str, about: KeyPath | None = None) -> None:
        """Note a fault.

        Args:
            path: The key or the table that is wrong, which has the line.
            what: The fault and the fix.
            about: The key or the table that the message names. None for `path`.
        """
        subject = ", ".join(self._words(path if about is None else about))
        fault = self._line(path), f"{subject}: {what}" if subject else what
        if fault not in self._found:
            self._found.append(fault)

    def add_invalid(self, error: ValidationError) -> set[KeyPath]:
        """Note what pydantic found, and return the paths of the items of the file that have faults."""
        paths = set()
        for each in error.errors(include_url=False):
            path = self._path(each["loc"])
            about = path[:-1] if each["type"] == "extra_forbidden" else path
            self.add(path, self._explain(path, dict(each)), about)
            paths.add(path[:2])
        return paths

    def check(self) -> None:
        """Raise a FormError with all faults, if there are any."""
        if not self._found:
            return
        found = [f"line {line}: {what}" for line, what in sorted(self._found, key=lambda fault: fault[0])]
        if len(found) == 1:
            raise FormError(f"{self._file}: {found[0]}")
        more = [f"and {len(found) - _MAX_REPORTED} more"] if len(found) > _MAX_REPORTED else []
        raise FormError("\n  ".join([f"{self._file}: {len(found)} faults:", *found[:_MAX_REPORTED], *more]))

    def _path(self, location: tuple[int | str, ...]) -> KeyPath:
        """Return the part of pydantic's location that names keys and items of the file."""
        path: KeyPath = ()
        value: Any = self._data
        for each in location:
            inside = _inside(value, each)
            if inside is not _NOTHING:
                value = inside
                path = (*path, each)
        return path

    def _explain(self, path: KeyPath, error: dict[str, Any]) -> str:
        key = str(path[-1]) if path else ""
        if error["type"] == "extra_forbidden":
            return unknown(f"unknown key {key!r}", key, list(_model(path[:-1]).model_fields))
        if error["type"] == "missing" and isinstance(error["loc"][-1], str):
            return _missing(path, error["loc"][-1])
        shapes = (_SHAPES[str(each)] for each in reversed(path) if each in _SHAPES)
        fix = _WHOLE.get(key) if len(path) == 1 else next(shapes, None)
        fix = fix or error["msg"].replace("Input should be", "must be")
        expected = re.findall("'(.+?)'", str(error.get("ctx", {}).get("expected", "")))
        close = get_close_matches(str(error["input"]), expected, 1)
        return f"{_shown(error['input'])} is not allowed: {fix}" + (f" (did you mean {close[0]!r}?)" if close else "")

    def _line(self, path: KeyPath) -> int:
        return next((self._lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self._lines), 1)

    def _words(self, path: KeyPath) -> Iterator[str]:
        value: Any = self._data
        plain: list[str] = []
        for at, each in enumerate(path):
            value = _inside(value, each)
            if isinstance(each, str):
                plain.append(each)
            elif at and path[at - 1] in _ITEMS:
                word, name = _ITEMS[str(plain.pop())], value.get("name") if isinstance(value, dict) else value
                yield f"{word} {name!r}" if isinstance(name, str) and name else f"{word} {each + 1}"
        if plain[:1] == ["page"]:
            yield "[page]"
            plain = plain[1:]
        if plain:
            yield ".".join(plain)


def unknown(what: str, name: str, names: list[str]) -> str:
    """Return the message for a name that is not one of some names.

    Args:
        what: The fault.
        name: The name as given.
        names: The names that are possible.
    """
    close = get_close_matches(name, names, 1)
    if close:
        return f"{what}: did you mean {close[0]!r}?"
    few = ", ".join(names[:20]) + (" and others" if len(names) > 20 else "")
    return f"{what}: choose from {few}" if names else what


def _model(path: KeyPath) -> type[BaseModel]:
    return next((_MODELS[key] for key in reversed(path) if isinstance(key, str) and key in _MODELS), FormFile)


def _inside(value: Any, step: str | int) -> Any:
    """Return the value of a key or the item of a list, or _NOTHING."""
    if isinstance(value, dict):
        return value.get(step, _NOTHING)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else _NOTHING


def _missing(path: KeyPath, key: str) -> str:
    """Return the message for a key that a table must have."""
    description = _model(path).model_fields[key].description or ""
    return f"{key} is missing: add {key} = ... ({description.rstrip('.')})"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
