"""The results files against the contract: bytes of the CSV, the same rows in every format, whole or not at all."""

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
from dataclasses import astuple, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from batchocr.errors import OutputError, UsageError
from batchocr.output import table
from batchocr.output.atomic_write import unfinished_name
from batchocr.output.table import STDOUT, check_writable, output_paths, remove_results, write_results
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
b.png,,failed,damaged,"b.png: says ""no"", alas
scan it again",,,,0,0,0,0,0,,0.000,
"""


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_csv_files_byte_for_byte(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", [READ, FAILED], lambda: RUN)
    assert (tmp_path / "results.csv").read_bytes() == DIGITS_CSV.encode()
    assert (tmp_path / "results.numbers.csv").read_bytes() == NUMBERS_CSV.encode()
    assert (tmp_path / "results.pages.csv").read_bytes() == PAGES_CSV.encode()
    assert json.loads((tmp_path / "results.run.json").read_text("utf-8")) == RUN
    assert files(tmp_path) == {"results.csv", "results.numbers.csv", "results.pages.csv", "results.run.json"}


@pytest.mark.parametrize(
    "name", ['a"b,c.png', "two\nlines.png", "cr\r.png", "Größe 図.png", r"caf\xe9.png", "./=1.png"]
)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_any_name_comes_back_from_every_format(name: str, suffix: str, tmp_path: Path) -> None:
    row = replace(DIGIT, file=name)
    out = tmp_path / f"r{suffix}"
    write_results(out, [PageResult(page=PageRow(name, 1, "read"), digits=(row,))], lambda: RUN)
    if suffix == ".csv":
        with out.open(encoding="utf-8", newline="") as file:
            (read,) = csv.DictReader(file)
    elif suffix == ".jsonl":
        read = json.loads(out.read_bytes())
    else:
        (read,) = parquet.read_table(out).to_pylist()
    assert read["file"] == name


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".JSONL"])
def test_other_formats_hold_the_same_rows_and_types(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"results{suffix}"
    write_results(out, [READ, FAILED], lambda: RUN)
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
    assert (tmp_path / "results.pages.csv").read_text() == PAGES_CSV


@pytest.mark.parametrize("results", [[], [FAILED]])
def test_no_digits_still_give_a_header(results: list[PageResult], tmp_path: Path) -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        write_results(tmp_path / f"r{suffix}", results, lambda: RUN)
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
    write_results(STDOUT, [READ, FAILED], lambda: RUN)
    write_results(STDOUT, [], lambda: RUN)
    assert capfdbinary.readouterr().out.decode() == DIGITS_CSV + DIGITS_CSV.splitlines()[0] + "\n"
    assert files(tmp_path) == set()


def test_earlier_results_are_replaced_and_anyone_may_read_them(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    out.write_text("old" * 10000)
    mask = os.umask(0o022)
    write_results(out, [READ], lambda: RUN)
    os.umask(mask)
    assert out.read_text() == DIGITS_CSV
    assert out.stat().st_mode & 0o777 == 0o644


def test_many_rows_are_written_in_pieces_that_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = [PageResult(replace(READ.page, page=n), READ.digits, READ.numbers) for n in range(1, 8)] + [FAILED]
    for suffix in (".csv", ".jsonl", ".parquet"):
        whole, pieces = tmp_path / f"whole{suffix}", tmp_path / f"pieces{suffix}"
        write_results(whole, results, lambda: RUN)
        with monkeypatch.context() as small:
            small.setattr(table, "ROWS", 4)
            write_results(pieces, iter(results), lambda: RUN)
        for ours, theirs in zip(astuple(output_paths(whole)), astuple(output_paths(pieces)), strict=True):
            if suffix == ".parquet" and ours == whole:
                assert parquet.read_table(ours).equals(parquet.read_table(theirs))
            else:
                assert ours.read_bytes() == theirs.read_bytes()


def test_earlier_results_can_be_taken_away(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", [READ], lambda: RUN)
    (tmp_path / "results.other.csv").write_text("mine")
    for _ in range(2):
        remove_results(tmp_path / "results.csv")
        assert files(tmp_path) == {"results.other.csv"}


def test_what_a_killed_run_left_half_written_is_gone_after_the_next(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    unfinished_name(out).write_text("half a t")
    write_results(out, [READ], lambda: RUN)
    assert out.read_text() == DIGITS_CSV
    assert files(tmp_path) == {"results.csv", "results.numbers.csv", "results.pages.csv", "results.run.json"}


def test_a_file_system_that_syncs_no_folders_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def sync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    write_results(tmp_path / "results.csv", [], dict)
    assert (tmp_path / "results.csv").exists()


def test_where_the_files_stand() -> None:
    outputs = output_paths(Path("x/my.results.jsonl"))
    assert outputs.numbers == Path("x/my.results.numbers.csv")
    assert outputs.pages == Path("x/my.results.pages.csv")
    assert outputs.run == Path("x/my.results.run.json")


@pytest.mark.parametrize("name", ["results", "results.xlsx", "results.csv.gz", ".csv"])
def test_an_unknown_suffix_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match=r"\.csv, \.jsonl, \.parquet"):
        check_writable(Path(name))


def test_what_cannot_be_written_is_known_early(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "x.pages.csv").mkdir()
    for name in ("missing/results.csv", "folder.csv", "x.csv"):
        with pytest.raises(OutputError, match=name.split("/")[0].split(".")[0]):
            check_writable(tmp_path / name)
    check_writable(tmp_path / "results.csv")
    check_writable(STDOUT)
    assert files(tmp_path) == {"folder.csv", "x.pages.csv"}


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that even root cannot write to")
def test_a_folder_that_takes_no_files_is_known_early() -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        check_writable(Path("/proc/self/results.csv"))


def test_a_failed_write_leaves_the_earlier_results_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("old")
    (tmp_path / "results.numbers.csv").mkdir()
    with pytest.raises(OutputError, match=r"results\.numbers\.csv"):
        write_results(tmp_path / "results.csv", [READ], lambda: RUN)
    assert (tmp_path / "results.csv").read_text() == "old"
    assert not [name for name in files(tmp_path) if name.endswith(".tmp")]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_full_disk_leaves_nothing(suffix: str, tmp_path: Path) -> None:
    """As a limit of 100,000 bytes a file shows it: the write fails in the middle."""
    rows = tuple(replace(DIGIT, left=left, file=f"{left * 7919 % 10007}.png") for left in range(20_000))
    results = [PageResult(page=READ.page, digits=rows)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            write_results(tmp_path / f"results{suffix}", results, lambda: RUN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(tmp_path) == set()


def test_importing_the_tables_leaves_pandas_alone() -> None:
    code = "import sys, batchocr.output.table; print({'pandas', 'pyarrow', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
