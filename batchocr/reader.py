"""Read scans from Python and keep the networks loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from batchocr.batch.run_models import run_models
from batchocr.decoding.marking import Marking, mark_rows
from batchocr.errors import ScanError, UsageError
from batchocr.executors.blank_forms import load_blanks
from batchocr.executors.page_task import prepare_page, prepare_pages
from batchocr.forms.form import Form
from batchocr.forms.reading.page_result import page_result
from batchocr.image_input import as_grey, pillow_to_grey
from batchocr.output.table import TableKind, frame
from batchocr.output.table_kinds import FIELDS, TABLES, field_names, wide_table
from batchocr.pipeline import Read, read_pages
from batchocr.reader_arguments import bytes_of, is_several, loaded_forms
from batchocr.recognition.fork_check import check_not_forked
from batchocr.recognition.networks import Networks
from batchocr.records import Page, PageResult, PreparedPage, Printed, Scan
from batchocr.settings import DeviceName, Settings
from batchocr.sources import MAX_MEGAPIXELS, written_name

if TYPE_CHECKING:
    import pandas as pd

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | NDArray[Any] | Image
"""A scan: the path of a file, the content of a file, an open binary file, or an image."""


class Reader:
    """Reads scans and keeps the networks loaded between them.

    Loading takes some seconds, so keep a `Reader`. It prepares pages in the calling process; `batchocr.run` uses
    several processes and is faster for folders. Make the `Reader` in the process that uses it: after a fork, TensorFlow
    does not work, and all methods raise `UsageError`.

    A scan may be given as

    - a path (`str` or `Path`) of an image or PDF file;
    - the content of such a file: `bytes`, `bytearray`, `memoryview`, or an open binary file, for example `io.BytesIO`,
      which is read from its start;
    - a Pillow image of any mode, which is turned upright by its EXIF orientation; of several frames, the current one;
    - a NumPy array: `(height, width)` grey, or `(height, width, channels)` with 1 (grey), 2 (grey and alpha), 3 (RGB)
      or 4 (RGBA) channels, as bool (True is white), uint8, uint16, or floats from 0 (black) to 1 (white).

    Transparent pixels are white paper. All methods also take several scans, as a list, a tuple or an iterator.

    In the results, `file` is the file's name for a path, and empty for everything else. Of several scans, it is the
    path as given, and for everything else the scan's place from 0.

    Examples:
        >>> reader = batchocr.Reader(device="cpu")
        >>> reader.numbers("samples/2017.png")["text"].tolist()
        ['2017']
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        detector: str | Path | None = None,
        device: DeviceName = "auto",
        batch_size: int | None = None,
        min_confidence: float | None = None,
        max_error: float | None = None,
        max_megapixels: float = MAX_MEGAPIXELS,
        printed: Printed = "keep",
        blank: str | Path | Sequence[str | Path] = (),
        form: str | Path | Form | Sequence[str | Path | Form] = (),
        pdf_password: str | None = None,
    ) -> None:
        """Load the networks.

        Args:
            model: The classifier, a `.keras` file. None: the classifier of this package.
            detector: The detector, a `.keras` file. None: the detector of this package.
            device: Where the networks run: `auto`, `cpu` or `gpu`.
            batch_size: Crops that are classified at once. None: 256 on the CPU, 4096 on a GPU.
            min_confidence: Digits with a lower confidence are marked for review. None: the threshold of
                `reading.json`.
            max_error: Alternative to `min_confidence`, see `Settings`.
            max_megapixels: Files with larger images are refused before they are decoded.
            printed: What happens to printed digits: `keep`, `drop`, or `only`.
            blank: Blank forms. Digits that are printed on the form get no rows.
            form: Form files, folders of form files, or forms. Each page is read as the form that fits it; a page that
                fits none cannot be read.
            pdf_password: The password of protected PDFs.

        Raises:
            UsageError: If an argument has the wrong type or is out of range, or a blank form cannot be read.
            FormError: If a form is wrong, or two forms have the same name.
            ModelError: If a model file is missing, damaged, or of another kind.
            DeviceError: If there is no GPU and `device` is `gpu`.
        """
        given: dict[str, Any] = {
            "model": model,
            "detector": detector,
            "device": device,
            "batch_size": batch_size,
            "min_confidence": min_confidence,
            "max_error": max_error,
            "max_megapixels": max_megapixels,
            "printed": printed,
            "blank": blank,
            "pdf_password": pdf_password,
        }
        settings = Settings(**given)
        self._forms = loaded_forms(form, settings)
        self._field_names = field_names(self._forms)
        models = run_models(settings)
        reading = models.reading
        self._marking = Marking(models.threshold, settings.printed)
        self._decoding = reading.decoding()
        self._networks = Networks(reading.models(models.models), device=settings.device, batch_size=settings.batch_size)
        self._max_megapixels, self._pdf_password = settings.max_megapixels, settings.pdf_password
        self._blanks = load_blanks(settings.blank, settings.max_megapixels, settings.pdf_password)

    @property
    def has_forms(self) -> bool:
        """Whether the reader has a form."""
        return bool(self._forms)

    def read(self, source: Source | Iterable[Source]) -> pd.DataFrame:
        """Return the digits on all pages, one row for each digit.

        Args:
            source: A scan, or several.

        Returns:
            The columns of `results.csv`.

        Raises:
            ScanError: If a page cannot be read. `pages` continues with the next page instead.
            UsageError: If `source` is not a scan.

        Examples:
            >>> reader.read("samples/2017.png")["digit"].tolist()
            [2, 0, 1, 7]
        """
        return self._table(TABLES["digits"], source)

    def numbers(self, source: Source | Iterable[Source]) -> pd.DataFrame:
        """Return the numbers on all pages, one row for each number.

        Args:
            source: A scan, or several.

        Returns:
            The columns of `results.numbers.csv`. `text` and `digits` are strings and keep leading zeros.

        Raises:
            ScanError: If a page cannot be read. `pages` continues with the next page instead.
            UsageError: If `source` is not a scan.

        Examples:
            >>> reader.numbers(["samples/2017.png", "samples/numbers.png"])[["file", "text"]]
        """
        return self._table(TABLES["numbers"], source)

    def fields(self, source: Source | Iterable[Source]) -> pd.DataFrame:
        """Return the fields of the forms on all pages, one row for each field.

        Args:
            source: A scan, or several.

        Returns:
            The columns of `results.fields.csv`. `text` and `value` are strings and keep leading zeros.

        Raises:
            ScanError: If a page cannot be read, or fits no form. `pages` continues with the next page instead.
            UsageError: If `source` is not a scan, or the `Reader` has no form.
        """
        self._check_has_forms("fields")
        return self._table(FIELDS, source)

    def forms(self, source: Source | Iterable[Source]) -> pd.DataFrame:
        """Return the forms on all pages, one row for each page, with a column for each field.

        Args:
            source: A scan, or several.

        Returns:
            The columns of `results.forms.csv`: `file`, `page`, `form`, `residual_mm`, `status` and `reason`, then the
                text of each field of all forms, a string. It is empty for an empty field and for fields of other forms.

        Raises:
            ScanError: If a page cannot be read, or fits no form. `pages` continues with the next page instead.
            UsageError: If `source` is not a scan, or the `Reader` has no form.
        """
        self._check_has_forms("forms")
        return self._table(wide_table(self._field_names or ()), source)

    def pages(self, source: Source | Iterable[Source]) -> Iterator[PageResult]:
        """Return the results page by page.

        Args:
            source: A scan, or several.

        Returns:
            One result for each page, in order. If a page cannot be read, its `page.status` is `failed`, and
                `page.error` and `page.message` say why.

        Raises:
            UsageError: If `source` is not a scan.

        Examples:
            >>> for page in reader.pages("samples/letters.pdf"):
            ...     print(page.page.page, [number.text for number in page.numbers])
        """
        check_not_forked()
        for read in read_pages(self._prepared(source), self._networks):
            yield mark_rows(page_result(*read, self._decoding, self._blanks, self._forms), self._marking)

    def result(self, page: PreparedPage) -> tuple[Read, PageResult]:
        """Return what the networks found on one prepared page, and its result."""
        (read,) = read_pages([page], self._networks)
        return read, mark_rows(page_result(*read, self._decoding, self._blanks, self._forms), self._marking)

    def _table(self, kind: TableKind, source: Source | Iterable[Source]) -> pd.DataFrame:
        return frame(kind, kind.rows(self._pages_read(source)))

    def _check_has_forms(self, method: str) -> None:
        if not self._forms:
            raise UsageError(f"Reader.{method}: the Reader has no form: make it with Reader(form=...)")

    def _pages_read(self, source: Source | Iterable[Source]) -> Iterator[PageResult]:
        """Yield the results page by page. Raise ScanError for the first page that cannot be read."""
        for result in self.pages(source):
            if result.page.status == "failed":
                raise ScanError(result.page.error, result.page.message)
            yield result

    def _prepared(self, source: Source | Iterable[Source]) -> Iterator[PreparedPage]:
        given: Any = source
        if is_several(given):
            for place, each in enumerate(given):
                name = str(each) if isinstance(each, (str, os.PathLike)) else str(place)
                yield from self._prepared_scan(each, name)
        else:
            yield from self._prepared_scan(given, Path(given).name if isinstance(given, (str, os.PathLike)) else "")

    def _prepared_scan(self, source: Source, name: str) -> Iterator[PreparedPage]:
        """Yield the prepared pages of one scan. `name` is for the column `file`."""
        if isinstance(source, (Image, np.ndarray)):
            pixels = pillow_to_grey(source) if isinstance(source, Image) else as_grey(source)
            yield prepare_page(Page(Scan(Path(), name), 1, pixels, ""), self._forms)
        elif isinstance(source, (str, os.PathLike)):
            yield from self._prepared_file(Scan(Path(source), written_name(name)))
        else:
            content = "the content given"
            scan = Scan(Path(content), content, bytes_of(source))
            for page in self._prepared_file(scan):
                yield replace(page, row=replace(page.row, file=name))

    def _prepared_file(self, scan: Scan) -> Iterator[PreparedPage]:
        return prepare_pages(scan, self._max_megapixels, pdf_password=self._pdf_password, forms=self._forms)


def read(source: Source | Iterable[Source], **options: Any) -> pd.DataFrame:
    """Return the digits of a scan, one row for each digit; with `form`, its fields, one row for each field.

    Each call loads the networks, which takes seconds; to read several scans one by one, keep a `Reader`.

    Args:
        source: A scan, or several: paths, content of files, or images, see `Reader`.
        **options: The arguments of `Reader`.

    Returns:
        The columns of `results.csv`. With `form`, the columns of `results.fields.csv`.

    Raises:
        ScanError: If a page cannot be read, or fits no form.
        UsageError: If `source` is not a scan, or an option is out of range.
        FormError: If a form is wrong.

    Examples:
        >>> batchocr.read("samples/2017.png", device="cpu")["digit"].tolist()
        [2, 0, 1, 7]
    """
    reader = Reader(**options)
    return reader.fields(source) if reader.has_forms else reader.read(source)


def read_numbers(source: Source | Iterable[Source], **options: Any) -> pd.DataFrame:
    """Return the numbers of a scan, one row for each number.

    Each call loads the networks, which takes seconds; to read several scans one by one, keep a `Reader`.

    Args:
        source: A scan, or several: paths, content of files, or images, see `Reader`.
        **options: The arguments of `Reader`.

    Returns:
        The columns of `results.numbers.csv`. `text` and `digits` are strings and keep leading zeros.

    Raises:
        ScanError: If a page cannot be read.
        UsageError: If `source` is not a scan, or an option is out of range.

    Examples:
        >>> batchocr.read_numbers("samples/2017.png", device="cpu")["text"].tolist()
        ['2017']
    """
    return Reader(**options).numbers(source)
