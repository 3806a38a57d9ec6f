"""Files of each format and depth, written by another library than the one that reads them.

Pillow reads all but PNG and JPEG (OpenCV), PNM (our own code) and PDF (PDFium). Therefore tifffile, imagecodecs,
OpenCV, pikepdf and pillow-heif write here, Pillow writes what it does not read, and a few lines write single bytes.
"""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numpy as np
import pikepdf
import pillow_heif
import tifffile
from numpy.typing import NDArray
from PIL import Image

from batchocr.records import Pixels

Array = NDArray[np.generic]

WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE = 0, 1, 3


def shades() -> Pixels:
    """Return paper with four shades that 2 bits can store. Each rotation of it looks different."""
    pixels = np.full((40, 64), 255, np.uint8)
    pixels[4:10, 5:30] = 0
    pixels[14:30, 5:12] = 85
    pixels[14:30, 40:50] = 170
    return pixels


def stroke() -> Pixels:
    """Return paper with a black stroke, for one bit per pixel."""
    pixels = np.full((40, 64), 255, np.uint8)
    pixels[4:10, 5:30] = 0
    return pixels


def packed(levels: Array, bits: int) -> bytes:
    """Pack rows of small numbers, the first in the highest bits. Each row starts with a new byte."""
    lowest = np.unpackbits(np.asarray(levels, np.uint8)[..., None], axis=2)[..., 8 - bits :]
    return np.packbits(lowest.reshape(len(levels), -1), axis=1).tobytes()


def coloured(pixels: Pixels, alpha: int | None = None) -> Pixels:
    """Return the same shades in red, green and blue, and alpha if it is given."""
    channels = [pixels] * 3 + ([] if alpha is None else [np.full_like(pixels, alpha)])
    return np.dstack(channels)


def see_through(pixels: Pixels, channels: int) -> Pixels:
    """Return the shades with transparent paper, which is black; the last channel is alpha."""
    alpha = np.where(pixels == 255, 0, 255).astype(np.uint8)
    return np.dstack([pixels & alpha] * (channels - 1) + [alpha])


def wide(pixels: Pixels) -> NDArray[np.uint16]:
    """Return the same shades in 16 bits."""
    return pixels.astype(np.uint16) * 257


# PNG


def png_chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(rows: Sequence[bytes], width: int, bits: int, colour: int, *extra: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of packed rows. `colour` is 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        *extra,
        (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def small_png(levels: Array, bits: int, colour: int, *extra: tuple[bytes, bytes]) -> bytes:
    """Return a PNG with one channel of 1, 2 or 4 bits."""
    return png([packed(row[None], bits) for row in levels], levels.shape[1], bits, colour, *extra)


def whole_png(pixels: Array, colour: int, *extra: tuple[bytes, bytes]) -> bytes:
    """Return a PNG with channels of 8 or 16 bits."""
    big = pixels.astype(pixels.dtype.newbyteorder(">"))
    return png([row.tobytes() for row in big], pixels.shape[1], pixels.dtype.itemsize * 8, colour, *extra)


def interlaced_png(pixels: Pixels) -> bytes:
    """Return a PNG of 8-bit grey in the seven passes of Adam7."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = [row for top, left, down, right in passes for row in pixels[top::down, left::right]]
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 1)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


# TIFF


def tifffile_bytes(*frames: Array, byteorder: Literal["<", ">"] = "<", bigtiff: bool = False, **options: Any) -> bytes:
    """Return a TIFF with these frames, written by tifffile."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, byteorder=byteorder, bigtiff=bigtiff) as writer:
        for frame in frames:
            writer.write(frame, metadata=None, **options)
    return stream.getvalue()


def plain_tiff(strip: bytes, width: int, height: int, order: str = "<", **tags: int) -> bytes:
    """Return one frame in one strip: 1 bit, white is zero, uncompressed, unless `tags` say otherwise."""
    numbers = {"kind": 254, "bits": 258, "compression": 259, "photometric": 262, "fill_order": 266, "orientation": 274}
    entries = {
        256: width,
        257: height,
        258: 1,
        259: 1,
        262: WHITE_IS_ZERO,
        273: 8,
        277: 1,
        278: height,
        279: len(strip),
    }
    entries |= {numbers[name]: value for name, value in tags.items()}
    start = 8 + len(strip) + len(strip) % 2
    directory = struct.pack(order + "H", len(entries))
    for tag, value in sorted(entries.items()):
        directory += struct.pack(order + "HHII", tag, 4, 1, value)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "I", start) + strip.ljust(start - 8, b"\0") + directory + bytes(4)


def old_jpeg_tiff(stream: bytes, width: int, height: int, samples: int = 1, **tags: int) -> bytes:
    """Return a frame of compression 6, whose strip is the scan of a JPEG stream; a tag of -1 is left out."""
    scan = stream.index(b"\xff\xda")
    strip = scan + 2 + int.from_bytes(stream[scan + 2 : scan + 4])
    numbers = {"strip": 273, "jpeg": 513, "jpeg_length": 514, "orientation": 274}
    entries = {256: width, 257: height, 258: 8, 259: 6, 262: 6 if samples == 3 else BLACK_IS_ZERO, 273: 8 + strip}
    entries |= {277: samples, 278: height, 279: len(stream) - strip, 512: 1, 513: 8, 514: len(stream)}
    entries |= {numbers[name]: value for name, value in tags.items()}
    kept = sorted((tag, value) for tag, value in entries.items() if value >= 0)
    start = 8 + len(stream) + len(stream) % 2
    directory = struct.pack("<H", len(kept)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in kept)
    return b"II*\0" + struct.pack("<I", start) + stream.ljust(start - 8, b"\0") + directory + bytes(4)


def bits_to_bytes(code: str) -> bytes:
    """Convert a string of 0 and 1 to bytes; spaces in it are ignored."""
    code = code.replace(" ", "")
    code += "0" * (-len(code) % 8)
    return int(code, 2).to_bytes(len(code) // 8, "big")


# The rows of stroke(): 64 white; 5 white, 25 black, 34 white. Run lengths by the tables of T.4.
_BLANK_1D, _STROKE_1D = "11011 00110101", "1100 00000011000 00010011"
_EOL = "000000000001"
G3 = bits_to_bytes("".join(_EOL + row for row in [_BLANK_1D] * 4 + [_STROKE_1D] * 6 + [_BLANK_1D] * 30) + _EOL * 6)
"""stroke() by Group 3, one-dimensional."""
# White rows: V0. First row of the stroke: horizontal mode. Its other rows: V0 V0 V0. The row below it: pass mode. Then
# V0 again, and two end markers.
G4 = bits_to_bytes("1" * 4 + "001 1100 00000011000 1" + "111" * 5 + "0001 1" + "1" * 29 + _EOL * 2)
"""stroke() by Group 4."""


# BMP


def bmp(rows: Sequence[bytes], width: int, bits: int, palette: Sequence[int] = (), compression: int = 0) -> bytes:
    """Return a BMP of packed rows from the top. With RLE, `rows` is all of them in one."""
    body = b"".join(row.ljust((len(row) + 3) // 4 * 4, b"\0") for row in reversed(rows))
    colours = b"".join(bytes((shade, shade, shade, 0)) for shade in palette)
    start = 54 + len(colours)
    height = 40 if compression else len(rows)
    header = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 11811, 11811, len(palette), 0
    )
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + colours + body


def rle8(pixels: Pixels) -> bytes:
    """Return runs whose length is one byte, the lowest row first."""
    code = bytearray()
    for row in pixels[::-1]:
        edges = [0, *(np.flatnonzero(np.diff(row.astype(int))) + 1), len(row)]
        for left, right in itertools.pairwise(edges):
            code += bytes((right - left, row[left]))
        code += b"\0\0"
    return bytes(code + b"\0\1")


# HEIF and AVIF


def heif(pixels: Pixels, orientation: int = 1) -> bytes:
    """Return a HEIC by pillow-heif, with the orientation in its container and in EXIF."""
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(stream, quality=95, exif=exif.tobytes())
    return stream.getvalue()


def avif(pixels: Pixels, orientation: int = 1) -> bytes:
    """Return an AVIF by Pillow, with the orientation in its container."""
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(stream, "AVIF", quality=95, exif=exif)
    return stream.getvalue()


# Other formats


def by_opencv(suffix: str, pixels: Array, *options: int) -> bytes:
    """Return a file written by OpenCV."""
    return bytes(cv2.imencode(suffix, pixels, options)[1])


def pdf(
    *pages: tuple[bytes | bytearray, dict[str, object], tuple[float, float]], commands: str = "", **save: Any
) -> bytes:
    """Return a PDF whose pages are one image each.

    A page is the bytes of its image, the image's dictionary, and the width and height of the page in points.
    """
    document = pikepdf.new()
    for data, about, (width, height) in pages:
        page = document.add_blank_page(page_size=(width, height))
        image = pikepdf.Stream(document, bytes(data))
        for key, value in {"Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Image, **about}.items():
            image[f"/{key}"] = value
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
        drawn = commands or f"q {width} 0 0 {height} 0 0 cm /Im0 Do Q"
        page.Contents = pikepdf.Stream(document, drawn.encode())
    stream = io.BytesIO()
    document.save(stream, **save)
    return stream.getvalue()


def about(pixels: Array, bits: int = 8, space: str = "/DeviceGray", **more: object) -> dict[str, object]:
    """Return the dictionary of an image in a PDF."""
    height, width = pixels.shape[:2]
    return {"Width": width, "Height": height, "BitsPerComponent": bits, "ColorSpace": pikepdf.Name(space), **more}
