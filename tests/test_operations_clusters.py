"""docs/operations.md: its Slurm script and its YAML for Kubernetes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from operations_page import BLOCKS, Place, block, make_place

from batchocr.errors import ExitCode


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


# Slurm


@pytest.mark.parametrize(
    ("code", "ends_with", "restarts", "requeued"),
    [
        (0, 0, 0, False),
        (3, 0, 0, False),
        *((code, code, 0, False) for code in (1, 2, 4, 5, 6, 7, 8, 9)),
        (143, 143, 0, True),
        (137, 137, 9, True),
        (143, 143, 10, False),
    ],
)
def test_the_slurm_script_handles_each_exit_code(
    place: Place, code: int, ends_with: int, restarts: int, requeued: bool
) -> None:
    variables = {"SLURM_CPUS_PER_TASK": 2, "SLURM_JOB_ID": 17, "SLURM_RESTART_COUNT": restarts}
    done = place.run("bash", "bin/batchocr.sbatch", "my scans", "o.csv", CODE=code, **variables)
    assert done.returncode == ends_with
    assert place.calls("srun") == ["batchocr run my scans --out o.csv --device gpu --jobs 2 --log-format json"]
    assert place.calls("scontrol") == (["requeue 17"] if requeued else [])


def test_a_task_of_a_slurm_array_has_its_own_folder_and_output(place: Place) -> None:
    (place.folder / "folders.txt").write_text("/scans/2016\n/scans/20 17/\n")
    for task in (1, 2):
        variables = {"SLURM_CPUS_PER_TASK": 2, "SLURM_ARRAY_TASK_ID": task}
        assert place.run("bash", "bin/batchocr.sbatch", "folders.txt", "outs", CODE=0, **variables).returncode == 0
    first, second = place.calls("calls")
    assert first.startswith("run /scans/2016 --out outs/2016.csv ")
    assert second.startswith("run /scans/20 17/ --out outs/20 17.csv ")


def test_slurm_requests_a_gpu_and_leaves_time_to_end() -> None:
    requested = dict(re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", block("batchocr.sbatch"), re.MULTILINE))
    assert requested["gres"] == "gpu:1" and "requeue" in requested and requested["open-mode"] == "append"
    name, seconds = requested["signal"].split("@")
    assert name == "TERM" and int(seconds) > 10


# Kubernetes


@pytest.fixture(scope="module")
def job() -> Any:
    """The job that the CronJob creates each night."""
    manifest = yaml.safe_load(block("batchocr.yaml"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    return manifest["spec"]["jobTemplate"]["spec"]


def test_the_kubernetes_job_handles_each_exit_code(job: Any) -> None:
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never"  # required by podFailurePolicy
    assert pod["terminationGracePeriodSeconds"] > 10
    ignored, failed = job["podFailurePolicy"]["rules"]
    assert (ignored["action"], ignored["onPodConditions"][0]["type"]) == ("Ignore", "DisruptionTarget")
    codes = failed["onExitCodes"]
    assert (failed["action"], codes["operator"]) == ("FailJob", "In")
    assert codes["values"] == [ExitCode.USAGE, ExitCode.MODEL, ExitCode.DEVICE, ExitCode.FORM]
    assert codes["containerName"] == container["name"]


def test_the_kubernetes_job_starts_the_wrapper_with_a_gpu_and_can_write_the_results(job: Any) -> None:
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {mount["name"] for mount in mounts.values()} == set(volumes)
    assert mounts["/scans"]["readOnly"] is True and "readOnly" not in mounts["/results"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True and volumes["tmp"]["emptyDir"] == {}
    _, script = container["command"]
    folder, name = script.rsplit("/", 1)
    configmap = volumes[mounts[folder]["name"]]["configMap"]["name"]
    assert f"kubectl create configmap {configmap} --from-file={name}\n" in block("kubernetes") and name in BLOCKS
    arguments = container["args"]
    assert arguments[0] in mounts and arguments[arguments.index("--out") + 1] == "/results/results.csv"
