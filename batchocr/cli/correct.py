"""`batchocr correct`: apply what a person decided, and keep it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchocr.cli.common import LogFormat, LogFormatChoice, State, counted, ends_with_exit_code, printable, say

if TYPE_CHECKING:
    from batchocr.batch.journal import Stored
    from batchocr.review.corrections.correct import Corrected

SHOWN = 20
"""Refused lines that are printed; the file of refused lines has all."""


def correct(
    results: Annotated[str, typer.Argument(metavar="RESULTS", help="The results of a run, as its --out was given.")],
    corrections: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CORRECTIONS]...", help="Files that the page of `batchocr review` saved."),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Compare two files of two persons: apply what both say, and write what they differ in to "
            "RESULTS.differences.csv, for `batchocr review --only`.",
        ),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let these decisions replace those of other persons that are kept.")
    ] = False,
    save_crops: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Save the crops of all digits that are corrected or confirmed, for `batchocr train --add` and "
            "`batchocr evaluate --data`, and their true digits, for `batchocr evaluate --truth`. The scans are read "
            "again.",
            show_default=False,
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the decisions that are kept.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Forget the decisions that are kept, and write the tables without them.")
    ] = False,
    by: Annotated[str, typer.Option(metavar="NAME", help="With --list and --undo: only those of this person.")] = "",
    file: Annotated[str, typer.Option(metavar="NAME", help="With --list and --undo: only those about this scan.")] = "",
    state: State = None,
    log_format: LogFormat = LogFormatChoice.text,
) -> None:
    """Apply what a person decided to the results of a run, and keep it in the journal.

    The tables are written again; no page is read. A later run over the same scans keeps the decisions, also with
    another model or with --fresh. It drops those whose scan has changed. RESULTS.corrections.csv has all that were
    applied: who, when, and what it was. A line that cannot be applied is refused with the reason and written to
    RESULTS.refused.csv; repaired, that file can be given again.

    Exit codes: 0; 2 wrong usage, or a file is not one of corrections; 3 some lines were refused, and the rest is
    applied; 7 there are no results, or they cannot be written; 9 a run uses these results.
    """
    code = 0
    with ends_with_exit_code(log_format):
        from batchocr.errors import UsageError
        from batchocr.review.corrections.correct import correct as apply_files
        from batchocr.review.corrections.correct import stored_corrections
        from batchocr.review.corrections.correct import undo as forget

        if show and undo:
            raise UsageError("--list and --undo: give one of them")
        if (show or undo) and (corrections or compare or replace or save_crops):
            raise UsageError("--list and --undo: give no files of corrections and no other option but --by and --file")
        if (by or file) and not (show or undo):
            raise UsageError("--by and --file choose what --list shows or --undo forgets: add one of these")
        if show or undo:
            chosen = (forget if undo else stored_corrections)(results, by=by, file=file, state=state)
            for each in chosen:
                typer.echo(printable(_line(each)))
            say(f"{counted(len(chosen), 'decision')} {'forgotten' if undo else 'kept'}")
        elif corrections or not save_crops:
            done = apply_files(results, corrections or [], compare_files=compare, replace=replace, state=state)
            _report(done, results)
            code = done.exit_code
        if save_crops:
            _save_crops(results, save_crops, state)
    raise typer.Exit(code)


def _save_crops(results: str, folder: Path, state: str | None) -> None:
    from batchocr.review.corrections.correct import save_crops

    saved = save_crops(results, folder, state=state)
    say(
        printable(f"{counted(saved.digits, 'digit')} and {saved.others} that are none: {', '.join(saved.files)}"),
        err=False,
    )


def _line(stored: Stored) -> str:
    d = stored.decision
    what = f"{d.kind} {d.name}" if d.name else d.kind
    place = f"{d.file}, page {d.page}, {what} at {d.left},{d.top} {d.width}x{d.height}"
    return f"{place}: {d.was or 'nothing'} -> {d.text or 'nothing'} ({d.decision}), {d.by}, {d.at}"


def _report(done: Corrected, results: str) -> None:
    known = f", {done.known} with a known answer" if done.known else ""
    repeated = f", {done.repeated} not new" if done.repeated else ""
    kept = f"{counted(done.stored, 'decision')} kept"
    dropped = f", {done.dropped} dropped because the scan has changed" if done.dropped else ""
    typer.echo(f"{counted(done.applied, 'decision')} applied{repeated}{known}; {kept}{dropped}")
    if done.compared:
        both, agreed = done.compared.both, len(done.compared.agreed)
        kappa = "" if done.compared.kappa is None else f", Cohen's kappa {done.compared.kappa:.3f}"
        share = f" ({agreed / both:.1%})" if both else ""
        typer.echo(f"both decided {both}, agree on {agreed}{share}{kappa}; {done.compared.alone} by one person only")
        if done.differences_file:
            say(printable(f"for a third person: `batchocr review {results} --only {done.differences_file}`"))
    for line in done.refused[:SHOWN]:
        say(printable(line))
    if done.refused:
        say(printable(f"{counted(len(done.refused), 'line')} refused: {done.refused_file} has them with the reasons"))
