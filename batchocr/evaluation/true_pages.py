"""Pages with ground truth: the forms of the truth, and what the command reads on these pages.

The forms are those of `page_scores`. Three of them come from a `truth.json`, the fourth from corrected results
(`corrected_results`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from batchocr.datasets.digit_files import TRUTH
from batchocr.datasets.digits import Labels
from batchocr.decoding.digits.joint import Calibration
from batchocr.decoding.rows import page_boxes, page_result
from batchocr.errors import UsageError
from batchocr.evaluation.corrected_results import UNKNOWN, page_key, read_corrected
from batchocr.evaluation.page_scores import (
    DigitPairs,
    match_digits,
    score_boxes,
    score_corrected,
    score_crops,
    score_rows,
)
from batchocr.executors.local import LocalExecutor
from batchocr.pipeline import Read
from batchocr.pipeline import read_pages as read_by_networks
from batchocr.reading_file import Reading
from batchocr.recognition.calibration import NOT_A_DIGIT, Floats, apply_temperature
from batchocr.recognition.networks import Models, Networks
from batchocr.records import SIGN, Box, DigitRow, PageRow, Part, Scan
from batchocr.sources import MAX_MEGAPIXELS, find_scans

TRUTH_FORMAT = (
    'it is {file: [{"text": "2017", "digits": [[digit, left, top, width, height], ...]}, ...]} '
    'or {file: {"rows": ["2017", ...]}}'
)

TruthForm = Literal["boxes", "rows", "crops", "corrected"]
DigitText = Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]


class _Number(BaseModel):
    model_config = ConfigDict(strict=True)
    text: DigitText
    digits: Annotated[list[Annotated[list[int], Field(min_length=5, max_length=5)]], Field(min_length=1)]


class _Rows(BaseModel):
    model_config = ConfigDict(strict=True)
    rows: list[DigitText]


_BOXES: TypeAdapter[dict[str, list[_Number]]] = TypeAdapter(dict[str, list[_Number]])
_ROWS: TypeAdapter[dict[str, _Rows]] = TypeAdapter(dict[str, _Rows])


def truth_file(data: str | Path) -> Path | None:
    """Return the truth file of `data`: a folder of pages with a `truth.json`, or such a file itself; else None."""
    path = Path(data)
    if path.is_dir() and (path / TRUTH).is_file():
        return path / TRUTH
    return path if path.is_file() and path.suffix == ".json" else None


@dataclass(frozen=True)
class Truth:
    """Ground truth and the scans that it belongs to."""

    form: TruthForm
    known: Mapping[str, Any]
    """The content by page: by the file's name, of corrected results by `page_key`."""
    scans: tuple[Scan, ...]


@dataclass(frozen=True)
class TruePages:
    """Pages with ground truth and the output of both networks for them, not yet decoded."""

    form: TruthForm
    known: Mapping[str, Any]
    """The content by page; see `Truth.known`."""
    pages_read: Sequence[Read]
    """The pages by file and number."""
    reading: Reading
    """How the outputs of both networks are combined."""

    @property
    def failed(self) -> int:
        """Number of pages that could not be read."""
        return sum(each.page.row.status == "failed" for each in self.pages_read)

    def _key(self, row: PageRow) -> str:
        return page_key(row.file, row.page) if self.form == "corrected" else Path(row.file).name

    def read(self, temperature: float = 1.0, calibration: Calibration | None = None) -> dict[str, list[DigitRow]]:
        """Return the rows that `batchocr run` gives, printed digits included.

        Args:
            temperature: Divides the logarithms of the classifier's probabilities, on top of its own temperature.
            calibration: Replaces the calibration of the confidences.

        Returns:
            The rows by page, with the keys of `known`.
        """
        rows: defaultdict[str, list[DigitRow]] = defaultdict(list)
        decoding = self.reading.decoding()
        if calibration is not None:
            decoding = replace(decoding, calibration=calibration)
        for page, detections, probabilities, _ in self.pages_read:
            scaled = probabilities.copy()
            digits = detections.kinds != SIGN
            scaled[digits] = apply_temperature(probabilities[digits], temperature)
            rows[self._key(page.row)] += page_result(page, detections, scaled, decoding).digits
        return rows

    def score(
        self, temperature: float = 1.0, calibration: Calibration | None = None
    ) -> tuple[dict[str, Any], DigitPairs | None]:
        """Compare the rows with the truth.

        Args:
            temperature: As for `read`.
            calibration: As for `read`.

        Returns:
            The figures, with the form of the truth as `truth` and the number of unreadable pages as `failed`; and the
            digits whose truth is known, None for the form "rows".
        """
        read, pairs = self.read(temperature, calibration), None
        if self.form == "boxes":
            figures, pairs = score_boxes(self.known, read)
        elif self.form == "corrected":
            figures, pairs = score_corrected(self.known, read)
        elif self.form == "crops":
            figures, pairs = score_crops(self.known, read)
        else:
            figures = score_rows(self.known, read)
        return {"truth": self.form, **figures, "failed": self.failed}, pairs

    def crops(self) -> tuple[Floats, Labels]:
        """Return the classifier's answers for the crops whose truth is known.

        With boxes, each crop belongs to the true digit whose box it overlaps most, one to one; the others are not
        digits. With corrected results the others are unknown and left out. Of a page with one digit the crop counts
        if it is the only one.

        Returns:
            Probabilities (n, 11), and labels (n,): 0 to 9, or 10 for not a digit.
        """
        boxes: defaultdict[str, list[Box]] = defaultdict(list)
        probabilities: defaultdict[str, list[Floats]] = defaultdict(list)
        for page, detections, of_page, _ in self.pages_read:
            if page.level is not None:
                digits = (detections.kinds != SIGN) & (detections.scores >= self.reading.record.min_score[0])
                on_page = page_boxes(detections.boxes[digits], page.level.to_page, page.row.width, page.row.height)
                boxes[self._key(page.row)] += [Box(*box) for box in on_page.tolist()]
                probabilities[self._key(page.row)].append(of_page[digits])
        parts: list[Floats] = [np.empty((0, NOT_A_DIGIT + 1))]
        labels: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        for name, truth in self.known.items():
            own = self._labels(truth, boxes[name])
            known = own != UNKNOWN
            if known.any():
                parts.append(np.concatenate(probabilities[name])[known])
                labels.append(own[known])
        return np.concatenate(parts), np.concatenate(labels)

    def _labels(self, truth: Any, boxes: Sequence[Box]) -> NDArray[np.int64]:
        """Return the labels (n,) of the crops of a page: 0 to 9, NOT_A_DIGIT or UNKNOWN."""
        labels = np.full(len(boxes), NOT_A_DIGIT if self.form == "boxes" else UNKNOWN, np.int64)
        if self.form == "crops" and len(boxes) == 1:
            labels[0] = int(truth["rows"][0])
        elif self.form == "boxes":
            true = [digit for number in truth for digit in number["digits"]]
            for at, index in match_digits(true, boxes).items():
                labels[index] = true[at][0]
        elif self.form == "corrected":
            corrected = [digit for number in truth for digit in number.digits]
            for at, index in match_digits(corrected, boxes).items():
                labels[index] = corrected[at][0]
        return labels


def read_pages(truth: Truth, models: Models, reading: Reading, device: str = "auto") -> TruePages:
    """Read the pages of a truth as `batchocr run` reads them.

    Args:
        truth: The truth and its scans.
        models: The detector and the classifier.
        reading: How the outputs of both networks are combined.
        device: Where the networks run: auto, cpu or gpu.

    Returns:
        The pages with the outputs of both networks.

    Raises:
        ModelError: A model cannot be used.
        DeviceError: The device is not there.
    """
    with LocalExecutor(map(Part, truth.scans), jobs=None, max_megapixels=MAX_MEGAPIXELS) as executor:
        pages_read = list(read_by_networks(executor.pages(), Networks(reading.models(models), device=device)))
    pages_read.sort(key=lambda read: (read.page.row.file, read.page.row.page or 0))
    return TruePages(truth.form, truth.known, pages_read, reading)


def load_truth(path: Path) -> Truth:
    """Load a `truth.json` and find its scans beside it.

    Args:
        path: The truth file.

    Returns:
        The truth, in one of the forms boxes, rows and crops.

    Raises:
        UsageError: The file has none of these forms, or names a page that is not beside it.
    """
    form, known = read_truth(path)
    scans = [path.parent / name for name in known]
    for scan in scans:
        if not scan.is_file():
            raise UsageError(
                f"{path}: names {scan.name}, which is not in its folder; add the file, or remove the entry"
            )
    return Truth(form, known, find_scans(scans).scans)


def load_corrected(path: Path, scans: Path, results: Path | None = None) -> Truth:
    """Load corrected results as truth of the scans that they were read from.

    Args:
        path: The corrected table; see `read_corrected`.
        scans: The folder or file that was given to `batchocr run`.
        results: The `results.csv` of the same run; by default the one beside `path`.

    Returns:
        The truth, in the form "corrected".

    Raises:
        UsageError: The table has a fault, or names a scan that is not in the folder.
    """
    known = read_corrected(path, results)
    names = {key.rpartition(", page ")[0] for key in known}
    found = [scan for scan in find_scans([scans]).scans if scan.name in names]
    if missing := sorted(names - {scan.name for scan in found}):
        raise UsageError(
            f"{path}: has digits of {missing[0]}, which is not in {scans}; give the folder that batchocr run read as "
            "--data"
        )
    return Truth("corrected", known, tuple(found))


def read_truth(path: Path) -> tuple[TruthForm, Mapping[str, Any]]:
    """Read a truth file.

    Args:
        path: The JSON file.

    Returns:
        The form of the truth (boxes, rows or crops) and its content by file name.

    Raises:
        UsageError: The file cannot be read or has none of the forms.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        boxes = isinstance(content, dict) and isinstance(next(iter(content.values()), None), list)
        (_BOXES if boxes else _ROWS).validate_python(content)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise UsageError(f"{path}: cannot be read ({fault}); {TRUTH_FORMAT}") from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise UsageError(f"{path}: is not a truth of pages ({where}: {first['msg']}); {TRUTH_FORMAT}") from fault
    if not content:
        raise UsageError(f"{path}: names no pages; {TRUTH_FORMAT}")
    if boxes:
        return "boxes", content
    single = all(len(page["rows"]) == 1 and len(page["rows"][0]) == 1 for page in content.values())
    return ("crops" if single else "rows"), content
