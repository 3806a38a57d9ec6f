"""`batchocr preview`: pages with what was found drawn on them."""

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
    MaxError,
    MaxMegapixels,
    MinConfidence,
    Model,
    PdfPassword,
    Printed,
    PrintedChoice,
    counted,
    ends_with_exit_code,
)
from batchocr.sources import MAX_MEGAPIXELS


class StageChoice(StrEnum):
    read = "read"
    sheet = "sheet"
    level = "level"
    tiles = "tiles"
    detections = "detections"
    crops = "crops"
    lines = "lines"


def preview(
    page: Annotated[Path, typer.Argument(help="A picture or a PDF.")],
    out: Annotated[
        Path | None,
        typer.Option(
            envvar="BATCHOCR_PREVIEW_OUT",
            help="The picture to write: .png or .jpg.",
            show_default="PAGE.preview.png here, which is no scan to a run",
        ),
    ] = None,
    stage: Annotated[
        StageChoice,
        typer.Option(
            help="What to draw: what was read, the sheet's outline and what is level, the level page, the tiles that "
            "the detector sees, its detections with class and score, the crops as the classifier sees them, or lines "
            "and numbers."
        ),
    ] = StageChoice.read,
    pages: Annotated[
        str, typer.Option(help="Which pages of a TIFF or PDF, as in 1,3-5; of several, each goes to a file of its own.")
    ] = "1",
    model: Model = None,
    detector: Detector = None,
    device: Device = DeviceChoice.auto,
    min_confidence: MinConfidence = None,
    max_error: MaxError = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    pdf_password: PdfPassword = None,
    printed: Printed = PrintedChoice.keep,
    blank: Blank = None,
) -> None:
    """Draw what is read on a page: boxes, digits, confidences in percent; what a person should look at in red."""
    with ends_with_exit_code():
        from batchocr.preview import preview as draw_preview
        from batchocr.settings import Settings
        from batchocr.sources import parse_pages

        settings = Settings(
            model=model,
            detector=detector,
            device=device.value,
            min_confidence=min_confidence,
            max_error=max_error,
            max_megapixels=max_megapixels,
            pdf_password=pdf_password,
            printed=printed.value,
            blank=tuple(blank or ()),
        )
        for drawn in draw_preview(page, out, settings, stage=stage.value, pages=parse_pages(pages)):
            row = drawn.result.page
            typer.echo(f"{counted(row.digits, 'digit')}, {row.review} to review: {drawn.out}")
