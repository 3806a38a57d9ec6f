"""`batchocr form`: draft form files from blanks, check them on pages, and print their schema."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchocr.cli.command import FormCommand, Group
from batchocr.cli.common import (
    MaxMegapixels,
    PdfPassword,
    counted,
    ends_with_exit_code,
    printable,
    say,
)
from batchocr.errors import BatchocrError, ExitCode
from batchocr.sources import MAX_MEGAPIXELS, PREVIEW

if TYPE_CHECKING:
    from batchocr.forms.form import Form
    from batchocr.records import PreparedPage

WATCH_S = 0.5
"""Seconds between two checks of the files that `--watch` watches."""

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make and check form files, which name the fields of a form.",
)


@app.command(cls=FormCommand)
def draft(
    blank: Annotated[
        str, typer.Argument(metavar="BLANK", help="Image or PDF of the blank form; a scan or the original file.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The form file.", show_default="the name of BLANK with .toml, beside it"),
    ] = None,
    page: Annotated[int, typer.Option(metavar="N", min=1, help="The page of a PDF or TIFF.")] = 1,
    size_mm: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTH,HEIGHT",
            help="Size of the paper in mm, for example 210,297.",
            show_default="by the resolution of the image; else A4 or Letter by its proportions",
        ),
    ] = None,
    filled: Annotated[
        bool, typer.Option("--filled", help="The page is filled in: take boxes with ink inside too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a form file that exists.")] = False,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    pdf_password: PdfPassword = None,
) -> None:
    """Draft a form file from a blank: find boxes, cells, tables, tick boxes, codes and lines to write on.

    The names are field-1, field-2 and table-1 in reading order: labels are not read. An image beside the form file
    shows the fields with their numbers. A blank that is not level, or a photo, is levelled and saved beside the form
    file.

    Exit codes: 0; 2 wrong usage; 7 the files cannot be written; 8 the blank cannot be read or has no fields.
    """
    with ends_with_exit_code():
        from batchocr.forms.check import draw_blank
        from batchocr.forms.draft import draft_form
        from batchocr.output.drawing.image_file import write_image
        from batchocr.stores import is_url

        if out is None:
            out = (
                Path(f"{Path(blank.partition('?')[0]).stem}.toml")
                if is_url(blank)
                else Path(blank).with_suffix(".toml")
            )
        drafted = draft_form(
            blank,
            out,
            page=page,
            size_mm=_size(size_mm),
            is_filled=filled,
            max_megapixels=max_megapixels,
            pdf_password=pdf_password,
        )
        form = drafted.write(replace=force)
        write_image(drafted.picture, draw_blank(form))
        typer.echo(f"{counted(len(form.fields), 'field')}: {out}")
        typer.echo(f"the fields with their numbers: {drafted.picture}")
        if drafted.image:
            typer.echo(f"the blank, levelled: {drafted.image}")
        typer.echo(f"next: rename the fields in {out}, and see them with: batchocr form check {out} --watch")


@app.command(cls=FormCommand)
def check(
    form: Annotated[Path, typer.Argument(metavar="FORM", help="The form file.")],
    pages: Annotated[
        list[str] | None, typer.Argument(metavar="[PAGES]...", help="Folders, files or globs of filled pages.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder for the images, which is created if it does not exist.",
            show_default="FORM.preview.png beside the form file; for pages as `batchocr preview`",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Draw again whenever the form file or a file that it names changes.")
    ] = False,
    read: Annotated[bool, typer.Option("--read", help="Read the pages, and draw the text of each field too.")] = False,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    pdf_password: PdfPassword = None,
) -> None:
    """Check a form file, and draw its fields on the blank, or on pages with how exactly they fit.

    Exit codes: 0; 2 wrong usage; 3 a page does not fit the form or cannot be read; 4 there is no page; 7 the images
    cannot be written; 8 the form file is wrong. --watch runs until it is interrupted.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError

        if read and not pages:
            raise UsageError("--read: no pages were given to read; name filled pages after the form file")

        def draw() -> int:
            return _check(form, pages or [], out, read, max_megapixels, pdf_password)

        if watch:
            _watch(form, pages or [], draw)
        if failures := draw():
            say(f"batchocr: {counted(failures, 'page')} without an image")
            raise typer.Exit(ExitCode.SOME_FAILED)


@app.command(cls=FormCommand)
def schema() -> None:
    """Print the JSON schema of form files, with which editors complete and check their keys."""
    with ends_with_exit_code():
        from batchocr.forms.form_file import schema as schema_of_form_files

        typer.echo(json.dumps(schema_of_form_files(), indent=2))


def _size(text: str | None) -> tuple[float, float] | None:
    from batchocr.errors import UsageError

    if text is None:
        return None
    try:
        width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--size-mm {text}: give width and height in mm, for example 210,297") from None
    if not (10 <= width <= 2000 and 10 <= height <= 2000):
        raise UsageError(f"--size-mm {text}: give millimetres from 10 to 2000, for example 210,297")
    return width, height


def _check(
    form_file: Path, pages: list[str], out: Path | None, read: bool, max_megapixels: float, pdf_password: str | None
) -> int:
    """Draw the blank or the pages, and return the number of pages that do not fit."""
    from batchocr.forms.check import check_pages, draw_blank
    from batchocr.forms.load import load_form
    from batchocr.output.drawing.image_file import write_image
    from batchocr.preview_files import make_folder

    form = load_form(form_file, max_megapixels=max_megapixels, pdf_password=pdf_password)
    if not pages:
        name = f"{form_file.stem}{PREVIEW}png"
        path = form_file.with_name(name) if out is None else out / name
        make_folder(path.parent)
        write_image(path, draw_blank(form))
        typer.echo(f"{counted(len(form.fields), 'field')}: {path}")
        return 0
    reads = _reading_of(form) if read else None
    failures = 0
    for page in check_pages(form, pages, out, max_megapixels=max_megapixels, pdf_password=pdf_password, read=reads):
        if page.fault is not None:
            failures += 1
            say(printable(f"batchocr: {page.fault.message}"))
        else:
            fit = "placed by its edges" if page.residual_mm is None else f"residual {page.residual_mm:.2f} mm"
            typer.echo(printable(f"{page.name}: {fit}: {page.out}"))
    return failures


def _reading_of(form: Form) -> Callable[[PreparedPage], dict[str, str]]:
    """Return the function that reads the fields of a page."""
    from batchocr.reader import Reader

    reader = Reader(form=form)
    return lambda page: {row.field: row.text for row in reader.result(page)[1].fields}


def _watch(form_file: Path, pages: list[str], draw: Callable[[], int]) -> None:
    """Draw whenever a file changes, until the command is interrupted. Errors are reported and do not end it."""
    names: list[Path] = []
    seen: dict[Path, tuple[int, int] | None] | None = None
    while True:
        names = _named_files(form_file) or names
        watched = [form_file, *names, *(Path(page) for page in pages)]
        now = {path: _state(path) for path in watched}
        if now == seen:
            time.sleep(WATCH_S)
            continue
        seen = now
        try:
            draw()
        except BatchocrError as fault:
            say(printable(f"batchocr: {fault}"))
        say(f"watching {form_file}; end with Ctrl-C")


def _state(path: Path) -> tuple[int, int] | None:
    """Return the time of the last change and the size of a file; None if it cannot be read."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _named_files(form_file: Path) -> list[Path]:
    """Return the files that a form file names; none if the file is not TOML at the moment."""
    try:
        content = tomllib.loads(form_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found: list[Path] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            found.extend(
                form_file.parent / each
                for key, each in value.items()
                if key in ("image", "allowed_from") and isinstance(each, str)
            )
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                collect(each)

    collect(content)
    return found
