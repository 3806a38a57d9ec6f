"""Crops → calibrated probabilities, in batches of one fixed shape through one compiled function."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from batchocr.errors import DeviceError, ModelError, UsageError
from batchocr.recognition.calibration import NONE, Floats, scale
from batchocr.recognition.compiled import compiled
from batchocr.recognition.keras_file import quoted
from batchocr.recognition.model import Sidecar, read_model
from batchocr.records import Crops

DEVICES = ("auto", "cpu", "gpu")

BATCH = {"cpu": 256, "gpu": 4096}
"""Crops in a batch where nothing else is asked for."""
LEAST_BATCH = 16
TENSOR_CORES = (7, 0)
"""NVIDIA's compute capability from which on GPUs have units for 16 bits."""

log = logging.getLogger(__name__)


def open_device(device: str) -> Literal["cpu", "gpu"]:
    """Ready the device for Keras before its first use, and say which it is.

    GPU memory grows with need, so that others can use the card. Raises DeviceError for `gpu` where there is none.
    """
    if device not in DEVICES:
        raise UsageError(f"there is no device {device}; choose one of {', '.join(DEVICES)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _hushed():
        backend, found = _find_gpu(wanted=device != "cpu")
    if device == "gpu" and not found:
        raise DeviceError(
            f"no GPU that {backend} can use; install its driver and `pip install batchocr[gpu]`, or use --device cpu"
        )
    return "gpu" if found and device != "cpu" else "cpu"


def _find_gpu(wanted: bool) -> tuple[str, bool]:
    """Keras's backend, and whether it sees a GPU; TensorFlow leaves a GPU alone that is not wanted."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")  # it warns of how we call it, and cron mails that
        gpus = tf.config.list_physical_devices("GPU")
        try:
            used = gpus[:1] if wanted else []  # others have a process each, or are left alone
            tf.config.set_visible_devices(used, "GPU")
            for gpu in used:
                tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError as fault:  # TensorFlow is at work in this process already, with what it has
            log.debug("the devices stay as they are: %s", fault)
        return backend, bool(tf.config.get_visible_devices("GPU"))
    if backend == "jax":
        import jax

        return backend, jax.default_backend() == "gpu"
    import torch

    return backend, torch.cuda.is_available()


def _halves() -> bool:
    """Whether TensorFlow is used, on a GPU with units for 16 bits."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    details = tf.config.experimental.get_device_details(tf.config.get_visible_devices("GPU")[0])
    return bool(details.get("compute_capability", (0, 0)) >= TENSOR_CORES)


@contextmanager
def _hushed() -> Iterator[None]:
    """What libraries in C++ write to standard error meanwhile goes to our log, at debug.

    TensorFlow greets on import whatever TF_CPP_MIN_LOG_LEVEL says (tensorflow/tensorflow#100442), and cron mails it.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with _scratch() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            said.seek(0)
            log.debug("%s", said.read().decode(errors="replace"))


def _is_out_of_memory(fault: Exception) -> bool:
    """TensorFlow, JAX and torch each have an exception of their own for a full device."""
    name = type(fault).__name__
    full = name in ("ResourceExhaustedError", "OutOfMemoryError") or isinstance(fault, MemoryError)
    return full or "RESOURCE_EXHAUSTED" in str(fault)


def _scratch() -> BinaryIO:
    """A file that needs no writable folder, where the system has such."""
    return os.fdopen(os.memfd_create("said"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile()


class Classifier:
    """A loaded model on one device. Loading takes seconds; keep it."""

    def __init__(self, model: Path, *, device: str = "auto", batch_size: int | None = None) -> None:
        """Load and compile `model`. Raises ModelError, DeviceError."""
        self.path = model
        self.sidecar: Sidecar
        self.sidecar, file = read_model(model)
        self.device = open_device(device)
        self.batch_size = batch_size or BATCH[self.device]
        self._place = "cpu:0" if self.device == "cpu" else "gpu:0"
        try:
            network = file.load()
            shapes = network.input_shape, network.output_shape
        except OSError as fault:
            raise ModelError(
                f"{model}: no copy can be made to load it from ({fault.strerror}); make room where temporary files go, "
                "or set TMPDIR to another folder"
            ) from fault
        except Exception as fault:  # Keras builds what the file says, and may stumble over it anywhere
            import keras

            said = quoted(" ".join(str(fault).split()))
            raise ModelError(
                f"{model}: Keras {keras.__version__} cannot load it ({said}); choose another model"
            ) from fault
        wanted = (None, *self.sidecar.input_shape), (None, len(self.sidecar.classes))
        if shapes != wanted:
            raise ModelError(
                f"{model}: from {shapes[0]} to {shapes[1]}, where {wanted[0]} to {wanted[1]} is needed; "
                "choose another model"
            )
        # XLA gains nothing for so small a network on a CPU and costs a second of start-up
        on_gpu = self.device == "gpu"
        self._answer = compiled(network, xla=on_gpu, half=on_gpu and _halves())
        self.seconds = 0.0
        """Spent in `classify`."""
        self.warm_up()

    @property
    def together(self) -> int:
        """Batches that are classified at once."""
        return 1

    def warm_up(self) -> None:
        """Compile for the batch shape, or the largest that there is memory for; ModelError where it cannot answer."""
        answer = self.classify(np.zeros((1, *self.sidecar.input_shape), np.uint8))
        self.seconds = 0.0
        if np.isnan(answer).any():
            raise ModelError(f"{self.path}: answers what is no number: its training diverged; choose another model")

    def _batch(self, crops: Crops) -> Floats:
        """Probabilities of up to one batch; the rest of the shape is filled with empty crops."""
        block = np.zeros((self.batch_size, *self.sidecar.input_shape), np.uint8)
        block[: len(crops)] = crops
        import keras

        with keras.device(self._place):
            return self._answer(block)[: len(crops)].astype(np.float64)

    def classify(self, crops: Crops) -> Floats:
        """Calibrated probabilities (n, 11) of crops (n, 28, 28): the ten digits, and none of them.

        A model that knows only the ten digits gives 0 for the last.

        Where the device's memory runs out, the batch is halved, and stays so.
        """
        clock = time.perf_counter()
        parts, start = [], 0
        while start < len(crops):
            try:
                parts.append(self._batch(crops[start : start + self.batch_size]))
                start += len(parts[-1])
            except Exception as fault:
                if not _is_out_of_memory(fault) or self.batch_size // 2 < LEAST_BATCH:
                    raise
                self.batch_size //= 2
                log.warning("out of memory on the %s: going on with batches of %d", self.device, self.batch_size)
        raw = np.concatenate(parts) if parts else np.empty((0, len(self.sidecar.classes)))
        self.seconds += time.perf_counter() - clock
        calibrated = scale(raw, self.sidecar.temperature)
        return np.pad(calibrated, ((0, 0), (0, NONE + 1 - calibrated.shape[1])))
