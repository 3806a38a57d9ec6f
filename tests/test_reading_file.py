"""`reading.json` is written and read, refused if it is broken, and found beside the models."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from own_models import copy_model, own_reading, table

from batchocr.decoding.digits.joint import Calibration, JointParameters
from batchocr.errors import ModelError, UsageError
from batchocr.reading_file import NAME, Measured, Reading, ReadingFile, find_reading, read_reading
from batchocr.recognition.model_file import read_detector, read_sidecar, shipped_detector
from batchocr.recognition.networks import Models

RECORD = ReadingFile(
    detector="a" * 64,
    classifier="b" * 64,
    temperature=1.1,
    data="made up",
    seed=3,
    joint=JointParameters(0.4, 0.6, 1.2),
    calibration=Calibration(-0.5, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0), 0.1, (0.2, -0.3, 0.4, 0.5)),
    min_score=(0.2, 0.4),
    min_digit_probability=0.45,
    min_confidence=0.8,
    levels=table((0.3, 0.04), (0.9, 0.008)).levels,
    sources=(Measured(name="patches", pages=3, digits=20, rows=19, wrong=2, accepted=15, accepted_wrong=0),),
)


def test_it_is_written_and_read_again(tmp_path: Path) -> None:
    RECORD.write(tmp_path / NAME)
    record, sha256 = read_reading(tmp_path / NAME)
    assert record == RECORD and len(sha256) == 64
    lines = (tmp_path / NAME).read_text().splitlines()
    assert sum('"confidence"' in line and '"high"' in line for line in lines) == 2  # each level on one line


def test_decoding_and_detector_use_its_values() -> None:
    reading = Reading(Path(NAME), "", RECORD, True)
    decoding = reading.decoding()
    assert (decoding.joint, decoding.calibration) == (RECORD.joint, RECORD.calibration)
    assert decoding.rows.min_digit_probability == 0.45
    assert reading.models(Models(Path("a"), Path("b"))).parameters.min_score == (0.2, 0.4)


def test_the_threshold_comes_from_the_table() -> None:
    reading = Reading(Path(NAME), "", RECORD, True)
    assert [reading.threshold(None, error) for error in (0.05, 0.01)] == [0.3, 0.9]
    assert (reading.threshold(None, None), reading.threshold(0.1, None)) == (0.8, 0.1)
    with pytest.raises(UsageError, match=r"is 0\.008000, at a confidence of 0\.9 or more"):
        reading.threshold(None, 0.001)
    with pytest.raises(UsageError, match="give one of them"):
        reading.threshold(0.5, 0.01)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"detector": "short"}, "detector"),
        ({"temperature": 0}, "temperature"),
        ({"min_score": [0.3]}, "min_score"),
        ({"min_score": [0, 0.3]}, "min_score.0"),
        ({"min_digit_probability": 1.5}, "min_digit_probability"),
        ({"levels": []}, "levels"),
        ({"joint": {"detector_weight": 1, "classifier_weight": 1, "temperature": 0}}, "temperature must be above 0"),
        ({"joint": {"x": 1}}, "joint.x"),
        ({"calibration": {"bias": float("nan")}}, "calibration.bias"),
        ({"calibration": {"weights": [1, 2]}}, "calibration.weights"),
        ({"colour": "blue"}, "colour"),
        ({"least_digit": 0.3}, "least_digit"),  # the old name of a key
    ],
)
def test_a_broken_file_is_refused(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text(json.dumps({**json.loads(RECORD.model_dump_json()), **change}))
    with pytest.raises(ModelError, match=says):
        read_reading(path)


def test_a_file_without_json_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{")
    for path in (tmp_path / NAME, tmp_path / "none.json"):
        with pytest.raises(ModelError, match=r"python -m batchocr\.training\.joint"):
            read_reading(path)


def found(model: Path) -> Reading:
    models = Models(shipped_detector(), model)
    return find_reading(models, read_detector(models.detector)[0], read_sidecar(model))


def test_the_file_that_was_fitted_for_both_models_is_found(tmp_path: Path) -> None:
    model = copy_model(tmp_path / "mine.keras", temperature=3.0)
    own = own_reading(model, data="mine")
    RECORD.write(tmp_path / NAME)
    assert (found(model).path, found(model).fitted, found(model).record.data) == (own, True, "mine")
    own.rename(tmp_path / NAME)
    assert (found(model).path, found(model).fitted) == (tmp_path / NAME, True)


def test_a_file_for_other_models_is_used_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = copy_model(tmp_path / "mine.keras", temperature=3.0)
    with caplog.at_level(logging.WARNING):
        reading = found(model)
    assert (reading.path.name, reading.fitted) == (NAME, False)
    assert "was not fitted for these models" in caplog.text
    RECORD.write(tmp_path / NAME)
    assert found(model).path == tmp_path / NAME
