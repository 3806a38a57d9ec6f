"""Make samples in other file formats: fax, PDF, photograph, 16 bits, WebP."""

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from paper import BLACK, BLUE, Colour, Row, Sheet, write_lines
from PIL import Image

Lines = Sequence[Sequence[str]]

STRAIGHT_ONE = {1: 0}
FAX_LINES = (
    (("2024", "03", "18"), ("40", "1250", "6"), ("7385", "92")),
    (("51", "640", "3"), ("8027", "19"), ("306", "45", "880")),
    (("2", "974"), ("5063", "18", "27")),
)
PDF_LINES = (
    (("1093", "28"), ("56", "704", "3"), ("87", "2150")),
    (("642", "9"), ("30", "85", "17"), ("4096", "71")),
)
PHOTO_LINES = (("38", "2605"), ("914", "70"), ("5", "8362"))
WIDE_LINES = (("205", "83"), ("7", "4916"), ("60", "38"))
WEBP_LINES = (("8", "307", "52"), ("94", "1860"), ("263", "75"))
ORIENTATION, TURN_RIGHT = 0x112, 6


def written(
    size: tuple[float, float], dpi: int, paper: Colour, lines: Lines, ink: Colour, rng: np.random.Generator
) -> Sheet:
    """Return a sheet of `size` mm (width, height) with lines of numbers at equal distances."""
    sheet = Sheet(*size, dpi, paper)
    pitch = size[1] / (len(lines) + 1)
    write_lines(sheet, lines, pitch, pitch, (ink,), rng, STRAIGHT_ONE)
    return sheet


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert RGB to grey."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def rows(name: str, *pages: Lines) -> list[Row]:
    """Return the lines of expected.csv for a file."""
    return [(name, page, text) for page, lines in enumerate(pages, 1) for texts in lines for text in texts]


def make_fax(out: Path, rng: np.random.Generator) -> list[Row]:
    """Make three pages in black and white with the compression of fax machines (Group 4)."""
    pages = []
    for lines in FAX_LINES:
        pixels = grey(written((210, 148), 200, (250, 250, 250), lines, BLACK, rng).scan(0.05, 2, rng))
        pages.append(Image.fromarray(pixels).point(lambda shade: 255 if shade > 140 else 0, mode="1"))
    rest = pages[1:]
    pages[0].save(out / "fax.tif", compression="group4", dpi=(200, 200), save_all=True, append_images=rest)
    return rows("fax.tif", *FAX_LINES)


def make_pdf(out: Path, rng: np.random.Generator) -> list[Row]:
    """Make a PDF of two scanned pages."""
    sheets = [written((148, 105), 200, (244, 242, 238), lines, BLUE, rng) for lines in PDF_LINES]
    pages = [Image.fromarray(grey(sheet.scan(0.05, 1, rng))) for sheet in sheets]
    day = time.struct_time((2017, 1, 1, 0, 0, 0, 6, 1, 0))  # the current time would change the bytes of the file
    pages[0].save(
        out / "letters.pdf",
        save_all=True,
        append_images=pages[1:],
        resolution=200,
        quality=80,
        creationDate=day,
        modDate=day,
    )
    return rows("letters.pdf", *PDF_LINES)


def make_photo(out: Path, rng: np.random.Generator) -> list[Row]:
    """Make a photograph of a note in bad light, a little from the side, stored sideways."""
    sheet = written((148, 105), 240, (226, 218, 202), PHOTO_LINES, BLUE, rng)
    pixels = cv2.GaussianBlur(sheet.scan(0.55, 2.5, rng), (0, 0), 1.1)
    height, width = pixels.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    shift = np.array([(10, 6), (-4, 22), (-16, -8), (4, -14)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, corners + shift)
    pixels = cv2.warpPerspective(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_RIGHT
    Image.fromarray(np.rot90(pixels)).save(out / "photo.jpg", quality=80, exif=exif, dpi=(72, 72))
    return rows("photo.jpg", PHOTO_LINES)


def make_wide(out: Path, rng: np.random.Generator) -> list[Row]:
    """Make a scan of a card in 16 bits of grey."""
    pixels = grey(written((105, 74), 200, (236, 236, 236), WIDE_LINES, BLACK, rng).scan(0.08, 0.7, rng))
    wide = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 0.6) * 257
    image = Image.fromarray(np.rint(wide / 64).astype(np.uint16) * 64)  # in steps, which compress better
    image.save(out / "16bit.tif", compression="tiff_adobe_deflate", dpi=(200, 200))
    return rows("16bit.tif", WIDE_LINES)


def make_webp(out: Path, rng: np.random.Generator) -> list[Row]:
    """Make a scan of a card in colour as WebP."""
    pixels = written((148, 105), 150, (248, 244, 226), WEBP_LINES, BLUE, rng).scan(0.1, 1, rng)
    Image.fromarray(pixels).save(out / "card.webp", quality=80, method=6)
    return rows("card.webp", WEBP_LINES)
