"""The command: its results on the samples, its messages, and its options."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import sysconfig
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from command import Ended, account, beside, here, in_own_process, rows
from conftest import SAMPLES, Job
from pyarrow import parquet
from typer.main import get_command

from batchocr.cli import app
from batchocr.version import __version__

# The samples


def expected_texts() -> dict[str, list[str]]:
    texts = defaultdict(list)
    for row in rows(SAMPLES / "expected.csv"):
        texts[row["file"]].append(row["text"])
    return texts


def without_progress(text: str) -> list[str]:
    """Return the lines without those of a run that takes longer than half a minute."""
    return [line for line in text.splitlines() if not re.fullmatch(r"starting|\d+ of \d+ pages, \d+ failed", line)]


@pytest.fixture(scope="module")
def ended_over_samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """The main command of the README, with its output piped."""
    folder = tmp_path_factory.mktemp("job")
    return in_own_process("run", SAMPLES, "--out", "results.csv", folder=folder), folder / "results.csv"


@pytest.mark.parametrize("file", expected_texts())
def test_the_samples_are_read(ended_over_samples: tuple[Ended, Path], file: str) -> None:
    expected = expected_texts()[file]
    read = [row["text"] for row in rows(beside(ended_over_samples[1], "numbers.csv")) if row["file"] == file]
    assert read == expected


def test_a_good_run_ends_with_0_and_prints_the_counts_and_what_to_do(ended_over_samples: tuple[Ended, Path]) -> None:
    ended, out = ended_over_samples
    assert ended.code == 0
    # no bar without a terminal, and no messages of TensorFlow
    assert without_progress(ended.err) == []
    assert re.fullmatch(
        r"21 pages \(\d+ other files passed over\), \d+ digits in \d+ numbers, "
        r"\d+\.\d s on the (cpu|gpu): results\.csv, results\.numbers\.csv, results\.pages\.csv, results\.run\.json\n"
        r"(to do: \d+ digits? and \d+ numbers? to review, `batchocr status results\.csv` lists which and why\n)?",
        ended.out,
    )
    assert {path.name for path in out.parent.iterdir()} == {
        "results.csv", "results.numbers.csv", "results.pages.csv", "results.run.json", "results.csv.journal",
    }  # fmt: skip


def test_the_command_and_python_write_the_same(ended_over_samples: tuple[Ended, Path], samples_job: Job) -> None:
    if account(ended_over_samples[1])["device"] != "cpu":
        pytest.skip("byte for byte only on one device")
    assert ended_over_samples[1].read_bytes() == samples_job.out.read_bytes()


# Messages


def test_quiet_prints_nothing_after_a_good_run(tmp_path: Path, samples: Path) -> None:
    ended = in_own_process("run", samples / "digits", "--quiet", folder=tmp_path)
    assert ended == Ended(0, "", "")
    assert len(rows(tmp_path / "results.csv")) == 4


def test_standard_output_gets_only_the_digits(tmp_path: Path, samples: Path) -> None:
    ended = in_own_process("run", samples / "digits", "--out", "-", folder=tmp_path)
    assert ended.code == 0
    assert [(row["file"], row["digit"]) for row in rows(ended.out)] == [
        ("0.jpg", "0"), ("1.jpg", "1"), ("2.jpg", "2"), ("7.jpg", "7"),
    ]  # fmt: skip
    lines = without_progress(ended.err)
    assert lines[0].startswith("4 pages, 4 digits") and all(line.startswith("to do: ") for line in lines[1:])
    assert list(tmp_path.iterdir()) == []


def test_the_version() -> None:
    assert here("--version") == Ended(0, f"batchocr {__version__}\n", "")


def test_the_installed_script_prints_its_version(tmp_path: Path) -> None:
    script = Path(sysconfig.get_path("scripts")) / "batchocr"
    ended = in_own_process("--version", folder=tmp_path, start=[str(script)])
    assert ended == Ended(0, f"batchocr {__version__}\n", "")


# Help


def test_the_module_that_workers_import_imports_nothing(tmp_path: Path) -> None:
    code = "import batchocr.__main__, sys; print(*sorted({'typer', 'numpy', 'batchocr.cli'} & set(sys.modules)))"
    assert in_own_process(folder=tmp_path, start=[sys.executable, "-c", code]) == Ended(0, "\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["preview", "-h"], ["--version"]])
def test_help_imports_nothing_slow(arguments: list[str], tmp_path: Path) -> None:
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
    "--recursive --no-recursive --files-from --model --device --batch-size --jobs --min-confidence --max-error "
    "--max-megapixels --printed --quiet --out".split(),
)
def test_the_command_has_the_options_of_the_contract(option: str) -> None:
    params = subcommands()["run"].params
    assert option in {name for param in params for name in (*param.opts, *param.secondary_opts)}


# Settings from the environment and names from files


def test_settings_come_from_the_environment_and_the_command_line_wins(tmp_path: Path, samples: Path) -> None:
    variables = {"BATCHOCR_DEVICE": "cpu", "BATCHOCR_JOBS": "3", "BATCHOCR_BATCH_SIZE": "32", "BATCHOCR_QUIET": "1"}
    variables["BATCHOCR_PRINTED"] = "drop"
    out = tmp_path / "results.csv"
    assert here("run", samples / "digits", "--out", out, "--batch-size", "16", variables=variables) == Ended(0, "", "")
    settings = account(out)["settings"]
    assert (settings["device"], settings["jobs"], settings["batch_size"], settings["printed"]) == ("cpu", 3, 16, "drop")


def test_an_invalid_setting_in_the_environment_is_named(one_digit: Path) -> None:
    ended = here("run", one_digit, variables={"BATCHOCR_DEVICE": "abacus"})
    assert ended.code == 2
    assert "BATCHOCR_DEVICE" in ended.err and "--device" in ended.err


@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\0"])
def test_names_of_scans_from_standard_input(tmp_path: Path, samples: Path, between: bytes) -> None:
    out = tmp_path / "results.csv"
    names = between.join(os.fsencode(samples / "digits" / name) for name in ("7.jpg", "2.jpg")) + between
    assert here("run", "--files-from", "-", "--out", out, given=names).code == 0
    assert [(row["file"], row["digit"]) for row in rows(out)] == [("2.jpg", "2"), ("7.jpg", "7")]


def test_names_from_a_file_are_added_to_the_arguments(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "names.txt").write_text(f"{samples / 'digits' / '7.jpg'}\n")
    out = tmp_path / "results.csv"
    assert here("run", samples / "digits" / "2.jpg", "--files-from", tmp_path / "names.txt", "--out", out).code == 0
    assert [row["digit"] for row in rows(out)] == ["2", "7"]


def test_folders_inside_folders_only_if_wanted(tmp_path: Path, one_digit: Path) -> None:
    (tmp_path / "scans" / "deep").mkdir(parents=True)
    for name in ("a.jpg", "deep/b.jpg"):
        shutil.copy(one_digit, tmp_path / "scans" / name)
    out = tmp_path / "results.csv"
    assert here("run", tmp_path / "scans", "--no-recursive", "--out", out).code == 0
    assert [row["file"] for row in rows(out)] == ["a.jpg"]


# Marks and formats


def test_the_highest_threshold_marks_all_and_drops_none(tmp_path: Path, samples: Path, samples_job: Job) -> None:
    out = tmp_path / "results.csv"
    assert here("run", samples / "numbers.png", "--out", out, "--device", "cpu", "--min-confidence", "1").code == 0
    marked, others = rows(out), [row for row in rows(samples_job.out) if row["file"] == "numbers.png"]
    assert [{**row, "review": ""} for row in marked] == [{**row, "review": ""} for row in others]
    unsure = [row for row in marked if float(row["confidence"]) < 1]
    assert len(unsure) > 0.3 * len(marked)
    assert all("low-confidence" in row["review"].split(";") for row in unsure)


def test_a_threshold_of_zero_marks_no_digit_as_unsure(tmp_path: Path, samples: Path, samples_job: Job) -> None:
    out = tmp_path / "results.csv"
    assert here("run", samples / "numbers.png", "--out", out, "--device", "cpu", "--min-confidence", "0").code == 0
    assert not any("low-confidence" in row["review"] for row in rows(out))
    assert len(rows(out)) == sum(row["file"] == "numbers.png" for row in rows(samples_job.out)) > 0


def test_all_formats_hold_the_same_rows(tmp_path: Path, samples: Path, samples_job: Job) -> None:
    expected = rows(samples_job.out)
    for suffix in ("jsonl", "parquet"):
        out = tmp_path / suffix / f"results.{suffix}"
        out.parent.mkdir()
        state = tmp_path / "journal"  # so that the second run reads nothing
        assert here("run", samples, "--out", out, "--device", "cpu", "--state", state).code == 0
        for kind in (f"numbers.{suffix}", "run.json", f"pages.{suffix}"):
            assert beside(out, kind).is_file()
        if suffix == "jsonl":
            table = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        else:
            table = parquet.read_table(out).to_pylist()
        assert [as_in_csv(row) for row in table] == expected


def as_in_csv(row: dict[str, Any]) -> dict[str, str]:
    return {name: f"{value:.4f}" if isinstance(value, float) else str(value) for name, value in row.items()}
