"""The tables of docs/parameters.md: every stage's parameters, read from its dataclass.

`python docs/reference.py` writes the document.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).parents[1]
STAGES = ("vision", "forms", "recognition", "pipeline", "decoding", "review", "training")
"""Rooms with parameters, in the order of the pipeline."""
SUFFIX = "Parameters"
BASIS, BASIS_OF_ALL = "Basis:", "Basis of all:"

HEAD = """# Parameters

What a stage does is steered by the values below. They are the fields of one frozen dataclass for each stage, and every
function takes them as an argument. No option of the command changes them: they were chosen on many kinds of pages
together. *Basis* says what a value rests on. A value whose basis is "chosen by eye" was set by looking at pages.

The unit is the end of the name: `_px` pixels, `_heights` heights of a digit, `_deg` degrees, `_s` seconds; `_ratio` and
`_share` are shares of 1. Fitted values are not here: they are in `models/reading.json`.

`python benchmarks/accuracy/sensitivity.py FOLDER...` changes each value by a fifth and reports what changes.
"""


@dataclass(frozen=True)
class Parameter:
    """One value of a stage."""

    name: str
    value: Any
    meaning: str
    basis: str


@dataclass(frozen=True)
class Stage:
    """The parameters of one stage."""

    module: str
    name: str
    meaning: str
    basis: str
    """Of the parameters that have none of their own."""
    parameters: tuple[Parameter, ...]


def stages() -> Iterator[Stage]:
    """Yield all stages, by room and by name of the module."""
    package = griffe.load("batchocr", search_paths=[str(ROOT)])
    for room in STAGES:
        for path in sorted((ROOT / "batchocr" / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            module = package[name.removeprefix("batchocr.")]
            for each in module.classes.values():
                if each.name.endswith(SUFFIX) and not each.is_alias:
                    yield _stage(name, each)


def _stage(module: str, found: griffe.Class) -> Stage:
    """Read one dataclass: its values from the class itself, its texts from the docstrings."""
    kind = getattr(importlib.import_module(module), found.name)
    text, _, common = _text(found.docstring).partition(BASIS_OF_ALL)
    parameters = []
    for field in fields(kind):
        value = field.default if field.default_factory is MISSING else field.default_factory()
        if is_dataclass(value):
            continue
        meaning, _, basis = _text(found.members[field.name].docstring).partition(BASIS)
        parameters.append(Parameter(field.name, value, meaning.strip(), basis.strip()))
    return Stage(module, found.name, text.strip(), common.strip(), tuple(parameters))


def _text(docstring: griffe.Docstring | None) -> str:
    """Return a docstring on one line."""
    return " ".join(docstring.value.split()) if docstring else ""


def parameters() -> str:
    """Return the document."""
    parts = [HEAD]
    room = ""
    for stage in stages():
        if not stage.parameters:
            continue
        if room != (room := stage.module.split(".")[1]):
            parts.append(f"## `{room}`\n")
        parts.append(f"### `{stage.module.removeprefix('batchocr.')}`: `{stage.name}`\n\n{stage.meaning}\n")
        if stage.basis:
            parts.append(f"Basis, where the table has no other: {stage.basis}\n")
        rows = [f"| `{p.name}` | {_shown(p.value)} | {p.meaning} | {p.basis} |" for p in stage.parameters]
        parts.append("\n".join(["| parameter | value | meaning | basis |", "|---|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _shown(value: Any) -> str:
    """Return a value as it is in the table."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_shown, value))
    return str(value).replace("|", "\\|")
