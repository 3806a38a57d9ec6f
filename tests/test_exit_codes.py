"""Every exit code of the command, the files that are written, and the messages."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from command import START, Ended, account, beside, environment, here, in_own_process, rows
from conftest import SAMPLES
from own_models import own_reading

from batchocr.recognition.model_file import shipped_model

# Wrong usage: 2, and nothing to read: 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no scans were given"),
        (["nowhere"], "nowhere: No such file or directory"),
        ([SAMPLES, "--out", "results.txt"], "results.txt: the name must end with .csv, .jsonl, .parquet"),
        ([SAMPLES, "--out", "results"], "results: the name must end with"),
        ([SAMPLES, "--colour"], "No such option"),
        ([SAMPLES, "--jobs", "0"], "--jobs"),
        ([SAMPLES, "--batch-size", "many"], "--batch-size"),
        ([SAMPLES, "--min-confidence", "99"], "--min-confidence"),
        ([SAMPLES, "--device", "abacus"], "--device"),
        (["--files-from", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_the_fault(
    arguments: list[str | Path], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("run", *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert ended.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_images_ends_with_4(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    out = tmp_path / "results.csv"
    ended = here("run", tmp_path / "scans", "--out", out)
    assert ended.code == 4
    assert "no images or PDFs in" in ended.err and str(tmp_path / "scans") in ended.err
    for name in ("a.txt", "b.doc"):
        (tmp_path / "scans" / name).write_text("not an image")
    ended = here("run", tmp_path / "scans", "--out", out)
    assert ended.code == 4
    assert "(2 other files passed over)" in ended.err
    assert ended.err.count("\n") == 1
    assert not out.exists()


def test_a_list_without_names_ends_with_4(tmp_path: Path) -> None:
    assert here("run", "--files-from", "-", "--out", tmp_path / "results.csv", given=b"\n").code == 4


# Some failed: 3


def test_a_broken_file_among_good_ones_ends_with_3_and_the_rest_is_read(tmp_path: Path, one_digit: Path) -> None:
    scans, out = tmp_path / "scans", tmp_path / "results.csv"
    scans.mkdir()
    for name in ("a.jpg", "c.jpg"):
        shutil.copy(one_digit, scans / name)
    (scans / "b.jpg").write_bytes(one_digit.read_bytes()[:200])
    ended = here("run", scans, "--out", out, "--quiet")
    assert ended.code == 3
    assert [(row["file"], row["digit"]) for row in rows(out)] == [("a.jpg", "2"), ("c.jpg", "2")]
    pages = {row["file"]: row for row in rows(beside(out, "pages.csv"))}
    assert {name: row["status"] for name, row in pages.items()} == {"a.jpg": "read", "b.jpg": "failed", "c.jpg": "read"}
    assert pages["b.jpg"]["error"] == "damaged"
    assert ended.err == f"failed: {pages['b.jpg']['message']}\n"
    assert ended.out == ""


def test_if_all_pages_failed_it_is_3_too_and_the_tables_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    out = tmp_path / "results.csv"
    ended = here("run", tmp_path / "a.png", "--out", out)
    assert ended.code == 3
    assert ended.out.splitlines()[-1].startswith("to do: 1 page failed (a.png), `batchocr status ")
    assert rows(out) == [] and out.read_text().startswith("file,page,line,")
    assert [row["error"] for row in rows(beside(out, "pages.csv"))] == ["empty-file"]


def test_images_above_the_limit_fail_before_they_are_decoded(tmp_path: Path, samples: Path) -> None:
    out = tmp_path / "results.csv"
    assert here("run", samples / "2017.png", "--out", out, "--max-megapixels", "0.5").code == 3
    (row,) = rows(beside(out, "pages.csv"))
    assert row["error"] == "too-large" and "--max-megapixels" in row["message"]


# The model: 5, the device: 6, the output: 7


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the shipped model with its sidecar."""
    for path in (shipped_model(), shipped_model().with_suffix(".json")):
        shutil.copy(path, tmp_path / f"mine{path.suffix}")
    return tmp_path / "mine.keras"


def with_model(model: Path, scan: Path) -> Ended:
    out = model.with_name("results.csv")
    ended = here("run", scan, "--model", model, "--out", out)
    assert ended.code == 0 or not out.exists()
    return ended


def change_sidecar(model: Path, **values: Any) -> None:
    sidecar = model.with_suffix(".json")
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), **values}))


def test_another_model_is_used(model: Path, one_digit: Path) -> None:
    change_sidecar(model, name="mine")
    own_reading(model, min_confidence=1.0)
    assert with_model(model, one_digit).code == 0
    assert account(model.with_name("results.csv"))["model"]["name"] == "mine"
    assert account(model.with_name("results.csv"))["settings"]["min_confidence"] == 1


def test_a_missing_model_ends_with_5(tmp_path: Path, one_digit: Path) -> None:
    ended = with_model(tmp_path / "none.keras", one_digit)
    assert ended.code == 5
    assert "none.keras: there is no such model" in ended.err


def test_a_changed_model_ends_with_5(model: Path, one_digit: Path) -> None:
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    ended = with_model(model, one_digit)
    assert ended.code == 5
    assert "mine.keras: changed or cut off" in ended.err and "sha256" in ended.err
    assert ended.err.count("\n") == 1


def test_a_file_that_is_not_a_model_ends_with_5(model: Path, one_digit: Path) -> None:
    model.write_bytes(b"no model at all")
    change_sidecar(model, sha256=hashlib.sha256(b"no model at all").hexdigest())
    ended = with_model(model, one_digit)
    assert ended.code == 5
    assert "is not a zip archive" in ended.err


def test_a_model_without_sidecar_ends_with_5(model: Path, one_digit: Path) -> None:
    model.with_suffix(".json").unlink()
    ended = with_model(model, one_digit)
    assert ended.code == 5
    assert "mine.json: the model's sidecar is missing" in ended.err


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"classes": list("ABCDEFGHIJ")}, "not for digits 0-9"),
        ({"classes": list("01234")}, "not for digits 0-9"),
        ({"input_shape": [32, 32]}, "from 28 x 28 pixels"),
        ({"temperature": 0}, "temperature"),
        ({"min_confidence": 99}, "min_confidence"),
        ({"seed": "lucky"}, "seed"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_model_of_another_kind_ends_with_5(model: Path, one_digit: Path, values: dict[str, Any], says: str) -> None:
    change_sidecar(model, **values)
    ended = with_model(model, one_digit)
    assert ended.code == 5
    assert "mine.json: " in ended.err and says in ended.err
    assert ended.err.count("\n") == 1


def test_a_sidecar_that_is_not_json_ends_with_5(model: Path, one_digit: Path) -> None:
    model.with_suffix(".json").write_text("{")
    ended = with_model(model, one_digit)
    assert ended.code == 5
    assert "mine.json: not a sidecar of batchocr" in ended.err


def test_a_missing_gpu_ends_with_6(tmp_path: Path, one_digit: Path) -> None:
    ended = in_own_process("run", one_digit, "--device", "gpu", folder=tmp_path, CUDA_VISIBLE_DEVICES="-1")
    assert ended.code == 6
    assert ended.out == ""
    assert ended.err.startswith("batchocr: no GPU") and ended.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv.journal"]


def test_a_folder_with_the_name_of_the_output_ends_with_7_before_any_work(tmp_path: Path, one_digit: Path) -> None:
    (tmp_path / "results.csv").mkdir()
    assert here("run", one_digit, "--out", tmp_path / "results.csv").code == 7


def test_a_read_only_output_folder_ends_with_7_before_any_work(tmp_path: Path, one_digit: Path) -> None:
    """Mounted as read-only, because root may write to any other folder."""
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
    unshare = ["unshare", "-rm", "sh", "-c", mount, str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    ended = in_own_process("run", one_digit, "--out", "results.csv", folder=tmp_path, start=[*unshare, *START])
    assert ended.code == 7
    assert "results.csv: cannot be written (Read-only file system)" in ended.err
    (tmp_path / "results.csv").write_text("of an earlier run")
    elsewhere = ["--state", "/dev/shm/batchocr-state-that-is-never-created"]
    assert in_own_process("run", one_digit, *elsewhere, folder=tmp_path, start=[*unshare, *START]).code == 7
    assert (tmp_path / "results.csv").read_text() == "of an earlier run"


# Stopped


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("number", "codes"), [(signal.SIGINT, {130}), (signal.SIGTERM, {143})])
def test_a_stopped_run_leaves_no_results_and_no_processes(
    number: signal.Signals, codes: set[int], times: int, tmp_path: Path, samples: Path
) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "0.png").write_bytes(b"")
    shutil.copy(samples / "digits" / "2.jpg", scans / "1.jpg")
    for i in range(300):
        (scans / f"page-{i}.png").symlink_to(samples / "2017.png")
    process = subprocess.Popen(
        [*START, "run", str(scans), "--batch-size", "1", "--out", "results.csv"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"failed: 0.png")  # so the workers are reading
        for _ in range(times):
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
            time.sleep(0.3)
        assert process.wait(60) in (codes if times == 1 else {*codes, -number})
        assert {path.name for path in tmp_path.iterdir()} == {"scans", "results.csv.journal"}
        assert ends(process.pid)
    finally:
        if alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def ends(group: int) -> bool:
    """Return whether all processes of the group end soon."""
    for _ in range(50):
        if not alive(group):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("closed", ["2>&-", "<&-", ">&- 2>&-"])
def test_closed_streams_are_allowed(closed: str, tmp_path: Path, one_digit: Path) -> None:
    call = f"{shlex.join(START)} run {shlex.quote(str(one_digit))} --device cpu --out results.csv {closed}"
    done = subprocess.run(["bash", "-c", call], cwd=tmp_path, env=environment(), timeout=120)
    assert done.returncode == 0
    assert len(rows(tmp_path / "results.csv")) == 1


def test_a_name_that_is_too_long_is_reported_before_any_work(tmp_path: Path, one_digit: Path) -> None:
    ended = here("run", one_digit, "--out", tmp_path / f"{'x' * 245}.csv", "--device", "cpu")
    assert (ended.code, "cannot be written" in ended.err) == (7, True)
    assert list(tmp_path.iterdir()) == []
