"""`batchocr certify`: state how many accepted items are wrong at most."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code


class OfChoice(StrEnum):
    fields = "fields"
    numbers = "numbers"
    digits = "digits"


def certify(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results of a run, as --out named them.")],
    corrections: Annotated[list[Path], typer.Argument(metavar="CORRECTIONS...", help="Files of the review page.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The certificate; its page to print is beside it.")
    ] = Path("certificate.json"),
    max_error: Annotated[
        float, typer.Option(metavar="SHARE", min=1e-6, max=0.5, help="Share of wrong items that is stated.")
    ] = 0.001,
    certainty: Annotated[float, typer.Option(metavar="SHARE", min=0.5, max=0.9999, help="Of the statement.")] = 0.95,
    of: Annotated[OfChoice, typer.Option(help="What the statement is about.")] = OfChoice.fields,
    form: Annotated[str, typer.Option(metavar="NAME", help="Only fields of this form.", show_default="all")] = "",
    about: Annotated[
        str, typer.Option(metavar="TEXT", help="Scanner or collection, for the page.", show_default="none")
    ] = "",
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Use all reviewed items, not those of the audit only. They must be a random sample."
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the choice of one item of each page. Set it before you review.")
    ] = 0,
) -> None:
    """State how many accepted items are wrong at most, from an audit, as a file that `run --certificate` applies.

    Exit codes: 0 the certificate was written; 2 wrong usage, or not enough was reviewed (the message says how many
    more); 7 it cannot be written.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError
        from batchocr.output.outputs import as_path
        from batchocr.review.certificate.certificate import save_certificate
        from batchocr.review.certificate.make import certify as make
        from batchocr.review.certificate.page import certificate_page, reviewer_note, statement
        from batchocr.review.certificate.sample import read_decisions, read_results
        from batchocr.review.decision import KINDS

        if form and of != OfChoice.fields:
            raise UsageError("--form is for fields: give --of fields, or leave it out")
        if out.suffix.lower() != ".json":
            raise UsageError(f"--out {out}: the name must end with .json")
        kind = KINDS[("digits", "numbers", "fields").index(of.value)]
        certificate = make(
            read_results(as_path(results), kind, form),
            read_decisions(corrections),
            of=kind,
            form=form,
            about=about,
            max_error=max_error,
            certainty=certainty,
            every_task=every,
            seed=seed,
        )
        page = save_certificate(certificate, out, certificate_page(certificate))
        typer.echo(statement(certificate))
        typer.echo(reviewer_note(certificate))
        typer.echo(f"written: {out}, {page}")
