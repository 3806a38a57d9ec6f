"""Both networks of a run: the detector, and the classifier of crops."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batchocr.recognition.calibration import Floats
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.detector import PARAMETERS, Detector, DetectorParameters, RawDetections
from batchocr.records import Crops, TilePixels


@dataclass(frozen=True)
class Models:
    """The files of both networks, each with its sidecar beside it."""

    detector: Path
    classifier: Path
    parameters: DetectorParameters = PARAMETERS
    """What of the detector's answer counts."""


class Networks:
    """Both networks on one device. Loading takes seconds; keep them."""

    def __init__(self, models: Models, *, device: str = "auto", batch_size: int | None = None) -> None:
        """Load and compile both; `batch_size` is the classifier's. Raises ModelError, DeviceError."""
        self.models = models
        self.classifier = Classifier(models.classifier, device=device, batch_size=batch_size)
        self.detector = Detector(models.detector, device=device, parameters=models.parameters)

    @property
    def device(self) -> str:
        return self.classifier.device

    @property
    def device_count(self) -> int:
        """Batches that are answered at once."""
        return 1

    @property
    def seconds(self) -> dict[str, float]:
        """Spent in each network."""
        return {"detector": self.detector.seconds, "classifier": self.classifier.seconds}

    def detect(self, tiles: TilePixels) -> RawDetections:
        """As `Detector.detect`."""
        return self.detector.detect(tiles)

    def classify(self, crops: Crops) -> Floats:
        """As `Classifier.classify`."""
        return self.classifier.classify(crops)

    def close(self) -> None:
        """Ends what was started for them."""
