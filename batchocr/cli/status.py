"""`batchocr status`: what the last run says, without reading anything again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import ends_with_exit_code, printable


def status(
    out: Annotated[Path, typer.Argument(help="The results of a run, as --out was given.")] = Path("results.csv"),
    as_json: Annotated[bool, typer.Option("--json", help="Tell it as JSON, with all pages.")] = False,
) -> None:
    """Tell of the last run: what is to review, which marks there are, which pages failed and why.

    Ends with 0; 7 where there are no results.
    """
    with ends_with_exit_code():
        from batchocr.output.status import read_status, told

        found = read_status(out)
        if as_json:
            import json
            from dataclasses import asdict

            typer.echo(json.dumps(asdict(found) | {"out": str(found.out)}, indent=2))
            return
        for line in told(found):
            typer.echo(printable(line))
