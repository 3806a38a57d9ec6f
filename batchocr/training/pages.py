"""Pages with truth: which form it has, and the command's own reading of the pages held against it."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from batchocr.errors import UsageError
from batchocr.job import Settings, run
from batchocr.records import DigitRow
from batchocr.training.files import TRUTH
from batchocr.training.scoring import Pairs, score_boxes, score_crops, score_rows

FORM = (
    'it is {file: [{"text": "2017", "digits": [[digit, left, top, width, height], ...]}, ...]} '
    'or {file: {"rows": ["2017", ...]}}'
)

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


def evaluate_pages(truth: Path, settings: Settings) -> tuple[dict[str, Any], Pairs | None]:
    """Read the pages that `truth` names, beside it, as `batchocr run` does, and score what was read.

    Returns the figures, with the form of the truth under `truth` and the pages that could not be read under `failed`,
    and the digits whose truth is known; rows say nothing of single digits. Raises UsageError where the truth is of no
    form that is known or names a page that is not there, ModelError and DeviceError as a run does.
    """
    form, known = read_truth(truth)
    scans = [truth.parent / name for name in known]
    for scan in scans:
        if not scan.is_file():
            raise UsageError(f"{truth}: names {scan.name}, which is not beside it; put it there, or take the entry out")
    read: defaultdict[str, list[DigitRow]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        summary = run(
            scans,
            Path(folder) / "results.csv",
            settings,
            on_page=lambda result: read[Path(result.page.file).name].extend(result.digits),
        )
    pairs: Pairs | None
    if form == "boxes":
        figures, pairs = score_boxes(known, read)
    elif form == "crops":
        figures, pairs = score_crops(known, read)
    else:
        figures, pairs = score_rows(known, read), None
    return {"truth": form, **figures, "failed": summary.failed}, pairs


def read_truth(path: Path) -> tuple[Literal["boxes", "rows", "crops"], Mapping[str, Any]]:
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
