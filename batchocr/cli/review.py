"""`batchocr review`: write the page on which a person reviews the results of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchocr.cli.common import counted, ends_with_exit_code, printable, say
from batchocr.errors import ExitCode

if TYPE_CHECKING:
    from batchocr.review.page.saved import SavedDecisions


def review(
    results: Annotated[str, typer.Argument(metavar="RESULTS", help="The results of a run, as its --out was given.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page: an .html file.", show_default="review.html")
    ] = None,
    only: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Show only what this file is about: the differences of `batchocr correct --compare`, or a file of "
            "corrections. Then there is no audit.",
            show_default=False,
        ),
    ] = None,
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
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            help="Serve the page to browsers on this computer until Ctrl-C, instead of writing it. Each decision is "
            "saved to RESULTS.review.csv.",
        ),
    ] = False,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65_535, help="With --serve: the port; 0 is a free one.")
    ] = 8471,
    by: Annotated[
        str, typer.Option(metavar="NAME", help="With --serve: name of the person.", show_default="the login name")
    ] = "",
) -> None:
    """Write a page on which a person reviews the results. It opens from disk, and needs no server.

    Exit codes: 0; 2 wrong usage; 3 some scans are missing or changed, and the page has the others; 4 no scan can be
    shown; 7 there are no results, or a file cannot be written.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError
        from batchocr.review.page.build import compose_page, write_page

        if serve and out:
            raise UsageError("--serve writes no page: leave out --out")
        if only and audit:
            raise UsageError("--only shows no audit: leave out --audit")
        saved = _saved(results, by) if serve else None
        html, built = compose_page(
            results,
            only=only,
            scans=scans or (),
            audit=audit,
            known_share=known,
            seed=seed,
            page_px=page_size,
            max_mb=max_mb,
            served=serve,
        )
        for line in built.left_out:
            say(printable(f"batchocr: {line}"))
        what = f"{counted(built.items, 'item')} on {counted(built.pages, 'page')}, seed {built.seed}"
        if saved:
            _serve(html, saved, port, what)
        else:
            write_page(html, page := out or Path("review.html"))
            typer.echo(f"{what}: {printable(str(page))}")
        if built.left_out:
            raise typer.Exit(ExitCode.SOME_FAILED)


def _saved(results: str, by: str) -> SavedDecisions:
    import getpass

    from batchocr.errors import UsageError
    from batchocr.output.outputs import as_path
    from batchocr.review.page.saved import SavedDecisions, saved_path
    from batchocr.stores import is_url

    if is_url(results):
        raise UsageError(f"{results}: --serve saves beside the results, and cannot do so in a store: leave it out")
    try:
        name = by.strip() or getpass.getuser()
    except (OSError, KeyError) as fault:
        raise UsageError("this computer does not know your name: give --by") from fault
    return SavedDecisions(saved_path(as_path(results)), name)


def _serve(html: str, saved: SavedDecisions, port: int, what: str) -> None:
    from contextlib import suppress

    from batchocr.review.page.server import ReviewServer

    with ReviewServer(html, saved, port) as server:
        typer.echo(f"{what}: open {server.url}")
        typer.echo(printable(f"decisions are saved to {saved.path}; Ctrl-C ends"))
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    say(f"{counted(len(saved.rows()), 'decision')} saved", err=False)
