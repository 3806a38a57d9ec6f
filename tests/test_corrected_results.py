"""Results corrected in a spreadsheet as ground truth, and what a spreadsheet may have damaged in them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command import beside, here, rows
from strokes import page, save

from batchocr.errors import UsageError
from batchocr.evaluation.corrected_results import UNKNOWN, CorrectedNumber, read_corrected
from batchocr.evaluation.page_scores import score_corrected
from batchocr.recognition.calibration import NOT_A_DIGIT
from batchocr.recognition.model_file import read_sidecar, shipped_model
from batchocr.records import DigitRow

Table = list[dict[str, str]]
READ = {"1": "0421", "2": "15", "3": "12052017"}
"""The digits that were read, by number."""


def table(path: Path, rows: Table, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def digit_rows() -> Table:
    return [
        {"file": "a.png", "page": "1", "line": "1", "number": number, "position": str(at), "digit": digit,
         "left": str(100 * int(number) + 20 * at), "top": "30", "width": "10", "height": "20"}
        for number, text in READ.items() for at, digit in enumerate(text, 1)
    ]  # fmt: skip


def number_rows(**texts: str) -> Table:
    """Return a numbers table with the corrected texts `n1`, `n2` and `n3`."""
    return [
        {"file": "a.png", "page": "1", "line": "1", "number": number, "text": texts.get(f"n{number}", read)}
        for number, read in READ.items()
    ]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return table(tmp_path / "results.csv", digit_rows())


def corrected(results: Path, given: Table, **options: str) -> list[CorrectedNumber]:
    return read_corrected(table(beside(results, "numbers.csv"), given, **options))["a.png, page 1"]


def test_corrected_texts_label_the_boxes_of_the_digits(results: Path) -> None:
    numbers = corrected(results, number_rows(n1="04.27", n2="x5", n3="12/05/20?7"))
    assert [number.text for number in numbers] == ["0427", "5", "1205207"]
    assert [digit[0] for digit in numbers[0].digits] == [0, 4, 2, 7]
    assert numbers[0].digits[0] == (0, 120, 30, 10, 20)
    assert [digit[0] for digit in numbers[1].digits] == [NOT_A_DIGIT, 5]
    assert [digit[0] for digit in numbers[2].digits][6] == UNKNOWN
    assert [number.is_known for number in numbers] == [True, True, False]


def test_an_empty_text_is_not_a_number(results: Path) -> None:
    assert [digit[0] for digit in corrected(results, number_rows(n2=""))[1].digits] == [NOT_A_DIGIT, NOT_A_DIGIT]


def test_deleted_rows_are_not_measured(results: Path) -> None:
    assert [number.text for number in corrected(results, number_rows()[1:2])] == ["15"]


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), (";", "utf-8"), (",", "utf-8-sig")]
)
def test_the_formats_of_spreadsheets_are_read(delimiter: str, encoding: str, results: Path) -> None:
    numbers = corrected(results, number_rows(n1="0427"), delimiter=delimiter, encoding=encoding)
    assert [number.text for number in numbers] == ["0427", "15", "12052017"]


def test_the_digits_table_may_be_corrected_instead(tmp_path: Path) -> None:
    given = digit_rows()
    given[3]["digit"], given[4]["digit"] = "7", "x"
    numbers = read_corrected(table(tmp_path / "mine.csv", given))["a.png, page 1"]
    assert [number.text for number in numbers] == ["0427", "5", "12052017"]


def test_the_digits_table_may_be_in_another_folder(results: Path, tmp_path: Path) -> None:
    mine = table(tmp_path / "checked.csv", number_rows(n1="0427"))
    assert read_corrected(mine, results)["a.png, page 1"][0].text == "0427"
    with pytest.raises(UsageError, match=r"checked.csv: the table of digits .* give the results.csv .* as --results"):
        read_corrected(mine)


FAULTS: dict[str, tuple[Callable[[Table], Table], str]] = {
    "lost zeros": (lambda t: number_rows(n1="421"), r"line 2: text is '421'.*leading zeros.*write 0421"),
    "a fraction": (lambda t: number_rows(n2="15.0"), r"line 3: text is '15.0'.*added .0.*write 15"),
    "a large number": (lambda t: number_rows(n3="1.2052E+07"), r"line 4: .*large number; import the columns"),
    "a date": (lambda t: number_rows(n3="2017-05-12"), r"line 4: .*12052017 was read.*as a spreadsheet writes dates"),
    "a digit more": (lambda t: number_rows(n2="150"), r"line 3: .*has 3 digits, and 2 were read \(15\).*has no box"),
    "a digit less": (lambda t: number_rows(n2="5"), r"line 3: .*write one digit for each that was read, x in place"),
    "a letter": (lambda t: number_rows(n2="1O"), r"line 3: text is '1O': 'O' is not a digit 0 to 9; write x"),
    "twice": (lambda t: [*t, t[0]], r"line 5: the same number is on line 2"),
    "no such number": (lambda t: [t[0] | {"number": "9"}], r"line 2: results.csv has no number 9 on line 1 of a.png"),
    "a page with a point": (lambda t: [t[0] | {"page": "1.0"}], r"line 2: page is '1.0', not a whole number"),
    "a column less": (lambda t: [{"file": "a.png", "text": "12"}], r"has no column page; keep all columns"),
    "other columns": (lambda t: [{"a": "1", "b": "2"}], r"has neither a column text nor a column digit"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_an_impossible_correction_is_refused_with_its_line_and_a_fix(kind: str, results: Path) -> None:
    damage, says = FAULTS[kind]
    with pytest.raises(UsageError, match=rf"results\.numbers\.csv(, |: ).*{says.removeprefix('line')}"):
        corrected(results, damage(number_rows()))


def test_bad_digits_and_bytes_are_refused(tmp_path: Path) -> None:
    given = digit_rows()
    given[1]["digit"] = "4.0"
    with pytest.raises(UsageError, match=r"line 3: digit is '4.0'; write one digit 0 to 9, x where"):
        read_corrected(table(tmp_path / "mine.csv", given))
    with pytest.raises(UsageError, match=r"is not CSV in UTF-8"):
        read_corrected(table(tmp_path / "old.csv", [{"file": "ü.png", "digit": "1"}], encoding="cp1252"))
    (tmp_path / "short.csv").write_text("file,digit\na.png\n")
    with pytest.raises(UsageError, match=r"line 2: has not as many cells as the first line"):
        read_corrected(tmp_path / "short.csv")


def read_row(digit: int, left: int, number: int, position: int) -> DigitRow:
    return DigitRow("a.png", 1, 1, number, position, digit, 0.9, 0, 0.0, left, 30, 10, 20, "hand", "")


def test_only_rows_of_corrected_numbers_are_scored() -> None:
    truth = [
        CorrectedNumber("27", ((2, 20, 30, 10, 20), (7, 40, 30, 10, 20))),
        CorrectedNumber("5", ((NOT_A_DIGIT, 100, 30, 10, 20), (5, 120, 30, 10, 20))),
        CorrectedNumber("", ((UNKNOWN, 200, 30, 10, 20),)),
    ]
    read = [
        read_row(2, 20, 1, 1), read_row(1, 40, 1, 2),  # 21 instead of 27
        read_row(1, 100, 2, 1), read_row(5, 120, 2, 2),  # 15, but only the 5 is a digit
        read_row(8, 200, 3, 1), read_row(9, 400, 4, 1),  # an illegible digit, and one that was not checked
    ]  # fmt: skip
    figures, pairs = score_corrected({"p": truth}, {"p": read})
    assert sorted(zip(pairs.true, pairs.predicted, strict=True)) == [(-1, 1), (2, 2), (5, 5), (7, 1)]
    assert (figures["count"], figures["errors"], figures["accuracy"]) == (3, 1, 0.6667)
    assert (figures["others"], figures["others_read"], figures["found_again"]) == (1, 1, 1)
    assert (figures["numbers"], figures["number_accuracy"]) == (2, 0)


def test_a_run_corrected_in_a_spreadsheet_gives_figures_and_a_calibration(tmp_path: Path) -> None:
    scans, out = tmp_path / "scans", tmp_path / "results.csv"
    line = "20531748296"
    for name in ("below/a", "b"):
        save(scans / f"{name}.png", page([line] * 10))
    assert here("run", scans, "--out", out, "--device", "cpu").code == 0
    numbers = rows(beside(out, "numbers.csv"))
    for row in numbers:  # each line has the same number, so a person can correct it
        if len(row["digits"]) == len(line):
            row["text"] = line
    checked = [row for row in numbers if len(row["digits"]) == len(line)]
    assert len(checked) * len(line) >= 200
    mine = table(beside(out, "numbers.csv"), checked, delimiter=";", encoding="utf-8-sig")
    ended = here(
        "evaluate", "--data", scans, "--truth", mine, "--json", tmp_path / "f.json", "--device", "cpu",
        "--save-calibration", tmp_path / "own.keras",
    )  # fmt: skip
    wrong = sum(int(a != b) for row in checked for a, b in zip(row["digits"], line, strict=True))
    assert ended.code == 0, ended.err
    figures = json.loads((tmp_path / "f.json").read_text())
    assert (figures["truth"], figures["count"], figures["errors"]) == ("corrected", len(checked) * len(line), wrong)
    assert (figures["found_again"], figures["numbers"], figures["failed"]) == (1, len(checked), 0)
    assert "results that a person has corrected" in ended.out and "found again" in ended.out
    assert figures["calibrated"]["data"] == "scans, 2 pages"
    assert read_sidecar(tmp_path / "own.keras").sha256 == read_sidecar(shipped_model()).sha256


def test_other_wrong_usage(results: Path, tmp_path: Path) -> None:
    save(tmp_path / "scans" / "b.png", page(["12"]))
    mine = table(beside(results, "numbers.csv"), number_rows())
    ended = here("evaluate", "--data", tmp_path / "scans", "--truth", mine)
    assert ended.code == 2 and "has digits of a.png, which is not in" in ended.err
    ended = here("evaluate", "--data", tmp_path / "scans", "--results", results)
    assert ended.code == 2 and "--results: is only used with --truth" in ended.err
