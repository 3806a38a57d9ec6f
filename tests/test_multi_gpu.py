"""Several devices, simulated by processes on the CPU: equal results, dying processes, and no process left over."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from children import children
from conftest import SAMPLES
from interrupted import all_gone
from numpy.typing import NDArray
from strokes import crops
from test_classifier import SmallDevice

from batchocr import Settings, run
from batchocr.recognition import multi_gpu, network
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.detector import Detector
from batchocr.recognition.inference_graph import InferenceFunction, compile_model
from batchocr.recognition.model_file import shipped_model
from batchocr.recognition.multi_gpu import MultiGpuNetworks, other_gpus
from batchocr.recognition.network import open_device
from batchocr.recognition.networks import Models
from batchocr.records import TILE, Crops

LABELS = [i % 10 for i in range(300)]
NO_GPU = "-1"
SECONDS = 60.0
"""Time in which a process has loaded the models on any machine."""


def wait_for_all(devices: MultiGpuNetworks) -> None:
    end = time.monotonic() + SECONDS
    while any(not other.ready for other in devices._others) and time.monotonic() < end:
        time.sleep(0.05)
        assert devices.device_count >= 1
    assert devices.device_count == 2


@pytest.fixture(scope="module")
def models(tiny_detector: Detector) -> Models:
    return Models(tiny_detector.path, shipped_model())


@pytest.fixture(scope="module")
def started(models: Models) -> Iterator[MultiGpuNetworks]:
    devices = MultiGpuNetworks(models, device="cpu", batch_size=64)
    yield devices
    devices.close()


@pytest.fixture
def pair(started: MultiGpuNetworks) -> MultiGpuNetworks:
    """This process and another one, both on the CPU, with batches of 64."""
    if not started._others:
        started._unstarted = [NO_GPU]
        started.classify(crops(LABELS[:64]))
    wait_for_all(started)
    return started


def other_of(devices: MultiGpuNetworks) -> psutil.Process:
    return psutil.Process(devices._others[0]._process.pid)


@pytest.mark.parametrize("count", [0, 1, 64, 65, 128, 129, 192, 300])
def test_two_processes_give_the_result_of_one_in_the_same_order(
    count: int, pair: MultiGpuNetworks, classifier: Classifier
) -> None:
    given = crops(LABELS)[:count]
    assert np.array_equal(pair.classify(given), classifier.classify(given))
    assert pair.device_count == 2


@pytest.mark.parametrize("count", [0, 1, 16, 17, 40])
def test_two_processes_find_what_one_finds_on_the_same_tiles(count: int, pair: MultiGpuNetworks) -> None:
    tiles = np.full((count, TILE, TILE, 2), 60, np.uint8)
    for number, tile in enumerate(tiles):
        tile[100:140, 100 + 2 * number : 140 + 2 * number, 0] = 250
    found = pair.detect(tiles)
    assert np.array_equal(found, pair.detector.detect(tiles))
    assert np.unique(found[:, 0]).tolist() == list(range(count))
    assert pair.device_count == 2


def test_each_classifies_its_share(pair: MultiGpuNetworks, monkeypatch: pytest.MonkeyPatch) -> None:
    own: list[int] = []
    batch = pair.classifier._predict_batch

    def counted(part: Crops) -> NDArray[np.floating]:
        own.append(len(part))
        return batch(part)

    monkeypatch.setattr(pair.classifier, "_predict_batch", counted)
    pair.classify(crops(LABELS))
    assert own == [64, 64, 64]  # of 300; the other process has 108


def test_the_other_takes_the_batch_size_of_the_first(
    pair: MultiGpuNetworks, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (pair.classifier, classifier):
        monkeypatch.setattr(each, "batch_size", 32)
    assert np.array_equal(pair.classify(crops(LABELS)), classifier.classify(crops(LABELS)))
    assert pair.device_count == 2


@pytest.mark.parametrize("busy", [False, True])
def test_the_crops_of_a_dead_process_are_classified_by_the_first(
    busy: bool, pair: MultiGpuNetworks, classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    other = other_of(pair)
    if busy:
        other.suspend()
        threading.Timer(0.5, other.kill).start()
    else:
        pair._others[0]._process.kill()
        pair._others[0]._process.join(10)
    assert np.array_equal(pair.classify(crops(LABELS)), classifier.classify(crops(LABELS)))
    assert pair.device_count == 1
    assert caplog.messages == ["GPU -1 is not used (its process died: out of memory?); continuing without it"]


def test_a_process_that_cannot_load_the_model_is_reported_and_not_used(
    models: Models, classifier: Classifier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(multi_gpu, "other_gpus", lambda: [NO_GPU])
    with closing(MultiGpuNetworks(models, device="cpu", batch_size=64)) as devices:
        monkeypatch.setenv("KERAS_BACKEND", "abacus")
        answers = devices.classify(crops(LABELS))
        end = time.monotonic() + SECONDS
        while devices._others and time.monotonic() < end:
            time.sleep(0.05)
            assert devices.device_count == 1
    assert np.array_equal(answers, classifier.classify(crops(LABELS)))
    assert len(caplog.messages) == 1 and "abacus" in caplog.messages[0]


def test_a_process_with_less_memory_reports_it_and_ends(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(model: Any, **options: Any) -> InferenceFunction:
        return SmallDevice(compile_model(model, **options), 100)

    monkeypatch.setattr(network, "compile_model", small)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # restored after the test
    pipe, child_pipe = Pipe()
    try:
        multi_gpu._serve(child_pipe, NO_GPU, models, "cpu", 256)
    finally:
        logging.disable(logging.NOTSET)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == NO_GPU
    assert pipe.recv() == "out of memory for batches of 256"


def test_no_process_is_started_before_a_batch_is_full(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_gpu, "other_gpus", lambda: [NO_GPU])
    before = set(children())
    with closing(MultiGpuNetworks(models, device="cpu", batch_size=64)) as devices:
        devices.classify(crops(LABELS[:63]))
        assert set(children()) == before
        devices.classify(crops(LABELS[:64]))
        assert len(children()) == len(before) + 1
    assert set(children()) == before


def test_a_run_with_two_processes_writes_the_same_bytes_as_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(device="cpu", batch_size=16, jobs=1)
    run([SAMPLES], tmp_path / "one.csv", settings)
    monkeypatch.setattr(multi_gpu, "other_gpus", lambda: [NO_GPU])
    before, start, counts = set(children()), MultiGpuNetworks._start, []

    def start_and_wait(devices: MultiGpuNetworks) -> None:
        start(devices)
        wait_for_all(devices)
        counts.append(devices.device_count)

    monkeypatch.setattr(MultiGpuNetworks, "_start", start_and_wait)
    run([SAMPLES], tmp_path / "two.csv", settings)
    assert counts == [2]
    for name in ("csv", "numbers.csv"):
        assert (tmp_path / f"two.{name}").read_bytes() == (tmp_path / f"one.{name}").read_bytes()
    assert set(children()) == before


PARENT = """
import sys, time
import numpy as np
from batchocr.recognition import multi_gpu as devices
from batchocr.recognition.model_file import shipped_detector, shipped_model
from batchocr.recognition.networks import Models

if __name__ == "__main__":
    devices.other_gpus = lambda: ["-1"]
    both = devices.MultiGpuNetworks(Models(shipped_detector(), shipped_model()), device="cpu", batch_size=16)
    both.classify(np.zeros((16, 28, 28), np.uint8))
    if sys.argv[1] == "busy":
        while both.device_count == 1:
            time.sleep(0.05)
        both._others[0].send(np.zeros((100_000, 28, 28), np.uint8), 1)  # minutes of work
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("when", ["loading", "busy"])
def test_the_processes_end_if_their_parent_is_killed(when: str, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, script, when], stdout=subprocess.PIPE) as parent:
        assert parent.stdout and parent.stdout.readline() == b"ready\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    assert children and all_gone(children)


def test_the_processes_ignore_a_signal_to_the_whole_group(pair: MultiGpuNetworks) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        other_of(pair).send_signal(number)
    assert len(pair.classify(crops(LABELS))) == len(LABELS)
    assert pair.device_count == 2


def test_without_gpus_there_are_no_other_gpus() -> None:
    open_device("cpu")
    assert other_gpus() == []


@pytest.mark.parametrize(
    "visible, names",
    [(None, ["1", "3"]), ("4, 5,6,7", ["5", "7"]), ("GPU-a,GPU-b,GPU-c,GPU-d", ["GPU-b", "GPU-d"])],
)
def test_other_gpus_of_the_same_model_have_their_cuda_names(
    visible: str | None, names: list[str], four_gpus: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert open_device("auto") == "gpu"
    assert [gpu.name for gpu in four_gpus] == ["/physical_device:GPU:0"]
    assert other_gpus() == names


def test_unwanted_gpus_are_not_used(four_gpus: list[Any]) -> None:
    assert open_device("cpu") == "cpu"
    assert four_gpus == []
    assert other_gpus() == []
