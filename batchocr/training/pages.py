"""Pages with truth: which form it has, and the command's own reading of the pages held against it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from batchocr.engines.local import LocalEngine
from batchocr.errors import UsageError
from batchocr.recognition.batches import classified
from batchocr.recognition.calibration import NONE, Floats, scale
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.reading import page_result
from batchocr.records import Candidate, DigitRow, Part, SeenPage
from batchocr.sources import MAX_MEGAPIXELS, find_scans
from batchocr.training.datasets import Labels
from batchocr.training.files import TRUTH
from batchocr.training.scoring import Pairs, matched, score_boxes, score_crops, score_rows

FORM = (
    'it is {file: [{"text": "2017", "digits": [[digit, left, top, width, height], ...]}, ...]} '
    'or {file: {"rows": ["2017", ...]}}'
)

Form = Literal["boxes", "rows", "crops"]
Figures = Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]


class _Number(BaseModel):
    model_config = ConfigDict(strict=True)
    text: Figures
    digits: Annotated[list[Annotated[list[int], Field(min_length=5, max_length=5)]], Field(min_length=1)]


class _Rows(BaseModel):
    model_config = ConfigDict(strict=True)
    rows: list[Figures]


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
    """Pages whose truth is known, as vision and the network see them; what is read there is not yet decided."""

    form: Form
    known: Mapping[str, Any]
    """What stands there, by the name of the file."""
    seen: Sequence[tuple[SeenPage, Floats]]
    """Each page with the calibrated probabilities (n, 11) of its candidates, in reading order."""

    @property
    def failed(self) -> int:
        """Pages that could not be read."""
        return sum(page.row.status == "failed" for page, _ in self.seen)

    def read(self, temperature: float = 1.0) -> dict[str, list[DigitRow]]:
        """The rows that `batchocr run` gives, by the name of their file; with a `temperature` on top of the model's."""
        rows: defaultdict[str, list[DigitRow]] = defaultdict(list)
        for page, probabilities in self.seen:
            if len(probabilities):
                scaled = scale(probabilities, temperature)
                rows[Path(page.row.file).name] += page_result(page, scaled, min_confidence=0).digits
        return rows

    def score(self, temperature: float = 1.0) -> tuple[dict[str, Any], Pairs | None]:
        """The figures, with the form of the truth under `truth` and the pages that could not be read under `failed`.

        With them the digits whose truth is known; rows say nothing of single digits.
        """
        read, pairs = self.read(temperature), None
        if self.form == "boxes":
            figures, pairs = score_boxes(self.known, read)
        elif self.form == "crops":
            figures, pairs = score_crops(self.known, read)
        else:
            figures = score_rows(self.known, read)
        return {"truth": self.form, **figures, "failed": self.failed}, pairs

    def candidates(self) -> tuple[Floats, Labels]:
        """Probabilities (n, 11) of the candidates whose truth is known, and what they are: 0 to 9, or 10 for no digit.

        With boxes each candidate is the true digit that it overlaps best, one to one, or none. Of pages with one digit
        those count where vision finds one candidate; of several it is not known which is the digit.
        """
        found: defaultdict[str, list[Candidate]] = defaultdict(list)
        probabilities: defaultdict[str, list[Floats]] = defaultdict(list)
        for page, of_page in self.seen:
            name = Path(page.row.file).name
            lines = page.layout.lines if page.layout else ()
            found[name] += [c for line in lines for number in line.numbers for c in number.candidates]
            probabilities[name].append(of_page)
        parts: list[Floats] = []
        labels: list[int] = []
        for name, truth in self.known.items():
            here = np.full(len(found[name]), NONE)
            if self.form == "boxes":
                true = [digit for number in truth for digit in number["digits"]]
                for at, index in matched(true, [candidate.box for candidate in found[name]]).items():
                    here[index] = true[at][0]
            elif self.form == "crops" and len(here) == 1:
                here[0] = int(truth["rows"][0])
            else:
                continue
            parts += [each for each in probabilities[name] if len(each)]
            labels += here.tolist()
        return np.concatenate(parts) if parts else np.empty((0, NONE + 1)), np.array(labels, np.int64)


def read_pages(truth: Path, model: Path, device: str = "auto") -> TruePages:
    """The pages that `truth` names, beside it, seen and classified as `batchocr run` does it.

    Raises UsageError where the truth is of no form that is known or names a page that is not there, ModelError and
    DeviceError as a run does.
    """
    form, known = read_truth(truth)
    scans = [truth.parent / name for name in known]
    for scan in scans:
        if not scan.is_file():
            raise UsageError(f"{truth}: names {scan.name}, which is not beside it; put it there, or take the entry out")
    found = find_scans(scans)
    with LocalEngine(map(Part, found.scans), jobs=None, max_megapixels=MAX_MEGAPIXELS) as engine:
        pages = list(classified(engine.pages(), Classifier(model, device=device), every=True))
    return TruePages(form, known, sorted(pages, key=lambda page: (page[0].row.file, page[0].row.page or 0)))


def read_truth(path: Path) -> tuple[Form, Mapping[str, Any]]:
    """The form of a truth file and its content. Raises UsageError where it has none of the forms."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        boxes = isinstance(content, dict) and isinstance(next(iter(content.values()), None), list)
        (_BOXES if boxes else _ROWS).validate_python(content)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise UsageError(f"{path}: cannot be read ({fault}); {FORM}") from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise UsageError(f"{path}: is no truth of pages ({where}: {first['msg']}); {FORM}") from fault
    if not content:
        raise UsageError(f"{path}: names no pages; {FORM}")
    if boxes:
        return "boxes", content
    single = all(len(page["rows"]) == 1 and len(page["rows"][0]) == 1 for page in content.values())
    return ("crops" if single else "rows"), content
