"""The shipped classifier: probabilities, batches of one shape, precision, and a device with little memory."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from strokes import crops

from batchocr.errors import UsageError
from batchocr.recognition import network as networks
from batchocr.recognition.classifier import PARAMETERS, Classifier
from batchocr.recognition.inference_graph import GraphParameters, InferenceFunction, compile_model
from batchocr.recognition.model_file import read_model, read_sidecar, shipped_model
from batchocr.recognition.network import open_device
from batchocr.recognition.precision import fast_policy
from batchocr.records import Crops

LABELS = [i % 10 for i in range(150)]


class ResourceExhaustedError(Exception):
    """Has the same name as TensorFlow's exception."""


class SmallDevice:
    """An inference function on a device with memory for `room_for` crops."""

    def __init__(self, infer: InferenceFunction, room_for: int) -> None:
        self.infer, self.room_for = infer, room_for
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, block: Crops) -> NDArray[np.floating]:
        if len(block) > self.room_for:
            raise ResourceExhaustedError(f"OOM when allocating tensor with shape{list(block.shape)}")
        self.shapes.append(block.shape)
        return self.infer(block)


def broken_device(block: Crops) -> NDArray[np.floating]:
    raise RuntimeError("the device fell off the bus")


def loaded() -> Any:
    return read_model(shipped_model())[1].load()


@pytest.fixture
def fresh(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> Classifier:
    """The shared classifier; a changed batch size is reset after the test."""
    monkeypatch.setattr(classifier, "batch_size", classifier.batch_size)
    return classifier


def on_small_device(classifier: Classifier, room_for: int, monkeypatch: pytest.MonkeyPatch) -> SmallDevice:
    device = SmallDevice(classifier._infer, room_for)
    monkeypatch.setattr(classifier, "_infer", device)
    return device


def test_probabilities_of_ten_digits_sum_to_one(classifier: Classifier) -> None:
    probabilities = classifier.classify(crops(LABELS))
    assert probabilities.shape == (150, 11)
    assert probabilities.dtype == np.float64
    assert (probabilities >= 0).all()
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_digits_in_plain_strokes_are_read(classifier: Classifier) -> None:
    right = classifier.classify(crops(LABELS)).argmax(axis=1) == LABELS
    assert right.mean() >= 0.8


def test_the_model_takes_bytes_and_scales_them_itself() -> None:
    (entry,) = loaded().inputs
    assert entry.dtype == read_sidecar(shipped_model()).input_dtype == "uint8"
    assert tuple(entry.shape) == (None, 28, 28)


@pytest.mark.parametrize("xla", [False, True])
def test_constant_weights_do_not_change_the_output(xla: bool) -> None:
    constants = compile_model(loaded(), xla=xla)(crops(LABELS))
    variables = compile_model(loaded(), xla=xla, parameters=GraphParameters(max_constant_bytes=0))(crops(LABELS))
    assert np.allclose(constants, variables, atol=1e-5)
    assert not np.array_equal(constants, np.roll(constants, 1, axis=0))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_16_bits_change_the_output_little_and_it_stays_32_bits(policy: str) -> None:
    whole, short = (compile_model(loaded(), xla=False, policy=which)(crops(LABELS)) for which in (None, policy))
    assert 0 < np.abs(short - whole).max() < 0.02
    assert np.array_equal(short.argmax(axis=1), whole.argmax(axis=1))
    assert short.dtype == np.float32
    assert np.abs(short.sum(axis=1) - 1).max() < 1e-5


@pytest.mark.parametrize(
    "flags, policy",
    [
        ("flags\t\t: fpu sse2 avx512f avx512_bf16 amx_tile\n", "mixed_bfloat16"),
        ("flags\t\t: fpu sse2 avx512f amx_bf16\n", "mixed_bfloat16"),
        ("flags\t\t: fpu sse2 avx512f avx2\nbugs\t\t: avx512_bf16\n", None),
        ("", None),
    ],
)
def test_a_processor_computes_in_16_bits_only_if_it_has_units_for_it(
    tmp_path: Path, flags: str, policy: str | None
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{flags}", encoding="utf-8")
    assert fast_policy("cpu", tmp_path / "cpuinfo") == policy
    assert fast_policy("cpu", tmp_path / "none") is None


def test_no_crops_give_no_rows(classifier: Classifier) -> None:
    assert classifier.classify(np.empty((0, 28, 28), np.uint8)).shape == (0, 11)


@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 128, 129])
def test_the_number_of_crops_in_a_batch_does_not_change_the_output(classifier: Classifier, count: int) -> None:
    whole = classifier.classify(crops(LABELS))
    assert np.allclose(classifier.classify(crops(LABELS)[:count]), whole[:count], atol=1e-6)


def test_the_given_crops_are_not_changed(classifier: Classifier) -> None:
    given = crops(LABELS)
    classifier.classify(given)
    assert np.array_equal(given, crops(LABELS))


def test_all_batches_have_one_shape(fresh: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    device = on_small_device(fresh, 64, monkeypatch)
    fresh.classify(crops(LABELS))
    assert device.shapes == [(64, 28, 28)] * 3


def test_out_of_memory_halves_the_batch_and_continues(
    fresh: Classifier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = fresh.classify(crops(LABELS))
    device = on_small_device(fresh, 20, monkeypatch)
    with caplog.at_level(logging.WARNING):
        probabilities = fresh.classify(crops(LABELS))
    assert np.allclose(probabilities, whole, atol=1e-3)
    assert fresh.batch_size == 16
    assert device.shapes == [(16, 28, 28)] * 10
    assert "batches of 16" in caplog.text


def test_the_smaller_batch_is_kept(fresh: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    device = on_small_device(fresh, 32, monkeypatch)
    fresh.classify(crops(LABELS))
    device.room_for = 1000
    device.shapes.clear()
    fresh.classify(crops(LABELS))
    assert set(device.shapes) == {(32, 28, 28)}


def test_a_device_too_small_for_the_minimum_batch_raises_an_error(
    fresh: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_small_device(fresh, PARAMETERS.network.min_batch_size - 1, monkeypatch)
    with pytest.raises(ResourceExhaustedError):
        fresh.classify(crops(LABELS))


def test_other_errors_of_the_device_are_raised(fresh: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "_infer", broken_device)
    with pytest.raises(RuntimeError, match="fell off the bus"):
        fresh.classify(crops(LABELS))
    assert fresh.batch_size == 64


def test_an_unknown_device_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="choose one of auto, cpu, gpu"):
        open_device("abacus")


def test_the_shipped_model_matches_its_sidecar(classifier: Classifier) -> None:
    assert classifier.path == shipped_model()
    assert classifier.device == "cpu"
    assert loaded().count_params() == classifier.sidecar.parameters
    assert 0 < classifier.sidecar.min_confidence < 1


def test_out_of_memory_at_loading_halves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(model: Any, **options: Any) -> InferenceFunction:
        return SmallDevice(compile_model(model, **options), 100)

    monkeypatch.setattr(networks, "compile_model", small)
    classifier = Classifier(shipped_model(), device="cpu", batch_size=256)
    assert classifier.batch_size == 64
    assert (classifier.classify(crops(LABELS)).argmax(axis=1) == LABELS).mean() > 0.9
