"""Parse the text of a form file, and keep the parts of it that are valid."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from batchocr.errors import FormError
from batchocr.forms.faults import Faults
from batchocr.forms.form_file import FormFile
from batchocr.forms.toml_lines import KeyPath, key_lines

_LISTS = ("fields", "tables", "rules")


@dataclass(frozen=True)
class ParsedFile:
    """The valid parts of a form file."""

    file: FormFile
    indices: dict[str, list[int]]
    """For each list of the form file, the index of each item that is valid."""
    broken: frozenset[str]
    """Keys of the form file of which something was left out, because it is not valid."""
    faults: Faults
    """What is not valid. More faults may be added."""


def parse_form_file(text: str, name: str) -> ParsedFile:
    """Parse a form file. Items that are not valid are left out and noted, so that all faults are found at once.

    Args:
        text: The content of the file.
        name: The file as messages name it.

    Raises:
        FormError: It is not TOML.
    """
    try:
        data = _parsed(text, name)
        faults = Faults(name, data, key_lines(text))
        return _valid_part(data, faults)
    except RecursionError:
        raise FormError(f"{name}: line 1: has too many brackets in brackets: remove some") from None


def _valid_part(data: dict[str, Any], faults: Faults) -> ParsedFile:
    indices = {key: list(range(len(items))) if isinstance(items := data.get(key), list) else [] for key in _LISTS}
    try:
        return ParsedFile(_validated(data), indices, frozenset(), faults)
    except ValidationError as error:
        bad = faults.add_invalid(error)
    kept = {key: value for key, value in data.items() if not _is_bad((key,), bad)}
    for key in _LISTS:
        indices[key] = [at for at in indices[key] if key in kept and not _is_bad((key, at), bad)]
        if key in kept:
            kept[key] = [data[key][at] for at in indices[key]]
    return ParsedFile(_validated(kept), indices, frozenset(str(path[0]) for path in bad if path), faults)


def _is_bad(path: KeyPath, bad: set[KeyPath]) -> bool:
    """Return whether a key or item is not valid. A table that has a key that is not valid is not valid as a whole."""
    return any(each[: len(path)] == path and (len(path) > 1 or path[0] not in _LISTS or len(each) == 1) for each in bad)


def _validated(data: dict[str, Any]) -> FormFile:
    return FormFile.model_validate_json(json.dumps(data, default=str))


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
        what, line, column = found.groups() if found else (str(error), str(text.count("\n") + 1), "1")
        what = what.removesuffix(" (at end of document)")
        fix = "check quotation marks, brackets and equals signs"
        raise FormError(f"{name}: line {line}: column {column}: is not TOML ({what}): {fix}") from None
