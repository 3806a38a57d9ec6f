"""Whole runs with forms: through the command, from the journal, in shards, on a cluster's stages, and from Python."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import account, beside, here, rows
from drawing import Sheet
from drawn_forms import GAS, HEIGHT, SUM, WEATHER, WIDTH, form_file, sheet
from strokes import save

import batchocr
from batchocr import Settings
from batchocr.batch.parts import unpack
from batchocr.batch.run_models import run_models
from batchocr.decoding.marking import Marking
from batchocr.distributed.engines import Job, ray_stages
from batchocr.distributed.engines.ray_data import RayEngine
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.work_items import work_item
from batchocr.errors import FormError, ScanError, UsageError
from batchocr.forms.load import load_form
from batchocr.records import PageResult, Scan

FIELDS = [
    ("a.png", "weather", "number", "0042", "ok"),
    ("a.png", "weather", "rain", "12", "ok"),
    ("a.png", "weather", "wind", "30", "ok"),
    ("a.png", "weather", "total", "42", "ok"),
    ("b.png", "gas", "meter", "0907", "ok"),
    ("b.png", "gas", "number", "", "empty"),
]
WIDE = [
    ["a.png", "1", "weather", "ok", "", "0042", "12", "30", "42", ""],
    ["b.png", "1", "gas", "ok", "", "", "", "", "", "0907"],
    ["c.png", "1", "", "failed", "other-form", "", "", "", "", ""],
]
TABLES = ("csv", "numbers.csv", "fields.csv", "forms.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the scans of three pages, of which the last is of no form, and two form files."""
    folder = tmp_path_factory.mktemp("forms")
    save(folder / "scans" / "a.png", sheet(WEATHER, ["0042", "12", "30", "42"]).pixels)
    save(folder / "scans" / "b.png", sheet(GAS, ["0907"]).pixels)
    save(folder / "scans" / "c.png", Sheet(WIDTH, HEIGHT).pixels)
    form_file(folder, WEATHER, "weather", ("number", "rain", "wind", "total"), SUM)
    form_file(folder, GAS, "gas", ("meter", "number"))
    return folder


@pytest.fixture(scope="module")
def forms(folder: Path) -> tuple[Path, ...]:
    return folder / "weather.toml", folder / "gas.toml"


@pytest.fixture(scope="module")
def out(folder: Path, forms: tuple[Path, ...]) -> Path:
    """The results of the command."""
    out = folder / "results.csv"
    given = [text for form in forms for text in ("--form", form)]
    ended = here("run", folder / "scans", "--out", out, "--device", "cpu", *given)
    assert ended.code == 3
    assert "weather: 1 page, gas: 1 page; 6 fields (5 ok, 1 empty)" in ended.out
    assert "results.fields.csv" in ended.out and "results.forms.csv" in ended.out
    return out


@pytest.fixture(scope="module")
def written(out: Path) -> list[bytes]:
    """The tables of the command. Later tests write them again with other marks."""
    go(out.parent, out, out.parent / "weather.toml", out.parent / "gas.toml")
    return tables(out)


def go(folder: Path, out: Path, *forms: Path, **options: Any) -> list[str]:
    """Run, and return the names of the scans that were read."""
    read: list[str] = []

    def on_page(result: PageResult) -> None:
        read.append(result.page.file)

    batchocr.run(folder / "scans", out, Settings(device="cpu", form=forms, **options), on_page=on_page)
    return sorted(read)


def tables(out: Path) -> list[bytes]:
    return [out.with_suffix(f".{name}").read_bytes() for name in TABLES]


def wide(out: Path) -> list[list[str]]:
    """Return the rows of the wide table without the residuals."""
    return [[value for name, value in row.items() if name != "residual_mm"] for row in rows(beside(out, "forms.csv"))]


def test_the_command_writes_the_fields_of_each_page(out: Path) -> None:
    names = ("file", "form", "field", "text", "status")
    assert [tuple(row[name] for name in names) for row in rows(beside(out, "fields.csv"))] == FIELDS
    assert wide(out) == WIDE
    assert list(rows(beside(out, "forms.csv"))[0])[6:] == ["number", "rain", "wind", "total", "meter"]
    residuals = [row["residual_mm"] for row in rows(beside(out, "forms.csv"))]
    assert all(float(each) < 0.3 and len(each) == 4 for each in residuals[:2]) and residuals[2] == ""


def test_the_description_of_the_run_has_forms_and_counts(out: Path, forms: tuple[Path, ...]) -> None:
    run = account(out)
    assert run["forms"] == [{"name": each.name, "sha256": each.sha256} for each in map(load_form, forms)]
    assert run["settings"]["form"] == [str(path) for path in forms]
    assert run["counts"]["forms"] == {"weather": 1, "gas": 1}
    assert run["counts"]["fields"] == {"ok": 5, "review": 0, "corrected": 0, "empty": 1, "invalid": 0}
    assert (run["counts"]["pages"], run["counts"]["failed"]) == (3, 1)


def test_the_same_run_and_another_threshold_read_no_page(folder: Path, out: Path, forms: tuple[Path, ...]) -> None:
    before = tables(out)
    assert go(folder, out, *forms) == []
    assert tables(out) == before
    assert go(folder, out, *forms, min_confidence=0.9999) == []
    assert [(row["text"], row["status"], row["reason"]) for row in rows(beside(out, "fields.csv"))][:2] == [
        ("0042", "review", "low-confidence"),
        ("12", "ok", ""),
    ]
    assert rows(beside(out, "forms.csv"))[0]["reason"] == "reading"
    assert account(out)["counts"]["fields"]["review"] == 2
    assert go(folder, out, *forms, printed="drop") == []
    assert len(rows(beside(out, "fields.csv"))) == len(FIELDS)


def test_a_form_file_that_changed_reads_all_pages_again(folder: Path, tmp_path: Path) -> None:
    out, form = tmp_path / "r.csv", form_file(tmp_path, WEATHER, "weather", ("number", "rain"))
    one = tmp_path / "one"
    save(one / "scans" / "a.png", sheet(WEATHER, ["0042", "12"]).pixels)
    assert go(one, out, form) == ["a.png"]
    form_file(tmp_path, WEATHER, "weather", ("number", "rain", "wind"))
    assert go(one, out, form) == ["a.png"]
    assert [row["field"] for row in rows(beside(out, "fields.csv"))] == ["number", "rain", "wind"]


def test_shards_write_the_same_bytes(
    folder: Path, out: Path, written: list[bytes], forms: tuple[Path, ...], tmp_path: Path
) -> None:
    sharded = tmp_path / "results.csv"
    for shard in ((1, 2), (2, 2)):
        batchocr.run(folder / "scans", sharded, Settings(device="cpu", form=forms, shard=shard))
    ended = here("merge", sharded)
    assert ended.code == 3 and "weather: 1 page" in ended.out
    assert tables(sharded) == written
    counts = account(sharded)["counts"]
    assert (counts["forms"], counts["fields"]["ok"]) == ({"weather": 1, "gas": 1}, 5)
    assert account(sharded)["forms"] == account(out)["forms"]
    assert wide(sharded) == WIDE


@pytest.mark.usefixtures("stage_worker_ends")
def test_the_stages_of_a_cluster_read_fields(
    folder: Path, forms: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(device="cpu", form=forms)
    job = Job(settings, run_models(settings), tmp_path, Marking(0.5), 0.0, lambda: False)
    context = RayEngine(job)._context(alone=False)
    monkeypatch.setattr(ray_stages, "_resolved", lambda reference: reference)
    scans = [Scan(path, path.name) for path in sorted((folder / "scans").iterdir())]
    item = {"item": np.array([pickle.dumps(ItemPlan(work_item(scans), ()))], dtype=object)}
    networks = ray_stages.ReadUnits(context)
    found = [ray_stages.decode(networks(batch), context) for batch in ray_stages.prepare(item, context)]
    results = [record.result for each in found for content in each["pages"] for record in unpack(content, "here")]
    read = [(row.file, row.form, row.field, row.text, row.status) for result in results for row in result.fields]
    assert read == FIELDS
    assert [result.page.error for result in results] == ["", "", "other-form"]


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--shard", "1/2")])
def test_a_wrong_form_file_ends_the_run_before_it_reads(options: tuple[str, ...], folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('name = "wrong"\nfiels = 1\n')
    out = tmp_path / "r.csv"
    ended = here("run", folder / "scans", "--out", out, "--form", wrong, *options)
    assert ended.code == 8
    assert "wrong.toml" in ended.err and "fiels" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.toml"]


def test_forms_whose_fields_differ_in_case_only_end_the_run(folder: Path, tmp_path: Path) -> None:
    forms = [form_file(tmp_path, WEATHER, "one", ("total",)), form_file(tmp_path, GAS, "two", ("Total",))]
    variables = {"BATCHOCR_FORM": ":".join(map(str, forms))}
    ended = here("run", folder / "scans", "--out", tmp_path / "r.csv", variables=variables)
    assert ended.code == 8 and "rename one" in ended.err


def test_the_dry_run_keeps_what_a_run_with_the_same_forms_has_read(
    folder: Path, out: Path, forms: tuple[Path, ...]
) -> None:
    given = [text for form in forms for text in ("--form", form)]
    ended = here("run", folder / "scans", "--out", out, "--dry-run", "--quiet", *given)
    assert (ended.code, ended.out.strip()) == (0, "3 scans: would read 0 pages, keep 3 pages, pass over 0 files")
    ended = here("run", folder / "scans", "--out", out, "--dry-run", "--quiet")
    assert "would read at least 3 pages" in ended.out or "would read 3 pages" in ended.out


# From Python


@pytest.fixture(scope="module")
def reader(forms: tuple[Path, ...]) -> batchocr.Reader:
    return batchocr.Reader(device="cpu", form=[load_form(forms[0]), forms[1]])


def test_a_reader_returns_fields_and_forms(reader: batchocr.Reader, folder: Path) -> None:
    scans = [folder / "scans" / name for name in ("a.png", "b.png")]
    fields, wide = reader.fields(scans), reader.forms(scans)
    assert fields["text"].tolist() == [text for *_, text, _ in FIELDS]
    assert wide["number"].tolist() == ["0042", ""] and wide["meter"].tolist() == ["", "0907"]
    assert wide["status"].tolist() == ["ok", "ok"]
    assert reader.read(scans[0])["digit"].tolist() == [0, 0, 4, 2, 1, 2, 3, 0, 4, 2]
    (page,) = reader.pages(sheet(WEATHER, ["7"]).pixels)
    assert page.form and page.form.form == "weather" and page.fields[0].text == "7"


def test_a_page_of_no_form_is_an_error(reader: batchocr.Reader, folder: Path) -> None:
    with pytest.raises(ScanError) as raised:
        reader.fields(folder / "scans" / "c.png")
    assert raised.value.reason == "other-form"
    (page,) = reader.pages(folder / "scans" / "c.png")
    assert (page.page.status, page.fields) == ("failed", ())


def test_read_returns_fields_if_it_has_a_form(folder: Path, forms: tuple[Path, ...]) -> None:
    found = batchocr.read(folder / "scans" / "a.png", form=forms[0], device="cpu")
    assert found["text"].tolist() == ["0042", "12", "30", "42"]
    assert found["value"].tolist() == ["0042", "12", "30", "42"]


def test_wrong_forms_are_errors(forms: tuple[Path, ...]) -> None:
    with pytest.raises(FormError, match="two forms have the name 'weather'"):
        batchocr.Reader(form=[load_form(forms[0]), forms[0]])
    with pytest.raises(UsageError, match="must be a path or a URL, a Form"):
        batchocr.Reader(form=[3])  # type: ignore[list-item]
