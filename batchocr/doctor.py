"""Whether the main job would run here, and what to fix if not: libraries, devices, the models, a page read."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from batchocr.errors import BatchocrError, ExitCode
from batchocr.version import __version__

if TYPE_CHECKING:
    from batchocr.settings import DeviceName

PACKAGES = (
    *("keras", "tensorflow", "opencv-python", "numpy", "pandas", "pyarrow", "pillow", "pypdfium2", "pydantic"),
    *("matplotlib", "typer", "tqdm"),
)
SELF_TEST = ("selftest.png", "2017")
"""The built-in page and what is written on it."""
LEAST_ALIKE = 0.7
"""Share of what is read and what is written that must agree: one digit of four may be misread."""
OPENCV_FIX = "sudo apt-get install -y libgl1 libglib2.0-0 (or the like on your system)"


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    state: Literal["ok", "note", "fault"]
    """Only a fault keeps the main job from running."""
    detail: str
    fix: str = ""
    code: int = ExitCode.INTERNAL
    """What a run would end with for this fault."""


def examine(model: Path | None = None, device: DeviceName = "auto", detector: Path | None = None) -> Iterator[Finding]:
    """All that matters to a run, one by one as it is known; the last is a page read by the main job itself."""
    yield Finding("batchocr", "ok", f"{__version__} in {Path(__file__).parent}")
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")
    versions = dict(_versions())
    missing = [package for package, version in versions.items() if not version]
    told = ", ".join(f"{package} {version or 'missing'}" for package, version in versions.items())
    yield Finding("packages", "fault" if missing else "ok", told, "install batchocr again: pip install .")
    yield Finding("processors", "ok", _processors())
    yield Finding("memory", "ok", _memory())
    yield _guarded("opencv", _opencv)
    yield _guarded("keras", lambda: _keras(device))
    yield _guarded("gpu", lambda: _gpu(device))
    yield _guarded("model", lambda: _model(model))
    yield _guarded("detector", lambda: _detector(detector))
    yield _guarded("self-test", lambda: _self_test(model, detector, device))


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    """What `look` finds; an exception is a fault that is told, and the next thing is looked at."""
    try:
        return look()
    except BatchocrError as fault:
        return Finding(name, "fault", str(fault), code=fault.exit_code)
    except ImportError as fault:
        return Finding(name, "fault", str(fault), missing_library(fault) or "install batchocr again: pip install .")
    except Exception as fault:  # a doctor who falls ill on a finding helps nobody
        return Finding(name, "fault", f"{type(fault).__name__}: {fault}", "please report this")


def missing_library(fault: ImportError) -> str:
    """The fix where a package could not be loaded for want of a library of the system; empty for other faults."""
    return OPENCV_FIX if ".so" in str(fault) and any(lib in str(fault) for lib in ("libGL", "libg", "libX")) else ""


def _versions() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            yield package, ""


def _processors() -> str:
    from batchocr.executors.local import default_jobs

    return (
        f"{default_jobs()} of {os.cpu_count()} for this process: as many workers find digits, unless --jobs says else"
    )


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{pages:.1f} GiB, {free:.1f} free"


def _opencv() -> Finding:
    cv2 = import_module("cv2")
    return Finding("opencv", "ok", f"{cv2.__version__}, {cv2.getNumThreads()} threads")


def _keras(device: str) -> Finding:
    from batchocr.recognition.network import open_device

    open_device("cpu" if device == "cpu" else "auto")
    keras = import_module("keras")
    return Finding("keras", "ok", f"{keras.__version__} on {keras.backend.backend()}")


def _gpu(device: str) -> Finding:
    """What the backend says of GPUs. None is a fault only where one was asked for."""
    from batchocr.recognition.multi_gpu import other_gpus
    from batchocr.recognition.network import open_device

    if device == "cpu":
        return Finding("gpu", "ok", "none is asked for")
    if open_device("auto") == "gpu":
        names = list(_gpu_names())
        used = f"; {1 + len(other_gpus())} of these are used" if len(names) > 1 else ""
        return Finding("gpu", "ok", (", ".join(names) or "found") + used)
    why = _why_no_gpu()
    fix = "install the NVIDIA driver, then pip install 'batchocr[gpu]'"
    if device == "gpu":
        return Finding("gpu", "fault", f"there is none: {why}", f"{fix}, or use --device cpu", ExitCode.DEVICE)
    return Finding("gpu", "note", f"none is used: {why}", f"{fix}; pages are read on the processor until then")


def _gpu_names() -> Iterator[str]:
    if import_module("keras").backend.backend() == "tensorflow":
        tf = import_module("tensorflow")
        for gpu in tf.config.list_physical_devices("GPU"):
            yield str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))


def _why_no_gpu() -> str:
    if not any(Path(p).exists() for p in ("/dev/nvidia0", "/proc/driver/nvidia/version", "/dev/dxg")):
        return "this machine shows no NVIDIA device (in a container: start it with --gpus all)"
    if import_module("keras").backend.backend() == "tensorflow":
        tf = import_module("tensorflow")
        if not tf.test.is_built_with_cuda():
            return "a device is there, but this TensorFlow is built without CUDA"
        cuda = tf.sysconfig.get_build_info().get("cuda_version", "?")
        return f"a device is there, but TensorFlow could not load CUDA {cuda} or reach the driver"
    return "a device is there, but Keras's backend cannot use it"


def _model(model: Path | None) -> Finding:
    from batchocr.recognition.model_file import read_sidecar, shipped_model

    path = model or shipped_model()
    sidecar = read_sidecar(path)
    return Finding("model", "ok", f"{sidecar.name}, {sidecar.parameters:,} parameters, sha256 {sidecar.sha256}: {path}")


def _detector(detector: Path | None) -> Finding:
    from batchocr.recognition.model_file import read_detector, shipped_detector

    path = detector or shipped_detector()
    sidecar, _ = read_detector(path)
    return Finding(
        "detector", "ok", f"{sidecar.name}, {sidecar.parameters:,} parameters, sha256 {sidecar.sha256}: {path}"
    )


def _self_test(model: Path | None, detector: Path | None, device: DeviceName) -> Finding:
    """The built-in page through the whole job, workers and files and all.

    A digit misread is worth a note, for the job runs; a page that comes out otherwise is a fault.
    """
    import csv
    from difflib import SequenceMatcher

    from batchocr.batch.job import run
    from batchocr.settings import Settings

    name, text = SELF_TEST
    with tempfile.TemporaryDirectory() as folder, resources.as_file(resources.files("batchocr") / name) as page:
        out = Path(folder) / "results.csv"
        summary = run([page], out, Settings(model=model, detector=detector, device=device, jobs=1))
        with out.with_suffix(".numbers.csv").open(newline="", encoding="utf-8") as file:
            read = [row["text"] for row in csv.DictReader(file)]
    if read != [text]:
        alike = SequenceMatcher(None, "".join(read), text, autojunk=False).ratio() >= LEAST_ALIKE
        told = f"read {', '.join(read) or 'nothing'} where {text} is written"
        return Finding("self-test", "note" if alike else "fault", told, "choose another --model or --detector")
    return Finding("self-test", "ok", f"a page with {text} read in {summary.seconds:.1f} s on the {summary.device}")


def tell(finding: Finding) -> str:
    """A finding as a line or two for a person."""
    fix = f"\n{'':14}fix: {finding.fix}" if finding.fix and finding.state != "ok" else ""
    return f"{finding.state:5}  {finding.name + ':':12} {finding.detail}{fix}"
