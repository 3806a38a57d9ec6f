"""A loaded network on one device, which answers in batches of one fixed shape through one compiled function."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import DeviceError, ModelError, UsageError
from batchocr.recognition.fork_check import check_not_forked
from batchocr.recognition.inference_graph import Answer, compiled
from batchocr.recognition.keras_archive_check import KerasFile, quoted
from batchocr.recognition.precision import fast_policy

DEVICES = ("auto", "cpu", "gpu")

log = logging.getLogger(__name__)

Shape = tuple[int | None, ...]


def open_device(device: str) -> Literal["cpu", "gpu"]:
    """Ready the device for Keras before its first use, and say which it is.

    GPU memory grows with need, so that others can use the card. Raises DeviceError for `gpu` where there is none.
    """
    if device not in DEVICES:
        raise UsageError(f"there is no device {device}; choose one of {', '.join(DEVICES)}")
    check_not_forked()
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


class Network:
    """A network that was checked and compiled for one batch shape. Loading takes seconds; keep it."""

    BATCH: ClassVar[dict[str, int]]
    """Inputs in a batch by device, where nothing else is asked for."""
    LEAST_BATCH: ClassVar[int] = 1

    def __init__(
        self,
        path: Path,
        file: KerasFile,
        shapes: tuple[Shape, Shape],
        *,
        device: str,
        batch_size: int | None,
        input_shape: tuple[int, ...],
    ) -> None:
        """`shapes` are those that its input and its answer must have, `input_shape` that of one input.

        Raises ModelError, DeviceError.
        """
        self.path = path
        self.device = open_device(device)
        self.batch_size = batch_size or self.BATCH[self.device]
        self._place = "cpu:0" if self.device == "cpu" else "gpu:0"
        self._input = input_shape
        self._answer = self._compiled(path, file, shapes)
        self.seconds = 0.0
        """Spent in answering."""
        self.warm_up()

    def _compiled(self, path: Path, file: KerasFile, shapes: tuple[Shape, Shape]) -> Answer:
        import keras

        try:
            with keras.device(self._place):
                network = file.load()
            found = tuple(network.input_shape), tuple(network.output_shape)
        except OSError as fault:
            raise ModelError(
                f"{path}: no copy can be made to load it from ({fault.strerror}); make room where temporary files go, "
                "or set TMPDIR to another folder"
            ) from fault
        except Exception as fault:  # Keras builds what the file says, and may stumble over it anywhere
            said = quoted(" ".join(str(fault).split()))
            raise ModelError(
                f"{path}: Keras {keras.__version__} cannot load it ({said}); choose another model"
            ) from fault
        if found != shapes:
            raise ModelError(
                f"{path}: from {found[0]} to {found[1]}, where {shapes[0]} to {shapes[1]} is needed; "
                "choose another model"
            )
        # XLA gains nothing for so small a network on a CPU and costs a second of start-up
        return self._answering(network, xla=self.device == "gpu", policy=fast_policy(self.device))

    def _answering(self, network: Any, *, xla: bool, policy: str | None) -> Answer:
        return compiled(network, xla=xla, policy=policy)

    def warm_up(self) -> None:
        """Compile for the batch shape, or the largest that there is memory for; ModelError where it cannot answer."""
        answer = self.answer(np.zeros((1, *self._input), np.uint8))
        self.seconds = 0.0
        if np.isnan(answer).any():
            raise ModelError(f"{self.path}: answers what is no number: its training diverged; choose another model")

    def _batch(self, inputs: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Answers to up to one batch; the rest of the shape is filled with zeros."""
        block = np.zeros((self.batch_size, *self._input), np.uint8)
        block[: len(inputs)] = inputs
        import keras

        with keras.device(self._place):
            return self._answer(block)[: len(inputs)]

    def batches(self, inputs: NDArray[np.uint8]) -> Iterator[NDArray[np.floating]]:
        """Answers to inputs (n, ...), some at a time, in order.

        Where the device's memory runs out, the batch is halved, and stays so.
        """
        start = 0
        while start < len(inputs):
            clock = time.perf_counter()
            try:
                part = self._batch(inputs[start : start + self.batch_size])
            except Exception as fault:
                if not _is_out_of_memory(fault) or self.batch_size // 2 < self.LEAST_BATCH:
                    raise
                self.batch_size //= 2
                log.warning("out of memory on the %s: going on with batches of %d", self.device, self.batch_size)
                continue
            finally:
                self.seconds += time.perf_counter() - clock
            start += len(part)
            yield part

    def answer(self, inputs: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Answers to inputs (n, ...), n at least 1."""
        return np.concatenate(list(self.batches(inputs)))
