"""HEIF and AVIF. Both are headers of one family (ISO/IEC 23008-12) around frames of a video codec."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from batchocr.sources.source import Source

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_AGAIN = "and run again with --retry-failed"


def open_heif(source: Source) -> ImageFile:
    """Open the primary image of a HEIF or HEIC file by pillow-heif; nothing is decoded yet.

    libheif applies the orientation that the container states, and pillow-heif removes that of EXIF.

    Raises:
        ScanError: `unsupported` if pillow-heif is not installed, or if it lacks the codec.
    """
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        fix = f"install its reader: pip install pillow-heif, {_AGAIN}"
        raise source.fault("unsupported", "a HEIF or HEIC image, which needs an additional package", fix) from error
    try:
        opener: Callable[[io.BytesIO], ImageFile] = HeifImageFile
        return opener(io.BytesIO(source.data))
    except SyntaxError as error:
        if "nsupported" not in str(error):
            raise
        fix = "convert it first, for instance with: heif-convert page.heic page.png"
        raise source.fault("unsupported", f"a HEIF image that cannot be read ({error})", fix) from error


def open_avif(source: Source) -> ImageFile:
    """Open an AVIF file by Pillow; nothing is decoded yet. Pillow reports the orientation as EXIF does.

    Raises:
        ScanError: `unsupported` if Pillow is built without AVIF.
    """
    try:
        from PIL.AvifImagePlugin import AvifImageFile
        from PIL.features import check_module

        is_supported = bool(check_module("avif"))
    except (ImportError, ValueError):  # Pillow before 11.3
        is_supported = False
    if not is_supported:
        fix = f"install a newer Pillow: pip install --upgrade pillow, {_AGAIN}"
        raise source.fault("unsupported", "an AVIF image, which this Pillow cannot read", fix)
    return AvifImageFile(io.BytesIO(source.data))
