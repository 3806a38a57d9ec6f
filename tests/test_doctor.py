"""`batchocr doctor` reports why a run would not work, and every command names a missing library."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import here

from batchocr.doctor import _gpu
from batchocr.recognition.detector import Detector

MISSING = "libGL.so.1: cannot open shared object file: No such file or directory"
COMMAND = [sys.executable, "-c", "from batchocr.cli import app; app()"]


def test_if_nothing_is_wrong_a_page_is_read_and_it_ends_with_0() -> None:
    ended = here("doctor", "--device", "cpu")
    assert ended.code == 0
    assert "a page with 2017 was read in" in ended.out
    assert ended.out.rstrip().endswith("`batchocr run` works here.")


def test_a_page_with_only_wrong_digits_is_a_fault(tiny_detector: Detector) -> None:
    """The tiny detector reads every separate piece of ink as 7."""
    ended = here("doctor", "--device", "cpu", "--detector", tiny_detector.path)
    assert ended.code == 1
    assert re.search(r"fault +self-test: +read .* where 2017 is written", ended.out)
    assert "fix: choose another --model or --detector" in ended.out
    assert ended.out.rstrip().endswith("`batchocr run` does not work here: see above.")
    assert str(tiny_detector.path) in ended.out


def test_a_requested_gpu_that_is_missing_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    done = subprocess.run([*COMMAND, "doctor", "--device", "gpu", "--quiet"], capture_output=True, text=True)
    assert done.returncode == 6
    assert "fault  gpu:" in done.stdout
    assert "fix: install the NVIDIA driver" in done.stdout


def test_it_reports_how_many_of_several_gpus_are_used(four_gpus: list[Any]) -> None:
    finding = _gpu("auto")
    assert finding.detail == "large, large, small, large; 3 of them are used"


@pytest.mark.parametrize("which", ["--model", "--detector"])
def test_a_missing_model_is_a_fault(which: str, tmp_path: Path) -> None:
    ended = here("doctor", "--device", "cpu", "--quiet", which, tmp_path / "none.keras")
    assert ended.code == 5
    assert "none.keras: there is no such model" in ended.out


@pytest.fixture
def without_libgl(tmp_path: Path) -> dict[str, str]:
    """An environment in which OpenCV cannot be loaded, as on a bare system."""
    (tmp_path / "cv2.py").write_text(f"raise ImportError({MISSING!r})\n")
    return {**os.environ, "PYTHONPATH": str(tmp_path), "BATCHOCR_DEVICE": "cpu"}


@pytest.mark.parametrize(
    "call", [["run", "{page}", "--out", "{folder}/out.csv"], ["preview", "{page}", "--out", "{folder}/out.png"]]
)
def test_every_command_names_the_missing_library_and_the_fix(
    call: list[str], without_libgl: dict[str, str], samples: Path, tmp_path: Path
) -> None:
    words = [word.format(page=samples / "2017.png", folder=tmp_path) for word in call]
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=without_libgl)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"batchocr: {MISSING}; install it: sudo apt-get install")
    assert "Traceback" not in done.stderr


def test_the_doctor_names_it_too(without_libgl: dict[str, str]) -> None:
    done = subprocess.run([*COMMAND, "doctor", "--quiet"], capture_output=True, text=True, env=without_libgl)
    assert done.returncode == 1
    assert MISSING in done.stdout and "fix: sudo apt-get install -y libgl1" in done.stdout
