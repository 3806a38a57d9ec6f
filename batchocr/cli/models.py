"""`batchocr models`: which networks there are."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code


def models(
    summary: Annotated[
        str | None,
        typer.Option(
            help="Show layers, shapes and parameters of this system, or of a shipped model by its file's name."
        ),
    ] = None,
) -> None:
    """List the systems that can be trained and the shipped models, with published and measured accuracy."""
    with ends_with_exit_code():
        from batchocr.recognition.model_file import DEFAULT, DETECTOR
        from batchocr.training import model_table

        if summary is None:
            for line in model_table.table_lines():
                typer.echo(line)
            return
        from batchocr.training.catalogue import system_named

        if summary not in (DEFAULT, DETECTOR):
            system_named(summary)  # before Keras is waited for
        from batchocr.recognition.network import open_device

        open_device("cpu")
        typer.echo(model_table.summary(summary))
