"""`batchocr models`: list the networks."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code


def models(
    summary: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Show layers, shapes and parameters of this system, or of a shipped model by its file name.",
        ),
    ] = None,
) -> None:
    """List the systems that can be trained and the shipped models, with their accuracies and what these were
    measured on.

    Exit codes: 0; 2 wrong usage; 5 model.
    """
    with ends_with_exit_code():
        from batchocr.recognition.model_file import CLASSIFIER_FILE, DETECTOR_FILE
        from batchocr.training import model_table

        if summary is None:
            for line in model_table.table_lines():
                typer.echo(line)
            return
        from batchocr.training.catalogue import system_named

        if summary not in (CLASSIFIER_FILE, DETECTOR_FILE):
            system_named(summary)  # a wrong name is reported before Keras is loaded
        from batchocr.recognition.network import open_device

        open_device("cpu")
        typer.echo(model_table.summary(summary))
