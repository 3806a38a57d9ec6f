"""Write colour images as PNG or JPEG files."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from batchocr.output.atomic_write import whole_files
from batchocr.output.drawing.canvas import Canvas

SUFFIXES = (".png", ".jpg", ".jpeg")
"""Suffixes of the files that can be written."""

_JPEG_QUALITY = 90


def write_image(path: Path, canvas: Canvas) -> None:
    """Write an image (height, width, 3) in the format of the suffix. The file appears whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    image = Image.fromarray(canvas)
    with whole_files([path]) as (file,):
        if path.suffix.lower() == ".png":
            image.save(file, "PNG")
        else:
            image.save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)  # colours of thin lines stay sharp
