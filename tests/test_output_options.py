"""The options of the output, through the command. The scans are read once; each test takes them from the journal."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from command import Ended, account, beside, here, in_own_process, rows
from strokes import page, save

from batchocr.output.outputs import output_paths

Run = Callable[..., Ended]
TEXTS = ["0047", "35"]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `scans` and the journal `state` of a run over them."""
    folder = tmp_path_factory.mktemp("options")
    save(folder / "scans" / "a.png", page(["0047 35"]))
    (folder / "scans" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    out = folder / "results.csv"
    assert here("run", folder / "scans", "--out", out, "--state", folder / "state", "--device", "cpu").code == 3
    return folder


@pytest.fixture
def run(read: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`batchocr run` over these scans in an empty folder; it fails if it reads a page."""
    shutil.copytree(read / "state", tmp_path / "state")
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KERAS_BACKEND", "none such")

    def start(*arguments: str | Path) -> Ended:
        return here("run", read / "scans", "--state", tmp_path / "state", "--device", "cpu", *arguments)

    return start


def test_a_workbook(run: Run) -> None:
    ended = run("--out", "results.xlsx")
    assert ended.code == 3 and "results.xlsx, results.run.json" in ended.out
    assert sorted(path.name for path in Path().iterdir()) == [
        "results.run.json", "results.xlsx", "results.xlsx.journal",
    ]  # fmt: skip
    book = openpyxl.load_workbook("results.xlsx")
    assert [row[4] for row in book["numbers"].iter_rows(min_row=2, values_only=True)] == TEXTS
    assert len(list(book["digits"].rows)) == 1 + 6
    before = Path("results.xlsx").read_bytes()
    assert run("--out", "results.xlsx").code == 3
    assert Path("results.xlsx").read_bytes() == before


@pytest.mark.parametrize("absolute", [False, True])
def test_a_database_by_its_url(absolute: bool, run: Run) -> None:
    path = Path("results.db").absolute() if absolute else Path("results.db")
    assert run("--out", f"sqlite:///{path}").code == 3
    assert Path("results.run.json").exists() and Path("results.db.journal").is_dir()
    with closing(sqlite3.connect("results.db")) as base:
        assert pd.read_sql("SELECT text FROM numbers ORDER BY line, number", base)["text"].tolist() == TEXTS
        assert base.execute("SELECT file, page, status FROM pages").fetchall() == [
            ("a.png", 1, "read"),
            ("broken.png", 0, "failed"),
        ]


def test_a_database_that_another_program_holds_ends_with_7(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchocr.output.formats.database.LOCK_WAIT_S", 0.05)
    run("--out", "results.db")
    with closing(sqlite3.connect("results.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = run("--out", "results.db")
    assert ended.code == 7 and "results.db: another program has locked it" in ended.err


def test_the_dialect_for_excel(run: Run) -> None:
    assert run("--out", "plain.csv").code == run("--out", "excel.csv", "--csv-dialect", "excel").code == 3
    for kind in ("", "numbers.", "pages."):
        plain, excel = Path(f"plain.{kind}csv"), Path(f"excel.{kind}csv").read_bytes()
        assert excel.startswith(b"\xef\xbb\xbffile;page;") and excel.count(b"\r\n") == excel.count(b"\n")
        keep = {"text": str, "digits": str}
        assert pd.read_csv(f"excel.{kind}csv", sep=";", decimal=",", dtype=keep).equals(pd.read_csv(plain, dtype=keep))
    assert account(Path("excel.csv"))["settings"]["csv_dialect"] == "excel"


def test_numbers_to_standard_output_and_nothing_else_there(read: Path, run: Run) -> None:
    ended = run("--out", "results.csv", "--numbers-out", "-")
    assert ended.code == 3
    assert ended.out == Path("results.numbers.csv").read_text("utf-8")
    assert [row["text"] for row in rows(ended.out)] == TEXTS
    assert "results.csv" in ended.err
    state = Path.cwd().parent / "state"
    alone = in_own_process(
        "run", read / "scans", "--state", state, "--out", "a.csv", "--numbers-out", "-", folder=Path()
    )
    assert alone.out == ended.out, alone.err


@pytest.mark.parametrize("name", ["n.csv", "n.jsonl", "n.parquet", "n.xlsx"])
def test_numbers_to_another_place(name: str, run: Run, tmp_path: Path) -> None:
    copy = tmp_path / name
    for out in ("results.csv", "results.db", "-"):
        ended = run("--out", out, "--numbers-out", copy)
        assert ended.code == 3 and (out == "-" or str(copy) in ended.out)
        if name.endswith((".csv", ".xlsx")):
            found = pd.read_csv(copy, dtype=str) if name.endswith(".csv") else pd.read_excel(copy, dtype=str)
        else:
            json_lines = name.endswith(".jsonl")
            found = pd.read_json(copy, lines=True, dtype={"text": str}) if json_lines else pd.read_parquet(copy)
        assert found["text"].tolist() == TEXTS
        copy.unlink()
    assert len(rows(ended.out)) == 6


@pytest.mark.parametrize(
    "options",
    [
        ("--out", "-", "--numbers-out", "-"),
        ("--out", "results.csv", "--numbers-out", "results.pages.csv"),
        ("--out", "results.csv", "--numbers-out", "n.db"),
        ("--out", "results.xlsx", "--numbers-out", "results.xlsx"),
        ("--out", "results.xlsx", "--delta"),
        ("--out", "sqlite:///results.csv"),
    ],
)
def test_options_that_contradict_each_other(options: tuple[str, ...], run: Run) -> None:
    assert run(*options).code == 2
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "out", ["results.csv", "results.jsonl", "results.parquet", "results.xlsx", "sqlite:///results.db"]
)
def test_the_status_of_every_format(out: str, run: Run) -> None:
    assert run("--out", out).code == 3
    ended = here("status", out)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert "pages 2, scans 2" in lines[0] and lines[1].startswith("digits 6, ") and "; numbers 2, " in lines[1]
    assert lines[-1].startswith("  broken.png: ")


def test_the_delta_over_several_runs(read: Path, run: Run) -> None:
    out = Path("results.csv")
    assert run("--delta").code == 3
    assert Path("results.delta.csv").read_bytes() == out.read_bytes()
    assert beside(out, "delta.numbers.csv").read_bytes() == beside(out, "numbers.csv").read_bytes()
    assert run("--delta").code == 3
    assert rows(Path("results.delta.pages.csv")) == rows(Path("results.delta.csv")) == []
    assert run("--delta", "--min-confidence", "1").code == 3
    assert [(row["file"], row["review"]) for row in rows(Path("results.delta.pages.csv"))] == [("a.png", "6")]
    assert output_paths(out, delta=True).files == [
        Path(f"results.{kind}")
        for kind in ("csv", "numbers.csv", "pages.csv", "run.json", "delta.csv", "delta.numbers.csv", "delta.pages.csv")
    ]


def test_a_csv_dialect_without_a_csv_file_is_wrong_usage(run: Run) -> None:
    ended = run("--out", "r.xlsx", "--csv-dialect", "excel")
    assert ended.code == 2 and "no table is a CSV file" in ended.err
