"""A small file of each format and depth, and the grey that it must give."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pikepdf
from format_files import (
    G3,
    G4,
    Array,
    about,
    bmp,
    by_opencv,
    coloured,
    heif,
    interlaced_png,
    old_jpeg_tiff,
    packed,
    pdf,
    plain_tiff,
    rle8,
    see_through,
    shades,
    small_png,
    stroke,
    tifffile_bytes,
    whole_png,
    wide,
)
from PIL import Image

from batchocr.records import Pixels

OWN, TIFFFILE, IMAGECODECS, OPENCV, PIKEPDF = "own bytes", "tifffile", "imagecodecs", "OpenCV", "pikepdf"
PILLOW_HEIF = "pillow-heif"
LOSSY = 12
"""Difference of 255 that a lossy format may cause at the edges of shades."""
S, K = shades(), stroke()
SEE_THROUGH, INKS = see_through(S, 4), np.dstack([np.zeros_like(S)] * 3 + [255 - S])
SHADES_OF_GREY = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))


@dataclass(frozen=True)
class Case:
    """A file of one format and depth."""

    format: str
    pixels: str
    writer: str
    data: bytes | bytearray
    wanted: Pixels | None = None
    """The page; None if the file is refused."""
    error: int = 0
    """Largest difference of a pixel, of 255."""
    name: str = "page"
    """Name of the file."""


def png_cases() -> Iterator[Case]:
    """Yield all colour types and depths, with palettes and transparency."""

    def case(pixels: str, data: bytes | bytearray, wanted: Pixels = S) -> Case:
        return Case("PNG", pixels, OWN, data, wanted)

    yield case("grey, 1 bit", small_png(K & 1, 1, 0), K)
    for bits in (2, 4):
        yield case(f"grey, {bits} bits", small_png(S >> (8 - bits), bits, 0))
    yield case("grey, 8 bits", whole_png(S, 0))
    yield case("grey, 8 bits, interlaced", interlaced_png(S))
    yield case("grey, 8 bits, one shade transparent", whole_png(S, 0, (b"tRNS", b"\0\xff")))
    yield case("grey, 16 bits", whole_png(wide(S), 0))
    yield case("grey and alpha, 8 bits", whole_png(see_through(S, 2), 4))
    yield case("grey and alpha, 16 bits", whole_png(wide(see_through(S, 2)), 4))
    for bits in (1, 2, 4, 8):
        most, wanted = (1 << bits) - 1, K if bits == 1 else S
        palette = bytes(255 * level // most for level in range(1 << bits) for _ in range(3))
        yield case(
            f"palette, {bits} bit{'s' * (bits > 1)}",
            small_png(wanted >> (8 - bits), bits, 3, (b"PLTE", palette)),
            wanted,
        )
    palette = bytes(level % 255 for level in range(256) for _ in range(3))  # the last is black, and transparent
    clear = (b"tRNS", bytes([255] * 255 + [0]))
    yield case("palette, 8 bits, one colour transparent", small_png(S, 8, 3, (b"PLTE", palette), clear))
    yield case("RGB, 8 bits", whole_png(coloured(S), 2))
    yield case("RGB, 16 bits", whole_png(wide(coloured(S)), 2))
    yield case("RGB and alpha, 8 bits", whole_png(SEE_THROUGH, 6))
    yield case("RGB and alpha, 16 bits", whole_png(wide(SEE_THROUGH), 6))


def jpeg_cases() -> Iterator[Case]:
    """Yield files as scanners, cameras and printers write them."""

    def case(pixels: str, data: bytes | bytearray, wanted: Pixels | None = S) -> Case:
        return Case("JPEG", pixels, IMAGECODECS, data, wanted, LOSSY)

    encode = imagecodecs.jpeg8_encode
    yield case("grey", encode(S, 95))
    stream = io.BytesIO()
    Image.fromarray(S).save(stream, "JPEG", quality=95, progressive=True)
    yield Case("JPEG", "grey, progressive", "Pillow", stream.getvalue(), S, LOSSY)
    for sampling in ("444", "422", "420"):
        yield case(f"YCbCr, {sampling}", encode(coloured(S), 95, subsampling=sampling))
    yield case("RGB", encode(coloured(S), 95, colorspace="RGB", outcolorspace="RGB"))
    for space in ("CMYK", "YCCK"):
        yield case(f"{space}, inverted as by Adobe", encode(255 - INKS, 95, colorspace="CMYK", outcolorspace=space))
    yield case("grey, 12 bits", encode(wide(S) >> 4, bitspersample=12), None)
    yield case("JPEG-LS", imagecodecs.jpegls_encode(S), None)


def tiff_case(pixels: str, frame: Array, wanted: Pixels | None = S, error: int = 0, **options: Any) -> Case:
    """Return a file with one frame, written by tifffile."""
    return Case("TIFF", pixels, TIFFFILE, tifffile_bytes(frame, **options), wanted, error)


def grey_tiff_cases() -> Iterator[Case]:
    """Yield depths, photometrics, byte orders and compressions."""
    for end, order in (("little endian", "<"), ("big endian", ">")):
        for bits in (2, 4):
            data = plain_tiff(packed(S >> (8 - bits), bits), 64, 40, order, bits=bits, photometric=1)
            yield Case("TIFF", f"grey, {bits} bits, {end}", OWN, data, S)
        for zero in ("black", "white"):
            for compression in (None, "deflate"):
                more: dict[str, Any] = {"photometric": f"minis{zero}", "byteorder": order, "compression": compression}
                name = f"{zero} is zero, {end}, {compression or 'uncompressed'}"
                inverted = zero == "white"
                yield tiff_case(f"1 bit, {name}", (K == 0) == inverted, K, **more)
                yield tiff_case(f"grey, 8 bits, {name}", 255 - S if inverted else S, **more)
                yield tiff_case(f"grey, 16 bits, {name}", 65535 - wide(S) if inverted else wide(S), **more)
    for name, code, number in (("G3", G3, 3), ("G4", G4, 4)):
        yield Case("TIFF", f"1 bit, {name}", OWN, plain_tiff(code, 64, 40, compression=number), K)
    for compression in ("lzw", "packbits", "lzma", "zstd"):
        yield tiff_case(f"grey, 8 bits, {compression}", S, compression=compression)
    yield tiff_case("grey, 8 bits, lzw, differences", S, compression="lzw", predictor=True)
    yield tiff_case("grey, 8 bits, jpeg", S, error=LOSSY, compression="jpeg")
    stream = bytes(imagecodecs.jpeg8_encode(S, 95))
    yield Case("TIFF", "grey, 8 bits, old-style JPEG", OWN, old_jpeg_tiff(stream, 64, 40), S, LOSSY)
    stream = bytes(imagecodecs.jpeg8_encode(coloured(S), 95))
    yield Case("TIFF", "YCbCr, old-style JPEG", OWN, old_jpeg_tiff(stream, 64, 40, 3), S, LOSSY)
    tables = old_jpeg_tiff(stream, 64, 40, 3, jpeg=-1)
    yield Case("TIFF", "YCbCr, old-style JPEG without a stream", OWN, tables)
    yield tiff_case("grey, 8 bits, in tiles", S, tile=(16, 16))
    yield tiff_case("grey, 8 bits, in tiles, deflate", S, tile=(16, 16), compression="deflate")
    yield tiff_case("grey, 8 bits, little endian BigTIFF", S, bigtiff=True)
    yield tiff_case("grey, 8 bits, big endian BigTIFF", S, None, bigtiff=True, byteorder=">")
    yield tiff_case("grey, signed, 16 bits", S.astype(np.int16), None)
    yield tiff_case("grey, 32 bits", S.astype(np.uint32), None)
    yield tiff_case("grey, fractions, 32 bits", S.astype(np.float32), None)


def colour_tiff_cases() -> Iterator[Case]:
    """Yield colours and transparency, in 8 and 16 bits, uncompressed (for Pillow) and compressed (for libtiff)."""
    for compression in (None, "deflate"):
        name = compression or "uncompressed"
        for bits in (8, 16):
            widened = wide if bits == 16 else np.asarray
            depth = f"{bits} bits, {name}"
            pack: dict[str, Any] = {"compression": compression}
            yield tiff_case(f"RGB, {depth}", widened(coloured(S)), photometric="rgb", **pack)
            planes: dict[str, Any] = {"photometric": "rgb", "planarconfig": "separate", **pack}
            read = None if bits == 16 and not compression else S
            yield tiff_case(f"RGB in planes, {depth}", widened(np.stack([S] * 3)), read, **planes)
            for alpha, alpha_name in (("unassalpha", "alpha"), ("assocalpha", "premultiplied alpha")):
                more: dict[str, Any] = {"photometric": "rgb", "extrasamples": [alpha], **pack}
                yield tiff_case(f"RGB and {alpha_name}, {depth}", widened(SEE_THROUGH), **more)
            more = {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": ["unassalpha"], **pack}
            yield tiff_case(f"grey and alpha, {depth}", widened(see_through(S, 2)), S if bits == 8 else None, **more)
            yield tiff_case(f"CMYK, {depth}", widened(INKS), photometric="separated", **pack)
        yield tiff_case(f"palette, 8 bits, {name}", S, photometric="palette", colormap=SHADES_OF_GREY, **pack)
    neutral = np.full_like(S, 128)
    yield tiff_case(
        "YCbCr, jpeg", np.dstack([S, neutral, neutral]), error=LOSSY, photometric="ycbcr", compression="jpeg"
    )
    yield tiff_case("Lab, 8 bits", np.dstack([S, S * 0, S * 0]), photometric="cielab")
    yield tiff_case("RGB, 8 bits, WebP", coloured(S), None, compression="webp")
    yield tiff_case("RGB, 8 bits, JPEG 2000", coloured(S), None, compression="jpeg2000", photometric="rgb")


def pdf_cases() -> Iterator[Case]:
    """Yield pages that are one image, which must come out unchanged. test_pdf.py has more of PDF."""
    page = (64 * 0.24, 40 * 0.24)  # points at 300 dpi

    def case(
        pixels: str, data: bytes | bytearray, image: dict[str, object], wanted: Pixels = S, error: int = 0
    ) -> Case:
        return Case("PDF", f"a scan: {pixels}", PIKEPDF, pdf((data, image, page)), wanted, error)

    yield case("1 bit", packed(K & 1, 1), about(K, 1), K)
    fax = pikepdf.Dictionary(K=-1, Columns=64, Rows=40)
    yield case("1 bit, G4", G4, about(K, 1, Filter=pikepdf.Name.CCITTFaxDecode, DecodeParms=fax), K)
    yield case("grey, 8 bits", S.tobytes(), about(S))
    yield case("RGB, 8 bits", coloured(S).tobytes(), about(S, 8, "/DeviceRGB"))
    jpeg = imagecodecs.jpeg8_encode(S, 95)
    yield case("JPEG", jpeg, about(S, Filter=pikepdf.Name.DCTDecode), error=LOSSY)
    jp2 = imagecodecs.jpeg2k_encode(S, 0, codecformat="jp2", reversible=True)
    yield case("JPEG 2000", jp2, about(S, Filter=pikepdf.Name.JPXDecode))


def other_cases() -> Iterator[Case]:
    """Yield BMP, WebP, PNM, JPEG 2000, GIF, HEIF and AVIF."""
    yield Case("BMP", "palette, 1 bit", OWN, bmp([packed(row[None], 1) for row in K & 1], 64, 1, (0, 255)), K)
    sixteen = range(0, 256, 17)
    yield Case("BMP", "palette, 4 bits", OWN, bmp([packed(row[None], 4) for row in S >> 4], 64, 4, sixteen), S)
    yield Case("BMP", "palette, 8 bits", OPENCV, by_opencv(".bmp", S), S)
    yield Case("BMP", "palette, 8 bits, RLE", OWN, bmp([rle8(S)], 64, 8, range(256), compression=1), S)
    five = (S >> 3).astype("<u2")
    yield Case("BMP", "RGB, 16 bits", OWN, bmp([row.tobytes() for row in five << 10 | five << 5 | five], 64, 16), S, 4)
    yield Case("BMP", "RGB, 24 bits", OPENCV, by_opencv(".bmp", coloured(S)), S)
    yield Case("BMP", "RGB and alpha, 32 bits", OPENCV, by_opencv(".bmp", SEE_THROUGH), S)
    yield Case("BMP", "RGB and an alpha of zeros, 32 bits", OPENCV, by_opencv(".bmp", coloured(S, 0)), S)
    yield Case("WebP", "lossy", IMAGECODECS, imagecodecs.webp_encode(coloured(S), 95, lossless=False), S, LOSSY)
    yield Case("WebP", "lossless", IMAGECODECS, imagecodecs.webp_encode(coloured(S), lossless=True), S)
    yield Case("WebP", "with alpha", IMAGECODECS, imagecodecs.webp_encode(SEE_THROUGH, lossless=True), S)
    for is_raw, form in enumerate(("ASCII", "raw")):
        option = (cv2.IMWRITE_PXM_BINARY, is_raw)
        yield Case("PNM", f"PBM, {form}", OPENCV, by_opencv(".pbm", K, *option), K)
        for bits, levels in ((8, S), (16, wide(S))):
            yield Case("PNM", f"PGM, {bits} bits, {form}", OPENCV, by_opencv(".pgm", levels, *option), S)
            colours = np.dstack([levels] * 3)
            yield Case("PNM", f"PPM, {bits} bits, {form}", OPENCV, by_opencv(".ppm", colours, *option), S)
    for codec in ("jp2", "j2k"):
        for bits in (8, 16):
            widened = wide if bits == 16 else np.asarray
            kinds = (("grey", S), ("RGB", coloured(S)), ("RGB and alpha", SEE_THROUGH))
            for name, pixels in kinds:
                data = imagecodecs.jpeg2k_encode(widened(pixels), 0, codecformat=codec, reversible=True)
                wanted = None if pixels is SEE_THROUGH and bits == 16 else S
                yield Case("JPEG 2000", f"{name}, {bits} bits, .{codec}", IMAGECODECS, data, wanted)
    yield Case("GIF", "palette", IMAGECODECS, imagecodecs.gif_encode(S), S)
    yield Case("HEIC", "grey, 8 bits", PILLOW_HEIF, heif(S), S, LOSSY)
    yield Case("HEIC", "RGB, 8 bits", PILLOW_HEIF, heif(coloured(S)), S, LOSSY)
    yield Case("HEIC", "RGB and alpha, 8 bits", PILLOW_HEIF, heif(SEE_THROUGH), S, LOSSY)
    yield Case("AVIF", "RGB, 8 bits", IMAGECODECS, imagecodecs.avif_encode(coloured(S), 95), S, LOSSY)
    yield Case("AVIF", "RGB and alpha, 8 bits", IMAGECODECS, imagecodecs.avif_encode(SEE_THROUGH, 95), S, LOSSY)


def refused_cases() -> Iterator[Case]:
    """Yield formats that are recognised by their first bytes and not read."""

    def case(name: str, start: bytes, file: str = "page") -> Case:
        return Case(name, "", OWN, start + bytes(100), name=file)

    yield Case("JPEG XL", "", IMAGECODECS, imagecodecs.jpegxl_encode(S))
    yield Case("Raw files of cameras", "", OWN, plain_tiff(G4, 64, 40, compression=4), name="page.NEF")
    yield case("DjVu", b"AT&TFORM\0\0\0\0DJVM")
    yield case("PSD and XCF", b"8BPS\0\1")
    yield case("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n")


CASES = [
    *png_cases(),
    *jpeg_cases(),
    *grey_tiff_cases(),
    *colour_tiff_cases(),
    *pdf_cases(),
    *other_cases(),
    *refused_cases(),
]
