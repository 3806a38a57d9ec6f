"""Broken and hostile files of each format give a ScanError or BadPage with the reason, and never half a page."""

from __future__ import annotations

import hashlib
import pickle
import resource
import struct
from pathlib import Path

import numpy as np
import pytest
from format_cases import CASES, Case
from format_files import bmp, by_opencv, shades, whole_png

from batchocr.errors import ScanError
from batchocr.records import Page, Scan
from batchocr.sources import MAX_MEGAPIXELS, SUFFIXES, BadPage, find_scans, load_pages

READ = [case for case in CASES if case.wanted is not None]


def outcomes(data: bytes, name: str = "page", max_megapixels: float = MAX_MEGAPIXELS) -> list[Page | ScanError]:
    """Return the pages, or the error of each or of the file."""
    try:
        pages = list(load_pages(Scan(Path(name), name, data), max_megapixels=max_megapixels))
    except ScanError as error:
        return [error]
    return [page.error if isinstance(page, BadPage) else page for page in pages]


def reason(data: bytes, name: str = "page") -> str:
    (error,) = outcomes(data, name)
    assert isinstance(error, ScanError)
    assert error.message.startswith(f"{name}: ")
    return error.reason


@pytest.mark.parametrize("case", READ, ids=lambda case: f"{case.format} {case.pixels}")
def test_a_truncated_file_is_damaged_or_still_whole(case: Case) -> None:
    assert case.wanted is not None
    for part in (0.2, 0.5, 0.8, 0.95):
        for page in outcomes(bytes(case.data)[: int(len(case.data) * part)]):
            if isinstance(page, ScanError):
                assert page.reason in ("damaged", "not-a-picture")
            else:
                assert page.pixels.shape == case.wanted.shape
                assert abs(page.pixels.astype(int) - case.wanted).max() <= case.error


@pytest.mark.parametrize("case", READ, ids=lambda case: f"{case.format} {case.pixels}")
def test_flipped_bits_give_pages_or_errors(case: Case) -> None:
    rng = np.random.default_rng(len(case.data))
    for _ in range(20):
        data = bytearray(case.data)
        for place in rng.integers(0, len(data), 4):
            data[place] ^= 1 << int(rng.integers(8))
        for page in outcomes(bytes(data), max_megapixels=1):
            assert isinstance(page, ScanError) or page.pixels.dtype == np.uint8


def enlarged(case: Case) -> bytes:
    """Return the file with a header that states 60,000 by 60,000 pixels."""
    data = bytearray(case.data)
    side = 60_000
    if case.format == "JPEG":
        start = data.index(b"\xff\xc0")
        data[start + 5 : start + 9] = struct.pack(">HH", side, side)
    elif case.format == "BMP":
        data[18:26] = struct.pack("<ii", side, side)
    elif case.format == "WebP":
        start = data.index(b"\x9d\x01\x2a")
        data[start + 3 : start + 7] = struct.pack("<HH", 16383, 16383)
    elif case.format == "PNM":
        data = bytearray(b"P5\n60000 60000\n255\n")
    elif case.format == "JPEG 2000":
        start = data.index(b"ihdr")
        data[start + 4 : start + 12] = struct.pack(">II", side, side)
    elif case.format == "GIF":
        data[6:10] = struct.pack("<HH", side, side)
    return bytes(data)


@pytest.mark.parametrize("format", ["JPEG", "BMP", "WebP", "PNM", "JPEG 2000", "GIF"])
def test_huge_images_are_refused_by_their_headers(format: str) -> None:
    (error,) = outcomes(enlarged(next(case for case in READ if case.format == format)))
    assert isinstance(error, ScanError)
    assert (error.reason, "--max-megapixels" in error.message) == ("too-large", True)


def test_no_memory_is_allocated_for_a_chunk_of_gigabytes() -> None:
    data = bytearray(whole_png(shades(), 0))
    start = data.index(b"IDAT") - 4
    data[start : start + 4] = b"\xff\0\0\0"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert reason(bytes(data)) == "damaged"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB; OpenCV took 4 GB


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_each_suffix_counts_in_a_folder_and_text_is_not_an_image(suffix: str, tmp_path: Path) -> None:
    name = f"note{suffix.upper()}"
    (tmp_path / name).write_text("This is not an image.\n")
    (scan,) = find_scans([tmp_path]).scans
    with pytest.raises(ScanError) as caught:
        next(load_pages(scan))
    assert caught.value.reason == "not-a-picture"


def test_a_scan_may_hold_its_bytes() -> None:
    assert reason(b"") == "empty-file"
    (page,) = outcomes(by_opencv(".png", shades()))
    assert isinstance(page, Page)
    assert "data" not in repr(page.scan)


def test_an_error_keeps_the_hash_when_a_worker_sends_it() -> None:
    (error,) = outcomes(b"not an image")
    assert isinstance(error, ScanError)
    copy = pickle.loads(pickle.dumps(error))
    wanted = ("not-a-picture", error.message, hashlib.sha256(b"not an image").hexdigest())
    assert (copy.reason, copy.message, copy.sha256) == wanted


def test_a_file_of_many_pages_may_be_larger_than_one_image(tmp_path: Path) -> None:
    for name, start, wanted in (("pages.tif", b"II*\0", "damaged"), ("page.bmp", bmp([], 0, 8)[:60], "too-large")):
        with (tmp_path / name).open("wb") as file:
            file.write(start)
            file.truncate(80 << 20)  # sparse: it takes no room on the disk
        with pytest.raises(ScanError) as caught:
            next(load_pages(Scan(tmp_path / name, name), max_megapixels=1))
        assert caught.value.reason == wanted
