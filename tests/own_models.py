"""Models of one's own for tests: the shipped network with another sidecar."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from batchocr.recognition.calibration import Level
from batchocr.recognition.model import Calibration, read_sidecar, shipped_model, sidecar_path


def copy_model(path: Path, **changes: Any) -> Path:
    """The shipped model as `path`, with these fields of its sidecar changed."""
    shutil.copy(shipped_model(), path)
    read_sidecar(shipped_model()).model_copy(update=changes).write(sidecar_path(path))
    return path


def table(*highs: tuple[float, float]) -> Calibration:
    """Made up: confidences with the upper bounds of their errors."""
    levels = [
        Level(confidence=least, accepted=1000, share=0.5, wrong=1, error=0.001, low=0, high=high)
        for least, high in highs
    ]
    return Calibration(data="a made-up table", candidates=2000, rows=2000, levels=tuple(levels))
