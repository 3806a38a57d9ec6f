"""Every format and depth is read as another library wrote it, or refused with the fix.

    PYTHONPATH=tests/support python tests/test_formats.py > docs/formats.md

writes the table in the documents.
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

Of each format and depth below, the tests write a small file and read it. The writer is always another library than the
reader, and the grey values and the size of what is read must be right: exactly, or within what a lossy format changes.

- TIFF and PDF: every frame and page. GIF, WebP: the first picture. Thumbnails and masks within a TIFF are no pages.
- Colour becomes grey by its luma, or, where writing as pale as yellow ink would be lost, by the channel in which it is
  darkest; what is transparent becomes white paper; orientation tags (EXIF, TIFF, PDF) are followed.
- 16 bits of which 8, 10, 12 or 14 are in use are told by the brightest pixel.
- A PDF page is rendered at 300 dpi; a page that is but a scanned picture comes out pixel by pixel as it was scanned.
- What is refused is a row in `results.pages.csv` with status `failed`, the reason below, and a message with the fix.

This table is written by `PYTHONPATH=tests/support python tests/test_formats.py > docs/formats.md`.

| format | pixels | written by | |
|---|---|---|---|
"""


def first_page(case: Case) -> Page | ScanError:
    """The page, or why there is none."""
    try:
        (page,) = load_pages(Scan(Path(case.name), case.name, bytes(case.data)))
    except ScanError as error:
        return error
    return page.error if isinstance(page, BadPage) else page


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.format} {case.pixels}")
def test_it_is_read_as_it_was_written_or_refused(case: Case) -> None:
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
    """The document."""
    rows = []
    for case in CASES:
        page = first_page(case)
        outcome = f"`{page.reason}`" if isinstance(page, ScanError) else "read"
        rows.append(f"| {case.format} | {case.pixels} | {case.writer} | {outcome} |\n")
    return HEADING + "".join(rows)


def test_the_table_in_the_documents_is_up_to_date() -> None:
    written_by = "PYTHONPATH=tests/support python tests/test_formats.py > docs/formats.md"
    assert TABLE.read_text("utf-8") == table(), f"write it again: {written_by}"


if __name__ == "__main__":
    typer.echo(table(), nl=False)
