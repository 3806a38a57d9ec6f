"""`batchocr review`: write the page on which a person reviews the results of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import counted, ends_with_exit_code, printable, say
from batchocr.errors import ExitCode


def review(
    results: Annotated[str, typer.Argument(metavar="RESULTS", help="The results of a run, as its --out was given.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page: an .html file.")] = Path("review.html"),
    scans: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Where the scans are: what the run was given. Can be given several times.",
            show_default="where the journal says",
        ),
    ] = None,
    audit: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Accepted fields, or numbers without a form, to draw at random."),
    ] = 0,
    known: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0, max=1, help="Share of items with a known answer among the others."),
    ] = 0.03,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Seed of the audit.", show_default="made from the id of the run"),
    ] = None,
    page_size: Annotated[
        int, typer.Option(metavar="N", min=100, max=10_000, help="Longer side of the reduced pages in pixels.")
    ] = 1400,
    max_mb: Annotated[float, typer.Option(metavar="N", min=1, help="Size of the page at most, in megabytes.")] = 200,
) -> None:
    """Write a page on which a person reviews the results. It opens from disk, and needs no server.

    Exit codes: 0; 3 some scans are missing or changed, and the page has the others; 4 no scan can be shown; 7 there are
    no results, or the page cannot be written.
    """
    with ends_with_exit_code():
        from batchocr.review.page.build import build_page

        built = build_page(
            results,
            out,
            scans=scans or (),
            audit=audit,
            known_share=known,
            seed=seed,
            page_px=page_size,
            max_mb=max_mb,
        )
        for line in built.left_out:
            say(printable(f"batchocr: {line}"))
        pages = counted(built.pages, "page")
        typer.echo(f"{counted(built.items, 'item')} on {pages}, seed {built.seed}: {printable(str(out))}")
        if built.left_out:
            raise typer.Exit(ExitCode.SOME_FAILED)
