"""The sample form: its blank, its form file, and the list of what is written on its pages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from command import here, in_own_process, rows
from conftest import SAMPLES
from PIL import Image

from batchocr import Form
from batchocr.forms.rules.equations import holds
from batchocr.forms.rules.field_rules import broken_rule, value_of

FORMS = SAMPLES / "forms"
OTHER_FORM = "other-form.jpg"
MAX_SIZE = 400_000
"""Bytes of a sample."""
Fields = dict[str, tuple[str, str]]
"""Text and value of each field by its name."""


@pytest.fixture(scope="module")
def form() -> Form:
    return Form.load(FORMS / "form.toml")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw all files again with the program of the samples."""
    out = tmp_path_factory.mktemp("forms")
    subprocess.run([sys.executable, FORMS / "make_forms.py", "--out", out], check=True)
    return out


@pytest.fixture(scope="module")
def expected() -> dict[str, Fields]:
    """Return text and value of each field by file, without the page of another form."""
    found: dict[str, Fields] = defaultdict(dict)
    for row in rows(FORMS / "expected.csv"):
        assert row["page"] == "1"
        if row["value"] != "refused":
            found[row["file"]][row["field"]] = row["text"], row["value"]
    return found


def texts(fields: Fields) -> dict[str, str]:
    return {name: text for name, (text, _) in fields.items()}


def broken_sums(form: Form, written: dict[str, str]) -> list[str]:
    """Return the equations that do not hold."""
    values = {name: Decimal(text) for name, text in written.items() if text}
    return [equation.text for equation in form.equations if not holds(equation, values)]


def is_alike(one: Path, other: Path) -> bool:
    """Return whether two images are the same but for a few pixels, which other versions of the libraries change."""
    first, second = (np.asarray(Image.open(path).convert("L"), np.int16) for path in (one, other))
    return first.shape == second.shape and float(np.mean(np.abs(first - second) > 60)) < 0.00003


def test_the_program_draws_the_blank(drawn: Path) -> None:
    assert is_alike(drawn / "blank.png", FORMS / "blank.png")
    with Image.open(FORMS / "blank.png") as image:
        assert image.size == (1654, 2339)
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)


def test_the_program_draws_the_pages_and_their_list(drawn: Path) -> None:
    names = {path.name for path in (FORMS / "pages").iterdir()}
    assert names == {path.name for path in (drawn / "pages").iterdir()}
    assert all(is_alike(drawn / "pages" / name, FORMS / "pages" / name) for name in names)
    assert (drawn / "expected.csv").read_bytes() == (FORMS / "expected.csv").read_bytes()


def test_the_files_are_small() -> None:
    assert all(path.stat().st_size < MAX_SIZE for path in FORMS.rglob("*") if path.is_file())


def test_the_form_file_has_fields_of_all_kinds_that_people_write(form: Form) -> None:
    assert {field.kind for field in form.fields} == {"cells", "date", "number", "decimal", "mark"}
    assert len(form.fields) == 20 and len(form.equations) == 7
    assert (form.width_mm, form.height_mm) == (210, 297)


def test_cells_are_where_the_blank_has_lines(form: Form) -> None:
    assert form.image is not None
    s, pixels = form.image.px_per_mm, form.image.pixels
    for cell in [cell for field in form.fields for cell in field.cells or (field.place,)]:
        x0, x1 = round(cell.left * s), round(cell.right * s)
        y0, y1 = round(cell.top * s), round(cell.bottom * s)
        upper, left = pixels[y0 - 1 : y0 + 3, x0 + 6 : x1 - 6], pixels[y0 + 6 : y1 - 6, x0 - 2 : x0 + 3]
        assert upper.min(axis=0).max() < 160 and left.min(axis=1).max() < 160
        assert pixels[y0 + 6 : y1 - 6, x0 + 6 : x1 - 6].min() == 255


def test_each_page_has_all_fields_but_the_other_form(form: Form, expected: dict[str, Fields]) -> None:
    assert [row["file"] for row in rows(FORMS / "expected.csv") if row["value"] == "refused"] == [OTHER_FORM]
    assert {*expected, OTHER_FORM} == {path.name for path in (FORMS / "pages").iterdir()}
    assert all(set(fields) == {field.name for field in form.fields} for fields in expected.values())


def test_what_is_written_satisfies_the_rules(form: Form, expected: dict[str, Fields]) -> None:
    for name, fields in expected.items():
        for field in form.fields:
            text, value = fields[field.name]
            assert broken_rule(field, text) == "", (name, field.name)
            assert value == (value_of(field, text) or ("0" if field.kind == "mark" else ""))
            assert text or field.may_be_empty
        assert date.fromisoformat(fields["read_on"][1])
        assert broken_sums(form, texts(fields)) == []


def test_a_slip_breaks_rules_if_it_is_read_as_it_looks(form: Form, expected: dict[str, Fields]) -> None:
    member = next(field for field in form.fields if field.name == "member")
    written = texts(expected["slip.jpg"])
    assert (written["member"], written["kwh.barn.night"]) == ("52309473", "147")
    assert broken_rule(member, "52309973") == "check-digit"
    assert len(broken_sums(form, {**written, "kwh.barn.night": "141"})) == 2


def test_the_draft_of_the_blank_has_the_fields_of_the_form_file(form: Form) -> None:
    drafted = Form.draft(FORMS / "blank.png")
    assert len(drafted.fields) == len(form.fields)
    for field in form.fields:
        near = min(
            drafted.fields,
            key=lambda other: abs(other.place.left - field.place.left) + abs(other.place.top - field.place.top),
        )
        assert (near.kind, len(near.cells), near.decimals) == (field.kind, len(field.cells), field.decimals)
        for side in ("left", "top", "right", "bottom"):
            assert getattr(near.place, side) == pytest.approx(getattr(field.place, side), abs=1)


def test_the_document_names_what_is_in_the_draft(tmp_path: Path) -> None:
    assert here("form", "draft", FORMS / "blank.png", "--out", tmp_path / "form.toml").code == 0
    draft, document = (tmp_path / "form.toml").read_text(), (SAMPLES.parent / "docs" / "forms.md").read_text()
    table = document.split("| in the draft |")[1].split("\n\n")[0]
    names = [name for line in table.splitlines()[2:] for name in re.findall(r"`([\w-]+)`", line.split("|")[1])]
    assert len(names) == 16
    assert all(draft.count(f'name = "{name}"') == 1 for name in names)


def test_the_pages_are_read(tmp_path: Path, expected: dict[str, Fields]) -> None:
    ended = in_own_process("run", FORMS / "pages", "--form", FORMS / "form.toml", folder=tmp_path)
    assert ended.code == 3
    read: dict[str, Fields] = defaultdict(dict)
    statuses = {}
    for row in rows(tmp_path / "results.fields.csv"):
        read[row["file"]][row["field"]] = row["text"], row["value"]
        statuses[row["file"], row["field"]] = row["status"]
    assert read == expected
    assert [place for place, status in statuses.items() if status == "corrected"] == [
        ("slip.jpg", "member"),
        ("slip.jpg", "kwh.barn.night"),
    ]
    assert "invalid" not in statuses.values()
    failed = [(row["file"], row["error"]) for row in rows(tmp_path / "results.pages.csv") if row["status"] == "failed"]
    assert failed == [(OTHER_FORM, "other-form")]
