"""Types of settings with their limits, and the check of a settings class when an object of it is made."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import fields
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic.fields import FieldInfo

from batchocr.errors import UsageError
from batchocr.stores import is_url

CONFIG = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
"""No value is converted to another type: `jobs="2"` and `fresh=1` are errors."""

T = TypeVar("T")


def _to_python_number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _file_path(path: str | Path) -> str | Path:
    if not is_url(path) and os.path.isdir(path):  # noqa: PTH112  Path.is_dir() raises errors
        raise ValueError("this is a folder; give a .keras file")
    return path


def _to_place(value: Any) -> Any:
    """Return a URL as it is, and a string that is not a URL as a path."""
    if isinstance(value, os.PathLike) and _BROKEN_URL.match(os.fspath(value)):
        raise ValueError("give a URL as a string: a Path joins its slashes")
    return Path(value) if isinstance(value, (str, os.PathLike)) and not is_url(os.fspath(value)) else value


def _to_sequence(value: Any) -> Any:
    return (value,) if isinstance(value, (str, Path)) else value


def _shard(value: tuple[int, int]) -> tuple[int, int]:
    number, count = value
    if number > count:
        raise ValueError(f"shards are numbered from 1 to {count}")
    return value


_BROKEN_URL = re.compile(r"[a-z][a-z0-9+.-]+:/(?!/)")  # what a Path makes of s3://bucket
FROM_NUMPY = BeforeValidator(_to_python_number)
AnyPath = Annotated[Path, Strict(False)]
"""A `Path` or a string."""
Place = Annotated[Path | str, BeforeValidator(_to_place)]
"""A `Path`, a string with a path, or a string with the URL of an object store."""
ModelPath = Annotated[Place, AfterValidator(_file_path)]
"""The place of a file; it may be missing, which is an error when the model is loaded."""
Places = Annotated[tuple[Place, ...], Strict(False), BeforeValidator(_to_sequence)]
"""One place or several."""
Shard = Annotated[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], AfterValidator(_shard)]
"""The number of a shard and the number of shards."""
Pages = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Strict(False)]
"""Page numbers."""
Share = Annotated[float, Field(ge=0, le=1), FROM_NUMPY]
Count = Annotated[int, Field(ge=1), FROM_NUMPY]
BatchSize = Annotated[int, Field(ge=1, le=1 << 16), FROM_NUMPY]
Megapixels = Annotated[float, Field(ge=0, le=1e6), FROM_NUMPY]
Seconds = Annotated[float, Field(ge=0.1, le=86_400), FROM_NUMPY]

_NAMES = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a string",
    Path: "a path",
    NoneType: "None",
}


def checked(settings: type[T]) -> type[T]:
    """Make a pydantic dataclass raise UsageError for a value that is not allowed and for an unknown name."""
    init: Callable[..., None] = settings.__init__

    @wraps(init)
    def checked_init(self: T, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except ValidationError as error:
            messages = dict.fromkeys(_explain(settings, dict(each)) for each in error.errors())  # a union has several
            raise UsageError("; ".join(messages)) from None

    setattr(settings, "__init__", checked_init)  # noqa: B010  mypy refuses the assignment
    return settings


def allowed_values(settings: type[Any]) -> dict[str, str]:
    """Return in words which values each setting allows."""
    hints = get_type_hints(settings, include_extras=True)
    return {field.name: _allowed(hints[field.name]) for field in fields(settings)}


def limits(hint: Any) -> tuple[float | None, float | None]:
    """Return the smallest and the largest number that a type of this module allows; None if there is no limit."""
    smallest = largest = None
    for metadata in getattr(hint, "__metadata__", ()):
        for limit in metadata.metadata if isinstance(metadata, FieldInfo) else ():
            smallest, largest = getattr(limit, "ge", smallest), getattr(limit, "le", largest)
    found = [(smallest, largest), *map(limits, get_args(hint))]
    return next((each for each in found if each != (None, None)), (None, None))


def _explain(settings: type[Any], error: dict[str, Any]) -> str:
    """Return a message that names the setting, its value and what is allowed."""
    name, names = error["loc"][0], [field.name for field in fields(settings)]
    if name not in names:
        close = get_close_matches(str(name), names, 1)
        fix = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(names)}"
        return f"there is no setting {name!r}: {fix}"
    value = f"{name}={error['input']!r}"
    if error["type"] == "value_error":
        return f"{value}: {error['ctx']['error']}"
    return f"{value}: must be {allowed_values(settings)[name]}"


def _allowed(hint: Any) -> str:
    """Return in words which values a type allows."""
    if hint in _NAMES:
        return _NAMES[hint]
    if get_origin(hint) is Annotated:
        (smallest, largest), text = limits(hint), _allowed(get_args(hint)[0])
        if smallest is None:
            return text
        return (
            f"{text} of at least {smallest:,g}" if largest is None else f"{text} from {smallest:,g} to {largest:,.0f}"
        )
    if get_origin(hint) is tuple:
        return f"{_allowed(get_args(hint)[0])} or several"
    if {Path, str} <= set(get_args(hint)):
        return " or ".join(["a path or a URL", *(["None"] if NoneType in get_args(hint) else [])])
    parts = [repr(part) if isinstance(part, str) else _allowed(part) for part in get_args(hint)]
    return ", ".join(parts[:-1]) + f" or {parts[-1]}" if len(parts) > 1 else (parts or [str(hint)])[0]
