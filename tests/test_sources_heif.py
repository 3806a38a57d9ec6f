"""HEIF and AVIF: their orientation, their brands, and the message if a reader is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from format_files import avif, coloured, heif, shades
from orientation import STORED
from PIL import features

from batchocr.errors import ScanError
from batchocr.records import Page, Scan
from batchocr.sources import load_pages
from batchocr.sources.formats import Kind, kind_of

NAME = "photo.heic"


def page_of(data: bytes) -> Page:
    (page,) = load_pages(Scan(Path(NAME), NAME, data))
    assert isinstance(page, Page)
    return page


def error_of(data: bytes, max_megapixels: float = 250) -> ScanError:
    with pytest.raises(ScanError) as caught:
        list(load_pages(Scan(Path(NAME), NAME, data), max_megapixels=max_megapixels))
    return caught.value


@pytest.mark.parametrize("write", [heif, avif])
@pytest.mark.parametrize("orientation", STORED)
def test_the_orientation_is_applied_once(write: object, orientation: int) -> None:
    assert callable(write)
    stored = coloured(np.ascontiguousarray(STORED[orientation](shades())))
    page = page_of(write(stored, orientation))
    assert page.pixels.shape == (40, 64)
    assert abs(page.pixels.astype(int) - shades()).max() <= 12


def test_the_orientation_of_exif_is_ignored_without_that_of_the_container() -> None:
    stored = coloured(np.ascontiguousarray(STORED[6](shades())))
    data = heif(stored, 6)
    assert data.count(b"irot") == 1
    page = page_of(data.replace(b"irot", b"free"))
    assert page.pixels.shape == (64, 40)  # ISO/IEC 23008-12, annex A: the container decides


def test_without_its_reader_a_heic_is_unsupported_and_the_message_names_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    error = error_of(heif(shades()))
    assert error.reason == "unsupported"
    assert "pip install pillow-heif" in error.message
    assert "--retry-failed" in error.message


def test_without_its_reader_an_avif_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check_module", lambda name: False)
    error = error_of(avif(coloured(shades())))
    assert error.reason == "unsupported"
    assert "pip install --upgrade pillow" in error.message


def test_a_heif_with_another_codec_is_unsupported() -> None:
    error = error_of(heif(shades()).replace(b"hvc1", b"xyz1").replace(b"hvcC", b"xyzC"))
    assert error.reason in ("unsupported", "damaged")


@pytest.mark.parametrize("write", [heif, avif])
def test_the_size_is_checked_before_anything_is_decoded(write: object) -> None:
    assert callable(write)
    assert error_of(write(coloured(shades())), max_megapixels=0.001).reason == "too-large"


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"heic\0\0\0\0mif1heic", Kind.HEIF),
        (b"mif1\0\0\0\0mif1heic", Kind.HEIF),
        (b"mif1\0\0\0\0mif1avif", Kind.AVIF),
        (b"avif\0\0\0\0mif1miaf", Kind.AVIF),
        (b"mp42\0\0\0\0isomavif", None),
        (b"heic", Kind.HEIF),
    ],
)
def test_brands(brands: bytes, kind: Kind | None) -> None:
    data = (8 + len(brands)).to_bytes(4) + b"ftyp" + brands + b"\0\0\0\x10avif" + bytes(100)
    assert kind_of(data, Path("x")) is kind
