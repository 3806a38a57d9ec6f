"""A network on one device, compiled for batches of one fixed shape."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import DeviceError, ModelError, UsageError
from batchocr.recognition.fork_check import check_not_forked
from batchocr.recognition.inference_graph import PARAMETERS as GRAPH
from batchocr.recognition.inference_graph import GraphParameters, InferenceFunction, compile_model
from batchocr.recognition.keras_archive_check import KerasFile, quoted
from batchocr.recognition.precision import fast_policy

DEVICES = ("auto", "cpu", "gpu")

log = logging.getLogger(__name__)

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class NetworkParameters:
    """Batch sizes of a network and how it is compiled."""

    cpu_batch_size: int = 16
    """Default number of inputs in a batch on the CPU. Basis: chosen by eye, for tiles."""
    gpu_batch_size: int = 64
    """Default number of inputs in a batch on a GPU. Basis: chosen by eye, for tiles."""
    min_batch_size: int = 1
    """Smallest batch that is tried if the memory of the device runs out. Basis: chosen by eye."""
    graph: GraphParameters = GRAPH
    """How the network is compiled."""


def open_device(device: str) -> Literal["cpu", "gpu"]:
    """Prepare a device for Keras. Call it before the first use of Keras.

    GPU memory is allocated as it is needed, so that other programs can use the GPU too.

    Args:
        device: `auto`, `cpu` or `gpu`.

    Returns:
        The device that is used.

    Raises:
        UsageError: There is no device of that name.
        DeviceError: `gpu` is required, but there is no GPU that can be used.
    """
    if device not in DEVICES:
        raise UsageError(f"there is no device {device}; choose one of {', '.join(DEVICES)}")
    check_not_forked()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _stderr_to_log():
        backend, has_gpu = _find_gpu(wanted=device != "cpu")
    if device == "gpu" and not has_gpu:
        raise DeviceError(
            f"no GPU that {backend} can use; install its driver and `pip install batchocr[gpu]`, or use --device cpu"
        )
    return "gpu" if has_gpu and device != "cpu" else "cpu"


def _find_gpu(wanted: bool) -> tuple[str, bool]:
    """Return the backend of Keras and whether it has a GPU. TensorFlow does not touch a GPU that is not wanted."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")  # its warnings concern our calls, and cron would mail them
        gpus = tf.config.list_physical_devices("GPU")
        try:
            used = gpus[:1] if wanted else []  # multi_gpu starts a process for each other GPU
            tf.config.set_visible_devices(used, "GPU")
            for gpu in used:
                tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError as fault:  # TensorFlow already runs in this process with its devices
            log.debug("the devices are not changed: %s", fault)
        return backend, bool(tf.config.get_visible_devices("GPU"))
    if backend == "jax":
        import jax

        return backend, jax.default_backend() == "gpu"
    import torch

    return backend, torch.cuda.is_available()


@contextmanager
def _stderr_to_log() -> Iterator[None]:
    """Redirect what C++ libraries write to standard error into our log, at level debug.

    TensorFlow prints messages on import whatever TF_CPP_MIN_LOG_LEVEL is (tensorflow/tensorflow#100442), and cron mails
    them.
    """
    sys.stderr.flush()
    original = os.dup(2)
    with _temporary_file() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
            captured.seek(0)
            log.debug("%s", captured.read().decode(errors="replace"))


def _is_out_of_memory(fault: Exception) -> bool:
    """Determine whether an exception means that the device is full. TensorFlow, JAX and torch each have their own."""
    name = type(fault).__name__
    full = name in ("ResourceExhaustedError", "OutOfMemoryError") or isinstance(fault, MemoryError)
    return full or "RESOURCE_EXHAUSTED" in str(fault)


def _temporary_file() -> BinaryIO:
    """Open a temporary file, in memory if the system can, so that no writable folder is needed."""
    return os.fdopen(os.memfd_create("stderr"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile()


class Network:
    """A checked network, compiled for one batch shape. Loading takes seconds, so keep the object."""

    def __init__(
        self,
        path: Path,
        file: KerasFile,
        shapes: tuple[Shape, Shape],
        *,
        device: str,
        batch_size: int | None,
        input_shape: tuple[int, ...],
        parameters: NetworkParameters,
    ) -> None:
        """Load and compile a network.

        Args:
            path: The `.keras` file, for messages.
            file: Its checked content.
            shapes: Shapes that its input and its output must have, with None for the batch size.
            device: `auto`, `cpu` or `gpu`.
            batch_size: Inputs in a batch; None for the default of the device.
            input_shape: Shape of one input.
            parameters: Default batch sizes, and how the network is compiled.

        Raises:
            ModelError: The network cannot be loaded, has other shapes, or its outputs are not numbers.
            DeviceError: The device is not available.
        """
        self.path = path
        self.device = open_device(device)
        default = parameters.cpu_batch_size if self.device == "cpu" else parameters.gpu_batch_size
        self.batch_size = batch_size or default
        self._network_parameters = parameters
        self._keras_device = "cpu:0" if self.device == "cpu" else "gpu:0"
        self._input_shape = input_shape
        self._infer = self._load(path, file, shapes)
        self.seconds = 0.0
        """Time spent in the network, in seconds."""
        self.warm_up()

    def _load(self, path: Path, file: KerasFile, shapes: tuple[Shape, Shape]) -> InferenceFunction:
        """Load the network, check its shapes and compile it."""
        import keras

        try:
            with keras.device(self._keras_device):
                network = file.load()
            actual = tuple(network.input_shape), tuple(network.output_shape)
        except OSError as fault:
            raise ModelError(
                f"{path}: no copy can be made to load it from ({fault.strerror}); make room in the folder of temporary "
                "files, or set TMPDIR to another folder"
            ) from fault
        except Exception as fault:  # Keras builds what the file says and may raise anything
            detail = quoted(" ".join(str(fault).split()))
            raise ModelError(
                f"{path}: Keras {keras.__version__} cannot load it ({detail}); choose another model"
            ) from fault
        if actual != shapes:
            raise ModelError(
                f"{path}: its input and output have the shapes {actual[0]} and {actual[1]}, "
                f"but {shapes[0]} and {shapes[1]} are needed; choose another model"
            )
        # on a CPU, XLA does not make such a small network faster and costs a second at the start
        return self._compile(network, xla=self.device == "gpu", policy=fast_policy(self.device))

    def _compile(self, network: Any, *, xla: bool, policy: str | None) -> InferenceFunction:
        return compile_model(network, xla=xla, policy=policy, parameters=self._network_parameters.graph)

    def warm_up(self) -> None:
        """Compile the network for the batch shape, or for the largest one that fits into memory.

        Raises:
            ModelError: The output contains NaN.
        """
        output = self.predict(np.zeros((1, *self._input_shape), np.uint8))
        self.seconds = 0.0
        if np.isnan(output).any():
            raise ModelError(f"{self.path}: its output contains NaN, so its training diverged; choose another model")

    def _predict_batch(self, inputs: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Compute the outputs of at most one batch, padded with zeros to the batch shape."""
        block = np.zeros((self.batch_size, *self._input_shape), np.uint8)
        block[: len(inputs)] = inputs
        import keras

        with keras.device(self._keras_device):
            return self._infer(block)[: len(inputs)]

    def predict_batches(self, inputs: NDArray[np.uint8]) -> Iterator[NDArray[np.floating]]:
        """Compute outputs batch by batch.

        If the memory of the device runs out, the batch size is halved and stays so.

        Args:
            inputs: Inputs (n, ...).

        Yields:
            The outputs (m, ...) of consecutive parts of the inputs, in order.

        Raises:
            Exception: The backend failed, or even the smallest batch does not fit into memory.
        """
        start = 0
        while start < len(inputs):
            clock = time.perf_counter()
            try:
                part = self._predict_batch(inputs[start : start + self.batch_size])
            except Exception as fault:
                halved = self.batch_size // 2
                if not _is_out_of_memory(fault) or halved < self._network_parameters.min_batch_size:
                    raise
                self.batch_size = halved
                log.warning("out of memory on the %s: continuing with batches of %d", self.device, self.batch_size)
                continue
            finally:
                self.seconds += time.perf_counter() - clock
            start += len(part)
            yield part

    def predict(self, inputs: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Compute the outputs of inputs.

        Args:
            inputs: Inputs (n, ...), at least one.

        Returns:
            Outputs (n, ...).
        """
        return np.concatenate(list(self.predict_batches(inputs)))
