"""`batchocr preview`: draw pages with what was read on them, or a sheet of all digits for review."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import (
    Blank,
    Detector,
    Device,
    DeviceChoice,
    FilesFrom,
    Form,
    MaxError,
    MaxMegapixels,
    MinConfidence,
    Model,
    Pages,
    PdfPassword,
    Printed,
    PrintedChoice,
    Recursive,
    counted,
    ends_with_exit_code,
    printable,
    say,
)
from batchocr.errors import ExitCode
from batchocr.sources import MAX_MEGAPIXELS


class StageChoice(StrEnum):
    read = "read"
    sheet = "sheet"
    level = "level"
    tiles = "tiles"
    detections = "detections"
    crops = "crops"
    lines = "lines"


class FormatChoice(StrEnum):
    png = "png"
    jpg = "jpg"


def preview(
    scans: Annotated[
        list[str] | None, typer.Argument(metavar="SCANS", help="Folders, files or globs of images and PDFs.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A .png or .jpg file for a single scan, or a folder, which is created if it does not exist.",
            show_default="NAME.preview.png for a single page, else the folder previews",
        ),
    ] = None,
    stage: Annotated[
        StageChoice,
        typer.Option(
            help="What to draw: what was read, the outline of the sheet, the level page, the tiles for the detector, "
            "its detections with class and score, the crops for the classifier, or lines and numbers."
        ),
    ] = StageChoice.read,
    pages: Pages = None,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write only this .png or .jpg file, with all digits for review, the least sure first. If there are "
            "many, several numbered files are written.",
            show_default=False,
        ),
    ] = None,
    max_side: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=20_000,
            help="Longer side of a drawn page in pixels, without the legend below it; 0 for no limit.",
        ),
    ] = 2000,
    image_format: Annotated[
        FormatChoice | None,
        typer.Option(
            "--format",
            case_sensitive=False,
            help="Format of the images.",
            show_default="that of --out, or png",
        ),
    ] = None,
    recursive: Recursive = True,
    files_from: FilesFrom = None,
    model: Model = None,
    detector: Detector = None,
    device: Device = DeviceChoice.auto,
    min_confidence: MinConfidence = None,
    max_error: MaxError = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    pdf_password: PdfPassword = None,
    printed: Printed = PrintedChoice.keep,
    blank: Blank = None,
    form: Form = None,
) -> None:
    """Draw what is read on pages: boxes, digits, confidences in percent, marks, and a legend.

    Exit code 0: all pages were drawn. 3: some pages could not be read; the others are drawn. 4: there is no scan.
    """
    with ends_with_exit_code():
        from batchocr.errors import UsageError
        from batchocr.preview import contact_sheet as draw_contact_sheet
        from batchocr.preview import preview as draw_preview
        from batchocr.records import PageResult
        from batchocr.settings import Settings
        from batchocr.sources import parse_pages, read_files_from

        listed = read_files_from(files_from) if files_from else []
        if not scans and not files_from:
            raise UsageError("no scans were given: name a folder, files or globs, or use --files-from")
        if contact_sheet and (out or stage != StageChoice.read):
            raise UsageError("--contact-sheet with --out or --stage: give one of them")
        settings = Settings(
            recursive=recursive,
            model=model,
            detector=detector,
            device=device.value,
            min_confidence=min_confidence,
            max_error=max_error,
            max_megapixels=max_megapixels,
            pdf_password=pdf_password,
            printed=printed.value,
            blank=tuple(blank or ()),
            form=tuple(form or ()),
        )
        selected = parse_pages(pages) if pages is not None else None

        def report_failed(result: PageResult) -> None:
            if result.page.status == "failed":
                say(printable(f"batchocr: {result.page.message}"))

        failures = 0
        if contact_sheet:
            sheets = draw_contact_sheet(
                scans or [], contact_sheet, settings, pages=selected, listed=listed, on_page=report_failed
            )
            failures = sheets.failed
            names = ", ".join(map(str, sheets.paths))
            typer.echo(f"{counted(sheets.digits, 'digit')} to review on {counted(sheets.pages, 'page')}: {names}")
        else:
            for drawn in draw_preview(
                scans or [],
                out,
                settings,
                stage=stage.value,
                pages=selected,
                max_side_px=max_side,
                image_format=image_format.value if image_format else None,
                listed=listed,
            ):
                row = drawn.result.page
                report_failed(drawn.result)
                if drawn.out is None:
                    failures += 1
                else:
                    numbers = counted(sum(bool(number.review) for number in drawn.result.numbers), "number")
                    marked = f"{counted(row.review, 'digit')} and {numbers} to review"
                    typer.echo(f"{counted(row.digits, 'digit')}, {marked}: {drawn.out}")
        if failures:
            raise typer.Exit(ExitCode.SOME_FAILED)
