"""`batchocr status`: report on the last run, without reading a page."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import State, ends_with_exit_code, printable


def status(
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="The results of a run, as its --out was given.")
    ] = "results.csv",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all pages.")] = False,
    state: State = None,
) -> None:
    """Report on the last run: what is to review, which marks there are, which pages failed and why.

    Of a run on a cluster, of shards, and of results in an object store, also while they run: pages that are done and
    failed, pages per second, and the time that is left.

    Exit codes: 0; 2 wrong usage; 7 there are no results.
    """
    with ends_with_exit_code():
        import json
        from dataclasses import asdict

        from batchocr.distributed.status import driver_lines, read_drivers
        from batchocr.errors import OutputError
        from batchocr.output.status import read_status, status_lines

        drivers = read_drivers(out, state)
        try:
            found = read_status(out)
        except OutputError:
            if not drivers:
                raise
            found = None
        if as_json:
            results = asdict(found) | {"out": str(found.out)} if found else {}
            reports = {"drivers": [asdict(driver) for driver in drivers]} if drivers else {}
            typer.echo(json.dumps(results | reports, indent=2))
            return
        for line in (*driver_lines(drivers), *(status_lines(found) if found else ())):
            typer.echo(printable(line))
