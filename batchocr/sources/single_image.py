"""Files of one picture. By OpenCV where that is faster or takes less memory; the others by Pillow."""

from __future__ import annotations

import io
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels
from batchocr.sources.colour import LOOK, darkest_channel, has_faint_ink
from batchocr.sources.formats import Kind
from batchocr.sources.grey import NoLimit, dpi_of, eight_bits, grey
from batchocr.sources.jpeg2000 import checked_codestream
from batchocr.sources.source import Source

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_HEAD = 1 << 16
_PNG_LUMA = np.array([[3737 / 2**15, 19234 / 2**15, 9797 / 2**15, 2**-16 - 0.5]])  # libpng's, which rounds down
_GREY = 2  # OpenCV's IMREAD_ANYDEPTH without IMREAD_ANYCOLOR
_BY_OPENCV = (Kind.PNG, Kind.JPEG, Kind.JPEG2000)  # of JPEG 2000, Pillow turns the white of 16-bit colour black
_MOST_SCANS = 100
"""Times that a JPEG's pixels are gone over; a progressive one's are ten or so. 1,000 of 250 megapixels take 34 s."""
_MARKER = re.compile(rb"\xff[^\0\xd0-\xd7\xff]")  # among a JPEG's pixels
_ODD_JPEG = re.compile(rb"\xff(?:\xf7|[\xc0-\xc3]\0.[^\x08])", re.DOTALL)  # JPEG-LS, or samples not of 8 bits


def load_picture(source: Source, kind: Kind) -> Page:
    """The one page of a file that holds one picture; of a moving one, its first. Raises ScanError."""
    if kind is Kind.PNM:
        from batchocr.sources.pnm import read_pnm

        return source.page(read_pnm(source), None)
    if kind is Kind.WEBP:
        source.check_size(*_webp_size(source.data))  # Pillow makes the picture's room as it opens the file
    codestream = checked_codestream(source, source.data) if kind is Kind.JPEG2000 else None
    header = _header(source, kind)
    source.check_size(*header.size)
    if not _has_end(source.data, kind):
        raise source.damaged("its end is missing")
    if kind is Kind.JPEG and _has_too_many_scans(source.data):
        how = f"a progressive JPEG that goes over its pixels more than {_MOST_SCANS} times"
        raise source.fault("unsupported", how, "save it as PNG or as a usual JPEG")
    dpi = dpi_of(header)
    if _is_for_opencv(header, kind):
        return source.page(_by_opencv(source, kind, header), dpi)
    if codestream is not None and codestream.bits > 8:
        raise source.fault("unsupported", "more than 8 bits with transparency, which cannot be read", "save it as PNG")
    with source.decoding():
        return source.page(grey(_without_idle_alpha(header, kind)), dpi)


def _header(source: Source, kind: Kind) -> ImageFile:
    """What the file says of itself; nothing is decoded."""
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.GifImagePlugin import GifImageFile
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    openers: dict[Kind, type[ImageFile]] = {
        Kind.PNG: PngImageFile,
        Kind.JPEG: JpegImageFile,
        Kind.BMP: BmpImageFile,
        Kind.WEBP: WebPImageFile,
        Kind.JPEG2000: Jpeg2KImageFile,
        Kind.GIF: GifImageFile,
    }
    try:
        with source.decoding(), NoLimit():
            return openers[kind](io.BytesIO(source.data))
    except ScanError as error:
        if kind is Kind.JPEG and _ODD_JPEG.search(source.data, 0, _HEAD):
            odd = "a JPEG of another kind than 8-bit, which cannot be read"
            raise source.fault("unsupported", odd, "save it as PNG or as a usual JPEG") from error
        raise


def _is_for_opencv(header: ImageFile, kind: Kind) -> bool:
    """Whether it is read by OpenCV, and not by Pillow, which takes minutes for BMP's runs and GB for large WebP."""
    if header.mode == "CMYK" or header.has_transparency_data:
        return False
    if kind is Kind.WEBP:
        return "exif" not in header.info and not getattr(header, "is_animated", False)
    return kind in _BY_OPENCV or any(tile.codec_name == "bmp_rle" for tile in header.tile)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a WebP, 0 by 0 where it says none. A canvas (VP8X), no loss (VP8L), or loss (VP8)."""
    form, head = data[12:16], data[20:30]
    if len(head) < 10:
        return 0, 0
    if form == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if form == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF


def _has_end(data: bytes, kind: Kind) -> bool:
    """Whether the file's end is there. Not every decoder refuses half a picture: some paint the rest grey.

    A JPEG's end must come after its pixels' start, for a thumbnail inside has an end of its own; phones put a film
    behind it.
    """
    if kind is Kind.PNG:
        return _png_has_end(data)
    if kind is Kind.JPEG:
        return data.find(b"\xff\xd9", _jpeg_scan(data)) > 0
    if kind is Kind.JPEG2000:
        return data.rfind(b"\xff\xd9") > data.find(b"\xff\x93")
    return True


def _jpeg_scan(data: bytes) -> int:
    """Where a JPEG's pixels begin: after its segments, whatever is in them, and before whatever follows its end."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        if data[place + 1] == 0xDA:
            return place
        fill = data[place + 1] == 0xFF
        place += 1 if fill else 2 + int.from_bytes(data[place + 2 : place + 4])
    return len(data)


def _has_too_many_scans(data: bytes) -> bool:
    """Whether a JPEG's pixels come in more than `_MOST_SCANS` turns."""
    place = _jpeg_scan(data)
    for _ in range(_MOST_SCANS):
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
    """Whether chunk after chunk leads to a PNG's end. One that is longer than the file ends it: OpenCV makes room."""
    chunk = struct.Struct(">I4s").unpack_from
    name, place = b"", 8
    while name != b"IEND" and place + 12 <= len(data):
        length, name = chunk(data, place)
        place += 12 + length
    return name == b"IEND" and place <= len(data)


def _by_opencv(source: Source, kind: Kind, header: ImageFile) -> Pixels:
    """Grey at the depth of the file, turned by OpenCV as EXIF says, then 8 bits."""
    with source.decoding():
        coloured = header.mode == "RGB" and kind is not Kind.JPEG2000
        pixels = _coloured(source, kind, header.size) if coloured else _decoded(source)
        return pixels if pixels.dtype == np.uint8 else eight_bits(pixels)


def _coloured(source: Source, kind: Kind, size: tuple[int, int]) -> NDArray[Any]:
    """A colour picture as grey: luma, unless its writing is all but lost in that.

    Of a JPEG the luma is decoded alone, and a small picture tells whether it will do.
    """
    import cv2

    if kind is Kind.JPEG:
        if has_faint_ink(_decoded(source, _small(max(size)))):
            return darkest_channel(_decoded(source, cv2.IMREAD_COLOR))
        return _decoded(source)
    colours = _decoded(source, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if colours.dtype != np.uint8:
        return _decoded(source)
    if has_faint_ink(colours):
        return darkest_channel(colours)
    return np.asarray(cv2.transform(colours, _PNG_LUMA))


def _small(longest: int) -> int:
    """How OpenCV reads a JPEG as small as colours are looked at."""
    import cv2

    eighth, quarter, half = cv2.IMREAD_REDUCED_COLOR_8, cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_2
    for how, times in ((eighth, 8), (quarter, 4), (half, 2)):
        if longest >= times * LOOK:
            return how
    return cv2.IMREAD_COLOR


def _decoded(source: Source, how: int = _GREY) -> NDArray[Any]:
    """What the file holds, turned as EXIF says, which IMREAD_UNCHANGED would not do; by default in grey, as stored."""
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(source.data, np.uint8), how)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise source.damaged(f"OpenCV refuses it ({error.err})") from error
    if pixels is None:
        raise source.damaged("its picture cannot be decoded")
    return pixels


def _without_idle_alpha(image: ImageFile, kind: Kind) -> Any:
    """Many programs leave the fourth byte of a BMP's pixel zero, and mean no transparency by it."""
    if kind is Kind.BMP and image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        return image.convert("RGB")
    return image
