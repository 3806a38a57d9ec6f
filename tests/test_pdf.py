"""PDF: the resolution at which pages are rendered, passwords, and what cannot be read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from format_files import about, pdf, shades

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels, Scan
from batchocr.sources import MAX_MEGAPIXELS, MAX_PAGES, BadPage, load_pages

A4 = (595.276, 841.89)


def load(data: bytes, max_megapixels: float = MAX_MEGAPIXELS) -> list[Page | BadPage]:
    return list(load_pages(Scan(Path("letter.pdf"), "letter.pdf", data), max_megapixels=max_megapixels))


def only(data: bytes) -> Page:
    (page,) = load(data)
    assert isinstance(page, Page), page
    return page


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (height, width)).astype(np.uint8)


def scanned(pixels: Pixels, size: tuple[float, float] = A4, commands: str = "") -> bytes:
    return pdf((pixels.tobytes(), about(pixels), size), commands=commands)


def edited(data: bytes, rotate: int) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as document:
        document.pages[0].Rotate = rotate
        stream = io.BytesIO()
        document.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("height", "width", "size", "dpi"),
    [
        (3508, 2480, A4, 300),
        (3508, 2480, (595.2, 841.92), 300),
        (3507, 2481, (595, 842), 300),
        (1754, 1240, (595, 842), 150),
        (1100, 850, (612, 792), 100),
        (400, 640, (640, 400), None),
        (7016, 4960, A4, 600),
    ],
)
def test_a_scan_comes_out_pixel_by_pixel(height: int, width: int, size: tuple[float, float], dpi: int | None) -> None:
    pixels = noise(height, width)
    page = only(scanned(pixels, size))
    assert np.array_equal(page.pixels, pixels)
    assert page.dpi == (dpi if dpi is None else pytest.approx(dpi, rel=2e-3))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_rotated_page(quarters: int) -> None:
    pixels = noise(1754, 1240)
    page = only(edited(scanned(pixels), 90 * quarters))
    assert np.array_equal(page.pixels, np.rot90(pixels, -quarters))


def test_an_image_that_is_rotated_on_its_page() -> None:
    pixels = noise(400, 600)
    page = only(scanned(pixels, (400, 600), "q 0 600 -400 0 400 0 cm /Im0 Do Q"))
    assert page.pixels.shape == (600, 400)
    assert np.mean(abs(page.pixels.astype(int) - np.rot90(pixels))) < 1


def test_a_fax_page_gets_square_pixels_by_its_finer_side() -> None:
    page = only(scanned(shades(), (64 * 72 / 204, 40 * 72 / 98)))
    assert page.pixels.shape == (83, 64)
    assert page.dpi == pytest.approx(204)


def test_invisible_text_does_not_change_the_resolution_but_visible_text_does() -> None:
    image = f"q {A4[0]} 0 0 {A4[1]} 0 0 cm /Im0 Do Q "
    for mode, shape in ((3, (1754, 1240)), (0, (3508, 2480))):
        data = scanned(noise(1754, 1240), A4, image + f"BT {mode} Tr /F1 12 Tf 100 100 Td (17) Tj ET")
        with pikepdf.open(io.BytesIO(data)) as document:
            font = pikepdf.Dictionary(
                Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
            )
            document.pages[0].Resources.Font = pikepdf.Dictionary(F1=font)
            stream = io.BytesIO()
            document.save(stream)
        assert only(stream.getvalue()).pixels.shape == shape


def test_other_pages_are_rendered_at_300_dpi_in_grey() -> None:
    page = only(scanned(shades(), (72, 144), "1 0 0 rg 0 72 72 72 re f 0 g 0 0 36 36 re f"))
    assert page.pixels.shape == (600, 300)
    assert page.dpi == 300
    assert (page.pixels[500, 50], page.pixels[500, 250]) == (0, 255)
    assert 54 <= page.pixels[100, 100] <= 77


def test_a_small_image_on_a_page_does_not_set_its_resolution() -> None:
    assert only(scanned(shades(), (72, 72), "q 1 0 0 1 0 0 cm /Im0 Do Q")).pixels.shape == (300, 300)


def test_a_scan_in_strips_is_a_scan() -> None:
    strips = "q 72 0 0 36 0 36 cm /Im0 Do Q q 72 0 0 36 0 0 cm /Im0 Do Q"
    assert only(scanned(noise(75, 150), (72, 72), strips)).pixels.shape == (150, 150)


FILLED = "q 72 0 0 72 0 0 cm /Im0 Do Q "
TINY = "q 0.0001 0 0 0.0001 {} 0 cm /Im0 Do Q "


@pytest.mark.parametrize(
    ("commands", "side"),
    [
        (FILLED + TINY.format(3), 300),
        (TINY.format(3) * 3 + FILLED, 300),
        (FILLED + "q 7.2 0 0 7.2 9 9 cm /Im0 Do Q ", 300),  # 1500 dpi
        (FILLED + "q 20 0 0 20 9 9 cm /Im0 Do Q ", 540),
        ("q 30 0 0 30 9 9 cm /Im0 Do Q " * 4, 360),
        ("q 7.2 0 0 7.2 9 9 cm /Im0 Do Q " * 99, 1500),
    ],
)
def test_a_small_dense_image_does_not_set_the_resolution_of_a_scan(commands: str, side: int) -> None:
    assert only(scanned(noise(150, 150), (72, 72), commands)).pixels.shape == (side, side)


def test_a_scan_finer_than_the_limit_of_pixels_is_rendered_at_300_dpi() -> None:
    image = (noise(900, 900).tobytes(), about(noise(900, 900)), (1440.0, 1440.0))
    dense = "q 40 0 0 1440 0 0 cm /Im0 Do Q " * 40
    (page,) = load(pdf(image, commands=dense), max_megapixels=37)
    assert isinstance(page, Page)
    assert page.pixels.shape == (6000, 6000)


def test_pages_are_counted_and_read_by_range() -> None:
    data = pdf(*((shades().tobytes(), about(shades()), (64.0, 40.0)) for _ in range(3)))
    assert [(page.number, page.pages) for page in load(data)] == [(1, 3), (2, 3), (3, 3)]
    scan = Scan(Path("letter.pdf"), "letter.pdf", data)
    assert [page.number for page in load_pages(scan, first=2, last=2)] == [2]


def test_a_bad_page_does_not_affect_the_others() -> None:
    data = pdf(*((shades().tobytes(), about(shades()), (64.0, 40.0)) for _ in range(3)))
    with pikepdf.open(io.BytesIO(data)) as document:
        document.Root.Pages.Kids[1] = pikepdf.Dictionary(Type=pikepdf.Name.Nonsense)
        stream = io.BytesIO()
        document.save(stream)
    pages = load(stream.getvalue())
    assert [page.number for page in pages] == [1, 2, 3]
    assert isinstance(pages[0], Page)
    assert isinstance(pages[2], Page)


PASSWORD = "gehe\u00efm"


def protected() -> bytes:
    image = (shades().tobytes(), about(shades()), (64.0, 40.0))
    return pdf(image, encryption=pikepdf.Encryption(owner="owner", user=PASSWORD))


def unlocked(password: str | None) -> list[Page | BadPage]:
    return list(load_pages(Scan(Path("letter.pdf"), "letter.pdf", protected()), pdf_password=password))


def test_a_pdf_with_an_empty_user_password_needs_none() -> None:
    image = (shades().tobytes(), about(shades()), (64.0, 40.0))
    assert np.array_equal(only(pdf(image, encryption=pikepdf.Encryption(owner="x", user=""))).pixels, shades())


@pytest.mark.parametrize("password", [PASSWORD, "owner"])
def test_the_password_opens_a_protected_pdf(password: str) -> None:
    (page,) = unlocked(password)
    assert isinstance(page, Page)
    assert np.array_equal(page.pixels, shades())


@pytest.mark.parametrize(
    ("password", "says"),
    [(None, "is protected by a password"), ("", "is protected by a password"), ("wrong-\udcff", "does not open it")],
)
def test_a_protected_pdf_without_its_password(password: str | None, says: str) -> None:
    with pytest.raises(ScanError) as caught:
        unlocked(password)
    assert caught.value.reason == "password"
    assert says in caught.value.message
    assert "BATCHOCR_PDF_PASSWORD" in caught.value.message and "--retry-failed" in caught.value.message
    assert "wrong-" not in caught.value.message


def test_a_password_that_is_not_needed_is_ignored() -> None:
    data = scanned(shades(), (64, 40))
    (page,) = load_pages(Scan(Path("x"), "x", data), pdf_password="x")
    assert isinstance(page, Page)


def bare(pages: int, box: str) -> bytes:
    """Return a PDF of empty pages, which are all the same object."""
    kids = "3 0 R " * pages
    return (
        f"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[{kids}]/Count {pages}>>endobj "
        f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 {box}]>>endobj trailer<</Root 1 0 R>>"
    ).encode()


def test_too_many_pages_are_refused_as_a_whole() -> None:
    assert isinstance(next(load_pages(Scan(Path("x"), "x", bare(MAX_PAGES, "72 72")))), Page)
    with pytest.raises(ScanError) as caught:
        load(bare(10 * MAX_PAGES, "72 72"))
    assert caught.value.reason == "too-many-pages"


def test_pages_of_unusual_sizes_are_bounded() -> None:
    (page,) = load(bare(1, "1000000 1000000"))
    assert isinstance(page, BadPage)
    assert page.error.reason == "too-large"
    assert only(bare(1, "0.01 0.01")).pixels.shape == (1, 1)
    for box in ("0 0", "-72 72", "1e9 1e9", "9" * 50 + " 1"):
        assert only(bare(1, box)).pixels.size <= 3300 * 2550


@pytest.mark.parametrize(
    "commands", ["", "q 1 0 0 1 0 0 cm /Im0 Do Q", "0 g 0 0 9 9 re f q 72 0 0 72 0 0 cm /Im0 Do Q"]
)
def test_an_image_that_is_too_large_is_refused_before_it_is_decoded(commands: str) -> None:
    image = {**about(shades()), "Width": 1_000_000, "Height": 1_000_000}
    (page,) = load(pdf((b"", image, (72, 72)), commands=commands))
    assert isinstance(page, BadPage)
    assert page.error.reason == "too-large"


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(5000), b"%PDF-1.7 1 0 obj <</Type/Catalog>> endobj"]
)
def test_a_file_that_is_not_a_pdf(data: bytes) -> None:
    with pytest.raises(ScanError) as caught:
        load(data)
    assert caught.value.reason == "damaged"
