"""Small files that require much work are refused before the work is done. Other files are read."""

from __future__ import annotations

import hashlib
import resource
import zlib
from pathlib import Path

import bombs
import numpy as np
import pytest
from command import beside, here, rows

from batchocr.errors import ScanError
from batchocr.records import Page, Scan
from batchocr.sources import MAX_PAGES, BadPage, load_pages


def outcome(data: bytes, max_megapixels: float = 250) -> list[str | tuple[int, ...]]:
    """Return the shape of each page, or the reason of the error instead."""
    try:
        pages = list(load_pages(Scan(Path("x"), "x", data), max_megapixels=max_megapixels))
    except ScanError as error:
        return [error.reason]
    return [page.error.reason if isinstance(page, BadPage) else page.pixels.shape for page in pages]


@pytest.mark.parametrize(
    ("scans", "wanted"), [(12, (64, 64)), (100, (64, 64)), (101, "unsupported"), (5000, "unsupported")]
)
def test_a_jpeg_has_at_most_a_hundred_passes_over_its_pixels(scans: int, wanted: object) -> None:
    assert outcome(bombs.jpeg_of_scans(64, scans)) == [wanted]


def test_passes_after_the_end_of_a_jpeg_are_not_counted() -> None:
    assert outcome(bombs.white(64, "JPEG", progressive=True) + b"\xff\xda\0\2" * 500) == [(64, 64)]


@pytest.mark.parametrize("in_tile", [False, True])
@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({"side": 64}, {(64, 64)}),
        ({"side": 64, "block": 4}, {(64, 64), "damaged"}),  # its pixels were coded in other blocks
        ({"side": 64, "precinct": 2}, {(64, 64), "damaged"}),
        ({"side": 4000, "tile": 8}, {"unsupported"}),
        ({"side": 4200, "block": 4}, {"unsupported"}),
        ({"side": 4000, "precinct": 2}, {"unsupported"}),
        ({"side": 2000, "block": 8, "components": 20}, {"unsupported"}),
        ({"side": 60_000}, {"too-large"}),
    ],
)
def test_the_tiles_and_blocks_of_a_jpeg2000_are_limited(
    parameters: dict[str, int], wanted: set[object], in_tile: bool
) -> None:
    (result,) = outcome(bombs.codestream(**parameters, in_tile=in_tile))
    assert result in wanted


def test_the_size_of_a_jpeg2000_is_that_of_its_codestream() -> None:
    assert outcome(bombs.in_boxes(bombs.codestream(60_000), 64, 40)) == ["too-large"]
    hidden = bombs.in_boxes(bombs.codestream(64), 64, 64).replace(b"jp2h", b"uuid", 1)
    assert outcome(hidden + bombs.codestream(64)) == ["damaged"]


@pytest.mark.parametrize(
    ("marker", "instead"),
    [
        (b"\xff\x90\0\x0a", b"\xff\x90\0\0"),  # a part shorter than its own header
        (b"\xff\x5c", b"\xff\x93"),  # pixels before any part
        (b"\xff\x5c", b"\xff\xa0"),  # unknown, therefore of unknown length
        (b"\xff\x51", b"\xff\x64"),
    ],
)
def test_a_codestream_out_of_order_is_damaged(marker: bytes, instead: bytes) -> None:
    data = bombs.codestream(64).replace(marker, instead, 1)
    assert outcome(data)[0] in ("damaged", "not-a-picture")
    assert outcome(bombs.in_boxes(data, 64, 64)) == ["damaged"]


def test_a_pdf_may_not_hold_a_larger_jpeg2000_than_it_states() -> None:
    for stream, wanted in ((bombs.codestream(60_000), "too-large"), (bombs.codestream(4200, block=4), "unsupported")):
        assert outcome(bombs.pdf_image(64, stream, "/JPXDecode")) == [wanted]
        assert outcome(bombs.pdf_image(64, zlib.compress(stream), "/FlateDecode", "/JPXDecode")) == [wanted]


@pytest.mark.parametrize(("strips", "wanted"), [(1000, (1000, 100)), (200_001, "unsupported")])
def test_the_strips_of_a_tiff_are_limited(strips: int, wanted: object) -> None:
    assert outcome(bombs.tiff_of_strips(strips)) == [wanted]


@pytest.mark.parametrize(("entries", "wanted"), [(1000, (40, 64)), (1001, "damaged"), (65_000, "damaged")])
def test_a_directory_has_at_most_a_thousand_entries(entries: int, wanted: object) -> None:
    assert outcome(bombs.tiff_of_entries(entries)) == [wanted]


def test_a_message_does_not_repeat_the_content_of_the_file() -> None:
    (page,) = load_pages(
        Scan(Path("x"), "x", bombs.tiff({**dict.fromkeys((256, 257), (3, b"\1\0")), 259: (1, bytes(9999))}))
    )
    assert isinstance(page, BadPage)
    assert len(page.error.message) < 400


def test_a_header_of_endless_comments() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert outcome(bombs.pnm_of_comments(8_000_000)) == [(1, 1)]
    assert outcome(b"P5" + b"\n" * 8_000_000) == ["damaged"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB; backtracking took 900 MB


def test_a_bmp_with_runs_of_one_pixel() -> None:
    (page,) = load_pages(Scan(Path("x"), "x", bombs.bmp_of_runs(300)))
    assert isinstance(page, Page)
    assert np.array_equal(page.pixels, np.zeros((300, 300), np.uint8))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_only_the_first_image_of_an_animation_is_read(kind: str) -> None:
    (page,) = load_pages(Scan(Path("x"), "x", bombs.animation(kind, 300)))
    assert isinstance(page, Page)
    assert page.pixels.shape == (40, 64)
    assert page.pixels.max() <= 4


def test_tiff_frames_are_counted() -> None:
    assert outcome(bombs.tiff_of_frames(3)) == [(40, 64)] * 3
    assert outcome(bombs.tiff_of_frames(MAX_PAGES + 1)) == ["too-many-pages"]


@pytest.mark.parametrize("box", ["0 0 100000000 0.001", "0 0 0.001 100000000", "0 0 1000000 1000000"])
def test_a_page_thinner_than_a_pixel_is_limited(box: str) -> None:
    assert outcome(bombs.pdf_page(b"", box=box)) == ["too-large"]


@pytest.mark.parametrize(
    ("box", "shape"),
    [("0 0 1 1", (4, 4)), ("0 0 -72 -72", (300, 300)), ("0 0 0 0", (3300, 2550)), ("nan nan nan nan", (3300, 2550))],
)
def test_pages_of_unusual_sizes(box: str, shape: tuple[int, int]) -> None:
    assert outcome(bombs.pdf_page(b"", box=box)) == [shape]


@pytest.mark.parametrize("page", ["/UserUnit 1000000", "/Rotate 45", "/Rotate 99999999999", "/UserUnit -1"])
def test_unusual_units_and_rotations(page: str) -> None:
    assert outcome(bombs.pdf_page(b"", page=page)) == [(300, 300)]


@pytest.mark.parametrize("count", [10_000_000, 2**31 + 1, -5])
def test_a_pdf_has_the_pages_that_exist_whatever_number_it_states(count: int) -> None:
    assert outcome(bombs.pdf_page(b"", count=count)) == [(300, 300)]


def test_a_circular_tree_of_pages_ends() -> None:
    pages = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[5 0 R 5 0 R]/Count 60>>endobj "
        b"5 0 obj<</Type/Pages/Parent 2 0 R/Kids[2 0 R 2 0 R]/Count 30>>endobj trailer<</Root 1 0 R>>"
    )
    assert set(outcome(pages)) == {"damaged"}


def test_a_large_image_is_found_within_nested_forms() -> None:
    assert outcome(bombs.pdf_image(60_000, b"", "/FlateDecode", within=9)) == ["too-large"]


def test_a_form_that_draws_others_is_drawn() -> None:
    assert outcome(bombs.pdf_of_forms(2)) == [(300, 300)]


def test_harmless_files_of_the_same_kinds_are_read() -> None:
    assert outcome(bombs.white_pdf(40)) == [(40, 40)]
    assert outcome(bombs.deflated_tiff(40, 4)) == outcome(bombs.white_png(40, 4)) == [(40, 40)]
    assert outcome(bombs.in_boxes(bombs.codestream(64), 64, 64)) == [(64, 64)]


def test_bombs_are_failed_rows_of_a_run(tmp_path: Path, one_digit: Path) -> None:
    scans, out = tmp_path / "scans", tmp_path / "results.csv"
    scans.mkdir()
    files = {
        "frames.tif": (bombs.tiff_of_frames(MAX_PAGES + 1), "0", "too-many-pages"),
        "large.png": (bombs.white_png(2000, 1), "0", "too-large"),
        "scans.jpg": (bombs.jpeg_of_scans(64, 200), "0", "unsupported"),
        "strips.tif": (bombs.tiff_of_strips(200_001), "1", "unsupported"),
        "thin.pdf": (bombs.pdf_page(b"", box="0 0 100000000 0.001"), "1", "too-large"),
        "tiles.j2k": (bombs.codestream(1000, tile=4), "0", "unsupported"),
    }
    for name, (data, _, _) in files.items():
        (scans / name).write_bytes(data)
    (scans / "z.jpg").write_bytes(one_digit.read_bytes())
    ended = here("run", scans, "--out", out, "--device", "cpu", "--max-megapixels", "1", "--quiet")
    assert ended.code == 3
    *failed, good = rows(beside(out, "pages.csv"))
    assert [(row["file"], row["page"], row["error"]) for row in failed] == [
        (name, page, reason) for name, (_, page, reason) in files.items()
    ]
    assert [row["sha256"] for row in failed] == [hashlib.sha256(data).hexdigest() for data, _, _ in files.values()]
    assert (good["status"], good["digits"]) == ("read", "1")
