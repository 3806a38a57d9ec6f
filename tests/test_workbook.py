"""Excel workbooks: text that stays text, the same bytes for the same rows, the limits of a sheet."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from test_table import DIGIT, FAILED, NUMBER, READ, files, write

from batchocr.errors import OutputError
from batchocr.output.formats import workbook
from batchocr.records import PageResult, PageRow


def test_a_sheet_for_each_table(tmp_path: Path) -> None:
    out = tmp_path / "results.xlsx"
    write(out, [READ, FAILED])
    assert files(tmp_path) == {"results.xlsx", "results.run.json"}
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["digits", "numbers", "pages"]
    for sheet, last in zip(book, ("O3", "M2", "P3"), strict=True):
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == f"A1:{last}"
        assert sheet["A1"].font.bold and sheet.column_dimensions["A"].width == 32
    assert [cell.value for cell in book["numbers"][2]] == [
        "a/1.png", 1, 2, 1, "0,07", "007", 0.9, "hand", 5, 6, 70, 30, "low-confidence;sign",
    ]  # fmt: skip
    assert [cell.value for cell in book["pages"]["F"]] == ["width", 640, None]


def test_text_keeps_zeros_and_is_never_a_date_or_a_formula(tmp_path: Path) -> None:
    out = tmp_path / "results.xlsx"
    texts = ["0012", "12/05", "-17", "1e5", "=1+1", "#N/A"]
    numbers = tuple(replace(NUMBER, number=place, text=text) for place, text in enumerate(texts, 1))
    write(out, [replace(READ, numbers=numbers)])
    sheet = openpyxl.load_workbook(out)["numbers"]
    cells = [row[4] for row in sheet.iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type, cell.number_format) for cell in cells] == [(text, "s", "@") for text in texts]
    assert [sheet[f"{column}2"].number_format for column in "AFG"] == ["@", "@", "0.0000"]
    assert pd.read_excel(out, "numbers", keep_default_na=False)["text"].tolist() == texts


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [READ, FAILED])
    time.sleep(2.1)  # the times in a ZIP archive have steps of two seconds
    write(tmp_path / "b.xlsx", [READ, FAILED])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [("bell\x07\ufffe.png", r"bell\x07\ufffe.png"), ("a_x0041_.png", "a_x005F_x0041_.png"), (" a ", " a ")],
)
def test_characters_that_a_cell_cannot_hold(name: str, value: str, tmp_path: Path) -> None:
    out = tmp_path / "results.xlsx"
    write(out, [PageResult(PageRow(name, 1, "read"), (replace(DIGIT, file=name),))])
    assert openpyxl.load_workbook(out)["digits"]["A2"].value == value


def test_more_rows_than_a_sheet_has_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "results.xlsx"
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    write(out, [READ])
    before = out.read_bytes()
    monkeypatch.setattr(workbook, "MAX_ROWS", 2)
    with pytest.raises(OutputError, match=r"results\.xlsx: .*more rows .*\.csv, \.parquet or \.db, and --state"):
        write(out, [READ])
    assert out.read_bytes() == before
    assert files(tmp_path) == {"results.xlsx", "results.run.json"}
