"""The result files: exact bytes of the CSV files, the same rows in every format, whole files or none."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from batchocr.errors import OutputError, UsageError
from batchocr.output import results as result_files
from batchocr.output.atomic_write import unfinished_name
from batchocr.output.outputs import STDOUT, as_path, make_ready, output_paths, remove_results
from batchocr.output.read_table import read_table
from batchocr.output.results import write_results
from batchocr.output.table import text_rows
from batchocr.output.table_kinds import TABLES
from batchocr.records import DigitRow, NumberRow, PageResult, PageRow

DIGIT = DigitRow("a/1.png", 1, 2, 1, 1, 0, 0.98765, 6, 0.01, 5, 6, 20, 30, "hand", "")
NUMBER = NumberRow("a/1.png", 1, 2, 1, "0,07", "007", 0.9, "hand", 5, 6, 70, 30, "low-confidence;sign")
READ = PageResult(
    page=PageRow("a/1.png", 1, "read", "", "", 640, 480, -0.001, 1, 1, 2, 4, 1, "", 0.12345, "ab12"),
    digits=(DIGIT, replace(DIGIT, position=2, digit=7, confidence=1.0, review="low-confidence")),
    numbers=(NUMBER,),
)
FAILED = PageResult(page=PageRow("b.png", None, "failed", "damaged", 'b.png: says "no", alas\nscan it again'))
RUN = {"id": "x", "roots": ["Größe"], "counts": {"pages": 2}}

DIGITS_CSV = """\
file,page,line,number,position,digit,confidence,second,second_confidence,left,top,width,height,origin,review
a/1.png,1,2,1,1,0,0.9876,6,0.0100,5,6,20,30,hand,
a/1.png,1,2,1,2,7,1.0000,6,0.0100,5,6,20,30,hand,low-confidence
"""
NUMBERS_CSV = """\
file,page,line,number,text,digits,confidence,origin,left,top,width,height,review
a/1.png,1,2,1,"0,07",007,0.9000,hand,5,6,70,30,low-confidence;sign
"""
PAGES_CSV = """\
file,page,status,error,message,width,height,angle,lines,numbers,digits,printed,review,marks,seconds,sha256
a/1.png,1,read,,,640,480,0.00,1,1,2,4,1,,0.123,ab12
b.png,0,failed,damaged,"b.png: says ""no"", alas
scan it again",,,,0,0,0,0,0,,0.000,
"""


EVERY_SUFFIX = (".csv", ".jsonl", ".parquet", ".xlsx", ".db")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def write(out: Path, results: Sequence[PageResult], **options: Any) -> None:
    write_results(output_paths(out, **options), iter(results), lambda: RUN)


def tables(out: Path) -> dict[str, Path]:
    paths = output_paths(out).tables
    assert paths
    return dict(paths)


def test_the_csv_files_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path / "results.csv", [READ, FAILED])
    assert (tmp_path / "results.csv").read_bytes() == DIGITS_CSV.encode()
    assert (tmp_path / "results.numbers.csv").read_bytes() == NUMBERS_CSV.encode()
    assert (tmp_path / "results.pages.csv").read_bytes() == PAGES_CSV.encode()
    assert json.loads((tmp_path / "results.run.json").read_text("utf-8")) == RUN
    assert files(tmp_path) == {"results.csv", "results.numbers.csv", "results.pages.csv", "results.run.json"}


@pytest.mark.parametrize(
    "name", ['a"b,c;.png', "two\nlines.png", "cr\r.png", "Größe 図.png", r"caf\xe9.png", "./=1.png"]
)
@pytest.mark.parametrize("suffix", EVERY_SUFFIX)
def test_any_name_comes_back_from_every_format(name: str, suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"r{suffix}"
    row = replace(DIGIT, file=name)
    write(out, [PageResult(page=PageRow(name, 1, "read"), digits=(row,))])
    expected = name.replace("\r", r"\r") if suffix == ".xlsx" else name  # XML cannot keep a CR
    assert [row["file"] for row in read_table(out, TABLES["digits"])] == [expected]
    if suffix == ".csv":
        with out.open(encoding="utf-8", newline="") as file:
            assert [row["file"] for row in csv.DictReader(file)] == [name]


@pytest.mark.parametrize("suffix", EVERY_SUFFIX)
def test_every_format_reads_back_as_the_cells_of_the_csv_files(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"results{suffix}"
    write(out, [READ, FAILED])
    for name, path in tables(out).items():
        kind = TABLES[name]
        found = [tuple(row.values()) for row in read_table(path, kind)]
        assert found == text_rows(kind, kind.rows([READ, FAILED])), name


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".JSONL"])
def test_other_formats_hold_the_same_rows_and_types(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"results{suffix}"
    write(out, [READ, FAILED])
    if suffix == ".parquet":
        written = parquet.read_table(out)
        assert written.schema.field("digit").type == pa.int8()
        assert written.schema.field("left").type == pa.int32()
        rows = written.to_pylist()
    else:
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        assert '"file":"a/1.png"' in out.read_text("utf-8")
    expected = pd.read_csv(io.StringIO(DIGITS_CSV), keep_default_na=False).to_dict("records")
    assert rows == expected
    assert [list(row) for row in rows] == [list(row) for row in expected]
    assert all(type(row["digit"]) is int and type(row["confidence"]) is float for row in rows)
    names = {f"results{kind}{suffix}" for kind in ("", ".numbers", ".pages")}
    assert files(tmp_path) == {*names, "results.run.json"}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_page_is_a_whole_number_in_pandas(suffix: str, tmp_path: Path) -> None:
    write(tmp_path / f"results{suffix}", [READ, FAILED])
    for name, path in tables(tmp_path / f"results{suffix}").items():
        if suffix == ".csv":
            read = pd.read_csv(path)
        else:
            read = pd.read_parquet(path) if suffix == ".parquet" else pd.read_json(path, lines=True)
        assert read["page"].dtype == "int64", name
        assert read["page"].tolist()[0] == 1
    assert read["page"].tolist() == [1, 0]  # the scan that could not be opened


def test_the_other_tables_keep_zeros_and_missing_values(tmp_path: Path) -> None:
    for suffix in (".jsonl", ".parquet"):
        write(tmp_path / f"results{suffix}", [READ, FAILED])
    lines = (tmp_path / "results.numbers.jsonl").read_text("utf-8").splitlines()
    (number,) = parquet.read_table(tmp_path / "results.numbers.parquet").to_pylist()
    assert [json.loads(line) for line in lines] == [number]
    assert (number["text"], number["digits"], number["confidence"]) == ("0,07", "007", 0.9)
    pages = parquet.read_table(tmp_path / "results.pages.parquet").to_pylist()
    assert pages == [json.loads(line) for line in (tmp_path / "results.pages.jsonl").read_text("utf-8").splitlines()]
    assert [page["width"] for page in pages] == [640, None]


@pytest.mark.parametrize("results", [[], [FAILED]])
def test_results_without_digits_have_a_header(results: list[PageResult], tmp_path: Path) -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        write(tmp_path / f"r{suffix}", results)
    header = DIGITS_CSV.splitlines()[0]
    assert (tmp_path / "r.csv").read_text() == header + "\n"
    assert (tmp_path / "r.numbers.csv").read_text() == NUMBERS_CSV.splitlines()[0] + "\n"
    assert (tmp_path / "r.jsonl").read_text() == ""
    written = parquet.read_table(tmp_path / "r.parquet")
    assert (written.num_rows, written.column_names) == (0, header.split(","))
    assert written.schema.field("digit").type == pa.int8()
    assert written.schema.field("file").type == pa.string()


def test_digits_to_standard_output(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(STDOUT, [READ, FAILED])
    write(STDOUT, [])
    assert capfdbinary.readouterr().out.decode() == DIGITS_CSV + DIGITS_CSV.splitlines()[0] + "\n"
    assert files(tmp_path) == set()


def test_earlier_results_are_replaced_and_anyone_may_read_them(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    out.write_text("old" * 10000)
    mask = os.umask(0o022)
    write(out, [READ])
    os.umask(mask)
    assert out.read_text() == DIGITS_CSV
    assert out.stat().st_mode & 0o777 == 0o644


def test_many_rows_are_written_in_pieces_with_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = [PageResult(replace(READ.page, page=n), READ.digits, READ.numbers) for n in range(1, 8)] + [FAILED]
    for suffix in (".csv", ".jsonl", ".parquet"):
        whole, pieces = tmp_path / f"whole{suffix}", tmp_path / f"pieces{suffix}"
        write(whole, results)
        with monkeypatch.context() as small:
            small.setattr(result_files, "ROWS", 4)
            write(pieces, results)
        for ours, theirs in zip(tables(whole).values(), tables(pieces).values(), strict=True):
            if suffix == ".parquet":
                assert parquet.read_table(ours).equals(parquet.read_table(theirs))
            else:
                assert ours.read_bytes() == theirs.read_bytes()


def test_earlier_results_can_be_removed(tmp_path: Path) -> None:
    write(tmp_path / "results.csv", [READ])
    (tmp_path / "results.other.csv").write_text("mine")
    for _ in range(2):
        remove_results(output_paths(tmp_path / "results.csv"))
        assert files(tmp_path) == {"results.other.csv"}


def test_the_next_run_removes_the_unfinished_file_of_a_killed_run(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    unfinished_name(out).write_text("half a t")
    write(out, [READ])
    assert out.read_text() == DIGITS_CSV
    assert files(tmp_path) == {"results.csv", "results.numbers.csv", "results.pages.csv", "results.run.json"}


def test_a_file_system_that_cannot_sync_folders_is_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def sync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    write(tmp_path / "results.csv", [])
    assert (tmp_path / "results.csv").exists()


def test_the_names_of_the_files() -> None:
    outputs = output_paths(Path("x/my.results.jsonl"), delta=True)
    assert outputs.tables == {
        "digits": Path("x/my.results.jsonl"),
        "numbers": Path("x/my.results.numbers.jsonl"),
        "pages": Path("x/my.results.pages.jsonl"),
    }
    assert outputs.run == Path("x/my.results.run.json")
    assert outputs.delta == {
        "digits": Path("x/my.results.delta.jsonl"),
        "numbers": Path("x/my.results.delta.numbers.jsonl"),
        "pages": Path("x/my.results.delta.pages.jsonl"),
    }
    assert output_paths(Path("a.xlsx")).files == output_paths(Path("a.XLSX").with_suffix(".xlsx")).files
    assert output_paths(Path("a.db")).files == [Path("a.db"), Path("a.run.json")]


def test_the_url_of_a_database() -> None:
    assert as_path("sqlite:///a.db") == Path("a.db")
    assert as_path("sqlite:////x/a.sqlite") == Path("/x/a.sqlite")
    assert as_path("results.csv") == as_path(Path("results.csv")) == Path("results.csv")
    for wrong in ("sqlite:///a.csv", "sqlite:///", "sqlite://a.db", Path("sqlite:///a.db")):
        with pytest.raises(UsageError, match="database"):
            as_path(wrong)


@pytest.mark.parametrize("name", ["results", "results.xls", "results.csv.gz", ".csv"])
def test_an_unknown_suffix_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match=r"\.csv, \.jsonl, \.parquet"):
        output_paths(Path(name))


def test_what_cannot_be_written_is_reported_early(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "x.pages.csv").mkdir()
    for name in ("folder.csv", "x.csv"):
        with pytest.raises(OutputError, match=name.split(".")[0]):
            make_ready(output_paths(tmp_path / name))
    make_ready(output_paths(tmp_path / "results.csv"))
    make_ready(output_paths(STDOUT))
    assert files(tmp_path) == {"folder.csv", "x.pages.csv"}


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that even root cannot write to")
def test_a_folder_without_write_access_is_reported_early() -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        make_ready(output_paths(Path("/proc/self/results.csv")))


def test_a_failed_write_leaves_the_earlier_results_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("old")
    (tmp_path / "results.numbers.csv").mkdir()
    with pytest.raises(OutputError, match=r"results\.numbers\.csv"):
        write(tmp_path / "results.csv", [READ])
    assert (tmp_path / "results.csv").read_text() == "old"
    assert not [name for name in files(tmp_path) if name.endswith(".tmp")]


@pytest.mark.parametrize("suffix", EVERY_SUFFIX)
def test_a_full_disk_leaves_nothing(suffix: str, tmp_path: Path) -> None:
    """A limit of 100,000 bytes for each file has the same effect: a write fails in the middle."""
    rows = tuple(replace(DIGIT, left=left, position=left, file=f"{left * 7919 % 10007}.png") for left in range(20_000))
    results = [PageResult(page=READ.page, digits=rows)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            write(tmp_path / f"results{suffix}", results)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(tmp_path) == set()


def test_importing_the_writers_does_not_import_large_libraries() -> None:
    code = "import sys, batchocr.output.results; print({'pandas', 'pyarrow', 'cv2', 'openpyxl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
