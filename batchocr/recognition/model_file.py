"""A model on disk: the `.keras` file and the sidecar JSON beside it that says what it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from batchocr.errors import ModelError
from batchocr.recognition.calibration import Level
from batchocr.recognition.keras_archive_check import LARGEST, KerasFile, Refused, read_whole
from batchocr.records import SIGNS
from batchocr.shipped import shipped

CLASSIFIER_FILE = "digits.keras"
"""The shipped classifier's file name."""
DETECTOR_FILE = "detector.keras"
"""The shipped detector's file name."""
COPY = "copy both files again from where the model came from"
PLAIN = "use one that batchocr train made, or one of such layers as it uses (docs/models.md)"
DIGITS = tuple("0123456789")
STRIDES = (4, 8, 16)
"""Of the levels of a detector's answer."""
NOT_A_DIGIT_CLASS = "none"
"""The class after the digits, where a model has it: what is no digit."""
LARGEST_SIDECAR = 2**20
"""Bytes of a sidecar; the shipped model's has 8 thousand."""


class Calibration(BaseModel):
    """On what a model's temperature, threshold and table of errors were measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    """What it was measured on, in words."""
    candidates: int = Field(ge=0)
    """Pictures that the temperature was fitted on, those of no digit among them."""
    rows: int = Field(ge=0)
    """Digits read, right or wrong, that the levels were measured on."""
    levels: tuple[Level, ...] = Field(min_length=1)
    """By rising confidence."""


class DetectorSidecar(BaseModel):
    """What a detector's JSON says of it; the fields are its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    classes: tuple[str, ...]
    """The ten digits, then the signs."""
    input_shape: tuple[int | None, ...]
    """One tile: (None, None, 2)."""
    input_dtype: str
    strides: tuple[int, ...]
    """Pixels between the cells of each level of its answer."""
    keras: str
    """Version that saved it."""
    data: str
    """What it was trained on."""
    seed: int
    sha256: str
    """Of the `.keras` file."""
    parameters: int = 0
    metrics: dict[str, Any] = {}

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


class Sidecar(BaseModel):
    """What a classifier's JSON says of it; the fields are its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    classes: tuple[str, ...]
    """The ten digits, or these and NOT_A_DIGIT_CLASS."""
    input_shape: tuple[int, ...]
    """One crop: (28, 28)."""
    input_dtype: str
    keras: str
    """Version that saved it."""
    data: str
    """What it was trained on."""
    seed: int
    temperature: float = Field(gt=0)
    """Divides the logarithms of the probabilities before they are normalised again."""
    min_confidence: float = Field(ge=0, le=1)
    """Where nothing else is asked for: 1% of the digits at or above it were wrong when measured; at least 0.5."""
    calibration: Calibration | None = None
    """How many were wrong from each confidence on; None where that was not measured."""
    sha256: str
    """Of the `.keras` file."""
    parameters: int = 0
    metrics: dict[str, Any] = {}

    def write(self, path: Path) -> None:
        text = self.model_dump_json(indent=1)
        rows = re.sub(r'\{\s+"confidence"[^{}]*\}', lambda level: " ".join(level[0].split()), text)  # a level, a line
        path.write_text(rows + "\n", encoding="utf-8")


_Kind = TypeVar("_Kind", DetectorSidecar, Sidecar)


def sidecar_path(model: Path) -> Path:
    """`digits.keras` → `digits.json`."""
    return model.with_suffix(".json")


def shipped_model() -> Path:
    """The model that comes with the package. Raises ModelError where it is missing."""
    return shipped(CLASSIFIER_FILE)


def shipped_detector() -> Path:
    """The detector that comes with the package. Raises ModelError where it is missing."""
    return shipped(DETECTOR_FILE)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sidecar(model: Path) -> Sidecar:
    """The sidecar of a model file, checked against it. Raises ModelError as `read_model` does."""
    return read_model(model)[0]


def read_model(model: Path) -> tuple[Sidecar, KerasFile]:
    """A classifier's sidecar and its file, which is read once: what was checked is what is loaded.

    Raises ModelError where either is missing, they disagree, or the file holds what no model of ours does.
    """
    sidecar, file = _checked(model, Sidecar)
    known = sidecar.classes in (DIGITS, (*DIGITS, NOT_A_DIGIT_CLASS))
    if not known or (sidecar.input_shape, sidecar.input_dtype) != ((28, 28), "uint8"):
        raise ModelError(f"{sidecar_path(model)}: not for digits 0-9 from 28 x 28 pixels; choose another model")
    return sidecar, file()


def read_detector(model: Path) -> tuple[DetectorSidecar, KerasFile]:
    """A detector's sidecar and its file, as `read_model` has a classifier's. Raises ModelError as it does."""
    sidecar, file = _checked(model, DetectorSidecar)
    known = sidecar.classes == (*DIGITS, *SIGNS) and sidecar.strides == STRIDES
    if not known or (sidecar.input_shape, sidecar.input_dtype) != ((None, None, 2), "uint8"):
        raise ModelError(f"{sidecar_path(model)}: not for digits and signs on tiles; choose another model")
    return sidecar, file()


def _checked(model: Path, kind: type[_Kind]) -> tuple[_Kind, Callable[[], KerasFile]]:
    """A model's sidecar, and what checks its file and gives it."""
    path = sidecar_path(model)
    if model.suffix == path.suffix:
        raise ModelError(f"{model}: this is a model's sidecar; give the .keras file beside it")
    if not model.is_file():
        raise ModelError(f"{model}: there is no such model; give the path of a .keras file with its .json beside it")
    content = _read(model, LARGEST)
    _refuse_other_kinds(model, content)
    if not path.is_file():
        raise ModelError(f"{path}: the model's sidecar is missing; {COPY}")
    sidecar = _parse(path, kind)
    if hashlib.sha256(content).hexdigest() != sidecar.sha256:
        raise ModelError(f"{model}: changed or cut off, for its sha256 is not the one in {path.name}; {COPY}")

    def file() -> KerasFile:
        try:
            return KerasFile(content)
        except Refused as fault:
            raise ModelError(f"{model}: not loaded, for it {fault}; {PLAIN}") from fault

    return sidecar, file


def _read(path: Path, largest: int) -> bytes:
    try:
        return read_whole(path, largest)
    except Refused as fault:
        raise ModelError(f"{path}: not read, for it {fault}; {COPY}") from fault
    except OSError as fault:
        raise ModelError(f"{path}: cannot be read ({fault.strerror}); {COPY}") from fault


def _parse(path: Path, kind: type[_Kind]) -> _Kind:
    try:
        return kind.model_validate_json(_read(path, LARGEST_SIDECAR))
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise ModelError(f"{path}: no sidecar of ours ({where}: {first['msg']}); {COPY}") from fault


def _refuse_other_kinds(model: Path, content: bytes) -> None:
    """Raises ModelError for an HDF5 file of old Keras, and for a file without sidecar that is no `.keras` either."""
    if content.startswith(b"\x89HDF"):
        raise ModelError(
            f"{model}: an HDF5 file of old Keras, which is not read; give a .keras file with its .json beside it, "
            "as batchocr train makes them"
        )
    if not content.startswith(b"PK\3\4") and not sidecar_path(model).exists():
        raise ModelError(f"{model}: no Keras model; give a .keras file with its .json beside it")
