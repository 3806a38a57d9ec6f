"""The text of the Dockerfiles; these tests need no container engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import in_own_process

ROOT = Path(__file__).parents[1]
FILES = ("Dockerfile", "Dockerfile.gpu")


def steps(name: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile with their arguments; continued lines are joined."""
    lines = (line for line in (ROOT / name).read_text("utf-8").splitlines() if not line.startswith("#"))
    whole = "\n".join(lines).replace("\\\n", " ")
    return [
        (kind, " ".join(rest.split())) for kind, _, rest in (line.partition(" ") for line in whole.splitlines() if line)
    ]


@pytest.mark.parametrize("name", FILES)
def test_any_user_may_write_to_the_working_folder_and_home(name: str) -> None:
    found = steps(name)
    kinds = [kind for kind, _ in found]
    before_user = " ".join(rest for _, rest in found[: kinds.index("USER")])
    (workdir,) = (rest for kind, rest in found if kind == "WORKDIR")
    assert f"mkdir --mode=1777 {workdir}" in before_user
    assert ("ENV", "HOME=/tmp") in found
    assert found[kinds.index("USER")] == ("USER", "10001")
    assert [rest for kind, rest in found if kind == "RUN"][-1].startswith("HOME=/tmp/doctor batchocr doctor && rm -rf")


@pytest.mark.parametrize("name", FILES)
def test_copied_files_exist_and_are_not_ignored(name: str) -> None:
    kept = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = [rest.split()[0] for kind, rest in steps(name) if kind == "COPY"]
    assert copied[-1] == "." and all((ROOT / each).exists() for each in (*copied, *kept))
    assert set(copied[:-1]) <= set(kept)
    assert {"batchocr", "models", "pyproject.toml", "README.md", "LICENSE"} <= set(kept)


def test_the_cuda_libraries_are_those_of_the_document() -> None:
    pinned = (ROOT / "requirements-gpu.txt").read_text("utf-8")
    assert re.search(r"^tensorflow==2\.21\.", pinned, re.MULTILINE)
    assert re.search(r"^nvidia-cuda-runtime-cu12==12\.9\.", pinned, re.MULTILINE)
    assert "`requirements-gpu.txt` has 12.9" in (ROOT / "docs" / "containers.md").read_text("utf-8")


def test_a_run_works_with_a_home_that_cannot_be_written(one_digit: Path, tmp_path: Path) -> None:
    """A user without an account has such a home."""
    ended = in_own_process("run", one_digit, "--device", "cpu", "--jobs", "1", folder=tmp_path, HOME="/proc/none")
    assert (ended.code, (tmp_path / "results.csv").exists()) == (0, True), ended.err
