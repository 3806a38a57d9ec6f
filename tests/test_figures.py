"""`batchocr evaluate`: digits and pages with a known truth, and data that cannot be measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
from command import here
from digit_files import digits, save_folders, whole_npz
from strokes import crops, page, save

from batchocr.recognition.calibration import NOT_A_DIGIT
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.model_file import read_sidecar, sha256, shipped_model, sidecar_path

LEAST = {"accuracy", "errors", "count", "expected_calibration_error", "confusions"}
LEAST |= {"coverage_at_error_0.01", "coverage_at_error_0.001"}


def figures(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read


def test_digits_are_measured_with_the_shipped_model(classifier: Classifier, tmp_path: Path) -> None:
    data = whole_npz(tmp_path / "digits.npz")
    ended = here("evaluate", "--data", data, "--json", tmp_path / "out" / "f.json", "--plots", tmp_path / "plots")
    assert ended.code == 0
    report = figures(tmp_path / "out" / "f.json")
    assert report.keys() >= LEAST
    predicted = classifier.classify(digits(100, 2).images).argmax(1)
    wrong = int((predicted != np.arange(100) % 10).sum())
    assert (report["split"], report["count"], report["errors"]) == ("test", 100, wrong)
    assert report["accuracy"] == 1 - wrong / 100 == 1 - sum(pair["count"] for pair in report["confusions"]) / 100
    assert report["first"]["predicted"] == predicted[:20].tolist()
    assert (
        f"accuracy                      {report['accuracy']:<11} share of the true digits that were read right\n"
        in ended.out
    )
    assert (
        "measured on: the test split of digits.npz, one by one, by the classifier alone; the detector is not"
        in ended.out
    )
    assert "the first ones, true          0 1 2 3" in ended.out
    for name in ("right-and-wrong", "confusion", "reliability"):
        assert cv2.imread(str(tmp_path / "plots" / f"{name}.png")) is not None


def test_a_digit_read_as_non_digit_is_an_error_except_among_digits_only() -> None:
    from batchocr.evaluation.figures import figures as figures_of

    probabilities = np.zeros((4, 11))
    probabilities[:, 3], probabilities[:, NOT_A_DIGIT] = (0.9, 0.4, 0.4, 0.4), (0.1, 0.6, 0.6, 0.6)
    report = figures_of(probabilities, np.array([3, 3, 5, NOT_A_DIGIT]))
    assert (report["accuracy"], report["accuracy_as_digits"], report["count"]) == (0.33333, 0.66667, 3)
    assert "accuracy_as_digits" not in figures_of(np.full((2, 10), 0.1), np.array([0, 1]))


def test_the_split_can_be_chosen(tmp_path: Path) -> None:
    data = whole_npz(tmp_path / "digits.npz")
    assert here("evaluate", "--data", data, "--split", "train", "--json", tmp_path / "f.json").code == 0
    assert (figures(tmp_path / "f.json")["count"], figures(tmp_path / "f.json")["split"]) == (350, "train")
    folders = save_folders(tmp_path / "folders", digits(30))
    assert here("evaluate", "--data", folders, "--json", tmp_path / "g.json").code == 0
    assert (figures(tmp_path / "g.json")["count"], figures(tmp_path / "g.json")["split"]) == (30, "all")
    ended = here("evaluate", "--data", folders, "--split", "test")
    assert ended.code == 2 and "has no test split; leave out --split" in ended.err


def write_truth(folder: Path, truth: Any) -> Path:
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


def test_pages_with_rows_and_with_boxes(tmp_path: Path) -> None:
    save(tmp_path / "a.png", page(["2053 33", "480"]))
    write_truth(tmp_path, {"a.png": {"rows": ["205333", "480"]}})
    assert here("evaluate", "--data", tmp_path, "--json", tmp_path / "rows.json").code == 0
    report = figures(tmp_path / "rows.json")
    assert (report["truth"], report["count"], report["rows"], report["failed"]) == ("rows", 9, 2, 0)
    assert report["accuracy"] == 1 - report["errors"] / 9 > 0.6

    boxes = [[int(d), 60 + round(i * 43.2), 72, 29, 48] for i, d in enumerate("2053")]
    write_truth(tmp_path, {"a.png": [{"text": "2053", "digits": boxes}]})
    ended = here(
        "evaluate", "--data", tmp_path / "truth.json", "--json", tmp_path / "boxes.json", "--plots", tmp_path / "plots"
    )
    assert ended.code == 0
    report = figures(tmp_path / "boxes.json")
    assert report.keys() >= LEAST
    assert (report["truth"], report["count"], report["recall"]) == ("boxes", 4, 1)
    assert cv2.imread(str(tmp_path / "plots" / "confusion.png")) is not None


def test_images_of_single_digits(one_digit: Path, tmp_path: Path) -> None:
    (tmp_path / "2.jpg").write_bytes(one_digit.read_bytes())
    write_truth(tmp_path, {"2.jpg": {"rows": ["2"]}})
    assert here("evaluate", "--data", tmp_path, "--json", tmp_path / "f.json").code == 0
    report = figures(tmp_path / "f.json")
    assert report.keys() >= LEAST
    assert (report["truth"], report["accuracy"], report["errors"], report["count"]) == ("crops", 1, 0, 1)


TRUTHS: dict[str, tuple[Any, str]] = {
    "no page": ({}, "names no pages"),
    "a list": ([1, 2], "is not a truth of pages"),
    "no figures": ({"a.png": {"rows": ["20x7"]}}, "is not a truth of pages (a.png.rows.0"),
    "a box cut short": ({"a.png": [{"text": "2", "digits": [[2, 1, 1, 9]]}]}, "is not a truth of pages"),
    "a page that is missing": ({"b.png": {"rows": ["2"]}}, "names b.png, which is not in its folder"),
}


@pytest.mark.parametrize("kind", TRUTHS)
def test_a_file_that_is_not_a_truth_ends_with_2(kind: str, tmp_path: Path) -> None:
    truth, says = TRUTHS[kind]
    ended = here("evaluate", "--data", write_truth(tmp_path, truth))
    assert ended.code == 2
    assert f"{tmp_path / 'truth.json'}: " in ended.err and says in ended.err


def test_other_wrong_usage(tmp_path: Path) -> None:
    folder = write_truth(tmp_path, {"a.png": {"rows": ["2"]}})
    ended = here("evaluate", "--data", folder, "--split", "test")
    assert ended.code == 2 and "pages have no splits; leave out --split" in ended.err
    ended = here("train", "--data", folder, "--out", tmp_path / "run", "--system", "softmax-15")
    assert ended.code == 2 and "has pages with a truth, which are for batchocr evaluate only" in ended.err
    assert not (tmp_path / "run").exists()
    data = whole_npz(tmp_path / "digits.npz")
    for option in ("--json", "--plots"):
        ended = here("evaluate", "--data", data, option, data / "f.json")
        assert ended.code == 7 and f"{data / 'f.json'}: cannot be written" in ended.err
        assert f"give another {option}" in ended.err


# Files that are not models


def network(shape: tuple[int, ...], classes: int) -> keras.Model:
    images = keras.layers.Input(shape, dtype="uint8")
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(images))
    return keras.Model(images, keras.layers.Dense(classes, activation="softmax")(flat))


def with_sidecar(path: Path, **changes: Any) -> Path:
    """Write the sidecar of the shipped model with the hash of this model."""
    sidecar = read_sidecar(shipped_model()).model_copy(update={"sha256": sha256(path), **changes})
    sidecar.write(sidecar_path(path))
    return path


def other_input(path: Path) -> Path:
    network((32, 32), 10).save(path / "m.keras")
    return with_sidecar(path / "m.keras")


def other_outputs(path: Path) -> Path:
    network((28, 28), 26).save(path / "m.keras")
    return with_sidecar(path / "m.keras")


def other_classes(path: Path) -> Path:
    network((28, 28), 10).save(path / "m.keras")
    return with_sidecar(path / "m.keras", classes=tuple("abcdefghij"))


def other_size_told(path: Path) -> Path:
    network((32, 32), 10).save(path / "m.keras")
    return with_sidecar(path / "m.keras", input_shape=(32, 32))


def old_h5(path: Path) -> Path:
    (path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(2000))
    return path / "m.h5"


def h5_by_another_name(path: Path) -> Path:
    return with_sidecar(old_h5(path).rename(path / "m.keras"))


def text(path: Path) -> Path:
    (path / "m.keras").write_text("weights")
    return path / "m.keras"


def text_with_sidecar(path: Path) -> Path:
    return with_sidecar(text(path))


def without_sidecar(path: Path) -> Path:
    network((28, 28), 10).save(path / "m.keras")
    return path / "m.keras"


MODELS: dict[str, tuple[Any, str]] = {
    "of another input": (other_input, "choose another model"),
    "with other answers": (other_outputs, "choose another model"),
    "of other classes": (other_classes, "not for digits 0-9 from 28 x 28 pixels; choose another model"),
    "that says it has another input": (other_size_told, "not for digits 0-9 from 28 x 28 pixels"),
    "an old H5": (old_h5, "an HDF5 file of old Keras, which is not read; give a .keras file"),
    "an old H5 by another name": (h5_by_another_name, "an HDF5 file of old Keras"),
    "no model": (text, "not a Keras model; give a .keras file with its .json beside it"),
    "no model with a sidecar": (text_with_sidecar, "is not a zip archive"),
    "without its sidecar": (without_sidecar, "the model's sidecar is missing; copy both files again"),
    "not there": (lambda path: path / "m.keras", "there is no such model; give the path of a .keras file"),
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_that_cannot_be_used_ends_with_5(kind: str, tmp_path: Path) -> None:
    make, says = MODELS[kind]
    model = make(tmp_path)
    data = save(tmp_path / "digits" / "3" / "a.png", crops([3])[0]).parents[1]
    ended = here("evaluate", "--model", model, "--data", data, "--plots", tmp_path / "plots")
    assert ended.code == 5
    assert str(model.with_suffix("")) in ended.err and says in ended.err
    assert not (tmp_path / "plots").exists()
