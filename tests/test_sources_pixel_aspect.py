"""Pages whose pixels are not square, such as faxes: the files that state it, and that they are read."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from drawing import overlap
from format_files import bmp, packed, shades, stroke, whole_png
from PIL import Image
from strokes import page as drawn_page

from batchocr import Reader
from batchocr.records import Box, NumberRow, Page, Pixels, Scan
from batchocr.sources import load_pages
from batchocr.vision.geometry.pixel_aspect import MAX_MEGAPIXELS, square_pixels


def aspect_of(data: bytes) -> float:
    (page,) = load_pages(Scan(Path("x"), "x", data))
    assert isinstance(page, Page)
    return page.pixel_aspect


def saved(format: str, orientation: int = 1, **options: object) -> bytes:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(shades()).save(stream, format, exif=exif, **options)
    return stream.getvalue()


def jfif(unit: int, across: int, down: int) -> bytes:
    """Return a JPEG with that density: unit 0 none, 1 per inch, 2 per centimetre."""
    data = bytearray(imagecodecs.jpeg8_encode(shades(), 95))
    start = data.index(b"JFIF") + 7
    data[start : start + 5] = struct.pack(">BHH", unit, across, down)
    return bytes(data)


def phys(across: int, down: int, unit: int) -> bytes:
    return whole_png(shades(), 0, (b"pHYs", struct.pack(">IIB", across, down, unit)))


@pytest.mark.parametrize(
    ("data", "aspect"),
    [
        (jfif(1, 204, 98), 98 / 204),
        (jfif(2, 80, 39), 39 / 80),
        (jfif(0, 1, 2), 2),
        (jfif(1, 204, 196), 1),
        (jfif(1, 1, 72), 1),
        (jfif(0, 0, 0), 1),
        (jfif(0, 1, 65535), 1),
        (phys(8031, 3858, 1), 3858 / 8031),
        (phys(2, 1, 0), 0.5),
        (phys(1, 2, 1), 1),  # per metre: not plausible
        (phys(0, 5, 1), 1),
        (phys(2**32 - 1, 2**31, 1), 1),
        (saved("JPEG", dpi=(200, 100)), 0.5),
        (saved("JPEG", dpi=(200, 100), orientation=6), 2),
        (saved("PNG", dpi=(200, 100), orientation=8), 2),
        (saved("PNG", dpi=(200, 100), orientation=3), 0.5),
        (saved("PNG", dpi=(300, 300)), 1),
    ],
)
def test_the_shape_of_the_pixels_by_the_tags_of_the_file(data: bytes, aspect: float) -> None:
    assert aspect_of(data) == pytest.approx(aspect, rel=2e-3)


def test_the_shape_of_the_pixels_of_a_bmp() -> None:
    data = bytearray(bmp([packed(row[None], 1) for row in stroke() & 1], 64, 1, (0, 255)))
    data[38:46] = struct.pack("<ii", 8031, 3858)
    assert aspect_of(bytes(data)) == pytest.approx(3858 / 8031, rel=1e-3)


@pytest.mark.parametrize("aspect", [0.48, 2.0])
def test_the_coarser_axis_is_enlarged_and_points_find_back(aspect: float) -> None:
    pixels = np.full((300, 400), 255, np.uint8)
    pixels[100:120, 200:220] = 0
    square, to_given = square_pixels(pixels, aspect)
    assert square.shape == ((625, 400) if aspect < 1 else (300, 800))
    y, x = (side.mean() + 0.5 for side in np.nonzero(square < 128))
    assert to_given @ (x, y, 1) == pytest.approx((210, 110, 1), abs=0.6)


def test_a_square_page_is_not_changed_and_an_enlarged_one_is_bounded() -> None:
    pixels = np.full((300, 400), 255, np.uint8)
    assert square_pixels(pixels, 1)[0] is pixels
    large = np.full((10_000, 9_000), 255, np.uint8)
    square, _ = square_pixels(large, 0.25)
    assert square.size <= 1.01e6 * MAX_MEGAPIXELS
    assert square.shape[0] / square.shape[1] == pytest.approx(40 / 9, rel=1e-3)


def fax(pixels: Pixels, resolution: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels > 127).save(stream, "TIFF", compression="group4", dpi=resolution)
    return stream.getvalue()


def test_a_coarse_fax_is_read_as_a_fine_one_and_its_boxes_are_in_its_own_pixels() -> None:
    fine = drawn_page(["2017 45", "389", "60 71 2"], height=60, width=1200)
    coarse = cv2.resize(fine, (fine.shape[1], fine.shape[0] // 2), interpolation=cv2.INTER_AREA)
    reader = Reader(device="cpu")
    (wanted,) = reader.pages(fax(fine, (204, 196)))
    (read,) = reader.pages(fax(coarse, (204, 98)))
    (not_squared,) = reader.pages(fax(coarse, (200, 200)))
    assert [number.text for number in wanted.numbers] == ["2017", "45", "389", "60", "71", "2"]
    assert [number.text for number in read.numbers] == [number.text for number in wanted.numbers]
    assert (read.page.width, read.page.height) == (1200, fine.shape[0] // 2)
    for number, other in zip(read.numbers, wanted.numbers, strict=True):
        half = Box(other.left, other.top // 2, other.width, other.height // 2)
        assert overlap(box_of(number), half) > 0.85
    assert min(digit.confidence for digit in read.digits) > min((d.confidence for d in not_squared.digits), default=0)


def box_of(number: NumberRow) -> Box:
    return Box(number.left, number.top, number.width, number.height)
