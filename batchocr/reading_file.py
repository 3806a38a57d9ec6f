"""`reading.json` beside the models: the weights and the calibration of their joint reading.

`python -m batchocr.training.joint` fits and writes it. This is the only module that knows both the files of the models
and `decoding`.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from batchocr.decoding.digits.joint import Calibration, JointParameters
from batchocr.decoding.marks.familiarity import Familiar
from batchocr.decoding.parameters import DecodingParameters, RowParameters
from batchocr.errors import ModelError, UsageError
from batchocr.recognition.calibration import Level, min_error_level, threshold_for
from batchocr.recognition.keras_archive_check import Refused, read_whole
from batchocr.recognition.model_file import PARAMETERS as MODEL_FILE
from batchocr.recognition.model_file import DetectorSidecar, Sidecar
from batchocr.recognition.networks import Models
from batchocr.shipped import shipped

log = logging.getLogger(__name__)

NAME = "reading.json"
"""The name of the file in a folder of models."""
OWN = ".reading.json"
"""`mine.keras` may have its own file, `mine.reading.json`, which is searched first."""
MAKE = "make it again with python -m batchocr.training.joint"
"""The fix that error messages name."""

Share = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(gt=0, lt=1)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Measured(BaseModel):
    """The result of a collection that was kept out of training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name of the collection."""
    pages: int = Field(ge=0)
    """Number of its pages or strips."""
    digits: int = Field(ge=0)
    """Number of digits in its ground truth, printed ones too."""
    rows: int = Field(ge=0)
    """Number of digits that were read as handwritten."""
    wrong: int = Field(ge=0)
    """Number of these rows that are another digit or a non-digit."""
    accepted: int = Field(ge=0)
    """Number of rows at or above the default threshold."""
    accepted_wrong: int = Field(ge=0)
    """Number of these that are wrong."""


class ReadingFile(BaseModel):
    """The content of `reading.json`; the fields are its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    detector: Hash
    """sha256 of the detector for which it was fitted."""
    classifier: Hash
    """sha256 of the classifier for which it was fitted."""
    temperature: float = Field(gt=0)
    """Temperature of this classifier."""
    data: str
    """Description of the data on which it was fitted and measured."""
    seed: int
    """Seed of the synthetic patches in this data."""
    joint: JointParameters
    """Weights of both networks."""
    calibration: Calibration
    """Coefficients of the confidences."""
    min_score: tuple[Score, Score]
    """Minimum scores of the detector, of digits and of signs."""
    min_digit_probability: Share
    """Minimum probability that a detection is a digit, for it to give a row."""
    min_confidence: Share
    """Default threshold: in each collection of real paper at most 1% of the digits at or above it were wrong. The fit
    makes it at least 0.8."""
    familiar: Familiar = Familiar()
    """Ranges of the measured pages; other pages are marked."""
    levels: tuple[Level, ...] = Field(min_length=1)
    """Measured errors by rising confidence, each of the collection with the greatest upper bound of the error."""
    sources: tuple[Measured, ...]
    """The collections on which it was measured."""

    @model_validator(mode="after")
    def _can_be_used(self) -> ReadingFile:
        joint = self.joint
        if joint.temperature <= 0 or min(joint.detector_weight, joint.classifier_weight) < 0:
            raise ValueError("joint: the temperature must be above 0, and the weights not below")
        return self

    def write(self, path: Path) -> None:
        """Write the file as JSON, each level and each source on one line.

        Args:
            path: the file to write.
        """
        text = self.model_dump_json(indent=1)
        rows = re.sub(r'\{\s+"(?:confidence|name)"[^{}]*\}', lambda match: " ".join(match[0].split()), text)
        path.write_text(rows + "\n", encoding="utf-8")

    def fits(self, detector: DetectorSidecar, classifier: Sidecar) -> bool:
        """Return whether it was fitted for these two models.

        Args:
            detector: sidecar of the detector.
            classifier: sidecar of the classifier.
        """
        own = self.detector, self.classifier, self.temperature
        return own == (detector.sha256, classifier.sha256, classifier.temperature)


@dataclass(frozen=True)
class Reading:
    """A reading file and its place."""

    path: Path
    """The file."""
    sha256: str
    """sha256 of its content."""
    record: ReadingFile
    """Its content."""
    fitted: bool
    """False if it was fitted for other models than those with which it is used."""

    def decoding(self) -> DecodingParameters:
        """Return the parameters of decoding, with the fitted values of the file."""
        record = self.record
        rows = RowParameters(
            min_digit_score=record.min_score[0],
            min_sign_score=record.min_score[1],
            min_digit_probability=record.min_digit_probability,
        )
        return DecodingParameters(
            joint=record.joint, calibration=record.calibration, rows=rows, familiar=record.familiar
        )

    def models(self, models: Models) -> Models:
        """Return the models with the minimum scores of the file.

        Args:
            models: the files of both networks.
        """
        return replace(models, parameters=replace(models.parameters, min_score=self.record.min_score))

    def threshold(self, min_confidence: float | None, max_error: float | None) -> float:
        """Return the confidence below which digits are marked.

        Args:
            min_confidence: the threshold itself, 0 to 1; None if it is not given.
            max_error: maximum share of wrong digits at or above the threshold, 0 to 1; None if it is not given.

        Returns:
            The threshold that is given, the one for `max_error`, or the default.

        Raises:
            UsageError: both are given, or no confidence of the table has such a small error.
        """
        if max_error is None:
            return self.record.min_confidence if min_confidence is None else min_confidence
        if min_confidence is not None:
            raise UsageError(
                "--min-confidence and --max-error both set the threshold; give one of them "
                "(BATCHOCR_MIN_CONFIDENCE and BATCHOCR_MAX_ERROR count too)"
            )
        if not 0 <= max_error <= 1:
            raise UsageError(f"--max-error {max_error}: give a share from 0 to 1, such as 0.01 for 1%")
        threshold = threshold_for(self.record.levels, max_error)
        if threshold is None:
            best = min_error_level(self.record.levels)
            raise UsageError(
                f"--max-error {max_error:g}: the smallest error in the table of {self.path} is "
                f"{best.high:f}, at a confidence of {best.confidence:g} or more; give that error or a larger one"
            )
        return threshold


def read_reading(path: Path) -> tuple[ReadingFile, str]:
    """Read a reading file.

    Args:
        path: the file.

    Returns:
        Its content, and its sha256.

    Raises:
        ModelError: the file is missing, cannot be read, or is not a reading file.
    """
    try:
        content = read_whole(path, MODEL_FILE.max_sidecar_bytes)
        return ReadingFile.model_validate_json(content), hashlib.sha256(content).hexdigest()
    except Refused as fault:
        raise ModelError(f"{path}: is not read, because it {fault}; {MAKE}") from fault
    except OSError as fault:
        raise ModelError(f"{path}: cannot be read ({fault.strerror}); {MAKE}") from fault
    except ValidationError as fault:
        error = fault.errors(include_url=False)[0]
        key = ".".join(map(str, error["loc"])) or "the whole file"
        raise ModelError(f"{path}: is not a reading file of batchocr ({key}: {error['msg']}); {MAKE}") from fault


def find_reading(models: Models, detector: DetectorSidecar, classifier: Sidecar) -> Reading:
    """Find the reading file for two models.

    These files are tried in this order: `NAME.reading.json` beside the classifier's `NAME.keras`, `reading.json` beside
    the classifier, `reading.json` beside the detector, and the shipped one. The first one that was fitted for both
    models is used. If there is none, the first file that exists is used, with a warning.

    Args:
        models: the files of both networks.
        detector: sidecar of the detector.
        classifier: sidecar of the classifier.

    Returns:
        The reading file.

    Raises:
        ModelError: one of the files that were tried is broken, or the shipped one is missing.
    """
    beside = models.classifier.with_suffix(OWN), models.classifier.with_name(NAME), models.detector.with_name(NAME)
    found = []
    for path in dict.fromkeys(file.absolute() for file in (*filter(Path.is_file, beside), shipped(NAME))):
        record, sha256 = read_reading(path)
        found.append(Reading(path, sha256, record, record.fits(detector, classifier)))
        if found[-1].fitted:
            return found[-1]
    log.warning(
        "%s was not fitted for these models (%s, %s): confidences may be wrong; fit it on pages of your own with "
        "`batchocr evaluate --save-calibration`",
        found[0].path,
        models.detector.name,
        models.classifier.name,
    )
    return found[0]
