"""A teaching system through the command: its folder, the same figures again, going on, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from command import Ended, here, rows
from digit_files import digits, save_folders, save_npz, whole_npz

from batchocr.recognition.model_file import read_sidecar
from batchocr.training.networks import build
from batchocr.training.run_folder import read_history
from batchocr.training.trained_model import probabilities

PICTURES = ("examples", "labels", "history", "right-and-wrong", "confusion", "reliability")


def train(data: Path, out: Path, *more: str | int, system: str = "mlp-512") -> Ended:
    return here("train", "--system", system, "--data", data, "--out", out, *map(str, more))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_npz(tmp_path_factory.mktemp("data") / "digits.npz")


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three epochs in one go."""
    out = tmp_path_factory.mktemp("trained") / "run"
    ended = train(data, out, "--epochs", 3)
    assert (ended.code, ended.out) == (0, f"{out / 'model.keras'}\n")
    return out


def metrics(out: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((out / "metrics.json").read_text("utf-8"))
    return read


def test_the_folder_holds_all_that_tells_of_the_training(trained: Path) -> None:
    told = metrics(trained)
    assert (told["system"], told["recipe"], told["epochs"], told["seed"]) == ("mlp-512", "long", 3, 2017)
    assert (told["validation"]["count"], told["test"]["count"]) == (35, 100)
    assert told["test"]["accuracy"] == pytest.approx(1 - told["test"]["errors"] / 100)
    assert told["test"]["accuracy"] > 0.6  # these digits are all of one hand
    history = read_history(trained / "history.csv")
    assert len(history) == 3 and history[2]["loss"] < history[0]["loss"]
    assert history[2]["val_accuracy"] == pytest.approx(told["validation"]["accuracy"], abs=1e-4)
    sidecar = read_sidecar(trained / "model.keras")
    assert (sidecar.name, sidecar.metrics["test_accuracy"]) == ("mlp-512", told["test"]["accuracy"])
    table = sidecar.calibration
    assert table is not None and table.rows == table.candidates == table.levels[0].accepted == 35
    assert table.levels[0].wrong == told["validation"]["errors"]
    for name in PICTURES:
        image = cv2.imread(str(trained / f"{name}.png"))
        assert image is not None and min(image.shape[:2]) > 300 and np.ptp(image) > 200


def test_what_was_trained_can_read_scans(trained: Path, one_digit: Path, tmp_path: Path) -> None:
    ended = here("run", one_digit, "--model", trained / "model.keras", "--out", tmp_path / "results.csv")
    assert ended.code == 0
    assert len(rows(tmp_path / "results.csv")) == 1


def test_the_same_seed_gives_the_same_figures_also_after_an_interruption(
    trained: Path, data: Path, tmp_path: Path
) -> None:
    assert train(data, tmp_path / "run", "--epochs", 1).code == 0
    first = metrics(tmp_path / "run")
    assert train(data, tmp_path / "run", "--epochs", 3, "--resume").code == 0
    assert metrics(tmp_path / "run") == metrics(trained) != first
    assert train(data, tmp_path / "other", "--epochs", 1, "--seed", 5).code == 0
    assert metrics(tmp_path / "other")["test"] != first["test"]


def test_a_folder_is_only_gone_on_with_where_asked_and_as_before(trained: Path, data: Path, tmp_path: Path) -> None:
    before = sorted(path.stat().st_mtime_ns for path in trained.iterdir())
    for options, says in (
        ((), f"{trained}: holds a training; resume it with --resume, or give another --out"),
        (("--resume", "--recipe", "short"), "holds another training (see training.json)"),
        (("--resume", "--seed", "5"), "holds another training (see training.json)"),
        (("--resume", "--epochs", "1"), "has 3 epochs already; give at least as many as --epochs"),
    ):
        ended = train(data, trained, *options)
        assert ended.code == 2 and says in ended.err
    assert sorted(path.stat().st_mtime_ns for path in trained.iterdir()) == before
    (tmp_path / "letters.txt").write_text("mine")
    ended = train(data, tmp_path)
    assert ended.code == 2 and "holds other files; give a new folder as --out" in ended.err
    ended = train(data, data)
    assert ended.code == 7 and "cannot be written" in ended.err


def test_a_network_that_diverged_is_told_and_its_figures_are_numbers(caplog: pytest.LogCaptureFixture) -> None:
    model = build("softmax-15")
    model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
    assert np.allclose(probabilities(model, digits(20).images), 0.1)
    assert "softmax-15: the training diverged" in caplog.text


def with_nan(path: Path) -> Path:
    return save_npz(path / "nan.npz", x_train=np.full((20, 28, 28), np.nan), y_train=np.arange(20) % 10)


def other_size(path: Path) -> Path:
    return save_npz(path / "large.npz", x_train=np.zeros((20, 132, 32), np.uint8), y_train=np.arange(20) % 10)


def labels_past_9(path: Path) -> Path:
    return save_npz(path / "ten.npz", x_train=np.zeros((20, 28, 28), np.uint8), y_train=np.arange(20))


def other_lengths(path: Path) -> Path:
    return save_npz(path / "short.npz", x_train=np.zeros((20, 28, 28), np.uint8), y_train=np.arange(10))


def without_a_class(path: Path) -> Path:
    given = digits(300)
    return save_folders(path / "classes", given.take(np.flatnonzero(given.labels != 7)))


def few(path: Path) -> Path:
    return save_folders(path / "few", digits(30))


BAD: dict[str, tuple[Any, str]] = {
    "NaN": (with_nan, "values that are NaN"),
    "another size": (other_size, "(n, 28, 28) uint8 is required"),
    "labels past 9": (labels_past_9, "one label 0-9"),
    "mismatched lengths": (other_lengths, "one label 0-9 for each of the 20 images"),
    "an empty class": (without_a_class, "holds no digit 7 to train on; add images of it"),
    "too few": (few, "30 digits to train on are too few; at least 100 are required"),
    "nothing": (lambda path: path / "none", "there is no such file or folder; give mnist"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_data_ends_with_2_and_leaves_no_folder(kind: str, tmp_path: Path) -> None:
    make, says = BAD[kind]
    given = make(tmp_path)
    ended = train(given, tmp_path / "run")
    assert ended.code == 2
    assert str(given) in ended.err and says in ended.err
    assert not (tmp_path / "run").exists()


def test_wrong_names_end_with_2(data: Path, tmp_path: Path) -> None:
    ended = train(data, tmp_path / "run", system="oracle")
    assert ended.code == 2 and "there is no system oracle; choose one of softmax-15, mlp-784-32" in ended.err
    ended = train(data, tmp_path / "run", "--recipe", "quick")
    assert ended.code == 2 and "mlp-512 has no recipe quick; choose one of long, short" in ended.err
    assert here("train", "--out", tmp_path / "run").code == 2
    assert not (tmp_path / "run").exists()
