"""How the subcommands read options from the environment and lay out their help.

The variable of an option of `run` is BATCHOCR_ and its name. Options that other commands share with `run` have the same
variable. The variables of all other options begin with the command's name, such as BATCHOCR_TRAIN_DATA.
"""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from collections.abc import Iterator
from contextvars import ContextVar
from difflib import get_close_matches
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

PREFIX = "BATCHOCR"
"""Start of the name of every environment variable."""
MAX_WIDTH = 100
"""Columns of the help at most: longer lines are hard to read."""
NARROW = 60
"""Columns below which an option's description is below its name, not to the right of it."""
MIN_VALUE = 4
"""Characters of a value by which a message is linked with a variable; shorter ones occur by chance."""

_set_by: ContextVar[dict[str, tuple[str, str]]] = ContextVar("_set_by")
"""By option, the environment variable that sets it and its value, of the command that runs."""


class _Context(typer.Context):
    """A context whose help fits the terminal, also a narrow one."""

    def make_formatter(self) -> Any:
        """Return a formatter as wide as the terminal, at most MAX_WIDTH."""
        formatter: Any = super().make_formatter()
        formatter.width = max(20, min(shutil.get_terminal_size().columns - 2, MAX_WIDTH))
        if formatter.width < NARROW:
            write = formatter.write_dl
            formatter.write_dl = lambda rows: write(
                [(_wrapped(name, formatter.width - 2), text) for name, text in rows], col_max=2
            )
        return formatter


def _wrapped(name: str, width: int) -> str:
    """Return the name of an option with its value; a long list of values is continued on further lines."""
    if len(name) <= width:
        return name
    return "\n".join(textwrap.wrap(name.replace("|", "| "), width, subsequent_indent=" " * 6))


class Group(TyperGroup):
    """The command `batchocr`."""

    context_class = _Context


class Command(TyperCommand):
    """A subcommand. Messages about a value from the environment name the variable."""

    context_class = _Context
    group: ClassVar[str] = ""
    """Start of the names of variables after PREFIX, for commands of a group."""
    variables: ClassVar[set[str]] = set()
    """The environment variables of all commands."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create the command, with an environment variable for each option. The help ends with their names."""
        super().__init__(*args, **kwargs)
        prefix = PREFIX if self.name == "run" else f"{PREFIX}_{self.group}{str(self.name).upper()}"
        params: list[Any] = self.params
        options = [param for param in params if param.param_type_name == "option"]
        for param in params:
            if param not in options:
                param.display_type_rich = lambda ctx: None  # else <list[str]> and the like
        for param in options:
            param.envvar = param.envvar or f"{prefix}_{option_name(param)[2:].upper().replace('-', '_')}"
            param.show_envvar = False  # once for each command is enough
        self.variables.update(str(param.envvar) for param in options)
        names = ", ".join(str(param.envvar) for param in options)
        self.epilog = f"Environment variables that set options: {names}."

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; see `TyperCommand.parse_args`.

        Raises:
            typer.BadParameter: A value is invalid. Its hint names the environment variable that has it, if one does.
        """
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as fault:
            param: Any = fault.param
            fault.message = _plain(str(fault.message))
            if param is not None and (variable := _variable(ctx, param)):
                fault.param_hint = f"'{option_name(param)}' (environment variable {variable}={os.environ[variable]})"
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command; `name_variables` then knows which options the environment sets."""
        options = ((param, _variable(ctx, param)) for param in self.params)
        values = {option_name(param): (name, str(ctx.params[param.name])) for param, name in options if name}
        if not ctx.params.get("quiet"):
            _warn_of_unknown(self.variables)
        token = _set_by.set(values)
        try:
            return super().invoke(ctx)
        finally:
            _set_by.reset(token)


class FormCommand(Command):
    """A subcommand of `batchocr form`."""

    group = "FORM_"


def _plain(message: str) -> str:
    """Return a message of pydantic in the words of this command."""
    message = message.removeprefix("Value error, ").replace("Input should be", "must be", 1)
    return message.replace("a valid integer, unable to parse string as an integer", "a whole number").replace(
        "a valid number, unable to parse string as a number", "a number"
    )


def _warn_of_unknown(known: set[str]) -> None:
    """Warn of variables that look like options of this program and are not, such as misspelled ones."""
    for name in sorted(os.environ):
        if name.startswith(f"{PREFIX}_") and name not in known:
            close = get_close_matches(name, sorted(known), 1)
            fix = f"did you mean {close[0]}?" if close else "see the end of --help"
            typer.echo(f"batchocr: the environment variable {name} sets no option: {fix}", err=True)


def option_name(param: Any) -> str:
    """Return the long name of an option, such as `--max-error`."""
    return next((name for name in param.opts if name.startswith("--")), str(param.opts[0]))


def _variable(ctx: Any, param: Any) -> str:
    """Return the environment variable that sets `param`; empty if none does."""
    source = ctx.get_parameter_source(param.name)
    return str(param.envvar) if source and source.name == "ENVIRONMENT" else ""


def name_variables(message: str) -> str:
    """Return the message, and which environment variables set the options or values that it mentions."""
    return "; ".join([message, *_mentions(message)])


def _mentions(message: str) -> Iterator[str]:
    for option, (variable, value) in _set_by.get({}).items():
        mentioned = re.search(rf"{option}(?![\w-])", message)
        if mentioned or (len(value) >= MIN_VALUE and value in message):
            yield f"{option} is set by the environment variable {variable}"
