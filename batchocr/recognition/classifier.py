"""Crops → calibrated probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from batchocr.recognition.calibration import NOT_A_DIGIT, Floats, apply_temperature
from batchocr.recognition.model_file import read_model
from batchocr.recognition.network import Network
from batchocr.records import Crops


class Classifier(Network):
    """A loaded model of digits on one device. Loading takes seconds; keep it."""

    BATCH: ClassVar[dict[str, int]] = {"cpu": 256, "gpu": 4096}
    LEAST_BATCH: ClassVar[int] = 16

    def __init__(self, model: Path, *, device: str = "auto", batch_size: int | None = None) -> None:
        """Load and compile `model`. Raises ModelError, DeviceError."""
        self.sidecar, file = read_model(model)
        shapes = (None, *self.sidecar.input_shape), (None, len(self.sidecar.classes))
        super().__init__(
            model, file, shapes, device=device, batch_size=batch_size, input_shape=self.sidecar.input_shape
        )

    def classify(self, crops: Crops) -> Floats:
        """Calibrated probabilities (n, 11) of crops (n, 28, 28): the ten digits, and none of them.

        A model that knows only the ten digits gives 0 for the last.

        Where the device's memory runs out, the batch is halved, and stays so.
        """
        raw = self.answer(crops) if len(crops) else np.empty((0, len(self.sidecar.classes)))
        calibrated = apply_temperature(raw.astype(np.float64), self.sidecar.temperature)
        return np.pad(calibrated, ((0, 0), (0, NOT_A_DIGIT + 1 - calibrated.shape[1])))
