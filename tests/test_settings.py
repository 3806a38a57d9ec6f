"""Settings: what is refused, with which message, and that the command has the same limits."""

from __future__ import annotations

from dataclasses import fields, replace
from inspect import signature
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from command import here

from batchocr import Settings, UsageError
from batchocr.checked_settings import limits
from batchocr.cli.run import run as command_run

NAN = float("nan")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"jobs": 0}, "jobs=0: must be a whole number of at least 1 or None"),
        ({"jobs": "2"}, "jobs='2': must be a whole number of at least 1 or None"),
        ({"jobs": True}, "jobs=True: must be a whole number"),
        ({"jobs": 2.0}, "jobs=2.0: must be a whole number"),
        ({"batch_size": 70_000}, "batch_size=70000: must be a whole number from 1 to 65,536 or None"),
        ({"min_confidence": 2}, "min_confidence=2: must be a number from 0 to 1 or None"),
        ({"min_confidence": NAN}, "min_confidence=nan: must be a number from 0 to 1 or None"),
        ({"max_error": -0.1}, "max_error=-0.1: must be a number from 0 to 1 or None"),
        ({"max_megapixels": float("inf")}, "max_megapixels=inf: must be a number from 0 to 1,000,000"),
        ({"page_timeout": 0}, "page_timeout=0: must be a number from 0.1 to 86,400"),
        ({"printed": "x"}, "printed='x': must be 'drop', 'keep' or 'only'"),
        ({"device": "cuda"}, "device='cuda': must be 'auto', 'cpu' or 'gpu'"),
        ({"fresh": 1}, "fresh=1: must be True or False"),
        ({"model": 3}, "model=3: must be a path or a URL or None"),
        ({"blank": 3}, "blank=3: must be a path or a URL or several"),
        ({"blank": ["a.png", 3]}, "blank=3: must be a path or a URL or several"),
        ({"job": 2}, "there is no setting 'job': did you mean 'jobs'?"),
        ({"frobnicate": 2}, "there is no setting 'frobnicate': choose from recursive, model"),
    ],
)
def test_a_setting_that_is_not_allowed_is_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        Settings(**wrong)
    assert message in str(raised.value)


def test_all_wrong_settings_are_named() -> None:
    with pytest.raises(UsageError, match=r"jobs=0: .*; printed=None: "):
        Settings(jobs=0, printed=None)  # type: ignore[arg-type]


def test_a_model_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"detector=.*: this is a folder; give a \.keras file"):
        Settings(detector=tmp_path)


def test_a_changed_copy_is_checked() -> None:
    with pytest.raises(UsageError, match="jobs=0"):
        replace(Settings(), jobs=0)


def test_paths_may_be_strings_and_numbers_of_numpy_s_types() -> None:
    given: Any = {"model": "a.keras", "blank": "form.png", "jobs": np.int64(2), "min_confidence": np.float32(0.5)}
    settings = Settings(**given)
    assert (settings.model, settings.blank) == (Path("a.keras"), (Path("form.png"),))
    assert (type(settings.jobs), type(settings.min_confidence)) == (int, float)
    assert Settings(blank=["a.png", Path("b.png")]).blank == (Path("a.png"), Path("b.png"))  # type: ignore[arg-type]


def test_the_command_s_options_have_the_same_limits_and_defaults() -> None:
    options = get_type_hints(command_run, include_extras=True)
    types = get_type_hints(Settings, include_extras=True)
    defaults = {name: option.default for name, option in signature(command_run).parameters.items()}
    for field in fields(Settings):
        option = options[field.name].__metadata__[0]
        if field.name not in ("pages", "shard"):  # these options are text, which is checked when it is parsed
            assert limits(types[field.name]) == (option.min, option.max), field.name
        assert (defaults[field.name] or None) == (field.default or None), field.name
    for name in ("device", "printed", "engine"):
        assert tuple(get_args(options[name])[0]) == get_args(types[name])


def test_the_command_refuses_what_typer_lets_through(one_digit: Path, tmp_path: Path) -> None:
    ended = here("run", one_digit, "--model", tmp_path)
    assert ended.code == 2 and "this is a folder; give a .keras file" in ended.err
