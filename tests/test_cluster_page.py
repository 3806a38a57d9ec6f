"""docs/cluster.md: its commands parse, its scripts call what they should, and its YAML has what it needs."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from batchocr.cli import app

PAGE = (Path(__file__).parents[1] / "docs" / "cluster.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    line.partition("#")[0].strip()
    for kind, block in BLOCKS
    if kind == "sh"
    for line in block.splitlines()
    if line.startswith("batchocr ")
]


def block_with(text: str) -> str:
    (found,) = [block for _, block in BLOCKS if text in block]
    return found


def parse(command: str) -> dict[str, Any]:
    """Return the parameters of a command line of batchocr."""
    name, *arguments = shlex.split(command)[1:]
    group: Any = get_command(app)
    params: dict[str, Any] = group.commands[name].make_context(name, arguments).params
    return params


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_parses(command: str) -> None:
    assert parse(command)["out"].startswith("s3://archive/results")


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 8


def test_the_slurm_array_reads_its_shard(tmp_path: Path) -> None:
    script = tmp_path / "batchocr-shard.sbatch"
    script.write_text(block_with("SLURM_ARRAY_TASK_COUNT"), encoding="utf-8")
    srun = tmp_path / "srun"
    srun.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    srun.chmod(0o755)
    variables = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "16", "SLURM_CPUS_PER_TASK": "8"}
    done = subprocess.run(
        ["bash", str(script), "/my scans", "/r/results.csv"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "batchocr run /my scans --out /r/results.csv --shard 3/16 --jobs 8 --log-format json\n"


def test_the_kubernetes_job_reads_one_shard_for_each_index() -> None:
    job = yaml.safe_load(block_with("completionMode"))["spec"]
    assert (job["completionMode"], job["completions"]) == ("Indexed", 16)
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # required by podFailurePolicy
    (script,) = pod["containers"][0]["args"]
    for code, ends_with in ((0, 0), (3, 0), (7, 1)):
        stub = f'batchocr() {{ echo "$@"; return {code}; }}\n{script}'
        done = subprocess.run(
            ["sh", "-c", stub], env={"JOB_COMPLETION_INDEX": "15"}, capture_output=True, text=True, check=False
        )
        assert (done.returncode != 0) == ends_with
        assert parse(f"batchocr {done.stdout}")["shard"] == "16/16"


def test_the_job_of_kuberay_runs_the_driver_on_the_head() -> None:
    job = yaml.safe_load(block_with("kind: RayJob"))["spec"]
    command, _, rest = job["entrypoint"].partition(" || ")
    assert parse(command)["engine"].value == "ray" and rest == "test $? = 3"  # some pages failed: no second try
    cluster = job["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    gpus = [
        group["groupName"]
        for group in cluster["workerGroupSpecs"]
        if "nvidia.com/gpu" in group["template"]["spec"]["containers"][0]["resources"]["limits"]
    ]
    assert gpus == ["gpu"]


def test_the_slurm_script_for_ray_is_valid_shell() -> None:
    script = block_with("ray start --head --port 6379")
    subprocess.run(["bash", "-n", "-c", script], check=True)
    (command,) = [line for line in script.splitlines() if line.startswith("batchocr run")]
    assert parse(command)["ray_address"] == "$head:6379"
