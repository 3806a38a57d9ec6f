"""`--max-error`: the threshold from the table of the reading file, what it marks, and errors that are too small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Ended, account, beside, here, rows
from own_models import copy_model, own_reading, table

from batchocr import Reader
from batchocr.errors import ModelError, UsageError
from batchocr.reading_file import find_reading, read_reading
from batchocr.recognition.model_file import read_detector, read_sidecar, shipped_detector, sidecar_path
from batchocr.recognition.networks import Models

TABLE = table((0.3, 0.04), (0.9, 0.008), (0.95, 0.009), (0.9985, 0.002))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = copy_model(tmp_path_factory.mktemp("model") / "mine.keras")
    own_reading(path, levels=TABLE.levels, data="a made-up table")
    return path


def run(*arguments: str | Path, out: Path, **variables: str) -> Ended:
    return here("run", *arguments, "--device", "cpu", "--out", out, variables=variables)


def marked(out: Path) -> list[bool]:
    return ["low-confidence" in row["review"].split(";") for row in rows(out)]


@pytest.fixture(scope="module")
def plain(model: Path, samples: Path) -> Path:
    """Return the results without an option for the threshold."""
    out = model.with_name("plain.csv")
    assert run(samples / "numbers.png", "--model", model, out=out).code == 0
    return out


@pytest.mark.parametrize(("max_error", "least"), [("0.05", 0.3), ("0.009", 0.9), ("0.008", 0.9), ("0.002", 0.9985)])
def test_digits_below_the_threshold_are_marked_and_not_dropped(
    model: Path, plain: Path, samples: Path, tmp_path: Path, max_error: str, least: float
) -> None:
    ours = tmp_path / "ours.csv"
    assert run(samples / "numbers.png", "--model", model, "--max-error", max_error, out=ours).code == 0
    assert [{**row, "review": ""} for row in rows(ours)] == [{**row, "review": ""} for row in rows(plain)]
    assert marked(ours) == [float(row["confidence"]) < least for row in rows(ours)]
    assert any(marked(ours)) or least < 0.99
    report = account(ours)
    assert (report["settings"]["max_error"], report["settings"]["min_confidence"]) == (float(max_error), least)
    assert (report["reading"]["file"], report["reading"]["data"]) == ("mine.reading.json", "a made-up table")
    assert report["reading"]["fitted"]


def test_the_environment_sets_it_too(model: Path, one_digit: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    assert run(one_digit, "--model", model, out=out, BATCHOCR_MAX_ERROR="0.002").code == 0
    assert account(out)["settings"]["min_confidence"] == 0.9985


def test_both_thresholds_together_are_wrong_usage(model: Path, one_digit: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    for ended in (
        run(one_digit, "--max-error", "0.01", "--min-confidence", "0.9", "--model", model, out=out),
        run(one_digit, "--max-error", "0.01", "--model", model, out=out, BATCHOCR_MIN_CONFIDENCE="0.9"),
        here("preview", one_digit, "--max-error", "0.01", "--min-confidence", "0.9", "--out", tmp_path / "a.png"),
    ):
        assert (ended.code, "give one of them" in ended.err, ended.err.count("\n")) == (2, True, 1)
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_is_too_small_is_reported_with_the_smallest_possible_one(
    model: Path, one_digit: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results.csv"
    ended = run(one_digit, "--model", model, "--max-error", "0.001", out=out)
    assert ended.code == 2 and not beside(out, "run.json").exists()
    assert "mine.reading.json is 0.002000, at a confidence of 0.9985 or more" in ended.err
    assert run(one_digit, "--model", model, "--max-error", "0.002000", out=out).code == 0


@pytest.mark.parametrize("value", ["-0.1", "1.5", "nan", "none"])
def test_a_value_that_is_not_a_share_is_refused(model: Path, one_digit: Path, tmp_path: Path, value: str) -> None:
    ended = run(one_digit, "--model", model, "--max-error", value, out=tmp_path / "results.csv")
    assert ended.code == 2 and "--max-error" in ended.err


def test_preview_marks_by_it(model: Path, samples: Path, tmp_path: Path) -> None:
    def review(max_error: str) -> int:
        options = ["--max-error", max_error, "--device", "cpu"]
        ended = here("preview", samples / "numbers.png", "--model", model, "--out", tmp_path / "a.png", *options)
        return int(ended.out.split(", ")[1].split()[0])

    assert review("0.05") < review("0.002")


def test_a_reader_takes_it_too(model: Path, samples: Path) -> None:
    read = Reader(model, device="cpu", max_error=0.002).read(samples / "numbers.png")
    assert (read["review"].str.contains("low-confidence") == (read["confidence"] < 0.9985)).all()
    assert read["review"].str.contains("low-confidence").any()
    with pytest.raises(UsageError, match="give one of them"):
        Reader(model, max_error=0.01, min_confidence=0.5)
    with pytest.raises(UsageError, match="must be a number from 0 to 1"):
        Reader(model, max_error=5)
    with pytest.raises(ModelError, match=r"none\.keras: there is no such model"):
        Reader(model.with_name("none.keras"), max_error=0.01)


def test_without_options_the_threshold_is_that_of_the_reading_file(model: Path) -> None:
    models = Models(shipped_detector(), model)
    reading = find_reading(models, read_detector(models.detector)[0], read_sidecar(model))
    assert reading.threshold(None, None) == reading.record.min_confidence
    assert reading.threshold(0.7, None) == 0.7
    assert reading.threshold(None, 0.0085) == 0.9


@pytest.mark.parametrize(
    ("change", "says"),
    [({"levels": []}, "calibration.levels"), ({"rows": -1}, "calibration.rows"), ({"x": 1}, "calibration.x")],
)
def test_a_sidecar_with_a_damaged_table_is_refused(
    change: dict[str, object], says: str, one_digit: Path, tmp_path: Path
) -> None:
    path = sidecar_path(copy_model(tmp_path / "mine.keras", calibration=TABLE))
    lines = [line for line in path.read_text().splitlines() if '"confidence"' in line]
    assert [json.loads(line.rstrip(","))["high"] for line in lines] == [level.high for level in TABLE.levels]
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "calibration": {**content["calibration"], **change}}))
    ended = run(one_digit, "--model", tmp_path / "mine.keras", out=tmp_path / "results.csv")
    assert (ended.code, says in ended.err) == (5, True)


def test_a_damaged_reading_file_ends_with_5(one_digit: Path, tmp_path: Path) -> None:
    path = own_reading(copy_model(tmp_path / "mine.keras"), levels=TABLE.levels)
    assert read_reading(path)[0].levels == TABLE.levels
    path.write_text(path.read_text().replace('"min_digit_probability"', '"least_digit"'))
    ended = run(one_digit, "--model", tmp_path / "mine.keras", out=tmp_path / "results.csv")
    assert (ended.code, ended.err.count("\n")) == (5, 1)
    assert "mine.reading.json: is not a reading file of batchocr (min_digit_probability: Field required)" in ended.err
