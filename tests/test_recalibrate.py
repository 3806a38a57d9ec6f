"""`batchocr evaluate --save-calibration`: a copy of the model with confidences that fit the user's scans."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from command import Ended, Row, account, here, rows
from digit_files import digits, save_npz
from own_models import copy_model, eleven_classes
from strokes import STROKES, page, save

from batchocr.evaluation.figures import figures
from batchocr.evaluation.recalibrate import (
    PARAMETERS,
    calibration_data_of_digits,
    reading_path,
    recalibrate_sidecar,
)
from batchocr.reading_file import NAME, read_reading
from batchocr.recognition.calibration import Floats, apply_temperature, digit_confidences, fit_temperature
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.model_file import Sidecar, read_sidecar, sha256, shipped_model, sidecar_path
from batchocr.records import Pixels
from batchocr.shipped import shipped


def evaluate(data: Path, *arguments: str | Path) -> Ended:
    return here("evaluate", "--data", data, "--device", "cpu", *arguments)


@dataclass(frozen=True)
class Calibrated:
    """A calibration that was saved, and the report on it."""

    model: Path
    sidecar: Sidecar
    report: dict[str, Any]
    out: str


def calibrated(data: Path, model: Path, *arguments: str | Path) -> Calibrated:
    report = model.with_suffix(".report")
    ended = evaluate(data, "--save-calibration", model, "--json", report, *arguments)
    assert ended.code == 0
    assert all("was not fitted for these models" in line for line in ended.err.splitlines())
    assert ended.err.count("\n") <= 1
    return Calibrated(model, read_sidecar(model), json.loads(report.read_text()), ended.out)


# Digits


def shifted(n: int, seed: int) -> tuple[Pixels, Any]:
    """Return shifted digits, some of which are read incorrectly."""
    given, rng = digits(n, seed), np.random.default_rng(seed)
    moved = [np.roll(image, tuple(rng.integers(-4, 5, 2)), (0, 1)) for image in given.images]
    return np.stack(moved), given.labels


@pytest.fixture(scope="module")
def own_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images, labels = shifted(600, 1)
    return save_npz(tmp_path_factory.mktemp("own") / "shifted.npz", x=images, y=labels)


@pytest.fixture(scope="module")
def unsure(own_digits: Path) -> Classifier:
    """Return the shipped network with confidences that are too low."""
    temperature = 3 * read_sidecar(shipped_model()).temperature
    model = copy_model(own_digits.with_name("unsure.keras"), temperature=temperature, calibration=None)
    return Classifier(model, device="cpu", batch_size=64)


@pytest.fixture(scope="module")
def of_digits(own_digits: Path, unsure: Classifier) -> Calibrated:
    return calibrated(own_digits, own_digits.with_name("own.keras"), "--model", unsure.path)


def test_the_network_stays_and_its_confidences_fit_the_data(of_digits: Calibrated, unsure: Classifier) -> None:
    assert of_digits.model.read_bytes() == shipped_model().read_bytes()
    images, labels = shifted(600, 1)
    more = fit_temperature(unsure.classify(images), labels, PARAMETERS.prior_deviation)
    assert of_digits.sidecar.temperature == pytest.approx(unsure.sidecar.temperature * more, abs=1e-4)
    assert more < 0.8
    own = Classifier(of_digits.model, device="cpu", batch_size=64)
    fresh, true = shifted(600, 2)  # not calibrated on
    before, after = (figures(c.classify(fresh), true)["expected_calibration_error"] for c in (unsure, own))
    assert after < 0.5 * before


def test_the_sidecar_names_the_data_of_the_calibration(of_digits: Calibrated, unsure: Classifier) -> None:
    table = of_digits.sidecar.calibration
    assert table is not None
    assert (table.data, table.candidates) == ("shifted.npz", 600)
    images, labels = shifted(600, 1)
    more = of_digits.sidecar.temperature / unsure.sidecar.temperature
    _, right = digit_confidences(apply_temperature(unsure.classify(images), more), labels)
    assert table.rows == table.levels[0].accepted == len(right)
    assert table.levels[0].wrong == (~right).sum() > 0
    changed = {"temperature", "min_confidence", "calibration"}
    assert of_digits.sidecar.model_dump(exclude=changed) == unsure.sidecar.model_dump(exclude=changed)


def test_the_report_has_the_saved_values(of_digits: Calibrated) -> None:
    report, table = of_digits.report["calibrated"], of_digits.sidecar.calibration
    assert table is not None
    assert (report["model"], report["data"], report["rows"]) == ("own.keras", "shifted.npz", table.rows)
    assert report["temperature"] == of_digits.sidecar.temperature
    levels = read_reading(reading_path(of_digits.model))[0].levels
    assert report["least_max_error"] == min(level.high for level in levels)
    assert f"own.keras: calibrated on 600 images, {table.rows} digits read; temperature" in of_digits.out
    assert f"the smallest --max-error that this data can support: {report['least_max_error']:f}\n" in of_digits.out
    assert not list(of_digits.model.parent.glob("*.part"))


def test_the_saved_model_is_run_with_the_reading_file_beside_it(
    of_digits: Calibrated, samples: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results.csv"
    error = str(of_digits.report["calibrated"]["least_max_error"])
    options = ["--max-error", error, "--device", "cpu"]
    assert here("run", samples / "form.png", "--model", of_digits.model, "--out", out, *options).code == 0
    report = account(out)
    assert report["model"]["sha256"] == read_sidecar(shipped_model()).sha256
    assert report["reading"] == {
        "file": "own.reading.json", "sha256": sha256(reading_path(of_digits.model)),
        "data": read_reading(shipped(NAME))[0].data, "fitted": True,
    }  # fmt: skip
    least = report["settings"]["min_confidence"]
    assert all(("low-confidence" in row["review"]) == (float(row["confidence"]) < least) for row in rows(out))


def test_a_calibration_on_a_calibration_moves_little(tmp_path: Path) -> None:
    """Some labels are wrong, because the confidence increases at each calibration if all are right."""
    images, labels = shifted(600, 1)
    labels[::30] = (labels[::30] + 1) % 10
    data = save_npz(tmp_path / "some_wrong.npz", x_test=images, y_test=labels)
    first = calibrated(data, tmp_path / "first.keras")
    again = calibrated(data, tmp_path / "again.keras", "--model", first.model)
    assert abs(np.log(again.sidecar.temperature / first.sidecar.temperature)) < PARAMETERS.prior_deviation / 5
    assert again.report["calibrated"]["temperature_before"] == first.sidecar.temperature


def test_a_copy_may_be_calibrated_again(of_digits: Calibrated, tmp_path: Path) -> None:
    model = copy_model(tmp_path / "own.keras", calibration=None)
    images, labels = shifted(250, 3)
    data = save_npz(tmp_path / "few.npz", x_test=images, y_test=labels)
    assert calibrated(data, model).report["calibrated"]["data"] == "few.npz, test split"


# Pages


CROSS = [((0.1, 0.1), (0.9, 0.9)), ((0.9, 0.1), (0.1, 0.9)), ((0.5, 0), (0.5, 1)), ((0, 0.5), (1, 0.5))]


def box(digit: int, left: float, top: float) -> list[int]:
    """Return the box of a digit of 48 pixels, written at this place with a pen of 4 pixels."""
    x = [0.6 * 48 * x for x, _ in STROKES[digit]]
    return [digit, round(left + min(x) - 2), round(top - 2), round(max(x) - min(x) + 4), 52]


def write_pages(folder: Path, count: int = 3, lines: int = 7) -> dict[str, Any]:
    """Write pages of numbers with boxes; beside each line is a star, which is not a digit."""
    rng = np.random.default_rng(7)
    truth: dict[str, Any] = {}
    for at in range(count):
        texts = ["".join(map(str, rng.integers(0, 10, 11))) for _ in range(lines)]
        pixels, numbers = page(texts), []
        for line, text in enumerate(texts):
            top = round((3 * line + 1.5) * 48)
            numbers.append({"text": text, "digits": [box(int(d), 60 + i * 43.2, top) for i, d in enumerate(text)]})
            for (x0, y0), (x1, y1) in CROSS:
                start, end = ((round(750 + 40 * x), round(top + 45 * y)) for x, y in ((x0, y0), (x1, y1)))
                cv2.line(pixels, start, end, 30, 4, cv2.LINE_AA)
        save(folder / f"{at}.png", pixels)
        truth[f"{at}.png"] = numbers
    (folder / "truth.json").write_text(json.dumps(truth))
    return truth


@pytest.fixture(scope="module")
def own_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "forms"
    write_pages(folder)
    return folder


@pytest.mark.parametrize("make", [copy_model, eleven_classes])
def test_pages_with_boxes_give_the_table_of_the_rows_that_a_run_writes(
    make: Callable[[Path], Path], own_pages: Path, tmp_path: Path
) -> None:
    given = make(tmp_path / "given.keras")
    own = calibrated(own_pages, tmp_path / "own.keras", "--model", given)
    record, out = read_reading(reading_path(own.model))[0], tmp_path / "results.csv"
    assert record.data == "forms, 3 pages"
    (measured,) = record.sources
    assert 0.8 * 3 * 7 * 11 < measured.digits <= 3 * 7 * 11 < measured.rows + measured.digits <= 2 * 3 * 7 * 12
    assert 0.5 < own.sidecar.temperature / read_sidecar(given).temperature < 4
    assert here("run", own_pages, "--model", own.model, "--device", "cpu", "--out", out).code == 0
    read = rows(out)
    truth = json.loads((own_pages / "truth.json").read_text())
    confidence = np.array([float(row["confidence"]) for row in read])
    right = np.array([true_digit(row, truth) == int(row["digit"]) for row in read])
    assert (measured.rows, measured.wrong) == (len(read), (~right).sum())
    assert record.min_confidence == account(out)["settings"]["min_confidence"]
    for level in record.levels:
        accepted = confidence >= level.confidence
        assert (level.accepted, level.wrong) == (accepted.sum(), (~right[accepted]).sum())


def true_digit(row: Row, truth: dict[str, Any]) -> int | None:
    """Return the true digit at the place of a row: digits are 43 pixels apart; a star has no digit."""
    x, y = (int(row[at]) + int(row[size]) / 2 for at, size in (("left", "width"), ("top", "height")))
    for number in truth[row["file"]]:
        for digit, left, top, width, height in number["digits"]:
            if abs(x - left - width / 2) < 21 and abs(y - top - height / 2) < 24:
                return int(digit)
    return None


def test_pages_with_one_digit_can_be_used_too(tmp_path: Path) -> None:
    images, labels = digits(220, 5).images, digits(220, 5).labels
    folder = tmp_path / "single"
    for i, image in enumerate(images):
        save(folder / f"{i}.png", 255 - image)
    truth = {f"{i}.png": {"rows": [str(label)]} for i, label in enumerate(labels)}
    (folder / "truth.json").write_text(json.dumps(truth))
    own = calibrated(folder, tmp_path / "own.keras")
    assert own.sidecar.calibration is not None
    assert own.sidecar.calibration.data == "single, 220 pages"
    assert 200 <= own.sidecar.calibration.rows <= 240
    assert own.sidecar.calibration.levels[0].wrong == sum(p["count"] for p in own.report["confusions"])


# Evidence with non-digits


def sure(answers: list[int], confidence: float) -> Floats:
    probabilities = np.full((len(answers), 11), (1 - confidence) / 10)
    probabilities[np.arange(len(answers)), answers] = confidence
    return probabilities


def test_non_digits_count_in_the_fit_only_if_the_model_has_this_class() -> None:
    answers = [i % 10 for i in range(400)]
    labels = np.array([10 if i % 4 == 0 else answer for i, answer in enumerate(answers)])  # a quarter are non-digits
    ten = read_sidecar(shipped_model()).model_copy(update={"temperature": 1.0, "classes": tuple("0123456789")})
    eleven = ten.model_copy(update={"classes": (*ten.classes, "none")})
    probabilities = sure(answers, 0.9)
    fits = [
        recalibrate_sidecar(sidecar, calibration_data_of_digits("made up", probabilities, labels))
        for sidecar in (ten, eleven)
    ]
    tables = [fit.calibration for fit in fits]
    assert tables[0] is not None and tables[1] is not None
    assert [table.candidates for table in tables if table] == [300, 400]
    assert [table.levels[0].wrong for table in tables if table] == [100, 100]
    # all digits are right: the first becomes surer, the second gets a confidence of three quarters
    assert fits[0].temperature < 1 < fits[1].temperature
    assert apply_temperature(probabilities, fits[1].temperature).max() == pytest.approx(0.75, abs=0.005)


# Refused data and files


def test_rows_without_boxes_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", page(["2053"]))
    (tmp_path / "truth.json").write_text(json.dumps({"a.png": {"rows": ["2053"]}}))
    ended = evaluate(tmp_path, "--save-calibration", tmp_path / "own.keras")
    assert ended.code == 2 and "give boxes, corrected results (--truth), or images of one digit" in ended.err
    assert not (tmp_path / "own.keras").exists()


def test_too_few_digits_are_refused(tmp_path: Path) -> None:
    write_pages(tmp_path, 1, 2)
    ended = evaluate(tmp_path, "--save-calibration", tmp_path / "own.keras")
    assert ended.code == 2
    assert re.search(rf"{tmp_path.name}, 1 page: [12]\d digits with known truth were found, too few", ended.err)
    assert "give 200 or more" in ended.err
    data = save_npz(tmp_path / "few.npz", x=digits(199).images, y=digits(199).labels)
    ended = evaluate(data, "--save-calibration", tmp_path / "own.keras")
    assert ended.code == 2 and "few.npz: 199 digits with known truth" in ended.err
    assert not list(tmp_path.glob("own.*"))


def other_file(path: Path) -> Path:
    path.write_text("a letter")
    return path


def other_network(path: Path) -> Path:
    path.write_bytes(shipped_model().read_bytes() + b" ")
    return path


def lone_sidecar(path: Path) -> Path:
    sidecar_path(path).write_text("{}")
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def linked(path: Path) -> Path:
    path.symlink_to(shipped_model())
    return path


TAKEN = {
    "another file": (other_file, "own.keras exists already and is not a copy of digits.keras; give a new name"),
    "another network": (other_network, "own.keras exists already"),
    "a sidecar alone": (lone_sidecar, "own.json exists already"),
    "a folder": (folder, "own.keras exists already"),
    "a link to the shipped model": (linked, "this model must not be changed; give a new name"),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_no_other_file_is_overwritten(kind: str, own_digits: Path, tmp_path: Path) -> None:
    make, says = TAKEN[kind]
    target = make(tmp_path / "own.keras")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    ended = evaluate(own_digits, "--save-calibration", target)
    assert ended.code == 2 and says in ended.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_the_measured_and_the_shipped_model_are_not_changed(own_digits: Path, tmp_path: Path) -> None:
    mine = copy_model(tmp_path / "mine.keras")
    before = {path: sha256(path) for model in (mine, shipped_model()) for path in (model, sidecar_path(model))}
    for target in (mine, shipped_model(), tmp_path / "." / "mine.keras"):
        ended = evaluate(own_digits, "--model", mine, "--save-calibration", target)
        assert ended.code == 2 and "this model must not be changed; give a new name" in ended.err
    assert {path: sha256(path) for path in before} == before
    ended = evaluate(own_digits, "--save-calibration", tmp_path / "own.json")
    assert ended.code == 2 and "the name must end with .keras" in ended.err


def test_a_place_that_cannot_be_written_ends_with_7(own_digits: Path, tmp_path: Path) -> None:
    shutil.copy(own_digits, tmp_path / "file")
    ended = evaluate(own_digits, "--save-calibration", tmp_path / "file" / "own.keras")
    assert ended.code == 7 and "give another --save-calibration" in ended.err
