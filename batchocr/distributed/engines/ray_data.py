"""Read work items on a cluster, with Ray Data: tasks prepare pages, actors hold the networks, tasks decode."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import sys
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from batchocr.batch.local_pages import STAGES
from batchocr.batch.parts import PageRecord, unpack
from batchocr.batch.summary import Counts
from batchocr.distributed.engines import Job
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.table_job import TableJob, TableTask, do_task
from batchocr.errors import BatchocrError, DeviceError, UsageError
from batchocr.executors.local import default_jobs
from batchocr.version import code_sha256

log = logging.getLogger(__name__)

WAVE = 20_000
"""Work items of one dataset at most: the driver holds them in memory."""
BLOCK_BYTES = 64 << 20
"""Bytes of a block of units, about."""
MAX_BLOCKS = 4_000
"""Blocks of work items at most: each is a task, of which the driver keeps account."""
ANSWER_S = 10.0
"""Seconds in which the head of a cluster must answer."""
ACTOR_RETRIES = 3
"""How often a unit is given to an actor again whose process ended."""


class RayEngine:
    """Reads on a cluster of Ray, or on a cluster of this machine alone that ends with the run."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.stages = dict.fromkeys(STAGES, 0.0)
        self.device = ""
        self._is_connected = False

    def read(self, planned: Iterator[ItemPlan], *, alone: bool) -> Generator[PageRecord]:
        """See `Engine`.

        Raises:
            UsageError: Ray is not installed.
            BatchocrError: The cluster cannot be reached, or a machine has another program.
        """
        ray = self._connected()
        with _faults(ray):
            while wave := list(islice(planned, WAVE)):
                with closing(self._read_wave(ray, wave, alone=alone)) as records:
                    yield from records

    def write_tables(self, job: TableJob, tasks: Iterable[TableTask]) -> Iterator[Counts]:
        """See `Engine`. The counts come in the order of the tasks."""
        ray = self._connected()
        remote = ray.remote(do_task)
        running: deque[Any] = deque()
        with _faults(ray):
            for task in tasks:
                running.append(remote.remote(job, task))
                if len(running) >= max(2, int(ray.cluster_resources().get("CPU", 2))):
                    yield ray.get(running.popleft())
            while running:
                yield ray.get(running.popleft())

    def close(self) -> None:
        """End a cluster of this machine alone, or leave another one."""
        if self._is_connected:
            self._is_connected = False
            _import_ray().shutdown()

    def _connected(self) -> Any:
        """Return Ray, connected to the cluster."""
        ray = _import_ray()
        if not ray.is_initialized():
            _connect(ray, self._job)
            self._is_connected = True
        return ray

    def _read_wave(self, ray: Any, wave: list[ItemPlan], *, alone: bool) -> Generator[PageRecord]:
        from batchocr.distributed.engines.ray_stages import ReadUnits, decode, prepare

        _set_up_data(ray)
        gpus = _gpus(ray, self._job.settings.device)
        self.device = "gpu" if gpus else "cpu"
        actors = _actors(ray, self._job.settings.ray_actors, int(gpus))
        context = ray.put(self._context(alone=alone))
        items = [{"item": pickle.dumps(each)} for each in wave]
        data = (
            ray.data.from_items(items, override_num_blocks=_blocks(len(items)))
            .map_batches(prepare, fn_args=[context], batch_size=1, num_cpus=1, batch_format="numpy")
            .map_batches(
                ReadUnits,
                fn_constructor_args=[context],
                batch_size=None,
                batch_format="numpy",
                compute=ray.data.ActorPoolStrategy(size=actors),
                num_cpus=1,
                num_gpus=1 if gpus else 0,
                ray_remote_args_fn=_actor_options,
            )
            .map_batches(decode, fn_args=[context], batch_size=1, num_cpus=0.5, batch_format="numpy")
        )
        for row in data.iter_rows():
            stages, error, shown = pickle.loads(row["rest"])  # noqa: S301  from `decode`
            if error is not None:
                raise error
            for name, seconds in stages.items():
                self.stages[name] += seconds
            for record, page in zip(unpack(row["pages"], "a part of the cluster"), shown, strict=True):
                yield replace(record, shown=page)
            if self._job.should_stop():
                return

    def _context(self, *, alone: bool) -> Any:
        """Return what all stages know, with the content of the models' files."""
        from batchocr.distributed.engines.ray_stages import PARAMETERS, Context
        from batchocr.executors.blank_forms import load_blanks

        job = self._job
        settings, reading = job.settings, job.models.reading
        models = reading.models(job.models.models)
        paths = [path for model in (models.detector, models.classifier) for path in (model, model.with_suffix(".json"))]
        return Context(
            settings,
            job.journal,
            reading.decoding(),
            {path.name: path.read_bytes() for path in paths},
            models,
            load_blanks(settings.blank, settings.max_megapixels, settings.pdf_password),
            job.models.forms,
            job.marking,
            code_sha256(),
            replace(PARAMETERS, pages=1) if alone else PARAMETERS,
        )


def _import_ray() -> Any:
    """Return Ray. Raises UsageError if it is not installed."""
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # else the driver prints what its log files have
    try:
        import ray
        import ray.data
    except ImportError as fault:
        raise UsageError("--engine ray needs Ray: install it: pip install 'batchocr[ray]'") from fault
    logging.getLogger("ray").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=ray.util.annotations.RayDeprecationWarning)
    return ray


@contextmanager
def _faults(ray: Any) -> Iterator[None]:
    """Turn errors of Ray into BatchocrError, and raise what a task of ours raised as it is."""
    try:
        yield
    except ray.exceptions.RayTaskError as fault:
        if isinstance(fault.cause, BatchocrError):
            raise fault.cause from fault
        raise BatchocrError(f"the cluster of Ray failed ({_first_line(fault)}): see its logs") from fault
    except ray.exceptions.RayError as fault:
        raise BatchocrError(f"the cluster of Ray failed ({_first_line(fault)}): see its logs") from fault


def _connect(ray: Any, job: Job) -> None:
    """Connect to the cluster, or start one on this machine."""
    address = job.settings.ray_address or os.environ.get("RAY_ADDRESS")
    if address and address.startswith("ray://"):
        fix = "start the run on a machine of the cluster with --ray-address auto, or with `ray job submit`"
        raise UsageError(f"--ray-address {address}: Ray Data does not work through Ray Client: {fix}")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    if not address:
        # the networks use all cores beside the tasks, as in a run without Ray; so the system divides the cores
        options |= {"num_cpus": (job.settings.jobs or default_jobs()) + 2, "include_dashboard": False}
    _check_answers(address)
    try:
        with _without_stderr():
            ray.init(address=address or "local", **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as fault:
        where = f"at {address}" if address else "on this machine"
        raise BatchocrError(f"no cluster of Ray {where} ({_first_line(fault)}): check --ray-address") from fault


def _check_answers(address: str | None) -> None:
    """Raise BatchocrError if nothing answers at `host:port`: Ray itself tries for minutes."""
    host, _, port = (address or "").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except OSError as fault:
        why = fault.strerror or fault
        raise BatchocrError(f"no cluster of Ray at {address} ({why}): check --ray-address") from fault


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Discard what the C++ library of Ray prints, such as its log level."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def _actor_options() -> dict[str, Any]:
    """Return how actors that end are replaced: always, but a unit that ends them is not tried for ever."""
    return {"max_restarts": -1, "max_task_retries": ACTOR_RETRIES}


def _set_up_data(ray: Any) -> None:
    """Set what all datasets of this process share."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.memory_usage_poll_interval_s = None  # it reads all memory maps of each process every second
    context.target_max_block_size = BLOCK_BYTES
    context.max_errored_blocks = -1  # the driver gives work items again whose pages do not come back
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _gpus(ray: Any, device: str) -> float:
    """Return the number of GPUs to use. Raises DeviceError if there is none but one is asked for."""
    count = 0.0 if device == "cpu" else float(ray.cluster_resources().get("GPU", 0))
    if device == "gpu" and not count:
        raise DeviceError("--device gpu: no machine of the cluster has a GPU: give --device cpu")
    return count


def _actors(ray: Any, wanted: int | None, gpus: int) -> int:
    """Return how many actors hold the networks: one for each GPU, or one for each machine.

    Each takes a CPU, and one CPU must remain for the tasks that prepare pages: else all would wait for each other.

    Raises:
        BatchocrError: The cluster has too few CPUs.
    """
    cpus = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    most = sum(cpus) - 1
    if most < 1:
        raise BatchocrError(f"the cluster has {sum(cpus)} CPUs for tasks, and needs two or more: see `ray status`")
    if wanted and wanted > most:
        raise BatchocrError(f"--ray-actors {wanted}: the cluster has {most + 1} CPUs: give {most} or fewer")
    return wanted or min(most, gpus or sum(count > 0 for count in cpus))


def _blocks(items: int) -> int:
    """Return into how many blocks work items are divided: each is a task."""
    return max(1, min(items, MAX_BLOCKS))


def _first_line(fault: BaseException) -> str:
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return lines[-1] if lines else type(fault).__name__
