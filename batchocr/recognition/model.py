"""A model on disk: the `.keras` file and the sidecar JSON beside it that says what it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from batchocr.errors import ModelError

DEFAULT = "digits.keras"
"""The shipped model's file name."""


@dataclass(frozen=True)
class Sidecar:
    """What a model's JSON says of it; the fields are its keys."""

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
    temperature: float
    """Divides the logarithms of the probabilities before they are normalised anew."""
    min_confidence: float
    """Confidence from which 1% of the digits accepted are wrong, as measured on held-out pages."""
    sha256: str
    """Of the `.keras` file."""
    parameters: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


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
    if not model.is_file():
        raise ModelError(f"{model}: there is no such model; give the path of a .keras file with its .json beside it")
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
        sidecar = Sidecar(**fields)
    except FileNotFoundError:
        raise ModelError(f"{path}: the model's sidecar is missing; copy it from where the model came from") from None
    except (OSError, ValueError, TypeError) as fault:
        raise ModelError(f"{path}: no sidecar of ours ({fault}); copy it again from where the model came from") from fault
    if sidecar.input_shape != (28, 28) or sidecar.classes != tuple("0123456789"):
        raise ModelError(f"{path}: reads {sidecar.classes} from {sidecar.input_shape}; digits 0-9 from 28×28 are needed")
    if sha256(model) != sidecar.sha256:
        raise ModelError(f"{model}: its sha256 is not the one in {path.name}; the file was changed or cut off, copy both again")
    return sidecar
