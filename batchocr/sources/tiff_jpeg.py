"""Old-style JPEG in TIFF (compression 6, TIFF 6.0 section 22), which TIFF Technical Note 2 replaced by compression 7.

Its writers did not agree on what the fields mean. libtiff guesses, if it is built to do so: of some files, half of the
image comes out grey and no error is reported. Therefore only a file with one whole JPEG stream is read here, which most
of these files have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from batchocr.errors import ScanError
from batchocr.records import Pixels
from batchocr.sources.formats import Kind
from batchocr.sources.source import Source
from batchocr.sources.tiff_directory import HEIGHT, JPEG_LENGTH, JPEG_OFFSET, ORIENTATION, STRIP_OFFSETS, WIDTH

OLD_JPEG = 6
"""Value of the tag Compression."""

_SOI, _EOI = b"\xff\xd8\xff", b"\xff\xd9"
_FIX = "convert it, for instance with: tiff2pdf page.tif -o page.pdf"


def read_old_jpeg(source: Source, tags: Mapping[int, int], number: int) -> Pixels:
    """Decode the one JPEG stream of a frame, upright by the tag Orientation.

    Args:
        source: The TIFF file.
        tags: The first number of each entry of the frame's directory.
        number: The number of the page, for messages.

    Raises:
        ScanError: `unsupported` if there is no whole stream, or if its size is not that of the frame.
    """
    from PIL import Image, ImageOps

    from batchocr.sources.single_image import load_image

    size = tags.get(WIDTH, 0), tags.get(HEIGHT, 0)
    source.check_size(*size, number)
    stream = _stream(source.data, tags)
    pixels = None
    if stream:
        try:
            pixels = load_image(replace(source, data=stream), Kind.JPEG).pixels
        except ScanError as error:
            if error.reason in ("too-large", "no-memory"):
                raise
    if pixels is None or pixels.shape != size[::-1]:
        what = "an old-style JPEG in TIFF (compression 6) that is not one whole JPEG stream"
        raise source.fault("unsupported", what, _FIX, number)
    image = Image.fromarray(pixels)
    image.getexif()[ORIENTATION] = tags.get(ORIENTATION, 1)
    ImageOps.exif_transpose(image, in_place=True)
    return np.array(image, dtype=np.uint8)


def _stream(data: bytes, tags: Mapping[int, int]) -> bytes:
    """Return the JPEG stream of a frame; empty if there is none.

    The length that a file states is often wrong. Then the stream is taken up to the last end marker in the file, and a
    decoder stops at its own. The pixels must be in the stream: else it holds only tables.
    """
    start = tags.get(JPEG_OFFSET) or tags.get(STRIP_OFFSETS, 0)
    pixels = tags.get(STRIP_OFFSETS, start)
    if not data.startswith(_SOI, start):
        return b""
    end = start + tags.get(JPEG_LENGTH, 0)
    if not data.endswith(_EOI, start, end):
        end = data.rfind(_EOI, start) + len(_EOI)
    return data[start:end] if start <= pixels < end else b""
