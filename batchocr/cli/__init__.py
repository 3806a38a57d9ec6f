"""The command `batchocr`: one file a subcommand; each parses, calls and prints."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import ENVIRONMENT
from batchocr.cli.doctor import doctor
from batchocr.cli.evaluate import evaluate
from batchocr.cli.models import models
from batchocr.cli.preview import preview
from batchocr.cli.run import run
from batchocr.cli.status import status
from batchocr.cli.train import train
from batchocr.version import __version__

app = typer.Typer(
    help="Reads hand-written digits off scanned pages, by the folder.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"batchocr {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """Reads hand-written digits off scanned pages, by the folder."""


app.command(context_settings=ENVIRONMENT)(run)
app.command(context_settings=ENVIRONMENT)(status)
app.command(context_settings=ENVIRONMENT)(preview)
app.command(context_settings={"auto_envvar_prefix": "BATCHOCR_TRAIN"})(train)
app.command(context_settings={"auto_envvar_prefix": "BATCHOCR"})(evaluate)
app.command(context_settings={"auto_envvar_prefix": "BATCHOCR"})(models)
app.command(context_settings=ENVIRONMENT)(doctor)
