"""`batchocr preview`: one page with what was found drawn on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import Device, DeviceChoice, MaxMegapixels, MinConfidence, Model, ends_with_exit_code
from batchocr.sources import MAX_MEGAPIXELS


def preview(
    page: Annotated[Path, typer.Argument(help="A PNG or JPEG picture.")],
    out: Annotated[Path, typer.Option(help="The picture to write: .png or .jpg.")] = Path("preview.png"),
    model: Model = None,
    device: Device = DeviceChoice.auto,
    min_confidence: MinConfidence = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
) -> None:
    """Draw what is read on a page: boxes, digits, confidences in percent; what a person should look at in red."""
    with ends_with_exit_code():
        from batchocr.job import Settings
        from batchocr.preview import preview as draw_preview

        settings = Settings(
            model=model, device=device.value, min_confidence=min_confidence, max_megapixels=max_megapixels
        )
        result = draw_preview(page, out, settings)
        typer.echo(f"{result.page.digits} digits, {result.page.review} to review: {out}")
