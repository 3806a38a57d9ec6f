"""A model on disk: the `.keras` file and the sidecar JSON beside it that says what it is."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from batchocr.errors import ModelError

DEFAULT = "digits.keras"
"""The shipped model's file name."""
COPY = "copy both files again from where the model came from"


class Sidecar(BaseModel):
    """What a model's JSON says of it; the fields are its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    classes: tuple[str, ...]
    input_shape: tuple[int, ...]
    """One crop: (28, 28)."""
    input_dtype: str
    keras: str
    """Version that saved it."""
    data: str
    """What it was trained on."""
    seed: int
    temperature: float = Field(gt=0)
    """Divides the logarithms of the probabilities before they are normalised anew."""
    min_confidence: float = Field(ge=0, le=1)
    """Confidence from which 1% of the digits accepted are wrong, as measured on held-out pages."""
    sha256: str
    """Of the `.keras` file."""
    parameters: int = 0
    metrics: dict[str, Any] = {}

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def sidecar_path(model: Path) -> Path:
    """`digits.keras` → `digits.json`."""
    return model.with_suffix(".json")


def shipped_model() -> Path:
    """The model that comes with the package: inside it when installed, in `models/` of a checkout."""
    for place in (resources.files("batchocr") / "models", Path(__file__).parents[2] / "models"):
        path = Path(str(place)) / DEFAULT
        if path.is_file():
            return path
    raise ModelError(f"the shipped model {DEFAULT} is not installed; install batchocr again, or name one with --model")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sidecar(model: Path) -> Sidecar:
    """The sidecar of a model file, checked against it. Raises ModelError where either is missing or they disagree."""
    path = sidecar_path(model)
    if model.suffix == path.suffix:
        raise ModelError(f"{model}: this is a model's sidecar; give the .keras file beside it")
    if not model.is_file():
        raise ModelError(f"{model}: there is no such model; give the path of a .keras file with its .json beside it")
    _refuse_other_kinds(model)
    try:
        sidecar = Sidecar.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ModelError(f"{path}: the model's sidecar is missing; {COPY}") from None
    except OSError as fault:
        raise ModelError(f"{path}: cannot be read ({fault.strerror}); {COPY}") from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise ModelError(f"{path}: no sidecar of ours ({where}: {first['msg']}); {COPY}") from fault
    if (sidecar.input_shape, sidecar.input_dtype) != ((28, 28), "uint8") or sidecar.classes != tuple("0123456789"):
        raise ModelError(f"{path}: not for digits 0-9 from 28 x 28 pixels; choose another model")
    if sha256(model) != sidecar.sha256:
        raise ModelError(f"{model}: changed or cut off, for its sha256 is not the one in {path.name}; {COPY}")
    return sidecar


def _refuse_other_kinds(model: Path) -> None:
    """Raises ModelError for an HDF5 file of old Keras, and for a file without sidecar that is no `.keras` either."""
    try:
        with model.open("rb") as file:
            start = file.read(4)
    except OSError as fault:
        raise ModelError(f"{model}: cannot be read ({fault.strerror}); {COPY}") from fault
    if start == b"\x89HDF":
        raise ModelError(
            f"{model}: an HDF5 file of old Keras, which is not read; give a .keras file with its .json beside it, "
            "as batchocr train makes them"
        )
    if start != b"PK\3\4" and not sidecar_path(model).exists():
        raise ModelError(f"{model}: no Keras model; give a .keras file with its .json beside it")
