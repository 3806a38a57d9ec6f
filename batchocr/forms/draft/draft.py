"""Draft a form file from the image of a blank form."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from batchocr.errors import FormError, UsageError
from batchocr.forms.draft.blank import LevelBlank, load_level_blank
from batchocr.forms.draft.form_text import form_text
from batchocr.forms.draft.layout import find_places
from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.draft.places import FieldPlace, TablePlace
from batchocr.forms.form import Form
from batchocr.forms.load import load_form
from batchocr.output.atomic_write import whole_files
from batchocr.sources import MAX_MEGAPIXELS, PREVIEW
from batchocr.stores import is_url, shown_place

_MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Draft:
    """A first form file, and what belongs to it."""

    text: str
    """The text of the form file."""
    places: tuple[FieldPlace | TablePlace, ...]
    """What was found, in reading order."""
    out: Path
    """Where the form file belongs."""
    blank: LevelBlank
    """The blank form."""
    image: Path | None
    """Where the level image of the blank form belongs; None if the given file is used."""

    @property
    def picture(self) -> Path:
        """Where the image with all fields belongs."""
        return self.out.with_name(f"{self.out.stem}{PREVIEW}png")

    def write(self, *, replace: bool = False) -> Form:
        """Write the form file, and the level image if one is needed.

        Args:
            replace: Whether files of these names are replaced.

        Returns:
            The form, loaded from its file.

        Raises:
            UsageError: A file of this name exists already.
            OutputError: A file cannot be written.
        """
        paths = [*([self.image] if self.image else []), self.out]
        for path in paths:
            if path.exists() and not replace:
                raise UsageError(f"{path}: exists already; give --force to replace it, or another --out")
        with whole_files(paths) as files:
            if self.image:
                dpi = self.blank.pixels.shape[1] / self.blank.size_mm[0] * _MM_PER_INCH
                Image.fromarray(self.blank.pixels).save(files[0], "PNG", dpi=(dpi, dpi))
            files[-1].write(self.text.encode())
        return load_form(self.out)


def draft_form(
    blank: str | Path,
    out: str | Path = "form.toml",
    *,
    page: int = 1,
    size_mm: tuple[float, float] | None = None,
    is_filled: bool = False,
    max_megapixels: float = MAX_MEGAPIXELS,
    pdf_password: str | None = None,
    parameters: DraftParameters = PARAMETERS,
) -> Draft:
    """Find the fields of a blank form and write them as a form file, without saving it.

    Boxes, combs, cells of tables, tick boxes, bubbles, codes and lines to write on become fields. Labels are not read:
    the names are field-1, field-2, table-1 in reading order.

    Args:
        blank: Path or URL of an image or PDF of the blank form: a scan, a photo, or a page of the original file.
        out: The form file. Paths in the form file start from its folder.
        page: The page of a PDF or TIFF, from 1.
        size_mm: Width and height of the paper; None for that of the file, or else A4 or Letter by the proportions.
        is_filled: Whether the page is filled in, for those who have no blank.
        max_megapixels: Larger images are refused.
        pdf_password: Password that opens a protected PDF.
        parameters: Sizes of what is printed on forms.

    Returns:
        The draft; `text` is the form file, `write()` saves it.

    Raises:
        FormError: The blank cannot be read, or no field was found on it.
        UsageError: The page does not exist, or `size_mm` has other proportions than the page.
    """
    out = Path(out)
    level = load_level_blank(blank, page, size_mm, max_megapixels=max_megapixels, pdf_password=pdf_password)
    places = tuple(find_places(level.pixels, level.size_mm[0], is_filled=is_filled, parameters=parameters))
    if not any(isinstance(each, TablePlace) or each.is_likely for each in places):
        raise FormError(
            f"{shown_place(blank)}: has no boxes, cells or lines to write on; give a sharper image, or write the form "
            "file yourself: docs/form-files.md"
        )
    image = None if level.is_as_given or is_filled else out.with_name(f"{out.stem}-blank.png")
    text = form_text(
        places,
        file_name=out.name,
        picture=f"{out.stem}{PREVIEW}png",
        image=image.name if image else _from_folder(blank, out),
        image_page=1 if image else page,
        is_filled=is_filled,
        size_mm=level.size_mm,
        size_note=level.size_note,
    )
    return Draft(text, places, out, level, image)


def drafted(blank: str | Path) -> Form:
    """Return the form that `draft_form` finds, without writing files that stay."""
    with tempfile.TemporaryDirectory() as folder:
        name = "form" if is_url(blank) else Path(blank).stem
        return draft_form(blank, Path(folder, f"{name}.toml")).write()


def _from_folder(blank: str | Path, out: Path) -> str:
    """Return the path of the blank from the folder of the form file."""
    if is_url(blank):
        return str(blank)
    try:
        return Path(os.path.relpath(blank, out.parent)).as_posix()
    except ValueError:  # another drive of Windows
        return Path(blank).absolute().as_posix()
