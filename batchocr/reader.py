"""Reading from Python, with the models kept loaded between pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from batchocr.decoding.marking import Marking, marked
from batchocr.decoding.rows import page_result
from batchocr.errors import ScanError, UsageError
from batchocr.executors.blank_forms import load_blanks
from batchocr.executors.page_task import look, look_at
from batchocr.output.table import frame
from batchocr.pipeline import Read, read_pages
from batchocr.reading_file import find_reading
from batchocr.recognition.fork_check import check_not_forked
from batchocr.recognition.model_file import read_detector, read_sidecar, shipped_detector, shipped_model
from batchocr.recognition.networks import Models, Networks
from batchocr.records import DigitRow, Page, PageResult, Pixels, PreparedPage, Printed, Scan
from batchocr.sources import MAX_MEGAPIXELS, written_name
from batchocr.sources.colour import darkest_channel, has_faint_ink
from batchocr.sources.grey import OddPixels, eight_bits, grey

if TYPE_CHECKING:
    import pandas as pd

Source = str | Path | bytes | NDArray[Any] | Image
"""A file's path, a file's bytes, or a picture: (height, width) grey, (height, width, 3) red green blue, or Pillow's."""


class Reader:
    """Reads scans one by one. Making one takes seconds, for the models are loaded; keep it."""

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        detector: str | Path | None = None,
        device: str = "auto",
        batch_size: int | None = None,
        min_confidence: float | None = None,
        max_error: float | None = None,
        max_megapixels: float = MAX_MEGAPIXELS,
        printed: Printed = "keep",
        blank: str | Path | Sequence[str | Path] = (),
    ) -> None:
        """The options are those of `batchocr run`. Raises UsageError, ModelError, DeviceError."""
        path = Path(model) if model is not None else shipped_model()
        models = Models(Path(detector) if detector is not None else shipped_detector(), path)
        reading = find_reading(models, read_detector(models.detector)[0], read_sidecar(path))
        self._marking = Marking(reading.threshold(min_confidence, max_error), printed)
        self._decoding = reading.decoding()
        self._networks = Networks(reading.models(models), device=device, batch_size=batch_size)
        self._max_megapixels = max_megapixels
        forms = [blank] if isinstance(blank, (str, Path)) else blank
        self._blanks = load_blanks([Path(form) for form in forms], max_megapixels)

    def read(self, source: Source) -> pd.DataFrame:
        """A row for each digit of all pages of a scan, with the columns of `results.csv`.

        `file` is the file's name, and empty for bytes and pictures. Raises ScanError where a page cannot be read;
        `pages` goes on with the others.
        """
        results = list(self.pages(source))
        for result in results:
            if result.page.status == "failed":
                raise ScanError(result.page.error, result.page.message)
        return frame(DigitRow, [row for result in results for row in result.digits])

    def pages(self, source: Source) -> Iterator[PageResult]:
        """Page by page what was read of a scan; a page that cannot be read has the status `failed`, and says why."""
        check_not_forked()
        for read in read_pages(self._look(source), self._networks):
            yield marked(page_result(*read, self._decoding, self._blanks), self._marking)

    def result(self, page: PreparedPage) -> tuple[Read, PageResult]:
        """What both networks say of one page, and what is read on it."""
        (read,) = read_pages([page], self._networks)
        return read, marked(page_result(*read, self._decoding, self._blanks), self._marking)

    def _look(self, source: Source) -> Iterator[PreparedPage]:
        if isinstance(source, (Image, np.ndarray)):
            pixels = of_pillow(source) if isinstance(source, Image) else as_grey(source)
            yield look_at(Page(Scan(Path(), ""), 1, pixels, ""))
        elif isinstance(source, bytes):
            for page in look(Scan(Path("the bytes given"), "the bytes given", source), self._max_megapixels):
                yield replace(page, row=replace(page.row, file=""))
        else:
            path = Path(source)
            yield from look(Scan(path, written_name(path.name)), self._max_megapixels)


def read(source: Source, **options: Any) -> pd.DataFrame:
    """`Reader(**options).read(source)`: for one scan. For more, keep a Reader, or use `batchocr.run`."""
    return Reader(**options).read(source)


def of_pillow(picture: Image) -> Pixels:
    """A picture of Pillow's as (height, width) uint8, upright by EXIF; raises UsageError for 32 bits and fractions."""
    try:
        return grey(picture)
    except OddPixels as fault:
        raise UsageError(f"a picture of mode {picture.mode}: {fault}; convert it to L or RGB") from fault


def as_grey(picture: NDArray[Any]) -> Pixels:
    """A picture as (height, width) uint8, 0 black.

    Takes uint8, uint16 and bool, grey or red green blue, with or without alpha. Raises UsageError for anything else.
    """
    if picture.dtype == np.bool_:
        picture = picture.astype(np.uint8) * 255
    elif picture.dtype == np.uint16:
        picture = eight_bits(picture) if picture.size else picture.astype(np.uint8)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or 0 in picture.shape:
        raise UsageError(
            f"a picture of shape {picture.shape} and type {picture.dtype}: give (height, width) or "
            "(height, width, 3) of uint8, uint16 or bool"
        )
    if picture.ndim == 2:
        return picture
    if picture.shape[2] not in (1, 3, 4):
        raise UsageError(
            f"a picture with {picture.shape[2]} channels: give 1 (grey), 3 (red green blue) or 4 (and alpha)"
        )
    if picture.shape[2] == 1:
        return picture[..., 0]
    if picture.shape[2] == 3 and has_faint_ink(picture[..., ::-1]):
        return darkest_channel(picture)
    luma = picture[..., :3] @ np.array([0.299, 0.587, 0.114])  # of ITU-R BT.601, as the decoders have it
    if picture.shape[2] == 4:
        alpha = picture[..., 3] / 255
        luma = luma * alpha + 255 * (1 - alpha)
    return luma.round().astype(np.uint8)
