"""TIFF of many frames: which are pages, which are bad, and what ends them."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
from format_files import G4, plain_tiff, shades, stroke, tifffile_bytes
from orientation import STORED

from batchocr.errors import ScanError
from batchocr.records import Page, Scan
from batchocr.sources import MAX_MEGAPIXELS, MAX_PAGES, BadPage, load_pages


def scan(data: bytes) -> Scan:
    return Scan(Path("fax.tif"), "fax.tif", data)


def load(data: bytes, max_megapixels: float = MAX_MEGAPIXELS) -> list[Page | BadPage]:
    return list(load_pages(scan(data), max_megapixels=max_megapixels))


def three(compression: str | None = None) -> bytes:
    """Three frames of different shades."""
    return tifffile_bytes(*(np.full((20, 30), shade, np.uint8) for shade in (50, 100, 150)), compression=compression)


def directories(data: bytes | bytearray) -> list[int]:
    """Where the directories of a small little-endian TIFF begin."""
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
def test_every_frame_is_a_page(compression: str | None) -> None:
    pages = load(three(compression=compression))
    assert [shade(page) for page in pages] == [50, 100, 150]
    assert [(page.number, page.pages) for page in pages] == [(1, 3), (2, 3), (3, 3)]
    assert len({page.sha256 for page in pages}) == 1


@pytest.mark.parametrize(("first", "last", "numbers"), [(2, 2, [2]), (2, None, [2, 3]), (1, 9, [1, 2, 3]), (4, 9, [])])
def test_a_range_of_pages(first: int, last: int | None, numbers: list[int]) -> None:
    pages = list(load_pages(scan(three()), first=first, last=last))
    assert [page.number for page in pages] == numbers
    assert [shade(page) for page in pages] == [50 * number for number in numbers]


def test_frames_are_decoded_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL.TiffImagePlugin import TiffImageFile

    asked: list[int] = []
    real = TiffImageFile.load

    def load_and_tell(frame: TiffImageFile) -> object:
        asked.append(frame.width)
        return real(frame)

    monkeypatch.setattr(TiffImageFile, "load", load_and_tell)
    pages = load_pages(scan(tifffile_bytes(*(np.zeros((9, width), np.uint8) for width in (3, 4, 5)))))
    assert not asked
    next(pages)
    assert set(asked) == {3}


@pytest.mark.parametrize("bad", [1, 2, 3])
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_bad_frame_is_not_a_bad_file(bad: int, compression: str | None) -> None:
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


def test_frames_that_never_end_end() -> None:
    data = bytearray(three())
    places = directories(data)
    entries = struct.unpack_from("<H", data, places[-1])[0]
    struct.pack_into("<I", data, places[-1] + 2 + 12 * entries, places[0])
    *pages, fault = load(bytes(data))
    assert [shade(page) for page in pages] == [50, 100, 150]
    assert isinstance(fault, BadPage)
    assert "its pages go in a circle" in fault.error.message
    assert {page.pages for page in (*pages, fault)} == {4}


def test_a_file_cut_off_within_its_frames_gives_those_before() -> None:
    data = three()
    *pages, fault = load(data[: directories(data)[2] + 8])
    assert [shade(page) for page in pages] == [50, 100]
    assert isinstance(fault, BadPage)
    assert (fault.number, fault.error.reason) == (3, "damaged")


def many_frames(count: int) -> bytes:
    """A chain of `count` directories that say nothing."""
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


def test_the_limit_of_pixels_is_a_frames_own() -> None:
    small, large = np.zeros((10, 10), np.uint8), np.zeros((1000, 1001), np.uint8)
    pages = load(tifffile_bytes(small, large, small), max_megapixels=1)
    assert [isinstance(page, BadPage) for page in pages] == [False, True, False]
    assert isinstance(pages[1], BadPage)
    assert pages[1].error.reason == "too-large"
    assert "page 2: has 1001 x 1000 pixels" in pages[1].error.message


def test_a_bomb_is_refused_by_its_directory() -> None:
    (page,) = load(plain_tiff(G4, 1_000_000, 1_000_000, compression=4))
    assert isinstance(page, BadPage)
    assert page.error.reason == "too-large"


def test_thumbnails_and_masks_are_no_pages() -> None:
    page, other = np.full((20, 30), 50, np.uint8), np.full((20, 30), 100, np.uint8)
    data = bytearray(tifffile_bytes(page, other, other, page, subfiletype=2))
    places = directories(data)
    for place, kind in ((places[1], 1), (places[2], 4)):
        assert struct.unpack_from("<HHI", data, place + 2) == (254, 4, 1)
        struct.pack_into("<I", data, place + 10, kind)
    assert [(shade(page), page.number, page.pages) for page in load(bytes(data))] == [(50, 1, 2), (50, 2, 2)]


@pytest.mark.parametrize(("orientation", "compression"), list(itertools.product(STORED, [None, "deflate"])))
def test_the_orientation_tag_is_applied_once(orientation: int, compression: str | None) -> None:
    stored = np.ascontiguousarray(STORED[orientation](shades()))
    (page,) = load(tifffile_bytes(stored, compression=compression, extratags=[(274, 3, 1, orientation, True)]))
    assert isinstance(page, Page)
    assert np.array_equal(page.pixels, shades())


@pytest.mark.parametrize(
    ("resolution", "unit", "dpi"),
    [
        ((300, 300), "inch", 300),
        ((118.11, 118.11), "centimeter", 300),
        ((72, 72), "inch", None),
        ((300, 300), "none", None),
        ((204, 98), "inch", None),
        ((1, 1), "inch", None),
        ((90000, 90000), "inch", None),
    ],
)
def test_resolution_where_it_can_be_right(resolution: tuple[float, float], unit: str, dpi: float | None) -> None:
    (page,) = load(tifffile_bytes(shades(), resolution=resolution, resolutionunit=unit))
    assert isinstance(page, Page)
    assert page.dpi == (dpi if dpi is None else pytest.approx(dpi, abs=0.1))


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_sixteen_bits_are_scaled_by_the_bits_in_use(bits: int) -> None:
    full = (1 << bits) - 1
    levels = np.where(stroke() == 0, full // 4, full).astype(np.uint16)
    (page,) = load(tifffile_bytes(levels))
    assert isinstance(page, Page)
    assert np.array_equal(np.unique(page.pixels), [64, 255])


def test_a_large_page_passes_pillows_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    (page,) = load(tifffile_bytes(shades()))
    assert isinstance(page, Page)
    assert Image.MAX_IMAGE_PIXELS == 100
