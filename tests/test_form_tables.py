"""The tables of a run with forms: a row for each field, and the wide table with a column for each field."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import beside, rows
from openpyxl import load_workbook
from pyarrow import parquet
from test_table import FAILED, READ, files

from batchocr.decoding.marking import Marking, mark_rows
from batchocr.errors import FormError, OutputError
from batchocr.forms.form import Field, Form, Rect
from batchocr.output.outputs import STDOUT, make_ready, output_paths
from batchocr.output.read_table import read_table
from batchocr.output.results import write_results
from batchocr.output.table import Values
from batchocr.output.table_folder import TableFolder, write_files
from batchocr.output.table_kinds import BASIC, Kinds, field_names, table_kinds
from batchocr.records import FieldRow, FieldStatus, FormRow, PageResult

PLACE = Rect(0, 0, 10, 10)


def form(name: str, *fields: str) -> Form:
    return Form(name, 210, 297, tuple(Field(field, "cells", PLACE) for field in fields))


def of_page(file: str, name: str, residual_mm: float | None = 0.126, **texts: str) -> PageResult:
    """Return a page of the form `name` with these fields; `__` in a name stands for a point."""
    fields = tuple(
        FieldRow(file, 1, name, field.replace("__", "."), text, text, 0.98765, status, "", 1, 2, 30, 40)
        for field, text in texts.items()
        for status in ("ok" if text else "empty",)
    )
    page = replace(READ.page, file=file)
    return PageResult(page, (), (), FormRow(file, 1, name, residual_mm, "ok", ""), fields)


MEMBER, METER = form("member", "number", "voters.total.men", "page"), form("meter", "number", "reading-1")
KINDS = table_kinds(field_names([MEMBER, METER]))
A = of_page("a.png", "member", number="0042", voters__total__men="", page="7")
B = of_page("b.png", "meter", None, **{"number": "12", "reading-1": "000"})
GONE = replace(FAILED, form=FormRow("b.png", None, "", None, "failed", "damaged"))

FIELDS_CSV = """\
file,page,form,field,text,value,confidence,status,reason,left,top,width,height
a.png,1,member,number,0042,0042,0.9876,ok,,1,2,30,40
a.png,1,member,voters.total.men,,,0.9876,empty,,1,2,30,40
a.png,1,member,page,7,7,0.9876,ok,,1,2,30,40
b.png,1,meter,number,12,12,0.9876,ok,,1,2,30,40
b.png,1,meter,reading-1,000,000,0.9876,ok,,1,2,30,40
"""
FORMS_CSV = """\
file,page,form,residual_mm,status,reason,number,voters.total.men,field.page,reading-1
a.png,1,member,0.13,ok,,0042,,7,
b.png,1,meter,,ok,,12,,,000
b.png,0,,,failed,damaged,,,,
"""


def write(out: Path, *results: PageResult, kinds: Kinds = KINDS, **options: Any) -> dict[str, Path]:
    """Write results, and return the file of each table."""
    outputs = output_paths(out, kinds=kinds, **options)
    write_results(outputs, iter(results), dict)
    return dict(outputs.tables or {})


def cells(text: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(",")) for line in text.splitlines()[1:]]


def test_the_csv_files_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path / "r.csv", A, B, FAILED)
    assert (tmp_path / "r.fields.csv").read_text() == FIELDS_CSV
    assert (tmp_path / "r.forms.csv").read_text() == FORMS_CSV
    names = {f"r{kind}.csv" for kind in ("", ".numbers", ".pages", ".fields", ".forms")}
    assert files(tmp_path) == {*names, "r.run.json"}


def test_a_failed_page_has_the_same_row_with_and_without_a_form_row(tmp_path: Path) -> None:
    for name, page in (("with", GONE), ("without", FAILED)):
        write(tmp_path / f"{name}.csv", page)
    assert (tmp_path / "with.forms.csv").read_text() == (tmp_path / "without.forms.csv").read_text()


def test_the_dialect_of_excel_changes_no_text_of_a_field(tmp_path: Path) -> None:
    tables = write(tmp_path / "r.csv", of_page("a.png", "member", number="12.50"), csv_dialect="excel")
    text = tables["forms"].read_bytes().decode("utf-8-sig")
    assert text.splitlines()[1] == "a.png;1;member;0,13;ok;;12.50;;;"
    assert "12.50;12.50;0,9876" in tables["fields"].read_text("utf-8-sig")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".xlsx", ".db"])
def test_every_format_has_the_same_cells(suffix: str, tmp_path: Path) -> None:
    tables = write(tmp_path / f"r{suffix}", A, B, FAILED)
    for kind, expected in ((KINDS[3], FIELDS_CSV), (KINDS[4], FORMS_CSV)):
        found = [tuple(row.values()) for row in read_table(tables[kind.name], kind)]
        assert sorted(found) == sorted(cells(expected)), kind.name
        if suffix != ".db":  # which has the order of its keys
            assert found == cells(expected), kind.name


def test_text_stays_text_in_json_and_parquet(tmp_path: Path) -> None:
    lines = write(tmp_path / "r.jsonl", A, FAILED)["forms"].read_text().splitlines()
    table = parquet.read_table(write(tmp_path / "r.parquet", A, FAILED)["forms"])
    assert [json.loads(line) for line in lines] == table.to_pylist()
    first, failed = table.to_pylist()
    assert (first["number"], first["residual_mm"], first["voters.total.men"]) == ("0042", 0.13, "")
    assert (failed["page"], failed["residual_mm"], failed["status"], failed["number"]) == (0, None, "failed", "")


def test_a_field_with_the_name_of_a_column_of_digits_is_text(tmp_path: Path) -> None:
    kinds = table_kinds(("digit", "confidence", "second", "seconds"))
    page = of_page("a.png", "f", digit="07", confidence="010", second="1.50", seconds="0")
    for suffix in (".csv", ".jsonl", ".parquet", ".xlsx", ".db"):
        tables = write(tmp_path / f"r{suffix}", page, kinds=kinds)
        (row,) = read_table(tables["forms"], kinds[4])
        assert list(row.values())[6:] == ["07", "010", "1.50", "0"], suffix


def test_a_workbook_keeps_zeros(tmp_path: Path) -> None:
    write(tmp_path / "r.xlsx", A)
    book = load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["digits", "numbers", "pages", "fields", "forms"]
    for name, cell, value in (("fields", "E2", "0042"), ("forms", "G2", "0042")):
        found = book[name][cell]
        assert (found.value, found.data_type, found.number_format) == (value, "s", "@")
    assert (book["forms"]["D2"].value, book["forms"]["D2"].number_format) == (0.13, "0.00")
    assert book["forms"].auto_filter.ref == "A1:J2"


def test_digits_on_standard_output_are_as_without_forms(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for kinds in (KINDS, BASIC):
        write(STDOUT, replace(A, digits=READ.digits), kinds=kinds)
    out = capfdbinary.readouterr().out.splitlines()
    assert out[:3] == out[3:] and files(tmp_path) == set()


def test_a_second_place_for_numbers_cannot_be_a_table_of_forms(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="another table there"):
        output_paths(tmp_path / "r.csv", numbers_out=tmp_path / "r.forms.csv", kinds=KINDS)


def query(base: Path, sql: str) -> list[Values]:
    with closing(sqlite3.connect(base)) as opened:
        return opened.execute(sql).fetchall()


def test_a_database_keeps_pages_that_are_the_same_and_takes_other_forms(tmp_path: Path) -> None:
    base = tmp_path / "r.db"
    write(base, A, B)
    with closing(sqlite3.connect(base, isolation_level=None)) as opened:
        opened.execute("UPDATE pages SET read_at = 'before'")
    write(base, A, of_page("b.png", "meter", number="13"))
    assert query(base, "SELECT read_at = 'before' FROM pages ORDER BY file") == [(1,), (0,)]
    assert query(base, 'SELECT number, "voters.total.men" FROM forms ORDER BY file') == [("0042", ""), ("13", "")]
    # other fields: the wide table gets their columns
    other = table_kinds(("total",))
    write(base, of_page("c.png", "new", total="009"), kinds=other)
    make_ready(output_paths(base, kinds=other))
    assert query(base, "SELECT * FROM forms") == [("c.png", 1, "new", 0.13, "ok", "", "009")]
    assert query(base, "SELECT field, text FROM fields") == [("total", "009")]
    assert query(base, "SELECT file FROM pages") == [("c.png",)]


def test_a_database_with_a_table_of_forms_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    base = tmp_path / "r.db"
    with closing(sqlite3.connect(base, isolation_level=None)) as opened:
        opened.execute("CREATE TABLE forms (mine TEXT)")
    for work in (lambda: make_ready(output_paths(base, kinds=KINDS)), lambda: write(base, A)):
        with pytest.raises(OutputError, match="its table forms has other columns"):
            work()
    assert query(base, "SELECT name FROM sqlite_master") == [("forms",)]
    write(base, A, kinds=BASIC)  # a run without forms does not need it
    assert query(base, "SELECT count(*) FROM pages") == [(1,)]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_delta_has_the_pages_whose_fields_changed(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"r{suffix}"
    write(out, A, B, READ)
    changed = of_page("b.png", "meter", None, **{"number": "13", "reading-1": "000"})
    outputs = output_paths(out, kinds=KINDS, delta=True)
    write(out, A, changed, delta=True)
    assert outputs.delta
    pages, fields, forms = (list(read_table(outputs.delta[kind.name], kind)) for kind in KINDS[2:])
    assert [(row["file"], row["status"]) for row in pages] == [("b.png", "read"), ("a/1.png", "removed")]
    assert [(row["file"], row["text"]) for row in fields] == [("b.png", "13"), ("b.png", "000")]
    assert [(row["file"], row["number"], row["reading-1"]) for row in forms] == [("b.png", "13", "000")]
    write(out, A, replace(changed, form=replace(changed.form or GONE.form, residual_mm=0.4)), delta=True)  # type: ignore[type-var]
    assert [row["residual_mm"] for row in read_table(outputs.delta["forms"], KINDS[4])] == ["0.40"]


def test_the_delta_compares_with_results_of_other_forms(tmp_path: Path) -> None:
    out, more = tmp_path / "r.csv", table_kinds(("total", "number", "voters.total.men", "page"))
    write(out, A, B)
    write(out, A, of_page("c.png", "new", total="1"), kinds=more, delta=True)
    found = rows(tmp_path / "r.delta.forms.csv")
    assert [(row["file"], row["total"]) for row in found] == [("c.png", "1")]
    assert [row["file"] for row in rows(tmp_path / "r.delta.pages.csv")] == ["c.png", "b.png"]


def test_a_folder_has_the_tables_of_forms_and_loses_them_without(tmp_path: Path) -> None:
    folder = TableFolder(f"{tmp_path}/", KINDS)
    write_files(folder, 0, [A, B, FAILED])
    table = parquet.read_table(tmp_path / "forms" / "000000.parquet")
    assert table.column("number").to_pylist() == ["0042", "12", ""]
    assert parquet.read_table(tmp_path / "fields" / "000000.parquet").num_rows == 5
    assert f"{folder.out}forms/" in folder.names
    TableFolder(f"{tmp_path}/").remove_results()
    assert not list(tmp_path.glob("f*/*.parquet"))


def test_tables_without_pages_have_a_header(tmp_path: Path) -> None:
    write(tmp_path / "r.csv")
    assert (tmp_path / "r.forms.csv").read_text().splitlines() == FORMS_CSV.splitlines()[:1]
    tables = write(tmp_path / "r.parquet")
    assert parquet.read_table(tables["forms"]).column_names == FORMS_CSV.splitlines()[0].split(",")


def test_names_that_differ_in_case_only_are_an_error() -> None:
    assert field_names([]) is None
    assert field_names([MEMBER, METER]) == ("number", "voters.total.men", "page", "reading-1")
    with pytest.raises(FormError, match=r"number \(form member\) and Number \(form other\).*rename one"):
        field_names([MEMBER, form("other", "Number")])


def test_without_forms_nothing_else_is_written(tmp_path: Path) -> None:
    write(tmp_path / "r.csv", A, kinds=table_kinds(None))
    assert files(tmp_path) == {"r.csv", "r.numbers.csv", "r.pages.csv", "r.run.json"}
    assert not beside(tmp_path / "r.csv", "fields.csv").exists()


def marked(*fields: tuple[FieldStatus, float, str], reason: str = "") -> PageResult:
    """Return a page with fields of these statuses, confidences and reasons, marked with the threshold 0.9."""
    page = of_page("a.png", "member", 0.1, **{f"f{number}": "1" for number in range(len(fields))})
    found = tuple(
        replace(row, status=status, confidence=confidence, reason=why)
        for row, (status, confidence, why) in zip(page.fields, fields, strict=True)
    )
    result = replace(page, fields=found, form=FormRow("a.png", 1, "member", 0.1, "ok", reason))
    return mark_rows(result, Marking(0.9, "drop"))


def test_the_threshold_marks_fields_that_are_ok() -> None:
    result = marked(("ok", 0.9, ""), ("ok", 0.8999, ""), ("corrected", 0.1, "check-digit"), ("empty", 0.1, ""))
    assert [(row.status, row.reason) for row in result.fields] == [
        ("ok", ""),
        ("review", "low-confidence"),
        ("corrected", "check-digit"),
        ("empty", ""),
    ]
    assert result.form and (result.form.status, result.form.reason) == ("review", "reading;rule")


@pytest.mark.parametrize(
    ("fields", "reason", "status", "steps"),
    [
        ([("ok", 1.0, ""), ("empty", 1.0, "")], "", "ok", ""),
        ([("empty", 1.0, ""), ("empty", 1.0, "")], "", "empty", ""),
        ([], "", "empty", ""),
        ([("ok", 1.0, ""), ("corrected", 1.0, "total = a + b")], "", "corrected", "rule"),
        ([("corrected", 1.0, "check-digit;without-rules=123:0.4000")], "", "corrected", "rule"),
        (
            [("invalid", 1.0, "length;unread-ink"), ("review", 1.0, "not-a-digit")],
            "",
            "invalid",
            "finding;reading;rule",
        ),
        ([("review", 1.0, "crossed-out")], "registration", "review", "registration;finding"),
        ([("ok", 1.0, "")], "registration", "review", "registration"),
        ([("empty", 1.0, "required")], "", "review", "rule"),
        ([("review", 0.0, "cut-off")], "", "review", "finding"),
    ],
)
def test_a_page_has_the_worst_status_and_the_steps_that_doubt(
    fields: list[tuple[FieldStatus, float, str]], reason: str, status: str, steps: str
) -> None:
    form = marked(*fields, reason=reason).form
    assert form and (form.status, form.reason) == (status, steps)


def test_a_page_that_failed_and_a_form_that_was_not_found_stay() -> None:
    assert mark_rows(GONE, Marking(0.9)) == GONE
    lost = replace(A, form=FormRow("a.png", 1, "", None, "failed", ""), fields=())
    assert mark_rows(lost, Marking(0.9)).form == lost.form
