"""Draw the fields of a form on its blank and on pages, to check a form file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.errors import FormError, NothingToRead, ScanError
from batchocr.executors.page_task import as_scan_error, prepare_page
from batchocr.forms.form import Form
from batchocr.output.drawing.canvas import Canvas
from batchocr.output.drawing.form_fields import draw_form_fields
from batchocr.output.drawing.image_file import write_image
from batchocr.output.drawing.legend import Entry
from batchocr.preview_files import Targets
from batchocr.records import LevelPage, Page, PreparedPage, Scan
from batchocr.sources import MAX_MEGAPIXELS, BadPage, find_scans, load_pages, nothing_to_read
from batchocr.vision.geometry.laying import bend_at

MAX_SIDE_PX = 2000
"""The longer side of a drawn page."""
_BLANK_PX_PER_MM = 8.0
"""Resolution of the white page that is drawn for a form without an image."""
_MEMORY_FIX = "lower --max-megapixels"

Points = NDArray[np.float64]

ReadFields = Callable[[PreparedPage], Mapping[str, str]]
"""Returns the text of each field of a page, by the name of the field."""


@dataclass(frozen=True)
class CheckedPage:
    """A page on which the fields were drawn, or that does not fit the form."""

    name: str
    """The scan, and the page if the scan has several."""
    out: Path | None
    """The image; None if the page does not fit or cannot be read."""
    residual_mm: float | None
    """How far print of the page is from its place on the blank form; None if the form has no image."""
    fault: ScanError | None = None
    """Why there is no image."""


def draw_blank(form: Form, max_side_px: int = MAX_SIDE_PX) -> Canvas:
    """Draw the fields on the blank form; on white paper if the form has no image.

    Args:
        form: The form.
        max_side_px: The longer side of the image, without its legend; 0 for no limit.
    """
    if form.image is None:
        scale = _BLANK_PX_PER_MM
        pixels = np.full((round(form.height_mm * scale), round(form.width_mm * scale)), 255, np.uint8)
    else:
        scale, pixels = form.image.px_per_mm, form.image.pixels
    size = f"{form.width_mm:g} x {form.height_mm:g} mm"
    entries = [Entry(form.name, bold=True), Entry(f"{size}, {len(form.fields)} fields")]
    return draw_form_fields(pixels, form, lambda points: points * scale, entries=entries, max_side_px=max_side_px)


def check_pages(
    form: Form,
    pages: Sequence[str | Path],
    out: Path | None = None,
    *,
    max_megapixels: float = MAX_MEGAPIXELS,
    pdf_password: str | None = None,
    max_side_px: int = MAX_SIDE_PX,
    read: ReadFields | None = None,
) -> Iterator[CheckedPage]:
    """Place pages on a form and draw its fields on them, as the pages were given.

    Args:
        form: The form.
        pages: Files, folders or patterns.
        out: A folder, which is created, or a .png or .jpg file for a single scan; None as for `batchocr preview`.
        max_megapixels: Larger images are refused.
        pdf_password: Password that opens protected PDFs.
        max_side_px: The longer side of an image, without its legend; 0 for no limit.
        read: Reads the fields of a page; then their texts are drawn too.

    Yields:
        Each page, when its image is written. Pages that do not fit are among them.

    Raises:
        NothingToRead: There is no scan.
        UsageError: `out` is a file of another kind, or one file for several scans.
        OutputError: An image cannot be written.
    """
    found = find_scans(pages)
    if not found.scans:
        raise NothingToRead(f"{nothing_to_read(found.roots, len(found.passed_over))}; give pages of the form")
    one_scan = len(pages) == 1 and Path(pages[0]).is_file()
    targets = Targets(found.scans, out, None, one_scan=one_scan, one_page=False)
    for scan in found.scans:
        try:
            for page in load_pages(scan, max_megapixels=max_megapixels, pdf_password=pdf_password):
                yield _checked(form, scan, page, targets, max_side_px, read)
        except ScanError as fault:
            yield CheckedPage(scan.name, None, None, fault)


def _checked(
    form: Form, scan: Scan, page: Page | BadPage, targets: Targets, max_side_px: int, read: ReadFields | None
) -> CheckedPage:
    name = scan.name
    try:
        if isinstance(page, BadPage):
            raise page.error
        name = f"{scan.name}, page {page.number}" if page.pages > 1 else scan.name
        prepared = _placed(page, form, scan)
    except ScanError as fault:
        return CheckedPage(name, None, None, fault)
    level = prepared.level
    assert level is not None, "a page that fails raises an exception"
    assert level.placement is not None, "a page that fits is placed"
    residual = level.placement.residual_mm
    words = "placed by the edges of the sheet" if residual is None else f"residual {residual:.2f} mm"
    entries = [Entry(name, bold=True), Entry(form.name), Entry(words)]
    drawn = draw_form_fields(
        page.pixels,
        form,
        lambda points: _on_page(points, level),
        entries=entries,
        texts=read(prepared) if read else None,
        max_side_px=max_side_px,
    )
    path = targets.of_page(scan, page.number, page.pages)
    write_image(path, drawn)
    return CheckedPage(name, path, residual)


def _placed(page: Page, form: Form, scan: Scan) -> PreparedPage:
    try:
        return prepare_page(page, (form,))
    except FormError:
        raise
    except Exception as fault:
        raise as_scan_error(scan, fault, _MEMORY_FIX) from fault


def _on_page(points: Points, level: LevelPage) -> Points:
    """Return points (n, 2) in millimetres of the form as points of the page as given."""
    assert level.placement is not None
    on_level = points * level.placement.px_per_mm
    on_level = on_level + bend_at(on_level, level.placement.bend, level.pixels.shape)
    return np.asarray(cv2.perspectiveTransform(on_level[:, None], level.to_page)[:, 0], np.float64)
