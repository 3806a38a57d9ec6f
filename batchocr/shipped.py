"""Files of weights that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from batchocr.errors import ModelError


def shipped(name: str) -> Path:
    """Inside the package when installed, in `models/` of a checkout. Raises ModelError where it is in neither."""
    for place in (resources.files("batchocr") / "models", Path(__file__).parents[1] / "models"):
        path = Path(str(place)) / name
        if path.is_file():
            return path
    raise ModelError(f"{name}, which comes with batchocr, is not installed; install batchocr again")
