"""Read blank forms from their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batchocr.decoding.digits.blank_form import BlankForm, blank_form
from batchocr.errors import UsageError
from batchocr.executors.page_task import prepare_pages
from batchocr.records import Scan
from batchocr.stores import shown_place
from batchocr.stores.local_copy import local_copy


def load_blanks(
    places: Sequence[str | Path], max_megapixels: float, pdf_password: str | None = None
) -> tuple[BlankForm, ...]:
    """Return the forms on all pages of these files.

    Args:
        places: Paths or URLs of images and PDFs.
        max_megapixels: Larger pages are refused.
        pdf_password: Password that opens protected PDFs.

    Raises:
        UsageError: A page cannot be read.
    """
    forms = []
    for place in places:
        shown = shown_place(place)
        for page in prepare_pages(Scan(local_copy(place), shown), max_megapixels, pdf_password=pdf_password):
            if page.level is None:
                raise UsageError(
                    f"--blank {shown}: cannot be read ({page.row.message}); give an image or PDF of a form"
                )
            forms.append(blank_form(page.level.pixels))
    return tuple(forms)
