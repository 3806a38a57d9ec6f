"""A model on disk: the `.keras` file and its sidecar, a JSON file that describes it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from batchocr.errors import ModelError
from batchocr.recognition.calibration import Level
from batchocr.recognition.keras_archive_check import PARAMETERS as KERAS_FILE
from batchocr.recognition.keras_archive_check import KerasFile, KerasFileParameters, Refused, read_whole
from batchocr.records import SIGNS
from batchocr.shipped import shipped

CLASSIFIER_FILE = "digits.keras"
"""File name of the shipped classifier."""
DETECTOR_FILE = "detector.keras"
"""File name of the shipped detector."""
DIGITS = tuple("0123456789")
STRIDES = (4, 8, 16)
"""Pixels between neighbouring cells of each level of a detector's output."""
NOT_A_DIGIT_CLASS = "none"
"""Name in the sidecar of the class after the ten digits, which means "not a digit"."""
_FIX_COPY = "copy both files again from where the model came from"
_FIX_LAYERS = "use a model that batchocr train made, or one of the same kinds of layers (docs/models.md)"


@dataclass(frozen=True)
class ModelFileParameters:
    """Limits on the sizes of a model's files."""

    max_sidecar_bytes: int = 2**20
    """Size above which a sidecar is not read. Basis: that of the shipped classifier has 8,000 bytes."""
    keras_file: KerasFileParameters = KERAS_FILE
    """Limits on the `.keras` file."""


PARAMETERS = ModelFileParameters()


class Calibration(BaseModel):
    """The measurement that a model's temperature, threshold and error table come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    """Description of the data."""
    candidates: int = Field(ge=0)
    """Number of crops that the temperature was fitted on, including those that are not a digit."""
    rows: int = Field(ge=0)
    """Number of crops read as a digit, right or wrong, that the levels were measured on."""
    levels: tuple[Level, ...] = Field(min_length=1)
    """Error table, by rising confidence."""


class DetectorSidecar(BaseModel):
    """The sidecar of a detector; the fields are the keys of the JSON file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name of the network."""
    classes: tuple[str, ...]
    """Names of the classes: the ten digits, then the signs."""
    input_shape: tuple[int | None, ...]
    """Shape of one tile: (None, None, 2)."""
    input_dtype: str
    """dtype of a tile: `uint8`."""
    strides: tuple[int, ...]
    """Pixels between neighbouring cells of each level of the output."""
    keras: str
    """Version of Keras that saved the file."""
    data: str
    """Description of the training data."""
    seed: int
    """Seed of the training."""
    sha256: str
    """SHA-256 of the `.keras` file."""
    parameters: int = 0
    """Number of weights."""
    metrics: dict[str, Any] = {}
    """Figures measured after the training."""

    def write(self, path: Path) -> None:
        """Write the sidecar. Raises OSError if it cannot be written."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


class Sidecar(BaseModel):
    """The sidecar of a classifier; the fields are the keys of the JSON file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name of the network."""
    classes: tuple[str, ...]
    """Names of the classes: the ten digits, in some models also NOT_A_DIGIT_CLASS."""
    input_shape: tuple[int, ...]
    """Shape of one crop: (28, 28)."""
    input_dtype: str
    """dtype of a crop: `uint8`."""
    keras: str
    """Version of Keras that saved the file."""
    data: str
    """Description of the training data."""
    seed: int
    """Seed of the training."""
    temperature: float = Field(gt=0)
    """Temperature of the scaling: the logarithms of the probabilities are divided by it."""
    min_confidence: float = Field(ge=0, le=1)
    """Default threshold: 1% of the digits at or above it were wrong when it was measured; at least 0.5."""
    calibration: Calibration | None = None
    """Error table and its data; None if it was not measured."""
    sha256: str
    """SHA-256 of the `.keras` file."""
    parameters: int = 0
    """Number of weights."""
    metrics: dict[str, Any] = {}
    """Figures measured after the training."""

    def write(self, path: Path) -> None:
        """Write the sidecar, with one level per line. Raises OSError if it cannot be written."""
        text = self.model_dump_json(indent=1)
        text = re.sub(r'\{\s+"confidence"[^{}]*\}', lambda level: " ".join(level[0].split()), text)
        path.write_text(text + "\n", encoding="utf-8")


_AnySidecar = TypeVar("_AnySidecar", DetectorSidecar, Sidecar)


def sidecar_path(model: Path) -> Path:
    """Return the path of a model's sidecar: `digits.keras` has `digits.json`."""
    return model.with_suffix(".json")


def shipped_model() -> Path:
    """Return the path of the shipped classifier. Raises ModelError if it is missing."""
    return shipped(CLASSIFIER_FILE)


def shipped_detector() -> Path:
    """Return the path of the shipped detector. Raises ModelError if it is missing."""
    return shipped(DETECTOR_FILE)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits. Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sidecar(model: Path, parameters: ModelFileParameters = PARAMETERS) -> Sidecar:
    """Read the sidecar of a classifier and check both files.

    Args:
        model: Path of the `.keras` file.
        parameters: Limits on sizes.

    Returns:
        The sidecar.

    Raises:
        ModelError: As `read_model`.
    """
    return read_model(model, parameters)[0]


def read_model(model: Path, parameters: ModelFileParameters = PARAMETERS) -> tuple[Sidecar, KerasFile]:
    """Read and check a classifier.

    Each file is read once, so the bytes that were checked are the bytes that are loaded.

    Args:
        model: Path of the `.keras` file.
        parameters: Limits on sizes.

    Returns:
        The sidecar and the checked `.keras` file.

    Raises:
        ModelError: A file is missing or damaged, the two do not match, or the `.keras` file contains anything that
            is not allowed.
    """
    sidecar, check = _read_pair(model, Sidecar, parameters)
    known = sidecar.classes in (DIGITS, (*DIGITS, NOT_A_DIGIT_CLASS))
    if not known or (sidecar.input_shape, sidecar.input_dtype) != ((28, 28), "uint8"):
        raise ModelError(
            f"{sidecar_path(model)}: the model is not for digits 0-9 from 28 x 28 pixels; choose another model"
        )
    return sidecar, check()


def read_detector(model: Path, parameters: ModelFileParameters = PARAMETERS) -> tuple[DetectorSidecar, KerasFile]:
    """Read and check a detector.

    Args:
        model: Path of the `.keras` file.
        parameters: Limits on sizes.

    Returns:
        The sidecar and the checked `.keras` file.

    Raises:
        ModelError: As `read_model`.
    """
    sidecar, check = _read_pair(model, DetectorSidecar, parameters)
    known = sidecar.classes == (*DIGITS, *SIGNS) and sidecar.strides == STRIDES
    if not known or (sidecar.input_shape, sidecar.input_dtype) != ((None, None, 2), "uint8"):
        raise ModelError(f"{sidecar_path(model)}: the model is not for digits and signs on tiles; choose another model")
    return sidecar, check()


def _read_pair(
    model: Path, kind: type[_AnySidecar], p: ModelFileParameters
) -> tuple[_AnySidecar, Callable[[], KerasFile]]:
    """Return the sidecar of a model and a function that checks and returns its `.keras` file."""
    path = sidecar_path(model)
    if model.suffix == path.suffix:
        raise ModelError(f"{model}: this is a model's sidecar; give the .keras file beside it")
    if not model.is_file():
        raise ModelError(f"{model}: there is no such model; give the path of a .keras file with its .json beside it")
    content = _read(model, p.keras_file.max_file_bytes)
    _refuse_other_formats(model, content)
    if not path.is_file():
        raise ModelError(f"{path}: the model's sidecar is missing; {_FIX_COPY}")
    sidecar = _parse(path, kind, p)
    if hashlib.sha256(content).hexdigest() != sidecar.sha256:
        raise ModelError(f"{model}: changed or cut off: its sha256 is not the one in {path.name}; {_FIX_COPY}")

    def check() -> KerasFile:
        try:
            return KerasFile(content, parameters=p.keras_file)
        except Refused as fault:
            raise ModelError(f"{model}: not loaded, because it {fault}; {_FIX_LAYERS}") from fault

    return sidecar, check


def _read(path: Path, max_bytes: int) -> bytes:
    """Read a file, and raise ModelError if it is too large or cannot be read."""
    try:
        return read_whole(path, max_bytes)
    except Refused as fault:
        raise ModelError(f"{path}: not read, because it {fault}; {_FIX_COPY}") from fault
    except OSError as fault:
        raise ModelError(f"{path}: cannot be read ({fault.strerror}); {_FIX_COPY}") from fault


def _parse(path: Path, kind: type[_AnySidecar], p: ModelFileParameters) -> _AnySidecar:
    """Read a sidecar, and raise ModelError if it has other keys or values."""
    try:
        return kind.model_validate_json(_read(path, p.max_sidecar_bytes))
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "whole file"
        raise ModelError(f"{path}: not a sidecar of batchocr ({key}: {first['msg']}); {_FIX_COPY}") from fault


def _refuse_other_formats(model: Path, content: bytes) -> None:
    """Raise ModelError for an HDF5 file of old Keras, and for a file without sidecar that is not a `.keras` file."""
    if content.startswith(b"\x89HDF"):
        raise ModelError(
            f"{model}: an HDF5 file of old Keras, which is not read; give a .keras file with its .json beside it, "
            "as batchocr train makes them"
        )
    if not content.startswith(b"PK\3\4") and not sidecar_path(model).exists():
        raise ModelError(f"{model}: not a Keras model; give a .keras file with its .json beside it")
