"""`reading.json` beside the models: how both are read jointly and how sure that is, as it was fitted for them.

`python -m batchocr.training.joint` writes it. The one place that knows both the models' files and `decoding`.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from batchocr.decoding.decode import DecodingParameters, RowParameters
from batchocr.decoding.familiarity import Familiar
from batchocr.decoding.joint import Calibration, JointParameters
from batchocr.errors import ModelError, UsageError
from batchocr.recognition.calibration import Level, min_error_level, threshold_for
from batchocr.recognition.keras_archive_check import Refused, read_whole
from batchocr.recognition.model_file import PARAMETERS as MODEL_FILE
from batchocr.recognition.model_file import DetectorSidecar, Sidecar
from batchocr.recognition.networks import Models
from batchocr.shipped import shipped

log = logging.getLogger(__name__)

NAME = "reading.json"
"""The file's name in a folder of models."""
OWN = ".reading.json"
"""`mine.keras` may have one of its own, `mine.reading.json`, which is looked for first."""
MAKE = "make it again with python -m batchocr.training.joint"

Share = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(gt=0, lt=1)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Measured(BaseModel):
    """What a collection kept out of training showed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pages: int = Field(ge=0)
    digits: int = Field(ge=0)
    """That stand there, in print too."""
    rows: int = Field(ge=0)
    """Digits read as written by hand."""
    wrong: int = Field(ge=0)
    """Of these, those that are another digit or none."""
    accepted: int = Field(ge=0)
    """Rows at or above the default threshold."""
    accepted_wrong: int = Field(ge=0)


class ReadingFile(BaseModel):
    """What `reading.json` says; the fields are its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    detector: Hash
    """sha256 of the detector that it was fitted for."""
    classifier: Hash
    """The same of the classifier..."""
    temperature: float = Field(gt=0)
    """...and that one's temperature."""
    data: str
    """What it was fitted and measured on, in words."""
    seed: int
    joint: JointParameters
    calibration: Calibration
    min_score: tuple[Score, Score]
    """Of the detector, of digits and of signs. What is below is not looked at."""
    least_digit: Share
    """Probability that a detection is a digit, at least, for it to give a row."""
    min_confidence: Share
    """The default threshold: at most 3% of the digits at or above it were wrong in each collection; at least 0.5."""
    familiar: Familiar = Familiar()
    """What the pages that it was measured on have: others are marked."""
    levels: tuple[Level, ...] = Field(min_length=1)
    """By rising confidence, each of the collection with the greatest upper bound of the error."""
    sources: tuple[Measured, ...]

    @model_validator(mode="after")
    def _can_be_used(self) -> ReadingFile:
        joint = self.joint
        if joint.temperature <= 0 or min(joint.detector_weight, joint.classifier_weight) < 0:
            raise ValueError("joint: the temperature must be above 0, and the weights not below")
        return self

    def write(self, path: Path) -> None:
        text = self.model_dump_json(indent=1)
        rows = re.sub(r'\{\s+"(?:confidence|name)"[^{}]*\}', lambda each: " ".join(each[0].split()), text)
        path.write_text(rows + "\n", encoding="utf-8")

    def fits(self, detector: DetectorSidecar, classifier: Sidecar) -> bool:
        """Whether it was fitted for these two."""
        own = self.detector, self.classifier, self.temperature
        return own == (detector.sha256, classifier.sha256, classifier.temperature)


@dataclass(frozen=True)
class Reading:
    """A reading file that was read."""

    path: Path
    sha256: str
    record: ReadingFile
    fitted: bool
    """False where it was fitted for other models than those it is used with."""

    def decoding(self) -> DecodingParameters:
        """What decoding takes from it."""
        of = self.record
        rows = RowParameters(min_score=of.min_score, least_digit=of.least_digit)
        return DecodingParameters(of.joint, of.calibration, rows=rows, familiar=of.familiar)

    def models(self, models: Models) -> Models:
        """The models, with what counts as a detection."""
        return replace(models, parameters=replace(models.parameters, min_score=self.record.min_score))

    def threshold(self, min_confidence: float | None, max_error: float | None) -> float:
        """The confidence below which digits are marked: the one given, that for `max_error`, or the default.

        Raises UsageError where both are given, or where no confidence of the table has so small an error.
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
        least = threshold_for(self.record.levels, max_error)
        if least is None:
            best = min_error_level(self.record.levels)
            raise UsageError(
                f"--max-error {max_error:g}: the least that the table in {self.path} warrants is {best.high:f}, "
                f"from a confidence of {best.confidence:g} on; give that or more"
            )
        return least


def read_reading(path: Path) -> tuple[ReadingFile, str]:
    """A reading file and its sha256. Raises ModelError where it is missing, or none of ours."""
    try:
        content = read_whole(path, MODEL_FILE.max_sidecar_bytes)
        return ReadingFile.model_validate_json(content), hashlib.sha256(content).hexdigest()
    except Refused as fault:
        raise ModelError(f"{path}: not read, for it {fault}; {MAKE}") from fault
    except OSError as fault:
        raise ModelError(f"{path}: cannot be read ({fault.strerror}); {MAKE}") from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise ModelError(f"{path}: no reading file of ours ({where}: {first['msg']}); {MAKE}") from fault


def find_reading(models: Models, detector: DetectorSidecar, classifier: Sidecar) -> Reading:
    """The reading file for two models, whose sidecars are given.

    That is the first fitted for both of: `NAME.reading.json` beside the classifier's `NAME.keras`, `reading.json`
    beside the classifier, beside the detector, and the shipped one. Where none is, the first there is, with a warning.
    Raises ModelError where one of those looked at is broken, or the shipped one is missing.
    """
    beside = models.classifier.with_suffix(OWN), models.classifier.with_name(NAME), models.detector.with_name(NAME)
    found = []
    for path in dict.fromkeys(each.absolute() for each in (*filter(Path.is_file, beside), shipped(NAME))):
        record, sha256 = read_reading(path)
        found.append(Reading(path, sha256, record, record.fits(detector, classifier)))
        if found[-1].fitted:
            return found[-1]
    log.warning(
        "%s was not fitted for these models (%s, %s): confidences may be wrong; %s",
        found[0].path,
        models.detector.name,
        models.classifier.name,
        MAKE,
    )
    return found[0]
