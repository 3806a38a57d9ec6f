"""Decoding of image files, with known results."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from orientation import STORED
from PIL import Image

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels, Scan
from batchocr.sources import MAX_MEGAPIXELS, load_pages


def sheet() -> Pixels:
    """Return white paper with a black stroke near the top left, so that every rotation looks different."""
    pixels = np.full((40, 64), 255, np.uint8)
    pixels[4:10, 5:30] = 0
    return pixels


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


def noise_jpeg(**options: object) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (200, 300)).astype(np.uint8)
    return encoded(Image.fromarray(noise), "JPEG", **options)


def load(folder: Path, data: bytes, max_megapixels: float = MAX_MEGAPIXELS) -> Page:
    path = folder / "page.png"
    path.write_bytes(data)
    (page,) = load_pages(Scan(path, "page.png"), max_megapixels=max_megapixels)
    assert isinstance(page, Page)
    return page


def error_of(folder: Path, data: bytes, max_megapixels: float = MAX_MEGAPIXELS) -> ScanError:
    with pytest.raises(ScanError) as caught:
        load(folder, data, max_megapixels)
    assert caught.value.message.startswith("page.png: ")
    return caught.value


def test_a_page_is_grey_and_has_a_number_and_a_hash(tmp_path: Path) -> None:
    data = png(sheet())
    page = load(tmp_path, data)
    assert (page.number, page.sha256) == (1, hashlib.sha256(data).hexdigest())
    assert page.pixels.dtype == np.uint8
    assert np.array_equal(page.pixels, sheet())


def test_a_file_name_may_have_any_characters(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode("Größe 図\n=".encode() + b"\xff.png")
    path.write_bytes(png(sheet()))
    (page,) = load_pages(Scan(path, "x"))
    assert isinstance(page, Page)
    assert np.array_equal(page.pixels, sheet())


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "transparent PNG"])
def test_exif_orientation_is_applied_once(kind: str, orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](sheet())))
    if kind == "transparent PNG":
        stored.putalpha(255)
    page = load(tmp_path, encoded(stored, kind.split()[-1], exif=exif))
    assert page.pixels.shape == sheet().shape
    assert np.array_equal(page.pixels > 127, sheet() > 127)


def rgba(ink: int) -> Image.Image:
    """Return ink on a transparent background whose hidden colour is black."""
    pixels = np.zeros((40, 64, 4), np.uint8)
    pixels[sheet() == 0] = (ink, ink, ink, 255)
    return Image.fromarray(pixels)


def transparent_16() -> Image.Image:
    return Image.fromarray(np.where(sheet() == 0, 64 * 257, 9 * 257).astype(np.uint16))


@pytest.mark.parametrize(
    "data",
    [
        encoded(rgba(64), "PNG"),
        encoded(rgba(64).convert("LA"), "PNG"),
        encoded(rgba(64).convert("RGBA").quantize(8, method=Image.Quantize.FASTOCTREE), "PNG"),
        encoded(rgba(64).convert("L"), "PNG", transparency=0),
        encoded(rgba(64).convert("RGB"), "PNG", transparency=(0, 0, 0)),
        encoded(transparent_16(), "PNG", transparency=9 * 257),
    ],
    ids=["RGBA", "LA", "P", "L", "RGB", "I;16"],
)
def test_transparent_pixels_are_white_paper(data: bytes, tmp_path: Path) -> None:
    pixels = load(tmp_path, data).pixels
    assert np.all(pixels[sheet() == 255] == 255)
    assert np.all(abs(pixels[sheet() == 0].astype(int) - 64) <= 2)


def test_half_transparent_ink_is_half_grey(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[..., 3] = 128
    assert np.all(load(tmp_path, encoded(Image.fromarray(pixels), "PNG")).pixels == 127)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_sixteen_bits_are_scaled_by_the_bits_in_use(bits: int, tmp_path: Path) -> None:
    full = (1 << bits) - 1
    wide = np.where(sheet() == 0, full // 4, full).astype(np.uint16)
    assert np.array_equal(np.unique(load(tmp_path, png(wide)).pixels), [64, 255])


@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_in_colour(channels: int, tmp_path: Path) -> None:
    wide = np.dstack([sheet().astype(np.uint16) * 257] * channels)
    wide[..., 3:] = 65535
    assert np.array_equal(load(tmp_path, png(wide)).pixels, sheet())


@pytest.mark.parametrize("mode", ["1", "P", "RGB"])
def test_other_colour_types_of_png(mode: str, tmp_path: Path) -> None:
    assert np.array_equal(load(tmp_path, encoded(Image.fromarray(sheet()).convert(mode), "PNG")).pixels, sheet())


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_kinds_of_jpeg(mode: str, progressive: bool, tmp_path: Path) -> None:
    data = encoded(Image.fromarray(sheet()).convert(mode), "JPEG", progressive=progressive)
    assert np.array_equal(load(tmp_path, data).pixels > 127, sheet() > 127)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty-file"),
        (b"no picture at all", "not-a-picture"),
        (b"MZ" + bytes(100), "not-a-picture"),
        (b"BM is how this text begins", "not-a-picture"),
        (b"P1.5 bar, said the text", "not-a-picture"),
        (png(sheet())[:20], "damaged"),
        (b"\xff\xd8\xff\xe0", "damaged"),
    ],
)
def test_a_file_that_is_not_an_image_is_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    assert error_of(tmp_path, data).reason == reason


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["png", "jpeg", "progressive", "thumbnail", "transparent"])
def test_a_truncated_file_is_damaged_and_not_half_a_page(kind: str, part: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, 300, 4)).astype(np.uint8)
    makers: dict[str, Callable[[], bytes]] = {
        "png": lambda: png(noise[..., 0]),
        "jpeg": noise_jpeg,
        "progressive": lambda: noise_jpeg(progressive=True),
        "thumbnail": lambda: noise_jpeg(exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + noise_jpeg()[:40000]),
        "transparent": lambda: encoded(Image.fromarray(noise), "PNG"),
    }
    data = makers[kind]()
    assert load(tmp_path, data).pixels.shape == (200, 300)
    cut = data[: int(len(data) * part)]
    assert error_of(tmp_path, cut).reason == "damaged"
    assert error_of(tmp_path, cut + bytes(len(data) - len(cut))).reason == "damaged"


def test_a_flipped_bit_in_a_png_is_damage(tmp_path: Path) -> None:
    data = bytearray(png(np.random.default_rng(1).integers(0, 256, (50, 50)).astype(np.uint8)))
    data[len(data) // 2] ^= 1
    assert error_of(tmp_path, bytes(data)).reason == "damaged"


def test_data_after_the_end_of_an_image_is_ignored(tmp_path: Path) -> None:
    assert load(tmp_path, noise_jpeg() + b"trailer" * 1000).pixels.shape == (200, 300)
    assert np.array_equal(load(tmp_path, png(sheet()) + b"trailer" * 1000).pixels, sheet())


def huge_png(side: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0" * 100)) + chunk(b"IEND", b"")
    )


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    error = error_of(tmp_path, huge_png(1_000_000))
    assert error.reason == "too-large"
    assert "1000000 x 1000000" in error.message
    assert "--max-megapixels (now 250)" in error.message


def test_the_limit_is_in_megapixels_and_adjustable(tmp_path: Path) -> None:
    data = png(np.full((1000, 1001), 255, np.uint8))
    assert error_of(tmp_path, data, max_megapixels=1).reason == "too-large"
    assert load(tmp_path, data, max_megapixels=1.001).pixels.shape == (1000, 1001)


def test_a_file_of_endless_bytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "endless.png"
    with path.open("wb") as file:
        file.truncate(1 << 42)  # sparse: it takes no space on the disk
    with pytest.raises(ScanError) as caught:
        next(load_pages(Scan(path, "endless.png")))
    assert caught.value.reason == "too-large"


@pytest.mark.parametrize("seed", range(8))
def test_a_jpeg_may_have_any_data_after_its_end(seed: int, tmp_path: Path) -> None:
    """Phones put a short film there."""
    grey = np.tile(np.arange(0, 240, 2, dtype=np.uint8), (40, 1))
    _, coded = cv2.imencode(".jpg", grey)
    film = np.random.default_rng(seed).integers(0, 256, 200_000, np.uint8).tobytes()
    assert load(tmp_path, coded.tobytes() + film).pixels.shape == (40, 120)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in [
        (tmp_path / "gone.png", "not-found"),
        (tmp_path / "pipe", "not-a-file"),
        (tmp_path, "not-a-file"),
    ]:
        with pytest.raises(ScanError) as caught:
            next(load_pages(Scan(path, "name")))
        assert caught.value.reason == reason
