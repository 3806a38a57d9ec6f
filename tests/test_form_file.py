"""Form files: what they give. `test_form_faults.py` is about their faults."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from form_files import MEMBER, PAGE, TABLE, blank, faults, write
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from web_server import web_server

import batchocr
from batchocr.errors import FormError
from batchocr.forms.form import CheckDigit, Rect
from batchocr.forms.form_file import FieldsOfTable, FieldTable, PageTable, RuleTable
from batchocr.forms.load import load_form, load_forms
from batchocr.forms.toml_lines import key_lines


def test_a_form_has_the_fields_of_its_file(tmp_path: Path) -> None:
    form = batchocr.Form.load(write(tmp_path, PAGE + MEMBER, "membership.toml"))
    assert (form.name, form.width_mm, form.height_mm, form.image) == ("membership", 210, 297, None)
    [field] = form.fields
    assert (field.name, field.kind, field.place) == ("member", "cells", Rect(20, 40, 64, 8))
    assert field.cells == tuple(Rect(20 + 8 * at, 40, 8, 8) for at in range(8))
    assert field.may_be_empty and field.crossed_out == "review" and field.align == "any" and field.rules.is_empty
    assert form.max_residual_mm == 0.5


def test_all_keys_of_fields_arrive(tmp_path: Path) -> None:
    text = f"""#:schema form.schema.json
name = "All keys"
{PAGE}max_residual_mm = 0.8
[[fields]]
name = "cells"
kind = "cells"
cells = [[20, 40, 8, 8], [30, 41, 8, 8]]
may_be_empty = false
crossed_out = "empty"
align = "right"
length = 2
check = {{weights = [3, 1], modulus = 10}}
[[fields]]
name = "number"
kind = "number"
place = [20, 60, 40, 8]
signs = "-"
range = [-5, 99.5]
pattern = "-?[0-9]+"
allowed = ["-5", "12"]
check = "luhn"
[[fields]]
name = "decimal"
kind = "decimal"
place = [20, 70, 40, 8]
count = 5
decimals = 2
length = [3, 5]
[[fields]]
name = "date"
kind = "date"
place = [20, 80, 40, 8]
order = "ymd"
range = ["2000-01-01", 2026-12-31]
[[fields]]
name = "written"
kind = "decimal"
place = [20, 90, 40, 8]
[fields.check]
weights = [1, 2]
modulus = 11
""".replace('kind = "decimal"\nplace = [20, 90', 'kind = "number"\nplace = [20, 90')
    form = load_form(write(tmp_path, text))
    assert form.name == "All keys" and form.max_residual_mm == 0.8
    cells, number, decimal, date, written = form.fields
    assert cells.place == Rect(20, 40, 18, 9) and cells.cells == (Rect(20, 40, 8, 8), Rect(30, 41, 8, 8))
    assert (cells.may_be_empty, cells.crossed_out, cells.align) == (False, "empty", "right")
    assert (cells.rules.min_length, cells.rules.max_length) == (2, 2)
    assert cells.rules.checks == (CheckDigit("weights", (3, 1), 10),)
    assert number.signs == "-" and (number.rules.min_value, number.rules.max_value) == (-5, 99.5)
    assert number.rules.pattern == "-?[0-9]+" and number.rules.allowed == frozenset({"-5", "12"})
    assert number.rules.checks == (CheckDigit("luhn"),)
    assert decimal.decimals == 2 and len(decimal.cells) == 5 and decimal.signs == ""
    assert (decimal.rules.min_length, decimal.rules.max_length) == (3, 5)
    assert (date.order, date.signs, date.cells) == ("ymd", "./-", ())
    assert (date.rules.min_value, date.rules.max_value) == (20000101, 20261231)
    assert written.rules.checks == (CheckDigit("weights", (1, 2), 11),)


def test_tables_are_fields_and_columns_replace_keys(tmp_path: Path) -> None:
    rule = '[[rules]]\nequation = "voters.total.* = voters.lists.*"\n'
    form = load_form(write(tmp_path, PAGE + TABLE + rule))
    names = ["voters.lists.men", "voters.lists.women", "voters.total.men", "voters.total.women"]
    assert [field.name for field in form.fields] == names
    assert [len(field.cells) for field in form.fields] == [3, 2, 3, 2]
    assert form.fields[3].place == Rect(112, 110, 30, 9)
    assert [(each.total, each.terms) for each in form.equations] == [
        ("voters.total.men", ((1, "voters.lists.men"),)),
        ("voters.total.women", ((1, "voters.lists.women"),)),
    ]


def test_a_table_is_evenly_spaced_by_its_place(tmp_path: Path) -> None:
    text = """[[tables]]
name = "t"
kind = "number"
signs = "-"
place = [80, 100, 60, 20]
rows = ["a", "b"]
columns = ["men", {name = "tick", kind = "mark"}, "all"]
"""
    form = load_form(write(tmp_path, PAGE + text))
    assert [field.place for field in form.fields[:3]] == [Rect(80 + 20 * at, 100, 20, 10) for at in range(3)]
    assert form.fields[5].place == Rect(120, 110, 20, 10)
    assert [field.kind for field in form.fields[:3]] == ["number", "mark", "number"]
    assert [field.signs for field in form.fields[:3]] == ["-", "", "-"]


def test_the_image_gives_the_size_and_the_unit(tmp_path: Path) -> None:
    blank(tmp_path / "blank.png")
    text = '[page]\nimage = "blank.png"\nunit = "px"\n' + MEMBER.replace("[20, 40, 64, 8]", "[80, 160, 256, 32]")
    form = load_form(write(tmp_path, text))
    assert form.width_mm == pytest.approx(210, abs=0.01) and form.height_mm == pytest.approx(297, abs=0.01)
    assert form.image is not None and form.image.px_per_mm == pytest.approx(4, abs=1e-3)
    assert form.image.pixels.shape == (1188, 840) and not form.image.is_filled
    place = form.fields[0].place
    assert (place.left, place.top, place.width, place.height) == pytest.approx((20, 40, 64, 8), abs=0.01)


def test_an_image_of_slightly_other_proportions_is_resampled(tmp_path: Path) -> None:
    blank(tmp_path / "blank.png", (840, 1160), None)
    text = f'{PAGE}image = "blank.png"\nunit = "px"\n' + MEMBER.replace("[20, 40, 64, 8]", "[80, 580, 256, 32]")
    form = load_form(write(tmp_path, text))
    assert form.image is not None and form.image.pixels.shape == (1188, 840)
    assert form.fields[0].place.top == pytest.approx(297 / 2)


def test_a_page_of_a_pdf_is_an_image(tmp_path: Path) -> None:
    pages = [Image.new("L", (840, 1188), grey) for grey in (255, 200)]
    pages[0].save(tmp_path / "blank.pdf", save_all=True, append_images=pages[1:], resolution=101.6)
    form = load_form(write(tmp_path, '[page]\nimage = "blank.pdf"\nimage_page = 2\n' + MEMBER))
    assert form.image is not None and form.image.pixels.mean() < 205
    assert form.width_mm == pytest.approx(210, abs=0.2)
    path = write(tmp_path, '[page]\nimage = "blank.pdf"\nimage_page = 3\n' + MEMBER)
    assert faults(path) == ["line 3: [page], image_page: blank.pdf: has no page 3: change image_page"]


def test_an_image_of_white_on_black_becomes_dark_on_light(tmp_path: Path) -> None:
    pixels = 255 - np.array(Image.open(blank(tmp_path / "light.png")))
    Image.fromarray(pixels).save(tmp_path / "dark.png")
    form = load_form(write(tmp_path, f'{PAGE}image = "dark.png"\n' + MEMBER))
    assert form.image is not None and np.median(form.image.pixels) > 240


def test_a_filled_page_is_levelled(tmp_path: Path) -> None:
    blank(tmp_path / "straight.png")
    with Image.open(tmp_path / "straight.png") as image:
        image.rotate(4, expand=True, fillcolor=255).save(tmp_path / "turned.png", dpi=(101.6, 101.6))
    form = load_form(write(tmp_path, '[page]\nimage = "turned.png"\nfilled = true\n' + MEMBER))
    assert form.image is not None and form.image.is_filled
    rows = form.image.pixels.min(axis=1)[200:800]
    assert (rows > 128).any(), "the frames are level, so that there are rows without ink between them"
    assert form.image.px_per_mm == pytest.approx(4, rel=0.02)


def test_sha256_is_of_all_files(tmp_path: Path) -> None:
    blank(tmp_path / "blank.png")
    text = f'{PAGE}image = "blank.png"\n{MEMBER}allowed_from = "list.csv"\n'
    hashes = set()
    for content, values, colour in (
        (text, "a\n1\n", 0),
        (text + "#", "a\n1\n", 0),
        (text, "a\n2\n", 0),
        (text, "a\n1\n", 9),
    ):
        (tmp_path / "list.csv").write_text(values)
        if colour:
            Image.new("L", (840, 1188), colour).save(tmp_path / "blank.png")
        hashes.add(load_form(write(tmp_path, content)).sha256)
    assert len(hashes) == 4 and all(len(each) == len(hashlib.sha256().hexdigest()) for each in hashes)


@pytest.mark.parametrize(
    ("content", "column", "values"),
    [
        (b"number,name\n12,A\n 017 ,B\n,C\n", None, {"12", "017"}),
        (b"12\n017\n", None, {"12", "017"}),
        ('\ufeffname;number\r\n"A;B";12\r\nB;13\r\n'.encode(), "number", {"12", "13"}),
        (b"a\tb\n1\t2\n", "b", {"2"}),
    ],
)
def test_possible_texts_are_read_from_a_csv(
    tmp_path: Path, content: bytes, column: str | None, values: set[str]
) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    text = f'{MEMBER}allowed_from = "list.csv"\n' + (f'allowed_column = "{column}"\n' if column else "")
    form = load_form(write(tmp_path, PAGE + text + 'allowed = ["9"]\n'))
    assert form.fields[0].rules.allowed == frozenset(values | {"9"})


def test_forms_of_folders_are_in_natural_order(tmp_path: Path) -> None:
    for name in ("f10.toml", "f9.toml", "note.txt", ".hidden.toml"):
        write(tmp_path, PAGE + MEMBER, name)
    assert [form.name for form in load_forms([tmp_path])] == ["f9", "f10"]
    assert [form.name for form in load_forms([tmp_path / "f10.toml", tmp_path])] == ["f10", "f9"]
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(FormError, match=r"has no form file: give a file, or a folder with files that end with \.toml"):
        load_forms([other])
    write(other, 'name = "f9"\n' + PAGE + MEMBER)
    with pytest.raises(FormError) as error:
        load_forms([tmp_path, other])
    first, second = tmp_path / "f9.toml", other / "form.toml"
    assert (
        str(error.value) == f"{second}: the form 'f9' has the name of the form in {first}: change name in one of them"
    )


def test_a_form_is_loaded_from_a_url_with_the_files_that_it_names(tmp_path: Path) -> None:
    blank(tmp_path / "blank.png")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "members.csv").write_text("number\n12345678\n")
    text = f'{PAGE}image = "blank.png"\n{MEMBER}allowed_from = "lists/members.csv"\n'
    here = load_form(write(tmp_path, text, "membership.toml"))
    write(tmp_path, text.replace("blank.png", "missing.png"), "wrong.toml")
    with web_server(tmp_path) as url:
        form = load_form(f"{url}/membership.toml")
        assert form == here and form.image is not None and form.name == "membership"
        with pytest.raises(FormError, match=r"line 3: \[page\], image: there is no file missing.png"):
            load_form(f"{url}/wrong.toml")
        with pytest.raises(FormError, match=r"none\.toml: there is no such file: check the URL"):
            load_form(f"{url}/none.toml")
        (tmp_path / "wrong.toml").unlink()
        assert load_forms([url]) == (here,)


def test_lines_of_keys_are_found_in_all_ways_to_write_toml() -> None:
    text = '''# [[fields]]
text = """
[[fields]] "quoted"
name = 1 \\""" """""
path = \'\'\'[x]
''\'\'\'
"quoted key".sub = {a = [1,
 # a comment, with ] and "
 2], b.c = "]"}
[[fields]]  # comment
place = [ [1, 2],
  [3, 4] ]
when = 2000-01-01 10:00:00 # and more
[fields.check]
'weights' = [
]
[[fields]]
name = 'b'
'''
    lines = key_lines(text)
    expected = {
        ("text",): 2, ("path",): 5, ("quoted key",): 7, ("quoted key", "sub", "a", 1): 9,
        ("quoted key", "sub", "b", "c"): 9, ("fields", 0): 10, ("fields", 0, "place", 1): 12, ("fields", 0, "when"): 13,
        ("fields", 0, "check"): 14, ("fields", 0, "check", "weights"): 15, ("fields", 1): 17, ("fields", 1, "name"): 18,
    }  # fmt: skip
    assert {path: lines.get(path) for path in expected} == expected


@given(st.text("[]{}=\"'\\#.,\n ab1", max_size=60))
def test_lines_of_any_text_are_looked_up_without_an_end(text: str) -> None:
    lines = key_lines(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def test_the_document_of_form_files_has_every_key_and_its_examples_load(tmp_path: Path) -> None:
    document = (Path(__file__).parents[1] / "docs" / "form-files.md").read_text(encoding="utf-8")
    keys = {key for table in (PageTable, FieldTable, FieldsOfTable, RuleTable) for key in table.model_fields}
    assert not {key for key in keys if f"`{key}`" not in document and f"{key} =" not in document}
    whole, table, _ = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    blank(tmp_path / "blank.png")
    assert len(load_form(write(tmp_path, whole)).fields) == 8
    assert len(load_form(write(tmp_path, PAGE + table)).fields) == 6
