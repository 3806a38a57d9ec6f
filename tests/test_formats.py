"""Each format and depth is read as another library wrote it, or refused with the fix.

    PYTHONPATH=tests/support python tests/test_formats.py > docs/formats.md

writes the document with the table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from format_cases import CASES, Case

from batchocr.errors import ScanError
from batchocr.records import Page, Scan
from batchocr.sources import BadPage, load_pages

TABLE = Path(__file__).parents[1] / "docs" / "formats.md"
HEADING = """# What is read

The tests write a small file of each format and depth below and read it. Another library writes it than the one that
reads it. The size and the grey values of the page must be right: exactly, or within the loss of a lossy format.

- **Pages.** Each frame of a TIFF and each page of a PDF is a page. Of GIF, WebP, HEIF and AVIF, the first image is
  read. `--pages 1,3-5` reads only these pages of each TIFF and PDF; other formats have one page, which is always read.
  A page number past the end of a file is ignored. A file that has none of the pages is a failed row with the reason
  `no-page`.
- **Thumbnails and masks** in a TIFF are not pages: frames whose tags mark them as such (NewSubfileType, SubfileType),
  SubIFDs, and frames that are a small copy of the page before, of at most 512 pixels and a third of its width.
- **Grey.** Colour becomes grey by its luma. If writing would be lost by that, such as yellow ink, the channel is taken
  in which it is darkest. Transparent pixels become white paper. 16 bits of which only 8, 10, 12 or 14 are in use are
  recognised by the brightest pixel.
- **Orientation** by EXIF, TIFF, HEIF, AVIF or PDF is applied, once.
- **Pixels that are not square**, as in a fax at 204 by 98 dpi: the page is made square for reading. Boxes, width and
  height in the results are in the file's own pixels. The resolutions come from TIFF, PNG (pHYs), JPEG (JFIF), BMP and
  JPEG 2000. They count if their ratio is between 1.2 and 4 and both are between 50 and 2400 dpi, or have no unit.
- **Resolution of a PDF.** A page is rendered at 300 dpi. If it is only a scanned image, its pixels are read unchanged.
  A resolution above 600 dpi counts only if the images that have it cover half of the page.
- **Password.** Set `BATCHOCR_PDF_PASSWORD` (or `--pdf-password`, which other users of the machine may see) to open a
  protected PDF. It is written nowhere. Without it, the PDF is a failed row, which `--retry-failed` reads again.
- **Old-style JPEG** in a TIFF (compression 6) is read if the file has one whole JPEG stream.
- **HEIC and HEIF** need the optional package pillow-heif: `pip install '.[heif]'`.
- What is refused is a row in `results.pages.csv` with status `failed`, the reason below, and a message with the fix.

This document is written by `PYTHONPATH=tests/support python tests/test_formats.py > docs/formats.md`.

| format | pixels | written by | |
|---|---|---|---|
"""


def first_page(case: Case) -> Page | ScanError:
    """Return the page, or the error instead."""
    try:
        (page,) = load_pages(Scan(Path(case.name), case.name, bytes(case.data)))
    except ScanError as error:
        return error
    return page.error if isinstance(page, BadPage) else page


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.format} {case.pixels}")
def test_a_format_is_read_as_it_was_written_or_refused(case: Case) -> None:
    page = first_page(case)
    if case.wanted is None:
        assert isinstance(page, ScanError)
        assert page.reason == "unsupported"
        assert page.message.startswith(f"{case.name}: ")
    else:
        assert isinstance(page, Page), page
        assert page.pixels.dtype == np.uint8
        assert page.pixels.shape == case.wanted.shape
        assert abs(page.pixels.astype(int) - case.wanted).max() <= case.error


def table() -> str:
    """Return the document."""
    rows = []
    for case in CASES:
        page = first_page(case)
        outcome = f"`{page.reason}`" if isinstance(page, ScanError) else "read"
        rows.append(f"| {case.format} | {case.pixels} | {case.writer} | {outcome} |\n")
    return HEADING + "".join(rows)


def test_the_document_is_up_to_date() -> None:
    written_by = "PYTHONPATH=tests/support python tests/test_formats.py > docs/formats.md"
    assert TABLE.read_text("utf-8") == table(), f"run: {written_by}"


if __name__ == "__main__":
    typer.echo(table(), nl=False)
