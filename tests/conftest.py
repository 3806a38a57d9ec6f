"""Fixtures of many tests: the samples, the shipped model (loaded once), and one run over the samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from children import children
from tiny_detector import write_tiny_detector

from batchocr import Settings, Summary, run
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.detector import Detector
from batchocr.recognition.model_file import shipped_model

SAMPLES = Path(__file__).parents[1] / "samples"


@dataclass(frozen=True)
class Job:
    """A run that succeeded."""

    summary: Summary
    out: Path


@pytest.fixture(scope="session")
def samples() -> Path:
    return SAMPLES


@pytest.fixture(scope="session")
def one_digit() -> Path:
    """Return the sample that is read fastest."""
    return SAMPLES / "digits" / "2.jpg"


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The shipped model on the CPU, with batches of 64."""
    return Classifier(shipped_model(), device="cpu", batch_size=64)


@pytest.fixture(scope="session")
def tiny_detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """The detector with fixed weights, on the CPU, with batches of 5."""
    path = write_tiny_detector(tmp_path_factory.mktemp("detector") / "detector.keras")
    return Detector(path, device="cpu", batch_size=5)


@pytest.fixture(scope="module")
def stage_worker_ends() -> Iterator[None]:
    """End the worker of the stages of a cluster after the tests of a file; it would live as long as this process."""
    yield
    from batchocr.distributed.engines import ray_stages

    ray_stages._worker.cache_clear()
    for child in children():
        child.kill()
        child.wait()


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Make TensorFlow see four GPUs, the third one of another model; yield the GPUs that it is set to use."""
    import tensorflow as tf

    gpus = [tf.config.PhysicalDevice(f"/physical_device:GPU:{number}", "GPU") for number in range(4)]
    used: list[Any] = []

    def use(devices: list[Any], kind: str) -> None:
        used[:] = devices

    def details(gpu: Any) -> dict[str, str]:
        return {"device_name": "small" if gpu is gpus[2] else "large"}

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config, "set_visible_devices", use)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: used)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grows: None)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details)
    return used


@pytest.fixture(scope="session")
def samples_job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Read all samples with the default settings, but on the CPU, so that machines with a GPU give the same."""
    out = tmp_path_factory.mktemp("samples") / "results.csv"
    return Job(run([SAMPLES], out, Settings(device="cpu")), out)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove settings for cron from the environment of the tests."""
    for name in [name for name in os.environ if name.startswith("BATCHOCR_")]:
        monkeypatch.delenv(name)
