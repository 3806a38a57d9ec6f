"""`batchocr correct` on whole runs: corrections are applied, kept by later runs, refused line by line, compared."""

from __future__ import annotations

import csv
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from command import account, beside, here, rows
from decisions import about, sha256_of, write
from filelock import FileLock
from interrupted import start
from own_models import copy_model
from strokes import page, save

import batchocr
from batchocr.batch.journal import FILE, Journal
from batchocr.batch.lock import LOCK
from batchocr.datasets.corrected_crops import load_corrected_crops
from batchocr.datasets.digits import load
from batchocr.decoding.rows import page_boxes
from batchocr.evaluation.corrected_results import read_corrected
from batchocr.output.read_table import read_table
from batchocr.records import Box
from batchocr.review.corrections.crops import level_boxes
from batchocr.review.corrections.of_run import Corrections
from batchocr.review.decision import COLUMNS, Decision

TABLES = ("csv", "numbers.csv", "pages.csv", "corrections.csv")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two scans and the results of a run."""
    folder = tmp_path_factory.mktemp("first")
    save(folder / "scans" / "a.png", page(["20 17"]))
    save(folder / "scans" / "b.png", page(["4"]))
    assert run(folder) == 0
    return folder


@pytest.fixture
def out(first: Path, tmp_path: Path) -> Path:
    """Return the results of the run, in a folder of their own; the scans are those of the run."""
    for name in ("results.csv.journal", *(p.name for p in first.iterdir() if p.is_file())):
        source = first / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    return tmp_path / "results.csv"


def run(folder: Path, *more: str | Path, scans: Path | None = None) -> int:
    out = folder / "results.csv"
    return here("run", scans or folder / "scans", "--out", out, "--device", "cpu", "--jobs", "1", *more).code


def texts(out: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows(beside(out, "numbers.csv")):
        found.setdefault(row["file"], []).append(row["text"])
    return found


def tables(out: Path) -> list[object]:
    """Return the tables, without the seconds of pages."""
    return [[row | {"seconds": ""} for row in rows(out if name == "csv" else beside(out, name))] for name in TABLES]


def decided(out: Path) -> list[Decision]:
    """Return three decisions: a number with one more digit, a digit that is another one, one that is confirmed."""
    return [
        about(out, "numbers.csv", "20", "2,30"),
        about(out, "csv", "7", "1", seconds=0.25),
        about(out, "csv", "4", "4"),
    ]


CORRECTED = {"a.png": ["2,30", "11"], "b.png": ["4"]}


def test_corrections_are_applied_and_stay(out: Path, first: Path) -> None:
    decisions = decided(out)
    ended = here("correct", out, write(out.parent / "c.csv", *decisions))
    assert (ended.code, ended.out.splitlines()[0]) == (0, "3 decisions applied; 3 decisions kept")
    assert texts(out) == CORRECTED
    found = rows(out)
    assert [row["digit"] for row in found] == list("230") + list("11") + ["4"]
    assert [row["confidence"] == "1.0000" for row in found] == [True] * 3 + [False, True, True]
    kept = rows(beside(out, "corrections.csv"))
    assert {(row["was"], row["text"], row["by"], row["at"]) for row in kept} == {
        (each.was, each.text, "anna", "2026-11-30T06:00:00Z") for each in decisions
    }
    assert list(kept[0]) == list(COLUMNS)
    assert account(out)["counts"]["corrections"] == {"stored": 3, "applied": 3, "dropped": 0}
    before = tables(out)

    assert here("correct", out, beside(out, "corrections.csv")).out.startswith("0 decisions applied, 3 not new; 3")
    assert tables(out) == before
    scans = shutil.copytree(first / "scans", out.parent / "scans")  # another place
    save(scans / "c.png", page(["333"]))
    assert run(out.parent) == 0
    assert texts(out) == {**CORRECTED, "c.png": ["333"]}
    other = copy_model(out.parent / "other.keras", temperature=3.0)
    assert run(out.parent, "--model", other) == 0
    assert texts(out) == {**CORRECTED, "c.png": ["333"]}
    assert run(out.parent, "--fresh") == 0
    assert texts(out) == {**CORRECTED, "c.png": ["333"]}
    (scans / "c.png").unlink()
    assert run(out.parent) == 0
    assert tables(out) == before


def test_a_choice_of_rows_keeps_corrections(out: Path, first: Path) -> None:
    here("correct", out, write(out.parent / "c.csv", *decided(out)))
    assert run(out.parent, "--printed", "drop", scans=first / "scans") == 0
    assert account(out)["counts"]["corrections"]["applied"] == 3
    kept = {"hand": CORRECTED, "print": {}}
    origins = {row["origin"] for row in rows(first / "results.csv")}
    assert len(origins) == 1 and texts(out) == kept[origins.pop()]


def test_corrections_of_a_changed_scan_are_dropped_and_the_run_says_so(out: Path, first: Path) -> None:
    scans = shutil.copytree(first / "scans", out.parent / "scans")
    run(out.parent, "--fresh")
    here("correct", out, write(out.parent / "c.csv", *decided(out)))
    save(scans / "a.png", page(["55"]))
    ended = here("run", scans, "--out", out, "--device", "cpu", "--jobs", "1")
    assert "a.png: the scan has changed, so its corrections (2) are dropped" in ended.err
    assert account(out)["counts"]["corrections"] == {"stored": 1, "applied": 1, "dropped": 2}
    assert texts(out) == {"a.png": ["55"], "b.png": ["4"]}
    assert [row["file"] for row in rows(beside(out, "corrections.csv"))] == ["b.png"]
    again = here("run", scans, "--out", out, "--device", "cpu")
    assert "dropped" not in again.err and account(out)["counts"]["corrections"]["dropped"] == 0


def test_scans_that_are_away_for_a_run_keep_their_corrections(out: Path, first: Path) -> None:
    scans = shutil.copytree(first / "scans", out.parent / "scans")
    here("correct", out, write(out.parent / "c.csv", *decided(out)))
    (scans / "a.png").rename(out.parent / "away.png")
    run(out.parent)
    assert texts(out) == {"b.png": ["4"]}
    (out.parent / "away.png").rename(scans / "a.png")
    run(out.parent)
    assert texts(out) == CORRECTED


def test_kills_lose_no_correction(first: Path, tmp_path: Path) -> None:
    scans = shutil.copytree(first / "scans", tmp_path / "scans")
    assert start(tmp_path, scans).end().code == 0
    out = tmp_path / "results.csv"
    assert here("correct", out, write(tmp_path / "c.csv", *decided(out))).code == 0
    for number in range(12):
        save(scans / f"n{number:02}.png", page([str(number)]))
    running = start(tmp_path, scans, "--fresh")

    def read_some() -> bool:
        with closing(sqlite3.connect(f"file:{tmp_path / 'results.csv.journal' / FILE}?mode=ro", uri=True)) as base:
            return 2 <= int(base.execute("SELECT count(*) FROM pages").fetchone()[0]) < 14

    running.wait_for(read_some)
    running.kill()
    assert start(tmp_path, scans).end().code == 0
    assert {name: found for name, found in texts(out).items() if name in CORRECTED} == CORRECTED
    killed = tables(out)
    whole = start(tmp_path, scans, "--fresh").end()
    assert (whole.code, tables(out)) == (0, killed)


def test_a_run_that_holds_the_results_is_not_disturbed(out: Path) -> None:
    file = write(out.parent / "c.csv", *decided(out))
    with FileLock(out.parent / "results.csv.journal" / LOCK):
        ended = here("correct", out, file)
    assert (ended.code, "another run is using it" in ended.err) == (9, True)
    assert not beside(out, "corrections.csv").exists()


def test_an_older_journal_has_no_corrections_and_takes_some(out: Path) -> None:
    with closing(sqlite3.connect(out.parent / "results.csv.journal" / FILE)) as base:
        base.execute("DROP TABLE corrections")
        base.commit()
    with Journal(out.parent / "results.csv.journal", read_only=True) as journal:
        assert journal.corrections() == []
    assert here("correct", out, write(out.parent / "c.csv", *decided(out))).code == 0


Edit = Callable[[dict[str, str]], dict[str, str]]
BAD: dict[str, tuple[dict[str, str], str]] = {
    "kind": ({"kind": "letter"}, "kind is 'letter': write one of digit, number, field"),
    "decision": ({"decision": "maybe"}, "decision is 'maybe'"),
    "task": ({"task": ""}, "task is ''"),
    "page": ({"page": "0"}, "page is '0', not a whole number from 1"),
    "no such page": ({"page": "7"}, "the scan has no page 7"),
    "box": ({"width": "1.5"}, "width is '1.5', not a whole number"),
    "outside": ({"left": "100000"}, "outside the page of 900"),
    "elsewhere": ({"left": "700", "top": "5"}, "the results have no digit in this box"),
    "two digits": ({"text": "12"}, "text of a digit is '12': write one digit"),
    "date": ({"text": "2017-05-12"}, "a spreadsheet made a date of it"),
    "large": ({"text": "1E+05"}, "a spreadsheet made it a large number"),
    "letter": ({"text": "x"}, "text of a digit is 'x'"),
    "removed": ({"decision": "remove"}, "nothing is written there (remove), but text is '1'"),
    "confirmed": ({"decision": "confirm"}, "text is '1', but '7' is confirmed"),
    "confidence": ({"confidence": "0,97"}, "confidence is '0,97'"),
    "time": ({"at": "30.11.2026 06:00"}, "not a time as 2026-11-30T06:00:00Z"),
    "person": ({"by": ""}, "by is empty"),
    "name": ({"name": "sum"}, "only a field has a name"),
    "field": ({"kind": "field", "name": "sum"}, "the results have no field 'sum'"),
    "scan": ({"file": "z.png"}, "the results have no scan 'z.png': give the corrections of this run"),
    "changed scan": ({"sha256": "0" * 64}, "the scan has changed since, or is of another run"),
    "hash": ({"sha256": "12"}, "sha256 is '12', not 64 hexadecimal digits"),
}


def edited(out: Path, changes: dict[str, str]) -> list[str]:
    line = dict(zip(COLUMNS, map(str, astuple(about(out, "csv", "7", "1"))), strict=True))
    return list({**line, **changes}.values())


def test_bad_lines_are_refused_one_by_one_and_the_good_ones_applied(out: Path) -> None:
    file = write(out.parent / "c.csv", about(out, "csv", "4", "9"))
    with file.open("a", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        for changes, _ in BAD.values():
            writer.writerow(edited(out, changes))
        writer.writerow(["too", "short"])
    ended = here("correct", out, file)
    assert ended.code == 3 and ended.out.startswith("1 decision applied")
    assert texts(out) == {"a.png": ["20", "17"], "b.png": ["9"]}
    refused = rows(out.with_name("results.refused.csv"))
    reasons = {row["reason"].split(": ", 1)[0]: row["reason"] for row in refused}
    for line, (what, (changes, reason)) in enumerate(BAD.items(), 3):
        found = reasons[f"{file}:{line}"]
        assert reason in found, what
        assert all(any(row[name] == value for row in refused) for name, value in changes.items())
    assert "has 2 cells, and the first line has 18" in reasons[f"{file}:{len(BAD) + 3}"]
    assert len(refused) == len(BAD) + 1
    assert ended.err.count(f"{file}:") == 20 and "results.refused.csv has them with the reasons" in ended.err
    repaired = out.with_name("results.refused.csv")
    text = repaired.read_text().replace("letter,", "digit,")
    repaired.write_text(text)
    assert here("correct", out, repaired).out.startswith("1 decision applied")
    assert texts(out)["a.png"] == ["20", "11"]


def test_a_file_of_other_columns_is_refused_as_a_whole(out: Path) -> None:
    ended = here("correct", out, beside(out, "numbers.csv"))
    assert ended.code == 2 and "has no column sha256, kind, name" in ended.err
    assert here("correct", out.with_name("none.csv"), beside(out, "numbers.csv")).code == 2


def test_spreadsheets_with_semicolons_decimal_commas_and_a_mark_are_read(out: Path) -> None:
    written = replace(about(out, "csv", "7", "1"), seconds=1.5)
    cells = [str(value).replace("1.5", "1,5").replace("0.5", "0,5") for value in astuple(written)]
    file = out.with_name("c.csv")
    file.write_bytes(b"\xef\xbb\xbf" + f"{';'.join(COLUMNS)}\r\n{';'.join(cells)}\r\n".encode())
    assert here("correct", out, file).code == 0
    assert texts(out)["a.png"] == ["20", "11"]


def test_zeros_and_dates_that_a_spreadsheet_changed_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "scans" / "a.png", page(["007 120517"]))
    run(tmp_path)
    out = tmp_path / "results.csv"
    zeros = replace(about(out, "numbers.csv", "007", "001"), was="7", text="1")
    date = replace(about(out, "numbers.csv", "120517", "120518"), was="2017-05-12", text="2018-05-12")
    date = replace(date, was="17-05-12")
    fine = replace(about(out, "numbers.csv", "007", "7"), at="2026-11-30T07:00:00Z", by="bea")
    ended = here("correct", out, write(tmp_path / "c.csv", zeros, date))
    assert ended.code == 3
    assert "c.csv:2: was is '7', but '007' was read: a spreadsheet takes leading zeros away" in ended.err
    assert "c.csv:3: was is '17-05-12', but '120517' was read: a spreadsheet wrote it in another way" in ended.err
    assert here("correct", out, write(tmp_path / "d.csv", fine)).code == 0
    assert texts(out) == {"a.png": ["7", "120517"]}


def test_the_latest_decision_of_a_person_counts_and_two_persons_may_not_contradict(out: Path) -> None:
    one = about(out, "csv", "7", "1")
    later = replace(one, text="3", at="2026-11-30T08:00:00Z")
    four = about(out, "csv", "4", "9")
    file = write(out.parent / "c.csv", later, one, one, four, replace(four, by="bea", text="8"))
    ended = here("correct", out, file)
    assert ended.out.startswith("1 decision applied, 2 not new")
    assert ended.code == 3 and ended.err.count("decided otherwise about the same item") == 2
    assert "--compare" in ended.err
    assert texts(out) == {"a.png": ["20", "13"], "b.png": ["4"]}
    other = write(out.parent / "d.csv", replace(later, by="bea", text="2", at="2026-11-30T09:00:00Z"))
    assert "anna decided otherwise" in here("correct", out, other).err
    assert here("correct", out, other, "--replace").code == 0
    assert texts(out)["a.png"] == ["20", "12"]


def test_known_answers_are_never_applied(out: Path) -> None:
    known = replace(about(out, "csv", "7", "1"), task="known", expected="7")
    ended = here("correct", out, write(out.parent / "c.csv", known))
    assert ended.out.startswith("0 decisions applied, 1 with a known answer")
    assert texts(out)["a.png"] == ["20", "17"]


def test_two_persons_are_compared(out: Path) -> None:
    seven, four, zero = about(out, "csv", "7", "1"), about(out, "csv", "4", "4"), about(out, "csv", "0", "0")
    two = about(out, "csv", "2", "2")
    a = write(out.parent / "a.csv", seven, four, zero, two)
    bea = [replace(each, by="bea") for each in (seven, four)]
    b = write(out.parent / "b.csv", *bea, replace(zero, text="6", decision="change", by="bea"))
    ended = here("correct", out, a, b, "--compare")
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "2 decisions applied; 2 decisions kept",
        "both decided 3, agree on 2 (66.7%), Cohen's kappa 0.571; 1 by one person only",
    ]
    (difference,) = rows(out.with_name("results.differences.csv"))
    assert (difference["kind"], difference["was"], difference["sha256"]) == ("digit", "0", sha256_of(out, "a.png"))
    assert (difference["first_text"], difference["first_by"]) == ("0", "anna")
    assert (difference["second_text"], difference["second_by"]) == ("6", "bea")
    assert texts(out)["a.png"] == ["20", "11"]
    assert here("correct", out, a, "--compare").code == 2
    third = write(out.parent / "third.csv", replace(zero, text="6", decision="change", by="cleo"))
    assert here("correct", out, third).code == 0
    assert texts(out)["a.png"] == ["26", "11"]


def test_kept_decisions_are_listed_and_forgotten(out: Path) -> None:
    original = texts(out)
    one, two, three = decided(out)
    here("correct", out, write(out.parent / "c.csv", one, replace(two, by="bea"), three))
    listed = here("correct", out, "--list", "--by", "bea")
    assert listed.out.startswith("a.png, page 1, digit at ") and "7 -> 1 (change), bea" in listed.out
    assert here("correct", out, "--undo", "--by", "bea").code == 0
    assert texts(out)["a.png"] == ["2,30", "17"]
    assert here("correct", out, "--undo").err == "2 decisions forgotten\n"
    assert (texts(out), rows(beside(out, "corrections.csv"))) == (original, [])
    assert here("correct", out, "--undo", out).code == 2


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "xlsx", "db"])
def test_every_format_has_the_table(suffix: str, first: Path, tmp_path: Path) -> None:
    out = tmp_path / f"results.{suffix}"
    given = ("run", first / "scans", "--out", out, "--device", "cpu", "--jobs", "1")
    assert here(*given).code == 0
    file = write(tmp_path / "c.csv", *decided(first / "results.csv"))
    assert here("correct", out, file).code == 0
    name = out if suffix in ("xlsx", "db") else out.with_name(f"results.corrections.{suffix}")
    for _ in range(2):
        found = list(read_table(name, Corrections().kind))
        assert sorted(row["text"] for row in found) == ["1", "2,30", "4"]
        assert {row["confidence"] for row in found} == {"0.5000"}
        assert here(*given).code == 0


def test_from_python(out: Path) -> None:
    done = batchocr.correct(out, write(out.parent / "c.csv", *decided(out)))
    assert (done.applied, done.stored, done.refused, done.exit_code) == (3, 3, (), 0)
    assert texts(out) == CORRECTED


def test_runs_in_shards_and_results_in_stores_say_that_they_keep_no_corrections(out: Path, first: Path) -> None:
    here("correct", out, write(out.parent / "c.csv", *decided(out)))
    ended = here("run", first / "scans", "--out", out, "--device", "cpu", "--shard", "1/2")
    assert ended.code == 2 and "has corrections of a person" in ended.err
    assert here("run", first / "scans", "--out", out, "--device", "cpu", "--shard", "1/2", "--fresh").code == 2
    assert here("correct", f"{out.parent}/folder/", out).code == 2
    assert texts(out) == CORRECTED


def test_settled_digits_become_crops_that_trainings_and_measurements_take(first: Path, tmp_path: Path) -> None:
    save(tmp_path / "scans" / "a.png", page(["20 17"]))
    assert run(tmp_path) == 0
    out = tmp_path / "results.csv"
    decisions = [about(out, "numbers.csv", "20", "20"), about(out, "csv", "7", "1"), about(out, "csv", "1", "")]
    assert here("correct", out, write(tmp_path / "c.csv", *decisions), "--save-crops", tmp_path / "crops").code == 0
    crops = load_corrected_crops(tmp_path / "crops")
    assert (crops.digits.labels.tolist(), len(crops.others)) == ([2, 0, 1], 1)
    assert all(each.max() == 255 and 10 < each.mean() < 90 for each in (*crops.digits.images, *crops.others))
    assert len(load(tmp_path / "crops" / "digits.npz").select(None)) == 3
    truth = read_corrected(tmp_path / "crops" / "truth.csv")
    assert [number.text for number in truth["a.png, page 1"]] == ["20", "1"]
    assert [label for label, *_ in truth["a.png, page 1"][1].digits] == [10, 1]
    (tmp_path / "scans" / "a.png").unlink()
    ended = here("correct", out, "--save-crops", tmp_path / "none")
    assert ended.code == 2 and "a.png, page 1: its crops are left out" in ended.err
    assert not (tmp_path / "none").exists()


def test_crops_are_those_of_the_run_on_a_turned_and_tilted_page() -> None:
    angle = np.deg2rad(3.0)
    turn = np.array([[np.cos(angle), -np.sin(angle), 40.0], [np.sin(angle), np.cos(angle), -20.0], [0, 0, 1]])
    wanted = np.array([[100, 200, 20, 40], [700, 500, 30, 28]], np.float32)
    on_page = [Box(*each) for each in page_boxes(wanted, turn).tolist()]
    assert np.abs(level_boxes(on_page, turn) - wanted).max() < 1.5
    quarter = np.array([[0.0, -1, 900], [1, 0, 0], [0, 0, 1]])
    on_page = [Box(*each) for each in page_boxes(wanted, quarter).tolist()]
    assert np.abs(level_boxes(on_page, quarter) - wanted).max() < 1
