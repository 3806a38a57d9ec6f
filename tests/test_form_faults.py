"""The messages about the faults of form files: each names the line and the fix."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from form_files import MEMBER, PAGE, TABLE, blank, faults, write

from batchocr.forms.load import load_form


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        (None, None, "there is no file list.csv: write its path from the folder of the form file, FOLDER"),
        (b"number\n", None, "list.csv has no values: write one value in each row, below the name of the column"),
        (b"", None, "list.csv has no values: write one value in each row, below the name of the column"),
        (b"number,b\n1,2\n", "nomber", "list.csv has no column 'nomber': did you mean 'number'?"),
        (b"a,b\n1,2\n", "zzz", "list.csv has no column 'zzz': choose from a, b"),
        (b"PK\xff\x00", None, "list.csv is not text in UTF-8: save it as CSV in UTF-8"),
    ],
)
def test_a_wrong_list_says_the_fix(tmp_path: Path, content: bytes | None, column: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "list.csv").write_bytes(content)
    text = f'{MEMBER}allowed_from = "list.csv"\n' + (f'allowed_column = "{column}"\n' if column else "")
    expected = f"line 8: field 'member', allowed_from: {message.replace('FOLDER', str(tmp_path))}"
    assert faults(write(tmp_path, PAGE + text)) == [expected]


DATE = MEMBER.replace('"cells"', '"date"')
DAY = DATE.replace("member", "day").replace("[20, 40", "[20, 80")
NUMBER = MEMBER.replace('"cells"', '"number"').replace("count = 8\n", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "name = \n",
            "line 1: column 8: is not TOML (Invalid value): check quotation marks, brackets and equals signs",
        ),
        (
            "a = 1\na = 2\n",
            "line 2: column 6: is not TOML (Cannot overwrite a value): check quotation marks, brackets and "
            "equals signs",
        ),
        (
            "[page\n",
            "line 1: column 6: is not TOML (Expected ']' at the end of a table declaration): check quotation "
            "marks, brackets and equals signs",
        ),
        ("a = " + "[" * 5000, "line 1: has too many brackets in brackets: remove some"),
        (
            MEMBER,
            "line 1: [page]: image and size_mm are missing: add image = the file of the blank form, or size_mm = "
            "[210, 297]",
        ),
        (PAGE, "line 1: the form has no fields: add [[fields]] with name, kind and place"),
        (PAGE + MEMBER + "cout = 8\n", "line 8: field 'member': unknown key 'cout': did you mean 'count'?"),
        ("[pge]\n" + PAGE + MEMBER, "line 1: unknown key 'pge': did you mean 'page'?"),
        (
            PAGE + "x = 1\n" + MEMBER,
            "line 3: [page]: unknown key 'x': choose from image, image_page, filled, size_mm, unit, max_residual_mm",
        ),
        (
            PAGE + MEMBER.replace('"cells"', '"cell"'),
            "line 5: field 'member', kind: 'cell' is not allowed: must be 'cells', 'number', 'decimal', 'date', "
            "'mark' or 'code' (did you mean 'cells'?)",
        ),
        (
            PAGE + MEMBER.replace("= 8\n", '= "8"\n'),
            "line 7: field 'member', count: '8' is not allowed: must be a valid integer",
        ),
        (
            PAGE + MEMBER.replace("= 8\n", "= 0\n"),
            "line 7: field 'member', count: 0 is not allowed: must be greater than or equal to 1",
        ),
        (
            PAGE + MEMBER.replace('name = "member"\n', ""),
            "line 3: field 1: name is missing: add name = ... (Letters, digits, _ and -)",
        ),
        (
            PAGE + MEMBER.replace('"member"', '"a.b"'),
            "line 4: field 'a.b', name: 'a.b' is not allowed: must be a string of letters, digits, _ and -, not "
            "with - as the first",
        ),
        (
            PAGE + MEMBER.replace(", 8]", ", 0]"),
            "line 6: field 'member', place: 0 is not allowed: must be [left, top, width, height], with a width "
            "and height above 0",
        ),
        (
            PAGE + MEMBER.replace(", 8]", "]"),
            "line 6: field 'member', place: [20, 40, 64] is not allowed: must be [left, top, width, height], "
            "with a width and height above 0",
        ),
        (
            PAGE + MEMBER.replace(", 8]", ", inf]"),
            "line 6: field 'member', place: inf is not allowed: must be [left, top, width, height], with a width "
            "and height above 0",
        ),
        (
            PAGE + MEMBER.replace("place = [20, 40, 64, 8]\n", ""),
            "line 3: field 'member': place is missing: add place = [left, top, width, height]",
        ),
        (
            PAGE + MEMBER.replace("count = 8\n", ""),
            "line 3: field 'member': count is missing: add count = the number of cells, or choose kind = 'number'",
        ),
        (
            PAGE + MEMBER + "cells = [[20, 40, 8, 8]]\n",
            "line 7: field 'member', count: count and cells are both given: remove one",
        ),
        (
            PAGE + MEMBER + "decimals = 2\n",
            "line 8: field 'member', decimals: has no meaning for kind = 'cells': remove it, or choose one of "
            "the kinds decimal",
        ),
        (
            PAGE + DATE.replace("= 8\n", "= 7\n"),
            "line 7: field 'member', count: a date cannot have 7 cells: give 6 or 8 cells",
        ),
        (
            PAGE + MEMBER.replace('"cells"', '"decimal"'),
            "line 3: field 'member': decimals is missing: add decimals, because a point has no cell",
        ),
        (
            PAGE + MEMBER + "length = 9\n",
            "line 8: field 'member', length: is 9, but there are 8 cells: give at most that",
        ),
        (
            PAGE + MEMBER + "length = [4, 3]\n",
            "line 8: field 'member', length: the minimum 4 is above the maximum 3: exchange them",
        ),
        (
            PAGE + MEMBER + "length = [4]\n",
            "line 8: field 'member', length: [4] is not allowed: must be the number of digits, or [min, max]",
        ),
        (
            PAGE + MEMBER + "range = [9, 0]\n",
            "line 8: field 'member', range: the minimum 9 is above the maximum 0: exchange them",
        ),
        (
            PAGE + MEMBER + "range = [\n1, # from\n 'x']\n",
            "line 8: field 'member', range: 'x' is not a number: give numbers without quotation marks",
        ),
        (
            PAGE + DATE + 'range = ["2000-02-30", 5]\n',
            "line 8: field 'member', range: '2000-02-30' is not a date: give dates such as \"2000-01-01\"\nline 8: "
            "field 'member', range: 5 is not a date: give dates such as \"2000-01-01\"",
        ),
        (
            PAGE + MEMBER + 'pattern = "[0-9"\n',
            "line 8: field 'member', pattern: '[0-9' is not a regular expression (unterminated character set at "
            "position 0): correct it",
        ),
        (
            PAGE + MEMBER + 'check = "lun"\n',
            "line 8: field 'member', check: 'lun' is not allowed: must be luhn, mod11-2, mod97-10, ean, isbn or "
            "{weights = [3, 1, 3, 1], modulus = 10} (did you mean 'luhn'?)",
        ),
        (
            PAGE + MEMBER + "check = {weights = [1, 2], modulus = 10}\n",
            "line 8: field 'member', check: there are 2 weights for 8 cells: give one for each cell",
        ),
        (
            PAGE + MEMBER + "check = {weights = [1, 2]}\n",
            "line 8: field 'member', check: modulus is missing: add modulus = ... (The sum must be a multiple of this)",
        ),
        (
            PAGE + NUMBER + 'signs = "#"\n',
            "line 7: field 'member', signs: '#' is not allowed: must be a string of signs, of .,/-:+",
        ),
        (
            PAGE + MEMBER + "allowed = []\n",
            'line 8: field \'member\', allowed: [] is not allowed: must be a list of strings, such as ["12", "17"]',
        ),
        (
            PAGE + MEMBER + 'allowed_column = "a"\n',
            "line 8: field 'member', allowed_column: allowed_from is missing: add allowed_from = the CSV file of "
            "this column",
        ),
        (
            PAGE + MEMBER.replace("[20,", "[150,"),
            "line 3: field 'member': 'member' reaches from 150.0, 40.0 to 214.0, 48.0 mm, but the page is 210.0 "
            "x 297.0 mm: correct its place, or unit and size_mm of [page]",
        ),
        (
            PAGE + MEMBER + MEMBER.replace("member", "two").replace("[20,", "[82,"),
            "line 8: field 'two': 'two' overlaps field 'member': correct the place of one",
        ),
        (
            PAGE + MEMBER.replace("count = 8", "cells = [[20, 40, 8, 8], [24, 40, 8, 8]]"),
            "line 3: field 'member': cells of 'member' overlap: correct their places",
        ),
        (
            PAGE + MEMBER + MEMBER.replace("[20, 40", "[20, 80").replace("member", "Member"),
            "line 9: field 'Member', name: there are two fields of this name: rename one",
        ),
        (
            PAGE + TABLE.replace('"women"', '"men"'),
            "line 8: table 'voters', column 'men': there are two columns of this name: rename one",
        ),
        (
            PAGE + TABLE.replace("top = 100, ", ""),
            "line 7: table 'voters', row 'lists': its place is missing: give top and height to all rows, or to none",
        ),
        (
            PAGE + TABLE.replace("count = 3\n", 'count = 3\ncolumns = ["a"]\n').replace("columns = [{", "#"),
            "line 3: table 'voters': place is missing: add place = [left, top, width, height], or a place for "
            "each of the columns",
        ),
        (
            PAGE + TABLE.replace('kind = "cells"\n', ""),
            "line 3: table 'voters': kind is missing: add kind, for the table or for each column",
        ),
        (
            PAGE + TABLE.replace("width = 30, count = 2", "width = 30, cuont = 2"),
            "line 8: table 'voters', column 'women': unknown key 'cuont': did you mean 'count'?",
        ),
        (
            PAGE + TABLE.replace("count = 2", "count = 2, check = {weights = [1, 2, 3], modulus = 9}"),
            "line 8: table 'voters', column 'women', check: there are 3 weights for 2 cells: give one for each cell",
        ),
        (
            PAGE + MEMBER + '[[rules]]\nequation = "member = nobody"\n',
            "line 9: rule 1, equation: there is no field 'nobody': give the name of a field; fields of tables "
            "are named table.row.column",
        ),
        (
            PAGE + MEMBER + DAY + '[[rules]]\nequation = "member = day"\n',
            "line 14: rule 1, equation: field 'day' is not a number, but a date: use fields of the kinds cells, "
            "number, decimal",
        ),
        (
            PAGE + 'unit = "px"\n' + MEMBER,
            "line 3: [page], unit: 'px' needs an image: add image = the blank form, or give places in mm",
        ),
        (
            PAGE + 'image = "no.png"\n' + MEMBER,
            "line 3: [page], image: there is no file no.png: write its path from the folder of the form file, FOLDER",
        ),
        (
            PAGE + 'image = "."\n' + MEMBER,
            "line 3: [page], image: .: a folder: give an image file",
        ),
        (
            PAGE + 'image = "form.toml"\n' + MEMBER,
            "line 3: [page], image: form.toml: not an image that can be read: save it as PNG, JPEG or PDF",
        ),
        (
            '[page]\nimage = "plain.png"\n' + MEMBER,
            "line 2: [page], image: plain.png does not say its resolution: add size_mm = [210, 297], the width "
            "and height of the paper",
        ),
        (
            '[page]\nimage = "plain.png"\nsize_mm = [297, 210]\n' + MEMBER,
            "line 3: [page], size_mm: [297, 210] has other proportions than the image of 840 x 1188 pixels: give "
            "the width and height of the paper that the image shows, and crop what is around it",
        ),
        (
            MEMBER.replace("[[fields]]", "[fields]") + PAGE,
            "line 1: fields: FIELD is not allowed: must be a list of tables: write [[fields]]",
        ),
        (
            'name = ""\n' + PAGE + MEMBER,
            "line 1: name: '' is not allowed: must be a string of 1 to 200 characters, in one line",
        ),
        (
            PAGE + MEMBER + DAY + 'range = ["2001-01-01", "2000-01-01"]\n',
            "line 13: field 'day', range: the minimum 2001-01-01 is above the maximum 2000-01-01: exchange them",
        ),
        (
            "max = 1\n[page]\nsize_mm = [210]\n" + MEMBER,
            "line 1: unknown key 'max': choose from name, page, fields, tables, rules\nline 3: [page], size_mm: "
            "[210] is not allowed: must be [width, height] in mm, both above 0",
        ),
    ],
)
def test_each_fault_is_reported_with_its_line_and_fix(tmp_path: Path, text: str, expected: str) -> None:
    blank(tmp_path / "plain.png", dpi=None)
    found = "\n".join(faults(write(tmp_path, text)))
    assert found == expected.replace("FOLDER", str(tmp_path)).replace(
        "FIELD", "{'name': 'member', 'kind': 'cells', 'place': [20, 40, 64,..."
    )


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    text = PAGE + MEMBER + "cout = 1\n" + MEMBER.replace("member", "two").replace("[20,", "[200,") + "align = 3\n"
    text += MEMBER.replace("member", "far").replace("[20,", "[200,")
    found = faults(write(tmp_path, text))
    assert [re.match(r"line \d+: field '\w+'", each)[0] for each in found] == [  # type: ignore[index]
        "line 8: field 'member'",
        "line 14: field 'two'",
        "line 15: field 'far'",
    ]


def test_a_long_list_of_faults_is_cut(tmp_path: Path) -> None:
    fields = "".join(MEMBER.replace("member", f"f{at}").replace("[20, 40", f"[200, {8 * at}") for at in range(34))
    found = faults(write(tmp_path, PAGE + fields))
    assert len(found) == 31 and found[-1] == "and 4 more"


def test_a_file_that_is_not_text_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "form.toml"
    path.write_bytes(b"name = 'a'\n# \xff\n")
    assert faults(path) == ["line 2: is not text in UTF-8: save it in UTF-8"]
    path.write_bytes(b"\xef\xbb\xbf" + (PAGE + MEMBER).replace("\n", "\r\n").encode())
    assert load_form(path).name == "form"
    path.unlink()
    assert faults(path) == ["there is no such file: check the path of the form file"]
