"""`batchocr status`: report on the last run, without reading a page."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code, printable


def status(
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="The results of a run, as its --out was given.")
    ] = "results.csv",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all pages.")] = False,
) -> None:
    """Report on the last run: what is to review, which marks there are, which pages failed and why.

    Exit codes: 0; 2 wrong usage; 7 there are no results.
    """
    with ends_with_exit_code():
        from batchocr.output.atomic_write import followed
        from batchocr.output.outputs import as_path
        from batchocr.output.status import read_status, status_lines

        found = read_status(followed(as_path(out)))
        if as_json:
            import json
            from dataclasses import asdict

            typer.echo(json.dumps(asdict(found) | {"out": str(found.out)}, indent=2))
            return
        for line in status_lines(found):
            typer.echo(printable(line))
