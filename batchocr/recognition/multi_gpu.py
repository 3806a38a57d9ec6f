"""Several GPUs of one machine: the first is used by this process, each of the others by a process of its own."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchocr.child_process import ChildProcess
from batchocr.errors import DeviceError
from batchocr.process_setup import collect_garbage_less_often
from batchocr.recognition.calibration import Floats
from batchocr.recognition.detector import RawDetections
from batchocr.recognition.keras_archive_check import quoted
from batchocr.recognition.network import Network
from batchocr.recognition.networks import Models, Networks
from batchocr.records import Crops, TilePixels

log = logging.getLogger(__name__)


def other_gpus() -> list[str]:
    """List the GPUs of the same model as the one that this process uses. Call it after `open_device`.

    GPUs of other models are left out, because the results must not depend on which GPU computes them.

    Returns:
        CUDA's names of the GPUs; empty if this process does not use a GPU through TensorFlow.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")  # may be set by Slurm or a person, with indices or UUIDs
    names = [name.strip() for name in visible.split(",")] if visible else None
    others = []
    for used in tf.config.get_visible_devices("GPU")[:1]:
        for gpu in tf.config.list_physical_devices("GPU"):
            if gpu != used and details(gpu) == details(used):
                index = gpu.name.rpartition(":")[2]  # of /physical_device:GPU:1, as CUDA counts in this process
                others.append(names[int(index)] if names else index)
    return others


class MultiGpuNetworks(Networks):
    """Both networks on all GPUs of the same model, which share the tiles and crops. Close it to end its processes.

    The processes start with the first full batch, so that a small job does not wait for them. A process gets work as
    soon as it is ready. A process that dies or fails gets no more work and a warning is logged; this process computes
    the work that it had.
    """

    def __init__(
        self,
        models: Models,
        *,
        device: str = "auto",
        batch_size: int | None = None,
    ) -> None:
        """Load and compile both networks in this process.

        Args:
            models: Their files.
            device: `auto`, `cpu` or `gpu`.
            batch_size: Crops in a batch of the classifier; None for the default of the device.

        Raises:
            ModelError: A model cannot be used.
            DeviceError: The device is not available.
        """
        self._unstarted: list[str] = []  # GPUs whose process is not started yet
        self._others: list[_GpuProcess] = []
        super().__init__(models, device=device, batch_size=batch_size)
        self._unstarted = other_gpus()

    @property
    def device_count(self) -> int:
        """Number of GPUs that are ready, and so of batches that are computed in parallel."""
        return 1 + len(self._ready())

    def detect(self, tiles: TilePixels) -> RawDetections:
        """Detect digits and signs on tiles, as `Detector.detect`; the result does not depend on the number of GPUs."""
        parts = self._share_work(tiles, self.detector, super().detect)
        for start, part in parts:
            part[:, 0] += start
        return np.concatenate([part for _, part in parts])

    def classify(self, crops: Crops) -> Floats:
        """Classify crops, as `Classifier.classify`; the result does not depend on the number of GPUs."""
        return np.concatenate([part for _, part in self._share_work(crops, self.classifier, super().classify)])

    def _share_work(
        self, inputs: NDArray[np.uint8], network: Network, compute: Callable[[NDArray[np.uint8]], NDArray[Any]]
    ) -> list[tuple[int, NDArray[Any]]]:
        """Return the results of consecutive parts of the inputs, each with the index of its first input.

        `compute` computes a part in this process.
        """
        if self._unstarted and len(inputs) >= network.batch_size:
            self._start()
        others = self._ready()
        if not others:
            return [(0, compute(inputs))]
        clock, before = time.perf_counter(), network.seconds
        share = math.ceil(len(inputs) / network.batch_size / (1 + len(others))) * network.batch_size
        first, *parts = np.split(inputs, range(share, len(inputs), share or 1))
        jobs = list(zip(others, parts, strict=False))  # few inputs are not enough for all processes
        for other, part in jobs:
            other.send(part, network.batch_size)
        results = [(0, compute(first))]
        for place, (other, part) in enumerate(jobs, 1):
            try:
                results.append((place * share, other.receive()))
            except DeviceError as fault:
                self._remove(other, fault)
                results.append((place * share, compute(part)))
        network.seconds = before + time.perf_counter() - clock
        return results

    def close(self) -> None:
        """Kill the processes."""
        while self._others:
            self._others.pop().close()

    def _start(self) -> None:
        """Start a process for each other GPU."""
        names, self._unstarted = self._unstarted, []
        try:
            for gpu in names:
                self._others.append(_GpuProcess(gpu, self.models, self.device, self.classifier.batch_size))
        except OSError as fault:
            log.warning("no process can be started for another GPU (%s); continuing without it", fault.strerror)

    def _ready(self) -> list[_GpuProcess]:
        """Return the processes that have loaded the models, and remove those that failed."""
        for other in list(self._others):
            try:
                other.update_ready()
            except DeviceError as fault:
                self._remove(other, fault)
        return [other for other in self._others if other.ready]

    def _remove(self, other: _GpuProcess, fault: DeviceError) -> None:
        log.warning("GPU %s is not used (%s); continuing without it", other.gpu, fault)
        self._others.remove(other)
        other.close()


class _GpuProcess:
    """A process with its own GPU. It ends when its parent ends, even if the parent is killed."""

    def __init__(self, gpu: str, models: Models, device: str, batch_size: int) -> None:
        self.gpu = gpu
        self.ready = False
        """Whether it has loaded the models."""
        self._process = ChildProcess(_serve, gpu, models, device, batch_size)
        self._pipe = self._process.pipe

    def update_ready(self) -> None:
        """Update `ready`. Raises DeviceError if the process failed."""
        if not self.ready and self._pipe.poll():
            self.receive()
            self.ready = True

    def send(self, inputs: NDArray[np.uint8], batch_size: int) -> None:
        """Send tiles or crops; the process distinguishes them by their shape."""
        with suppress(OSError):  # a dead process is noticed in `receive`
            self._pipe.send((inputs, batch_size))

    def receive(self) -> NDArray[Any]:
        """Return the result for what was sent. Raises DeviceError with the reason if the process failed."""
        try:
            message: NDArray[Any] | str = self._pipe.recv()
        except (EOFError, OSError) as ended:
            raise DeviceError("its process died: out of memory?") from ended
        if isinstance(message, str):
            raise DeviceError(message)
        return message

    def close(self) -> None:
        self._process.close()


# In the process of another GPU


def _serve(pipe: Connection, gpu: str, models: Models, device: str, batch_size: int) -> None:
    """Answer tiles with raw detections and crops with probabilities. On a fault, send its message and end."""
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # before TensorFlow is imported
    collect_garbage_less_often()
    logging.disable()  # the parent logs what matters
    try:
        networks = Networks(models, device=device, batch_size=batch_size)
        result: NDArray[Any] = np.empty((0, 0))
        network: Network = networks.classifier
        while network.batch_size == batch_size:
            pipe.send(result)
            inputs, batch_size = pipe.recv()
            are_tiles = inputs.ndim == 4
            network = networks.detector if are_tiles else networks.classifier
            network.batch_size = batch_size  # that of the parent, which may shrink: all rows need the same batch shape
            result = networks.detect(inputs) if are_tiles else networks.classify(inputs)
        pipe.send(f"out of memory for batches of {batch_size}")
    except (EOFError, OSError):
        return  # the parent closed the pipe
    except Exception as fault:  # of any library: the other processes continue
        pipe.send(quoted(" ".join(str(fault).split())))
