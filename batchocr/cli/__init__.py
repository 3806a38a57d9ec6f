"""The command `batchocr`: one file for each subcommand, which parses, calls and prints."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from batchocr.cli.certify import certify
from batchocr.cli.command import Command, Group
from batchocr.cli.correct import correct
from batchocr.cli.doctor import doctor
from batchocr.cli.evaluate import evaluate
from batchocr.cli.form import app as form
from batchocr.cli.merge import merge
from batchocr.cli.models import models
from batchocr.cli.preview import preview
from batchocr.cli.review import review
from batchocr.cli.run import run
from batchocr.cli.status import status
from batchocr.cli.train import train
from batchocr.version import __version__

SUMMARY = "Read handwritten digits from folders of scanned pages."

app = typer.Typer(
    cls=Group,
    help=SUMMARY,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"batchocr {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _summary(command: Callable[..., None]) -> str:
    """Return the first paragraph of the docstring."""
    return " ".join(inspect.cleandoc(command.__doc__ or "").split("\n\n")[0].split())


for _command in (run, merge, status, review, correct, certify, preview, train, evaluate, models, doctor):
    app.command(cls=Command, short_help=_summary(_command))(_command)
app.add_typer(form, name="form", short_help="Draft and check form files, which name the fields of a form.")
