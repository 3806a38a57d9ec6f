"""The two networks of a run: the detector and the classifier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batchocr.recognition.calibration import Floats
from batchocr.recognition.classifier import PARAMETERS as CLASSIFIER
from batchocr.recognition.classifier import Classifier, ClassifierParameters
from batchocr.recognition.detector import PARAMETERS, Detector, DetectorParameters, RawDetections
from batchocr.records import Crops, TilePixels


@dataclass(frozen=True)
class Models:
    """The files of both networks; each has its sidecar beside it."""

    detector: Path
    """The detector's `.keras` file."""
    classifier: Path
    """The classifier's `.keras` file."""
    parameters: DetectorParameters = PARAMETERS
    """Which outputs of the detector count as detections."""
    classifier_parameters: ClassifierParameters = CLASSIFIER
    """How the classifier is run and its output is calibrated."""


class Networks:
    """Both networks on one device. Loading takes seconds, so keep the object."""

    def __init__(self, models: Models, *, device: str = "auto", batch_size: int | None = None) -> None:
        """Load and compile both networks.

        Args:
            models: Their files.
            device: `auto`, `cpu` or `gpu`.
            batch_size: Crops in a batch of the classifier; None for the default of the device.

        Raises:
            ModelError: A model cannot be used.
            DeviceError: The device is not available.
        """
        self.models = models
        self.classifier = Classifier(
            models.classifier, device=device, batch_size=batch_size, parameters=models.classifier_parameters
        )
        self.detector = Detector(models.detector, device=device, parameters=models.parameters)

    @property
    def device(self) -> str:
        """The device in use, `cpu` or `gpu`."""
        return self.classifier.device

    @property
    def device_count(self) -> int:
        """Number of devices, and so of batches that are computed in parallel."""
        return 1

    @property
    def seconds(self) -> dict[str, float]:
        """Time spent in each network, in seconds."""
        return {"detector": self.detector.seconds, "classifier": self.classifier.seconds}

    def detect(self, tiles: TilePixels) -> RawDetections:
        """Detect digits and signs on tiles, as `Detector.detect`."""
        return self.detector.detect(tiles)

    def classify(self, crops: Crops) -> Floats:
        """Classify crops, as `Classifier.classify`."""
        return self.classifier.classify(crops)

    def close(self) -> None:
        """End the processes that were started for the networks, if there are any."""
