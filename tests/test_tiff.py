"""TIFF with many frames: which are pages, which are bad, and what ends the chain of them."""

from __future__ import annotations

import io
import itertools
import struct
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from format_files import (
    G4,
    Array,
    coloured,
    old_jpeg_tiff,
    plain_tiff,
    shades,
    stroke,
    tifffile_bytes,
)
from orientation import STORED
from PIL import Image

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels, Scan
from batchocr.sources import MAX_MEGAPIXELS, MAX_PAGES, BadPage, load_pages


def scan(data: bytes) -> Scan:
    return Scan(Path("fax.tif"), "fax.tif", data)


def load(data: bytes, max_megapixels: float = MAX_MEGAPIXELS) -> list[Page | BadPage]:
    return list(load_pages(scan(data), max_megapixels=max_megapixels))


def pixels(data: bytes) -> list[Pixels]:
    """Return the pages, all of which must be readable."""
    pages = load(data)
    assert all(isinstance(page, Page) for page in pages), pages
    return [page.pixels for page in pages if isinstance(page, Page)]


def three(compression: str | None = None) -> bytes:
    """Return three frames of different shades."""
    return tifffile_bytes(*(np.full((20, 30), shade, np.uint8) for shade in (50, 100, 150)), compression=compression)


def directories(data: bytes | bytearray) -> list[int]:
    """Return the positions of the directories of a small little-endian TIFF."""
    places, link = [], 4
    while (place := struct.unpack_from("<I", data, link)[0]) and place not in places:
        places.append(place)
        link = place + 2 + 12 * struct.unpack_from("<H", data, place)[0]
    return places


def shade(page: Page | BadPage) -> int:
    assert isinstance(page, Page)
    assert page.pixels.min() == page.pixels.max()
    return int(page.pixels[0, 0])


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_each_frame_is_a_page(compression: str | None) -> None:
    pages = load(three(compression=compression))
    assert [shade(page) for page in pages] == [50, 100, 150]
    assert [(page.number, page.pages) for page in pages] == [(1, 3), (2, 3), (3, 3)]
    assert len({page.sha256 for page in pages}) == 1


@pytest.mark.parametrize(("first", "last", "numbers"), [(2, 2, [2]), (2, None, [2, 3]), (1, 9, [1, 2, 3]), (4, 9, [])])
def test_a_range_of_pages(first: int, last: int | None, numbers: list[int]) -> None:
    pages = list(load_pages(scan(three()), first=first, last=last))
    assert [page.number for page in pages] == numbers
    assert [shade(page) for page in pages] == [50 * number for number in numbers]


def test_frames_are_decoded_when_they_are_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL.TiffImagePlugin import TiffImageFile

    decoded: list[int] = []
    real = TiffImageFile.load

    def recorded(frame: TiffImageFile) -> object:
        decoded.append(frame.width)
        return real(frame)

    monkeypatch.setattr(TiffImageFile, "load", recorded)
    pages = load_pages(scan(tifffile_bytes(*(np.zeros((9, width), np.uint8) for width in (3, 4, 5)))))
    assert not decoded
    next(pages)
    assert set(decoded) == {3}


@pytest.mark.parametrize("bad", [1, 2, 3])
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_bad_frame_does_not_affect_the_others(bad: int, compression: str | None) -> None:
    data = bytearray(three(compression=compression))
    place = directories(data)[bad - 1]
    entries = struct.unpack_from("<H", data, place)[0]
    data[place + 2 : place + 2 + 12 * entries] = b"\xff" * (12 * entries)
    pages = load(bytes(data))
    assert [page.number for page in pages] == [1, 2, 3]
    fault = pages.pop(bad - 1)
    assert isinstance(fault, BadPage)
    assert fault.error.reason in ("damaged", "unsupported")
    assert fault.error.message.startswith(f"fax.tif: page {bad}: ")
    assert [shade(page) for page in pages] == [50 * number for number in (1, 2, 3) if number != bad]


def test_a_circular_chain_of_frames_ends() -> None:
    data = bytearray(three())
    places = directories(data)
    entries = struct.unpack_from("<H", data, places[-1])[0]
    struct.pack_into("<I", data, places[-1] + 2 + 12 * entries, places[0])
    *pages, fault = load(bytes(data))
    assert [shade(page) for page in pages] == [50, 100, 150]
    assert isinstance(fault, BadPage)
    assert "the chain of its pages is circular" in fault.error.message
    assert {page.pages for page in (*pages, fault)} == {4}


def test_a_truncated_file_gives_the_frames_before_its_end() -> None:
    data = three()
    *pages, fault = load(data[: directories(data)[2] + 8])
    assert [shade(page) for page in pages] == [50, 100]
    assert isinstance(fault, BadPage)
    assert (fault.number, fault.error.reason) == (3, "damaged")


def many_frames(count: int) -> bytes:
    """Return a chain of empty directories."""
    links = [8 + 6 * number for number in range(1, count)] + [0]
    return b"II*\0\x08\0\0\0" + b"".join(struct.pack("<HI", 0, link) for link in links)


def test_too_many_frames_are_refused_as_a_whole() -> None:
    assert isinstance(next(load_pages(scan(many_frames(MAX_PAGES)))), BadPage)
    with pytest.raises(ScanError) as caught:
        load(many_frames(MAX_PAGES + 1))
    assert caught.value.reason == "too-many-pages"
    assert "split it" in caught.value.message


def test_a_tiff_without_frames_is_damaged() -> None:
    for data in (b"II*\0", b"II*\0\0\0\0\0", b"II*\0\xff\0\0\0"):
        with pytest.raises(ScanError) as caught:
            load(data)
        assert caught.value.reason == "damaged"


def test_the_limit_of_pixels_applies_to_each_frame() -> None:
    small, large = np.zeros((10, 10), np.uint8), np.zeros((1000, 1001), np.uint8)
    pages = load(tifffile_bytes(small, large, small), max_megapixels=1)
    assert [isinstance(page, BadPage) for page in pages] == [False, True, False]
    assert isinstance(pages[1], BadPage)
    assert pages[1].error.reason == "too-large"
    assert "page 2: has 1001 x 1000 pixels" in pages[1].error.message


def test_a_huge_frame_is_refused_by_its_directory() -> None:
    (page,) = load(plain_tiff(G4, 1_000_000, 1_000_000, compression=4))
    assert isinstance(page, BadPage)
    assert page.error.reason == "too-large"


# Thumbnails and masks


def marked(kinds: tuple[int, ...], tag: int, type_: int, order: str, place: int) -> bytes:
    """Return frames of the shades 10, 20, ..., whose tag for the kind of a frame has these values."""
    frames = b""
    for shade, kind in enumerate(kinds, 1):
        start = 8 + len(frames)
        value = struct.pack(order + ("HH" if type_ == 3 else "I"), *([kind, 0] if type_ == 3 else [kind]))
        tags = {256: 30, 257: 20, 258: 8, 259: 1, 262: 1, 273: start, 277: 1, 278: 20, 279: 600}
        entries = [struct.pack(order + "HHII", tag, 4, 1, number) for tag, number in tags.items()]
        entries.insert(place, struct.pack(order + "HHI", tag, type_, 1) + value)
        content = bytes([10 * shade]) * 600
        next_frame = start + 600 + 6 + 12 * len(entries)
        link = struct.pack(order + "I", next_frame + 600 if shade < len(kinds) else 0)
        frames += content + struct.pack(order + "H", len(entries)) + b"".join(entries) + link
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "I", 608) + frames


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("type_", [3, 4])
@pytest.mark.parametrize("place", [0, 9])
def test_marked_thumbnails_and_masks_are_not_pages(order: str, type_: int, place: int) -> None:
    for tag, kinds in ((254, (2, 1, 4, 2)), (254, (0, 1, 5, 0)), (255, (1, 2, 2, 3))):
        pages = load(marked(kinds, tag, type_, order, place))
        assert [(shade(page), page.number, page.pages) for page in pages] == [(10, 1, 2), (40, 2, 2)]
    first_is_reduced = load(marked((1, 0, 0), 254, type_, order, place))
    assert [shade(page) for page in first_is_reduced] == [20, 30]


@pytest.mark.parametrize("kinds", [(1,), (4,), (1, 1)])
def test_if_all_frames_are_marked_all_are_pages(kinds: tuple[int, ...]) -> None:
    assert [shade(page) for page in load(marked(kinds, 254, 4, "<", 0))] == [10, 20][: len(kinds)]


def test_sub_images_are_not_pages() -> None:
    stream = io.BytesIO()
    import tifffile

    with tifffile.TiffWriter(stream) as writer:
        writer.write(page_with(5), subifds=2, metadata=None)
        for size in (100, 50):
            writer.write(reduced(page_with(5), size), subfiletype=1, metadata=None)
        writer.write(page_with(7), metadata=None)
    assert [page.shape for page in pixels(stream.getvalue())] == [(400, 300)] * 2


def page_with(bars: int) -> Pixels:
    """Return a page with vertical bars."""
    page = np.full((400, 300), 255, np.uint8)
    for bar in range(bars):
        page[40:360, 20 + 280 * bar // bars :][:, :9] = 0
    return page


def reduced(page: Pixels, height: int) -> Pixels:
    """Return a page scaled to that height."""
    return np.asarray(cv2.resize(page, (height * 3 // 4, height), interpolation=cv2.INTER_AREA))


def one_bit(page: Pixels) -> Array:
    return page > 127


BLANK = np.full((400, 300), 250, np.uint8)
A, B = page_with(5), page_with(3)


@pytest.mark.parametrize(
    ("frames", "heights"),
    [
        ((A, reduced(A, 100)), [400]),
        ((A, reduced(A, 133)), [400]),
        ((A, reduced(A, 100), B, reduced(B, 100)), [400, 400]),
        ((A, B, reduced(B, 100)), [400, 400]),
        ((BLANK, reduced(BLANK, 100)), [400]),
        ((A, reduced(B, 100)), [400, 100]),
        ((A, reduced(BLANK, 100)), [400, 100]),
        ((A, reduced(A, 200)), [400, 200]),
        ((A, A[:100]), [400, 100]),
        ((reduced(A, 100), A), [100, 400]),
        ((A, A), [400, 400]),
    ],
)
def test_a_small_copy_of_the_page_before_is_not_a_page(frames: tuple[Pixels, ...], heights: list[int]) -> None:
    assert [page.shape[0] for page in pixels(tifffile_bytes(*frames))] == heights


def test_a_thumbnail_may_have_other_pixels_than_its_page() -> None:
    stream = io.BytesIO()
    import tifffile

    with tifffile.TiffWriter(stream) as writer:
        writer.write(one_bit(A), metadata=None, photometric="minisblack")
        writer.write(coloured(reduced(A, 120)), metadata=None, photometric="rgb")
    assert [page.shape for page in pixels(stream.getvalue())] == [(400, 300)]


def test_a_small_frame_after_a_page_that_cannot_be_read_is_a_page() -> None:
    data = tifffile_bytes(A, reduced(A, 100))
    first, second = load(data, max_megapixels=0.1)
    assert isinstance(first, BadPage)
    assert isinstance(second, Page)


# Orientation, resolution, depth


@pytest.mark.parametrize(("orientation", "compression"), list(itertools.product(STORED, [None, "deflate"])))
def test_the_orientation_tag_is_applied_once(orientation: int, compression: str | None) -> None:
    stored = np.ascontiguousarray(STORED[orientation](shades()))
    (page,) = load(tifffile_bytes(stored, compression=compression, extratags=[(274, 3, 1, orientation, True)]))
    assert isinstance(page, Page)
    assert np.array_equal(page.pixels, shades())


@pytest.mark.parametrize(
    ("resolution", "unit", "dpi", "aspect"),
    [
        ((300, 300), "inch", 300, 1),
        ((118.11, 118.11), "centimeter", 300, 1),
        ((72, 72), "inch", None, 1),
        ((300, 300), "none", None, 1),
        ((204, 98), "inch", None, 98 / 204),
        ((80.3, 38.6), "centimeter", None, 38.6 / 80.3),
        ((100, 200), "inch", None, 2),
        ((1, 2), "none", None, 2),
        ((204, 196), "inch", None, 1),
        ((1, 1), "inch", None, 1),
        ((1, 72), "inch", None, 1),
        ((300, 1500), "inch", None, 1),
        ((90000, 90000), "inch", None, 1),
        ((90000, 30000), "inch", None, 1),
        ((0, 200), "inch", None, 1),
    ],
)
def test_a_plausible_resolution_and_the_shape_of_the_pixels(
    resolution: tuple[float, float], unit: str, dpi: float | None, aspect: float
) -> None:
    (page,) = load(tifffile_bytes(shades(), resolution=resolution, resolutionunit=unit))
    assert isinstance(page, Page)
    assert page.dpi == (dpi if dpi is None else pytest.approx(dpi, abs=0.1))
    assert page.pixel_aspect == pytest.approx(aspect, rel=1e-3)


@pytest.mark.parametrize(("orientation", "aspect"), [(1, 2.0), (3, 2.0), (6, 0.5), (8, 0.5)])
def test_the_shape_of_the_pixels_is_that_of_the_upright_page(orientation: int, aspect: float) -> None:
    tags = [(274, 3, 1, orientation, True)]
    (page,) = load(tifffile_bytes(shades(), resolution=(100, 200), resolutionunit="inch", extratags=tags))
    assert isinstance(page, Page)
    assert page.pixel_aspect == pytest.approx(aspect)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_sixteen_bits_are_scaled_by_the_bits_in_use(bits: int) -> None:
    full = (1 << bits) - 1
    levels = np.where(stroke() == 0, full // 4, full).astype(np.uint16)
    (page,) = load(tifffile_bytes(levels))
    assert isinstance(page, Page)
    assert np.array_equal(np.unique(page.pixels), [64, 255])


def test_a_large_page_is_not_refused_by_pillows_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    (page,) = load(tifffile_bytes(shades()))
    assert isinstance(page, Page)
    assert Image.MAX_IMAGE_PIXELS == 100


# Old-style JPEG (compression 6)

GREY_JPEG = bytes(imagecodecs.jpeg8_encode(shades(), 95))
COLOUR_JPEG = bytes(imagecodecs.jpeg8_encode(coloured(shades()), 95, subsampling="420"))
START = GREY_JPEG.index(b"\xff\xda")


@pytest.mark.parametrize(
    "data",
    [
        old_jpeg_tiff(GREY_JPEG, 64, 40),
        old_jpeg_tiff(GREY_JPEG, 64, 40, jpeg_length=0),
        old_jpeg_tiff(GREY_JPEG, 64, 40, jpeg_length=100),
        old_jpeg_tiff(GREY_JPEG, 64, 40, strip=8),
        old_jpeg_tiff(GREY_JPEG, 64, 40, strip=8, jpeg=-1, jpeg_length=-1),
        old_jpeg_tiff(GREY_JPEG, 64, 40, strip=8, jpeg=0),
        old_jpeg_tiff(COLOUR_JPEG, 64, 40, 3),
        old_jpeg_tiff(COLOUR_JPEG, 64, 40, 3, strip=8, jpeg=-1, jpeg_length=-1),
    ],
)
def test_an_old_style_jpeg_in_one_stream_is_read(data: bytes) -> None:
    (page,) = pixels(data)
    assert abs(page.astype(int) - shades()).max() <= 12


def test_an_old_style_jpeg_is_made_upright() -> None:
    stream = bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(STORED[6](shades())), 95))
    (page,) = pixels(old_jpeg_tiff(stream, 40, 64, orientation=6))
    assert abs(page.astype(int) - shades()).max() <= 12


@pytest.mark.parametrize(
    "data",
    [
        old_jpeg_tiff(GREY_JPEG, 64, 40, jpeg=-1),  # its tables are elsewhere
        old_jpeg_tiff(GREY_JPEG, 64, 40, strip=4),  # the stream holds only tables
        old_jpeg_tiff(GREY_JPEG, 64, 41),
        old_jpeg_tiff(GREY_JPEG[:-2], 64, 40),  # without its end
        old_jpeg_tiff(GREY_JPEG, 64, 40, jpeg=1 << 30),
    ],
)
def test_another_old_style_jpeg_is_unsupported(data: bytes) -> None:
    (page,) = load(data)
    assert isinstance(page, BadPage)
    assert page.error.reason == "unsupported"
    assert "old-style JPEG" in page.error.message
    assert "tiff2pdf" in page.error.message


def test_an_old_style_jpeg_may_not_be_too_large() -> None:
    for data in (old_jpeg_tiff(GREY_JPEG, 60_000, 60_000), old_jpeg_tiff(COLOUR_JPEG, 60_000, 60_000, 3)):
        (page,) = load(data)
        assert isinstance(page, BadPage)
        assert page.error.reason == "too-large"
