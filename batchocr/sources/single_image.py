"""Files with one image. OpenCV decodes those that it decodes faster or in less memory, Pillow all others."""

from __future__ import annotations

import io
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels
from batchocr.sources.colour import ANALYSIS_SIDE_PX, darkest_channel, has_faint_ink
from batchocr.sources.formats import Kind
from batchocr.sources.grey import NoLimit, eight_bits, grey
from batchocr.sources.jpeg2000 import checked_codestream
from batchocr.sources.resolution import resolution_of
from batchocr.sources.source import Source

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_HEADER_LENGTH = 1 << 16
_PNG_LUMA = np.array([[3737 / 2**15, 19234 / 2**15, 9797 / 2**15, 2**-16 - 0.5]])
"""Weights of blue, green and red and the offset of libpng, which rounds down."""
_GREY = 2
"""OpenCV's IMREAD_ANYDEPTH without IMREAD_ANYCOLOR."""
_BY_OPENCV = (Kind.PNG, Kind.JPEG, Kind.JPEG2000)  # of JPEG 2000, Pillow makes the white of 16-bit colour black
_MAX_JPEG_SCANS = 100
"""Passes over the pixels of a JPEG. A progressive one has about ten. 1,000 of 250 megapixels take 34 s."""
_MARKER = re.compile(rb"\xff[^\0\xd0-\xd7\xff]")
"""A marker among the pixels of a JPEG."""
_UNUSUAL_JPEG = re.compile(rb"\xff(?:\xf7|[\xc0-\xc3]\0.[^\x08])", re.DOTALL)
"""JPEG-LS, or samples that have not 8 bits."""


def load_image(source: Source, kind: Kind) -> Page:
    """Return the page of a file that holds one image, or the first image of several.

    Raises:
        ScanError: The image cannot be read.
    """
    if kind is Kind.PNM:
        from batchocr.sources.pnm import read_pnm

        return source.page(read_pnm(source))
    if kind is Kind.WEBP:
        source.check_size(*_webp_size(source.data))  # Pillow allocates the pixels when it opens the file
    codestream = checked_codestream(source, source.data) if kind is Kind.JPEG2000 else None
    header = _open(source, kind)
    source.check_size(*header.size)
    if not _has_end(source.data, kind):
        raise source.damaged("its end is missing")
    if kind is Kind.JPEG and _has_too_many_scans(source.data):
        what = f"a progressive JPEG with more than {_MAX_JPEG_SCANS} passes over its pixels"
        raise source.fault("unsupported", what, "save it as PNG or as a baseline JPEG")
    with source.decoding():
        resolution = resolution_of(header)
    if _is_for_opencv(header, kind):
        return source.page(_decode_by_opencv(source, kind, header), resolution)
    if codestream is not None and codestream.bits > 8:
        raise source.fault("unsupported", "more than 8 bits with transparency, which cannot be read", "save it as PNG")
    with source.decoding():
        return source.page(grey(_without_unused_alpha(header, kind)), resolution)


def _open(source: Source, kind: Kind) -> ImageFile:
    """Read the header of the file by Pillow; nothing is decoded."""
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.GifImagePlugin import GifImageFile
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    from batchocr.sources.heif import open_avif, open_heif

    classes: dict[Kind, type[ImageFile]] = {
        Kind.PNG: PngImageFile,
        Kind.JPEG: JpegImageFile,
        Kind.BMP: BmpImageFile,
        Kind.WEBP: WebPImageFile,
        Kind.JPEG2000: Jpeg2KImageFile,
        Kind.GIF: GifImageFile,
    }
    try:
        with source.decoding(), NoLimit():
            if kind is Kind.HEIF:
                return open_heif(source)
            if kind is Kind.AVIF:
                return open_avif(source)
            return classes[kind](io.BytesIO(source.data))
    except ScanError as error:
        if kind is Kind.JPEG and _UNUSUAL_JPEG.search(source.data, 0, _HEADER_LENGTH):
            what = "a JPEG that is not of 8 bits per sample, which cannot be read"
            raise source.fault("unsupported", what, "save it as PNG or as a baseline JPEG") from error
        raise


def _is_for_opencv(header: ImageFile, kind: Kind) -> bool:
    """Return whether OpenCV decodes the file. Pillow takes minutes for BMP with runs, and gigabytes for large WebP."""
    if header.mode == "CMYK" or header.has_transparency_data:
        return False
    if kind is Kind.WEBP:
        return "exif" not in header.info and not getattr(header, "is_animated", False)
    return kind in _BY_OPENCV or any(tile.codec_name == "bmp_rle" for tile in header.tile)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a WebP with a canvas (VP8X), lossless (VP8L) or lossy (VP8); 0 by 0 without a header.

    See RFC 9649.
    """
    form, header = data[12:16], data[20:30]
    if len(header) < 10:
        return 0, 0
    if form == b"VP8X":
        return 1 + int.from_bytes(header[4:7], "little"), 1 + int.from_bytes(header[7:10], "little")
    if form == b"VP8L":
        bits = int.from_bytes(header[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(header[6:8], "little") & 0x3FFF, int.from_bytes(header[8:10], "little") & 0x3FFF


def _has_end(data: bytes, kind: Kind) -> bool:
    """Return whether the end of the file is present. Some decoders accept half an image and paint the rest grey.

    The end of a JPEG must come after the start of its pixels, because a thumbnail in its header has an end of its own.
    Anything may follow it: phones append a video.
    """
    if kind is Kind.PNG:
        return _png_has_end(data)
    if kind is Kind.JPEG:
        return data.find(b"\xff\xd9", _first_jpeg_scan(data)) > 0
    if kind is Kind.JPEG2000:
        return data.rfind(b"\xff\xd9") > data.find(b"\xff\x93")
    return True


def _first_jpeg_scan(data: bytes) -> int:
    """Return the position of the marker before the pixels of a JPEG. All segments before it are skipped."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        if data[place + 1] == 0xDA:
            return place
        is_fill = data[place + 1] == 0xFF
        place += 1 if is_fill else 2 + int.from_bytes(data[place + 2 : place + 4])
    return len(data)


def _has_too_many_scans(data: bytes) -> bool:
    """Return whether a JPEG has more than `_MAX_JPEG_SCANS` passes over its pixels."""
    place = _first_jpeg_scan(data)
    for _ in range(_MAX_JPEG_SCANS):
        place += 2
        while (marker := _MARKER.search(data, place)) is not None and marker[0] != b"\xff\xda":
            if marker[0] == b"\xff\xd9":
                return False
            place = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
        if marker is None:
            return False
        place = marker.start()
    return True


def _png_has_end(data: bytes) -> bool:
    """Return whether the chunks of a PNG lead to its end. OpenCV allocates memory for one longer than the file."""
    chunk = struct.Struct(">I4s").unpack_from
    name, place = b"", 8
    while name != b"IEND" and place + 12 <= len(data):
        length, name = chunk(data, place)
        place += 12 + length
    return name == b"IEND" and place <= len(data)


def _decode_by_opencv(source: Source, kind: Kind, header: ImageFile) -> Pixels:
    """Return 8-bit grey, upright by EXIF, which OpenCV applies."""
    with source.decoding():
        is_coloured = header.mode == "RGB" and kind is not Kind.JPEG2000
        pixels = _decode_colour(source, kind, header.size) if is_coloured else _imdecode(source)
        return pixels if pixels.dtype == np.uint8 else eight_bits(pixels)


def _decode_colour(source: Source, kind: Kind, size: tuple[int, int]) -> NDArray[Any]:
    """Return a colour image as grey: its luma, unless the writing is too faint in it.

    Of a JPEG, the luma is decoded alone. A reduced image decides whether the luma is enough.
    """
    import cv2

    if kind is Kind.JPEG:
        if has_faint_ink(_imdecode(source, _reduced_mode(max(size)))):
            return darkest_channel(_imdecode(source, cv2.IMREAD_COLOR))
        return _imdecode(source)
    colours = _imdecode(source, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if colours.dtype != np.uint8:
        return _imdecode(source)
    if has_faint_ink(colours):
        return darkest_channel(colours)
    return np.asarray(cv2.transform(colours, _PNG_LUMA))


def _reduced_mode(longer_side: int) -> int:
    """Return the mode in which OpenCV reads a JPEG as small as its colours are analysed."""
    import cv2

    eighth, quarter, half = cv2.IMREAD_REDUCED_COLOR_8, cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_2
    for mode, reduction in ((eighth, 8), (quarter, 4), (half, 2)):
        if longer_side >= reduction * ANALYSIS_SIDE_PX:
            return mode
    return cv2.IMREAD_COLOR


def _imdecode(source: Source, mode: int = _GREY) -> NDArray[Any]:
    """Decode by OpenCV: by default as grey, at the depth of the file. IMREAD_UNCHANGED would not apply EXIF."""
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(source.data, np.uint8), mode)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise source.damaged(f"OpenCV refuses it ({error.err})") from error
    if pixels is None:
        raise source.damaged("its image cannot be decoded")
    return pixels


def _without_unused_alpha(image: ImageFile, kind: Kind) -> Any:
    """Drop the fourth byte of a BMP's pixels if it is always zero: many programs do not mean transparency by it."""
    if kind is Kind.BMP and image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        return image.convert("RGB")
    return image
