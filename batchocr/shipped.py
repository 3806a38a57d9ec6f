"""Find the model files of this package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from batchocr.errors import ModelError


def shipped(name: str) -> Path:
    """Return the path of a model file: inside the installed package, or in `models/` of a checkout.

    Args:
        name: The file's name, for example `digits.keras`.

    Raises:
        ModelError: If the file is in neither place.
    """
    for folder in (resources.files("batchocr") / "models", Path(__file__).parents[1] / "models"):
        path = Path(str(folder)) / name
        if path.is_file():
            return path
    raise ModelError(f"{name} is part of batchocr but is not installed; install batchocr again")
