"""The command: its results on the samples, its exit codes, what it says and what it does not."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import pytest
from command import START, Ended, account, beside, environment, here, in_own_process, rows
from conftest import SAMPLES, Job
from pyarrow import parquet
from typer.main import get_command

from batchocr.cli import app
from batchocr.recognition.model import shipped_model
from batchocr.version import __version__

# The samples


def expected_texts() -> dict[str, list[str]]:
    texts = defaultdict(list)
    for row in rows(SAMPLES / "expected.csv"):
        texts[row["file"]].append(row["text"])
    return texts


@pytest.fixture(scope="module")
def ended_over_samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """The README's main job, as typed, with its output piped."""
    folder = tmp_path_factory.mktemp("job")
    return in_own_process("run", SAMPLES, "--out", "results.csv", folder=folder), folder / "results.csv"


@pytest.mark.parametrize("file", expected_texts())
def test_the_samples_are_read(ended_over_samples: tuple[Ended, Path], file: str) -> None:
    expected = expected_texts()[file]
    read = [row["text"] for row in rows(beside(ended_over_samples[1], "numbers.csv")) if row["file"] == file]
    assert read == expected


def test_a_good_run_ends_with_0_one_line_and_no_noise(ended_over_samples: tuple[Ended, Path]) -> None:
    ended, out = ended_over_samples
    assert ended.code == 0
    assert ended.err == ""  # no bar where nobody looks, and nothing of TensorFlow's
    assert ended.out.count("\n") == 1
    assert re.match(
        r"15 pages \(\d+ other files passed over\), \d+ digits in \d+ numbers, 0 failed, \d+ digits? to review, "
        r"\d+\.\d s on the (cpu|gpu): results\.csv, results\.numbers\.csv, results\.pages\.csv, results\.run\.json\n",
        ended.out,
    )
    assert {path.name for path in out.parent.iterdir()} == {
        "results.csv", "results.numbers.csv", "results.pages.csv", "results.run.json",
    }  # fmt: skip


def test_the_command_and_python_write_the_same(ended_over_samples: tuple[Ended, Path], samples_job: Job) -> None:
    if account(ended_over_samples[1])["device"] != "cpu":
        pytest.skip("byte for byte only on one device")
    assert ended_over_samples[1].read_bytes() == samples_job.out.read_bytes()


# What it says


def test_quiet_says_nothing_when_all_is_well(tmp_path: Path, samples: Path) -> None:
    ended = in_own_process("run", samples / "digits", "--quiet", folder=tmp_path)
    assert ended == Ended(0, "", "")
    assert len(rows(tmp_path / "results.csv")) == 4


def test_standard_output_takes_the_digits_and_only_them(tmp_path: Path, samples: Path) -> None:
    ended = in_own_process("run", samples / "digits", "--out", "-", folder=tmp_path)
    assert ended.code == 0
    assert [(row["file"], row["digit"]) for row in rows(ended.out)] == [
        ("0.jpg", "0"), ("1.jpg", "1"), ("2.jpg", "2"), ("7.jpg", "7"),
    ]  # fmt: skip
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("4 pages, 4 digits")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_a_bar_shows_on_a_terminal(tmp_path: Path, samples: Path) -> None:
    import termios  # not on every system

    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [*START, "run", str(samples / "digits"), "--out", "results.csv"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while some := os.read(ours, 65536):
            shown += some
    except OSError:  # Linux's way to say that the other side is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    assert re.search(rb"0/4 .*page", shown)


def test_the_version() -> None:
    assert here("--version") == Ended(0, f"batchocr {__version__}\n", "")


def test_the_installed_script_says_its_version(tmp_path: Path) -> None:
    script = Path(sysconfig.get_path("scripts")) / "batchocr"
    ended = in_own_process("--version", folder=tmp_path, start=[str(script)])
    assert ended == Ended(0, f"batchocr {__version__}\n", "")


# Help


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["preview", "-h"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom batchocr.cli import app\ntry:\n    app(prog_name='batchocr')\nfinally:\n"
        "    print(*sorted({'tensorflow', 'keras', 'cv2', 'pandas', 'pyarrow'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = in_own_process(*arguments, folder=tmp_path, start=[sys.executable, "-c", code])
    assert (ended.code, ended.err) == (0, "\n")
    assert "batchocr" in ended.out


def subcommands() -> dict[str, Any]:
    command: Any = get_command(app)
    return dict(command.commands)


@pytest.mark.parametrize("name", subcommands())
def test_every_subcommand_and_option_has_a_help_text(name: str) -> None:
    command = subcommands()[name]
    assert command.help
    assert [param.name for param in command.params if not param.help] == []


@pytest.mark.parametrize(
    "option",
    "--recursive --no-recursive --files-from --model --device --batch-size --jobs --min-confidence --max-megapixels "
    "--quiet --out".split(),
)
def test_the_options_of_the_contract_are_there(option: str) -> None:
    params = subcommands()["run"].params
    assert option in {name for param in params for name in (*param.opts, *param.secondary_opts)}


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
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(
    arguments: list[str | Path], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("run", *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert ended.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_no_pictures_ends_with_4(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    out = tmp_path / "results.csv"
    ended = here("run", tmp_path / "scans", "--out", out)
    assert ended.code == 4
    assert "no pictures or PDFs in" in ended.err and str(tmp_path / "scans") in ended.err
    for name in ("a.txt", "b.doc"):
        (tmp_path / "scans" / name).write_text("no picture")
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


def test_where_all_failed_it_is_3_too_and_the_tables_are_there(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    out = tmp_path / "results.csv"
    ended = here("run", tmp_path / "a.png", "--out", out)
    assert ended.code == 3
    assert ", 1 failed, " in ended.out
    assert rows(out) == [] and out.read_text().startswith("file,page,line,")
    assert [row["error"] for row in rows(beside(out, "pages.csv"))] == ["empty-file"]


def test_pictures_over_the_limit_fail_before_they_are_decoded(tmp_path: Path, samples: Path) -> None:
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


def test_a_model_of_ones_own_is_used(model: Path, one_digit: Path) -> None:
    change_sidecar(model, min_confidence=1.0, name="mine")
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


def test_a_model_that_keras_cannot_load_ends_with_5(model: Path, one_digit: Path) -> None:
    model.write_bytes(b"no model at all")
    change_sidecar(model, sha256=hashlib.sha256(b"no model at all").hexdigest())
    ended = with_model(model, one_digit)
    assert ended.code == 5
    assert "cannot load it" in ended.err


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


def test_a_sidecar_that_is_no_json_ends_with_5(model: Path, one_digit: Path) -> None:
    model.with_suffix(".json").write_text("{")
    ended = with_model(model, one_digit)
    assert ended.code == 5
    assert "mine.json: no sidecar of ours" in ended.err


def test_a_gpu_where_there_is_none_ends_with_6(tmp_path: Path, one_digit: Path) -> None:
    ended = in_own_process("run", one_digit, "--device", "gpu", folder=tmp_path, CUDA_VISIBLE_DEVICES="-1")
    assert ended.code == 6
    assert ended.out == ""
    assert ended.err.startswith("batchocr: no GPU") and ended.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_missing_output_folder_ends_with_7_before_any_work(tmp_path: Path, one_digit: Path) -> None:
    ended = here("run", one_digit, "--out", tmp_path / "none" / "results.csv")
    assert ended.code == 7
    assert f"there is no folder {tmp_path / 'none'}: make it" in ended.err
    (tmp_path / "results.csv").mkdir()
    assert here("run", one_digit, "--out", tmp_path / "results.csv").code == 7


# Stopped


@pytest.mark.parametrize(("number", "codes"), [(signal.SIGINT, {130}), (signal.SIGTERM, {143})])
def test_a_stopped_run_leaves_no_results_and_no_processes(
    number: signal.Signals, codes: set[int], tmp_path: Path, samples: Path
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
        assert process.stderr.readline().startswith(b"failed: 0.png")  # so the workers are at work
        os.kill(process.pid, number)
        assert process.wait(60) in codes
        assert not (tmp_path / "results.csv").exists()
        assert {path.name for path in tmp_path.iterdir()} == {"scans"}
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
    """Whether all processes of the group end by themselves soon."""
    for _ in range(50):
        if not alive(group):
            return True
        time.sleep(0.1)
    return False


# Settings from elsewhere


def test_settings_come_from_the_environment_and_the_command_line_wins(tmp_path: Path, samples: Path) -> None:
    variables = {"BATCHOCR_DEVICE": "cpu", "BATCHOCR_JOBS": "3", "BATCHOCR_BATCH_SIZE": "32", "BATCHOCR_QUIET": "1"}
    out = tmp_path / "results.csv"
    assert here("run", samples / "digits", "--out", out, "--batch-size", "16", variables=variables) == Ended(0, "", "")
    settings = account(out)["settings"]
    assert (settings["device"], settings["jobs"], settings["batch_size"]) == ("cpu", 3, 16)


def test_a_wrong_setting_in_the_environment_is_named(one_digit: Path) -> None:
    ended = here("run", one_digit, variables={"BATCHOCR_DEVICE": "abacus"})
    assert ended.code == 2
    assert "BATCHOCR_DEVICE" in ended.err or "--device" in ended.err


@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\0"])
def test_names_of_scans_from_standard_input(tmp_path: Path, samples: Path, between: bytes) -> None:
    out = tmp_path / "results.csv"
    names = between.join(os.fsencode(samples / "digits" / name) for name in ("7.jpg", "2.jpg")) + between
    assert here("run", "--files-from", "-", "--out", out, given=names).code == 0
    assert [(row["file"], row["digit"]) for row in rows(out)] == [("2.jpg", "2"), ("7.jpg", "7")]


def test_names_from_a_file_come_beside_those_given(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "names.txt").write_text(f"{samples / 'digits' / '7.jpg'}\n")
    out = tmp_path / "results.csv"
    assert here("run", samples / "digits" / "2.jpg", "--files-from", tmp_path / "names.txt", "--out", out).code == 0
    assert [row["digit"] for row in rows(out)] == ["2", "7"]


def test_folders_within_folders_only_where_wanted(tmp_path: Path, one_digit: Path) -> None:
    (tmp_path / "scans" / "deep").mkdir(parents=True)
    for name in ("a.jpg", "deep/b.jpg"):
        shutil.copy(one_digit, tmp_path / "scans" / name)
    out = tmp_path / "results.csv"
    assert here("run", tmp_path / "scans", "--no-recursive", "--out", out).code == 0
    assert [row["file"] for row in rows(out)] == ["a.jpg"]


# What is marked, and the formats


def test_the_highest_threshold_marks_all_and_drops_none(tmp_path: Path, samples: Path, samples_job: Job) -> None:
    out = tmp_path / "results.csv"
    assert here("run", samples, "--out", out, "--device", "cpu", "--min-confidence", "1").code == 0
    marked, others = rows(out), rows(samples_job.out)
    assert [{**row, "review": ""} for row in marked] == [{**row, "review": ""} for row in others]
    unsure = [row for row in marked if float(row["confidence"]) < 1]
    assert len(unsure) > 0.9 * len(marked)
    assert all("low-confidence" in row["review"].split(";") for row in unsure)


def test_a_threshold_of_nought_marks_none_as_unsure(tmp_path: Path, samples: Path, samples_job: Job) -> None:
    out = tmp_path / "results.csv"
    assert here("run", samples, "--out", out, "--device", "cpu", "--min-confidence", "0").code == 0
    assert not any("low-confidence" in row["review"] for row in rows(out))
    assert len(rows(out)) == len(rows(samples_job.out))


def test_all_formats_hold_the_same_rows(tmp_path: Path, samples: Path, samples_job: Job) -> None:
    expected = rows(samples_job.out)
    for suffix in ("jsonl", "parquet"):
        out = tmp_path / suffix / f"results.{suffix}"
        out.parent.mkdir()
        assert here("run", samples, "--out", out, "--device", "cpu").code == 0
        for kind in ("numbers.csv", "run.json", "pages.csv"):
            assert beside(out, kind).is_file()
        if suffix == "jsonl":
            table = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        else:
            table = parquet.read_table(out).to_pylist()
        assert [as_in_csv(row) for row in table] == expected


def as_in_csv(row: dict[str, Any]) -> dict[str, str]:
    return {name: f"{value:.4f}" if isinstance(value, float) else str(value) for name, value in row.items()}


# Preview


@pytest.mark.parametrize(("scan", "suffix"), [("2017.png", "png"), ("digits/2.jpg", "jpg")])
def test_preview_writes_a_picture_no_smaller_than_the_page(
    tmp_path: Path, samples: Path, scan: str, suffix: str
) -> None:
    out = tmp_path / f"drawn.{suffix}"
    ended = here("preview", samples / scan, "--out", out, "--device", "cpu")
    assert ended.code == 0
    assert re.fullmatch(rf"\d+ digits?, \d+ to review: {re.escape(str(out))}\n", ended.out)
    drawn, page = cv2.imread(str(out)), cv2.imread(str(samples / scan))
    assert drawn is not None and page is not None
    assert drawn.shape[0] >= page.shape[0] and drawn.shape[1] >= page.shape[1]
    assert (drawn.max(axis=2).astype(int) - drawn.min(axis=2) > 100).any()  # something stands out in colour


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([SAMPLES / "2017.png", "--out", "drawn.gif"], 2),
        (["nowhere.png"], 2),
        ([SAMPLES / "expected.csv"], 3),
        ([SAMPLES / "2017.png", "--model", "none.keras"], 5),
        ([SAMPLES / "digits" / "2.jpg", "--out", "none/drawn.png"], 7),
    ],
)
def test_preview_ends_with_the_same_codes(
    arguments: list[str | Path], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("preview", *arguments)
    assert ended.code == code
    assert ended.err.startswith("batchocr: ") and ended.err.count("\n") == 1
    assert not list(itertools.chain(tmp_path.glob("*.png"), tmp_path.glob("*.gif")))
