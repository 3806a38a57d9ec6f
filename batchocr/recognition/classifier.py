"""The classifier: calibrated class probabilities of crops."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from batchocr.recognition.calibration import NOT_A_DIGIT, CalibrationParameters, Floats, apply_temperature
from batchocr.recognition.calibration import PARAMETERS as CALIBRATION
from batchocr.recognition.model_file import read_model
from batchocr.recognition.network import Network, NetworkParameters
from batchocr.records import Crops

NETWORK = NetworkParameters(cpu_batch_size=256, gpu_batch_size=4096, min_batch_size=16)


@dataclass(frozen=True)
class ClassifierParameters:
    """How the classifier is run and its output is calibrated."""

    network: NetworkParameters = NETWORK
    """Batch sizes for crops. Basis: chosen by eye."""
    calibration: CalibrationParameters = CALIBRATION
    """How temperatures are applied."""


PARAMETERS = ClassifierParameters()


class Classifier(Network):
    """A classifier of digits on one device. Loading takes seconds, so keep the object."""

    def __init__(
        self,
        model: Path,
        *,
        device: str = "auto",
        batch_size: int | None = None,
        parameters: ClassifierParameters = PARAMETERS,
    ) -> None:
        """Load and compile a model.

        Args:
            model: Path of the `.keras` file; its sidecar is beside it.
            device: `auto`, `cpu` or `gpu`.
            batch_size: Crops in a batch; None for the default of the device.
            parameters: Default batch sizes, and how temperatures are applied.

        Raises:
            ModelError: The model cannot be used.
            DeviceError: The device is not available.
        """
        self.sidecar, file = read_model(model)
        self.parameters = parameters
        shapes = (None, *self.sidecar.input_shape), (None, len(self.sidecar.classes))
        super().__init__(
            model,
            file,
            shapes,
            device=device,
            batch_size=batch_size,
            input_shape=self.sidecar.input_shape,
            parameters=parameters.network,
        )

    def classify(self, crops: Crops) -> Floats:
        """Classify crops.

        If the memory of the device runs out, the batch size is halved and stays so.

        Args:
            crops: Crops (n, 28, 28), uint8, ink 255 on paper 0.

        Returns:
            Calibrated probabilities (n, 11) of the digits 0 to 9 and of NOT_A_DIGIT; the last one is 0 for a model
            without that class.
        """
        raw = self.predict(crops) if len(crops) else np.empty((0, len(self.sidecar.classes)))
        calibrated = apply_temperature(raw.astype(np.float64), self.sidecar.temperature, self.parameters.calibration)
        return np.pad(calibrated, ((0, 0), (0, NOT_A_DIGIT + 1 - calibrated.shape[1])))
