"""Several GPUs of one machine: the first in this process, each of the others in a process that sees no other."""

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
from batchocr.process_setup import look_seldom
from batchocr.recognition.calibration import Floats
from batchocr.recognition.detector import Raw
from batchocr.recognition.keras_archive_check import quoted
from batchocr.recognition.network import Network
from batchocr.recognition.networks import Models, Networks
from batchocr.records import Crops, TilePixels

log = logging.getLogger(__name__)


def other_gpus() -> list[str]:
    """CUDA's names of the GPUs beside the one that this process uses; none where it uses none, or not by TensorFlow.

    Only those of its kind: which one answers must not change a row. Ask after `open_device`.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    kind = tf.config.experimental.get_device_details
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")  # may be set by Slurm or a person, with numbers or UUIDs
    names = [name.strip() for name in visible.split(",")] if visible else None
    others = []
    for used in tf.config.get_visible_devices("GPU")[:1]:
        for gpu in tf.config.list_physical_devices("GPU"):
            if gpu != used and kind(gpu) == kind(used):
                number = gpu.name.rpartition(":")[2]  # of /physical_device:GPU:1, as CUDA counts in this process
                others.append(names[int(number)] if names else number)
    return others


class Devices(Networks):
    """Both networks on all GPUs alike, among which tiles and crops are shared out. Close it, for it starts processes.

    They start with the first full batch, so that a small job costs nothing, and get work once they are ready. One that
    dies or has a fault gets no more, which a warning tells; what it had in hand is answered in this process.
    """

    def __init__(self, models: Models, *, device: str = "auto", batch_size: int | None = None) -> None:
        """As Networks."""
        self._names: list[str] = []  # GPUs whose process is not started
        self._others: list[_Other] = []
        super().__init__(models, device=device, batch_size=batch_size)
        self._names = other_gpus()

    @property
    def together(self) -> int:
        return 1 + len(self._ready())

    def detect(self, tiles: TilePixels) -> Raw:
        """As Networks', in the order given, whichever GPU answers."""
        parts = self._shared_out(tiles, self.detector, super().detect)
        for start, part in parts:
            part[:, 0] += start
        return np.concatenate([part for _, part in parts])

    def classify(self, crops: Crops) -> Floats:
        """As Networks', in the order given, whichever GPU answers."""
        return np.concatenate([part for _, part in self._shared_out(crops, self.classifier, super().classify)])

    def _shared_out(
        self, inputs: NDArray[np.uint8], network: Network, here: Callable[[NDArray[np.uint8]], NDArray[Any]]
    ) -> list[tuple[int, NDArray[Any]]]:
        """Answers to parts of the inputs, each with the place of its first."""
        if self._names and len(inputs) >= network.batch_size:
            self._start()
        others = self._ready()
        if not others:
            return [(0, here(inputs))]
        clock, before = time.perf_counter(), network.seconds
        share = math.ceil(len(inputs) / network.batch_size / (1 + len(others))) * network.batch_size
        first, *parts = np.split(inputs, range(share, len(inputs), share or 1))
        given = list(zip(others, parts, strict=False))  # few inputs are not for all
        for other, part in given:
            other.give(part, network.batch_size)
        answers = [(0, here(first))]
        for place, (other, part) in enumerate(given, 1):
            try:
                answers.append((place * share, other.answer()))
            except DeviceError as fault:
                self._lose(other, fault)
                answers.append((place * share, here(part)))
        network.seconds = before + time.perf_counter() - clock
        return answers

    def close(self) -> None:
        """Ends the processes at once."""
        while self._others:
            self._others.pop().close()

    def _start(self) -> None:
        names, self._names = self._names, []
        try:
            for gpu in names:
                self._others.append(_Other(gpu, self.models, self.device, self.classifier.batch_size))
        except OSError as fault:
            log.warning("no process can be started for another GPU (%s); going on without", fault.strerror)

    def _ready(self) -> list[_Other]:
        for other in list(self._others):
            try:
                other.look()
            except DeviceError as fault:
                self._lose(other, fault)
        return [other for other in self._others if other.ready]

    def _lose(self, other: _Other, fault: DeviceError) -> None:
        log.warning("GPU %s is not used (%s); going on without", other.gpu, fault)
        self._others.remove(other)
        other.close()


class _Other:
    """A process with a GPU of its own, that ends with its parent, however the parent ends."""

    def __init__(self, gpu: str, models: Models, device: str, batch_size: int) -> None:
        self.gpu = gpu
        self.ready = False
        """Whether it has loaded the models."""
        self._process = ChildProcess(_serve, gpu, models, device, batch_size)
        self._pipe = self._process.pipe

    def look(self) -> None:
        """Whether it is ready now. Raises DeviceError where it never will be."""
        if not self.ready and self._pipe.poll():
            self.answer()
            self.ready = True

    def give(self, inputs: NDArray[np.uint8], batch_size: int) -> None:
        """Tiles or crops, told by their shape."""
        with suppress(OSError):  # its death is seen when it is to answer
            self._pipe.send((inputs, batch_size))

    def answer(self) -> NDArray[Any]:
        """To what was given. Raises DeviceError, whose message says what happened to it."""
        try:
            said: NDArray[Any] | str = self._pipe.recv()
        except (EOFError, OSError) as ended:
            raise DeviceError("its process died: out of memory?") from ended
        if isinstance(said, str):
            raise DeviceError(said)
        return said

    def close(self) -> None:
        self._process.close()


# In the process of another GPU


def _serve(pipe: Connection, gpu: str, models: Models, device: str, batch_size: int) -> None:
    """Answers tiles with raw detections, crops with probabilities; a fault with what it says, and ends."""
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # before TensorFlow looks for any
    look_seldom()
    logging.disable()  # the parent tells what matters
    try:
        networks = Networks(models, device=device, batch_size=batch_size)
        answer: NDArray[Any] = np.empty((0, 0))
        network: Network = networks.classifier
        while network.batch_size == batch_size:
            pipe.send(answer)
            inputs, batch_size = pipe.recv()
            tiles = inputs.ndim == 4
            network = networks.detector if tiles else networks.classifier
            network.batch_size = batch_size  # the parent's may shrink: all rows come of one shape
            answer = networks.detect(inputs) if tiles else networks.classify(inputs)
        pipe.send(f"out of memory for batches of {batch_size}")
    except (EOFError, OSError):
        return  # the parent wants no more
    except Exception as fault:  # of TensorFlow, or ours: whatever it is, the others go on
        pipe.send(quoted(" ".join(str(fault).split())))
