"""Pages with truth: which form it has, and the command's own reading of the pages held against it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from batchocr.datasets.digit_files import TRUTH
from batchocr.datasets.digits import Labels
from batchocr.decoding.joint import Calibration
from batchocr.decoding.rows import page_boxes, page_result
from batchocr.errors import UsageError
from batchocr.evaluation.page_scores import DigitPairs, match_digits, score_boxes, score_crops, score_rows
from batchocr.executors.local import LocalExecutor
from batchocr.pipeline import Read
from batchocr.pipeline import read_pages as read_by_networks
from batchocr.reading_file import Reading
from batchocr.recognition.calibration import NONE as NOT_A_DIGIT
from batchocr.recognition.calibration import Floats, scale
from batchocr.recognition.networks import Models, Networks
from batchocr.records import SIGN, Box, DigitRow, Part
from batchocr.sources import MAX_MEGAPIXELS, find_scans

TRUTH_FORMAT = (
    'it is {file: [{"text": "2017", "digits": [[digit, left, top, width, height], ...]}, ...]} '
    'or {file: {"rows": ["2017", ...]}}'
)

TruthForm = Literal["boxes", "rows", "crops"]
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
    """The truth's file, where `data` is a folder of pages that has one, or that file itself."""
    path = Path(data)
    if path.is_dir() and (path / TRUTH).is_file():
        return path / TRUTH
    return path if path.is_file() and path.suffix == ".json" else None


@dataclass(frozen=True)
class TruePages:
    """Pages whose truth is known, and what both networks say of them; what is read there is not yet decided."""

    form: TruthForm
    known: Mapping[str, Any]
    """What stands there, by the name of the file."""
    pages_read: Sequence[Read]
    """The pages by file and number."""
    reading: Reading
    """By which both networks are read jointly."""

    @property
    def failed(self) -> int:
        """Pages that could not be read."""
        return sum(each.page.row.status == "failed" for each in self.pages_read)

    def read(self, temperature: float = 1.0, calibration: Calibration | None = None) -> dict[str, list[DigitRow]]:
        """The rows that `batchocr run` gives, by the name of their file, printed ones too.

        With a `temperature` on top of the classifier's, and another `calibration` of the confidences.
        """
        rows: defaultdict[str, list[DigitRow]] = defaultdict(list)
        decoding = self.reading.decoding()
        if calibration is not None:
            decoding = replace(decoding, calibration=calibration)
        for page, detections, probabilities in self.pages_read:
            scaled = probabilities.copy()
            digits = detections.kinds != SIGN
            scaled[digits] = scale(probabilities[digits], temperature)
            rows[Path(page.row.file).name] += page_result(page, detections, scaled, decoding).digits
        return rows

    def score(
        self, temperature: float = 1.0, calibration: Calibration | None = None
    ) -> tuple[dict[str, Any], DigitPairs | None]:
        """The figures, with the form of the truth under `truth` and the pages that could not be read under `failed`.

        With them the digits whose truth is known; rows say nothing of single digits.
        """
        read, pairs = self.read(temperature, calibration), None
        if self.form == "boxes":
            figures, pairs = score_boxes(self.known, read)
        elif self.form == "crops":
            figures, pairs = score_crops(self.known, read)
        else:
            figures = score_rows(self.known, read)
        return {"truth": self.form, **figures, "failed": self.failed}, pairs

    def crops(self) -> tuple[Floats, Labels]:
        """Probabilities (n, 11) of the crops whose truth is known, and what they are: 0 to 9, or 10 for no digit.

        With boxes each crop is of the true digit that its box overlaps best, one to one, or of none. Of pages with one
        digit those count where one is found; of several it is not known which is the digit.
        """
        boxes: defaultdict[str, list[Box]] = defaultdict(list)
        probabilities: defaultdict[str, list[Floats]] = defaultdict(list)
        for page, detections, of_page in self.pages_read:
            if page.level is not None:
                digits = (detections.kinds != SIGN) & (detections.scores >= self.reading.record.min_score[0])
                page_boxes_xywh = page_boxes(
                    detections.boxes[digits], page.level.to_page, page.row.width, page.row.height
                )
                boxes[Path(page.row.file).name] += [Box(*box) for box in page_boxes_xywh.tolist()]
                probabilities[Path(page.row.file).name].append(of_page[digits])
        parts: list[Floats] = []
        labels: list[int] = []
        for name, truth in self.known.items():
            page_labels = np.full(len(boxes[name]), NOT_A_DIGIT)
            if self.form == "boxes":
                true = [digit for number in truth for digit in number["digits"]]
                for at, index in match_digits(true, boxes[name]).items():
                    page_labels[index] = true[at][0]
            elif self.form == "crops" and len(page_labels) == 1:
                page_labels[0] = int(truth["rows"][0])
            else:
                continue
            parts += probabilities[name]
            labels += page_labels.tolist()
        return np.concatenate([np.empty((0, NOT_A_DIGIT + 1)), *parts]), np.array(labels, np.int64)


def read_pages(truth: Path, models: Models, reading: Reading, device: str = "auto") -> TruePages:
    """The pages that `truth` names, beside it, as both networks see them; `batchocr run` sees them alike.

    `reading` says how both are read jointly. Raises UsageError where the truth is of no form that is known or names a
    page that is not there, ModelError and DeviceError as a run does.
    """
    form, known = read_truth(truth)
    scans = [truth.parent / name for name in known]
    for scan in scans:
        if not scan.is_file():
            raise UsageError(f"{truth}: names {scan.name}, which is not beside it; put it there, or take the entry out")
    found = find_scans(scans)
    with LocalExecutor(map(Part, found.scans), jobs=None, max_megapixels=MAX_MEGAPIXELS) as executor:
        pages_read = list(read_by_networks(executor.pages(), Networks(reading.models(models), device=device)))
    pages_read.sort(key=lambda read: (read.page.row.file, read.page.row.page or 0))
    return TruePages(form, known, pages_read, reading)


def read_truth(path: Path) -> tuple[TruthForm, Mapping[str, Any]]:
    """The form of a truth file and its content. Raises UsageError where it has none of the forms."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        boxes = isinstance(content, dict) and isinstance(next(iter(content.values()), None), list)
        (_BOXES if boxes else _ROWS).validate_python(content)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise UsageError(f"{path}: cannot be read ({fault}); {TRUTH_FORMAT}") from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise UsageError(f"{path}: is no truth of pages ({where}: {first['msg']}); {TRUTH_FORMAT}") from fault
    if not content:
        raise UsageError(f"{path}: names no pages; {TRUTH_FORMAT}")
    if boxes:
        return "boxes", content
    single = all(len(page["rows"]) == 1 and len(page["rows"][0]) == 1 for page in content.values())
    return ("crops" if single else "rows"), content
