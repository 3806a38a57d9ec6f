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

import cv2
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
    progress = re.compile(r"starting|\d+ of \d+ pages, \d+ failed")  # of a run that takes longer than half a minute
    # no bar without a terminal, and no messages of TensorFlow
    assert [line for line in ended.err.splitlines() if not progress.fullmatch(line)] == []
    assert re.fullmatch(
        r"15 pages \(\d+ other files passed over\), \d+ digits in \d+ numbers, "
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
    lines = ended.err.splitlines()
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


# Preview


def test_preview_never_draws_over_the_scan(tmp_path: Path, samples: Path) -> None:
    scan = tmp_path / "page.png"
    shutil.copy(samples / "2017.png", scan)
    ended = here("preview", scan, "--out", scan, "--device", "cpu")
    assert (ended.code, "this is the scan itself" in ended.err) == (2, True)
    assert scan.read_bytes() == (samples / "2017.png").read_bytes()


def test_a_run_does_not_read_a_preview(tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(samples / "2017.png", tmp_path / "page.png")
    assert here("preview", "page.png", "--device", "cpu").code == 0
    assert (tmp_path / "page.preview.png").exists()
    assert here("run", ".", "--out", "results.csv", "--device", "cpu").code == 0
    assert {row["file"] for row in rows(tmp_path / "results.csv")} == {"page.png"}
    assert account(tmp_path / "results.csv")["passed_over"] == ["page.preview.png"]


@pytest.mark.parametrize(("scan", "suffix"), [("2017.png", "png"), ("digits/2.jpg", "jpg")])
def test_preview_writes_an_image_that_is_not_smaller_than_the_page(
    tmp_path: Path, samples: Path, scan: str, suffix: str
) -> None:
    out = tmp_path / f"drawn.{suffix}"
    ended = here("preview", samples / scan, "--out", out, "--device", "cpu")
    assert ended.code == 0
    assert re.fullmatch(rf"\d+ digits?, \d+ to review: {re.escape(str(out))}\n", ended.out)
    drawn, page = cv2.imread(str(out)), cv2.imread(str(samples / scan))
    assert drawn is not None and page is not None
    assert drawn.shape[0] >= page.shape[0] and drawn.shape[1] >= page.shape[1]
    assert (drawn.max(axis=2).astype(int) - drawn.min(axis=2) > 100).any()  # boxes and labels have a colour


def test_preview_of_a_folder_draws_every_page_into_a_folder(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "scans"
    (folder / "more").mkdir(parents=True)
    shutil.copy(samples / "letters.pdf", folder)
    shutil.copy(samples / "digits" / "2.jpg", folder / "more")
    ended = here("preview", folder, "--device", "cpu")
    drawn = ["letters-001.preview.png", "letters-002.preview.png", "more/2-001.preview.png"]
    assert (ended.code, ended.err) == (0, "")
    assert [line.split(": ")[1] for line in ended.out.splitlines()] == [f"previews/{name}" for name in drawn]
    assert [file.relative_to("previews").as_posix() for file in sorted(Path("previews").rglob("*.png"))] == drawn


def test_preview_goes_on_after_a_page_that_fails(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "a.png").write_text("not an image")
    shutil.copy(samples / "digits" / "2.jpg", tmp_path / "b.jpg")
    shutil.copy(samples / "digits" / "7.jpg", tmp_path / "b.jpeg")
    out = tmp_path / "new" / "drawn"
    ended = here("preview", tmp_path, "--out", out, "--format", "jpg", "--device", "cpu")
    assert ended.code == 3
    assert ended.err.startswith("batchocr: a.png: not an image") and ended.err.count("\n") == 1
    assert {file.name for file in out.iterdir()} == {"b.jpg-001.preview.jpg", "b.jpeg-001.preview.jpg"}
    assert (out / "b.jpg-001.preview.jpg").read_bytes()[:3] == b"\xff\xd8\xff"


def test_preview_draws_the_pages_that_are_selected(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scan = samples / "letters.pdf"
    assert here("preview", scan, "--pages", "2", "--max-side", "400", "--device", "cpu").code == 0
    drawn = cv2.imread("letters.preview.png")
    assert drawn is not None and drawn.shape[1] == 400
    assert here("preview", scan, "--out", "page.jpg", "--stage", "level", "--device", "cpu").code == 0
    missing = here("preview", scan, "--pages", "2-4", "--out", "folder", "--stage", "level", "--device", "cpu")
    assert (missing.code, "has no page 3" in missing.err) == (2, True)
    assert {path.as_posix() for path in Path().rglob("*.*g")} == {
        "letters.preview.png", "page-001.jpg", "page-002.jpg", "folder/letters-002.preview.png",
    }  # fmt: skip


def test_a_contact_sheet_has_the_digits_for_review(tmp_path: Path, samples: Path) -> None:
    out = tmp_path / "doubtful.png"
    (tmp_path / "broken.png").write_text("not an image")
    scans = [samples / "form.png", samples / "digits" / "2.jpg", tmp_path / "broken.png"]
    ended = here("preview", *scans, "--contact-sheet", out, "--min-confidence", "0.9", "--device", "cpu")
    assert ended.code == 3 and ended.err.count("\n") == 1
    found = re.fullmatch(rf"(\d+) digits? to review on 2 pages: {re.escape(str(out))}\n", ended.out)
    assert found and int(found[1]) >= 1
    sheet = cv2.imread(str(out))
    assert sheet is not None and ((sheet == (0, 94, 213)).all(axis=2)).sum() > 300  # boxes
    assert {path.name for path in tmp_path.iterdir()} == {"doubtful.png", "broken.png"}


def test_preview_never_writes_over_a_scan_of_a_folder(tmp_path: Path, samples: Path) -> None:
    scan = tmp_path / "2-001.preview.png"
    shutil.copy(samples / "digits" / "2.jpg", tmp_path / "2.jpg")
    shutil.copy(samples / "digits" / "2.jpg", scan)
    ended = here("preview", tmp_path / "2.jpg", scan, "--out", tmp_path, "--device", "cpu")
    assert (ended.code, "this is the scan itself" in ended.err) == (2, True)
    sheet = here("preview", tmp_path / "2.jpg", scan, "--contact-sheet", scan, "--device", "cpu")
    assert (sheet.code, "this is the scan itself" in sheet.err) == (2, True)
    assert scan.read_bytes() == (samples / "digits" / "2.jpg").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([SAMPLES / "2017.png", "--out", "drawn.gif"], 2),
        (["nowhere.png"], 2),
        ([], 2),
        ([SAMPLES / "digits", "--out", "drawn.png"], 2),
        ([SAMPLES / "2017.png", "--out", "drawn.png", "--format", "jpg"], 2),
        ([SAMPLES / "2017.png", "--contact-sheet", "a.png", "--out", "b.png"], 2),
        ([SAMPLES / "digits", "--pages", "5"], 2),
        ([SAMPLES / "expected.csv"], 3),
        ([SAMPLES / "make_*.png"], 4),
        ([SAMPLES / "2017.png", "--model", "none.keras"], 5),
        ([SAMPLES / "digits" / "2.jpg", "--out", "none/drawn.png"], 7),
        ([SAMPLES / "digits" / "2.jpg", "--contact-sheet", "none/drawn.png"], 7),
    ],
)
def test_preview_ends_with_the_same_codes(
    arguments: list[str | Path], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("preview", *arguments)
    assert ended.code == code
    assert ended.err.startswith("batchocr: ") and ended.err.count("\n") == 1
    assert not list(tmp_path.rglob("*.*g"))
    assert not list(tmp_path.rglob("*.gif"))
