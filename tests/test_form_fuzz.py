"""Damaged form files are a FormError, never another exception."""

from __future__ import annotations

import re

import pytest
from form_files import MEMBER, PAGE, TABLE
from hypothesis import given
from hypothesis import strategies as st

from batchocr.errors import FormError
from batchocr.forms.load import load_form

PIECES = (
    *('"x"', "[]", "{}", "{a = 1}", "-1", "0", "9" * 400, "1e400", "nan", "true", "2020-01-01", '"\\u0000"'),
    *("[[fields]]\n", "[fields]\n", "\n[rules]\n"),
)
"""What replaces a word of a form file, in addition to other words of it."""


@given(data=st.data())
def test_a_damaged_form_file_is_a_form_error_or_a_form(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = PAGE + MEMBER + 'check = "luhn"\n' + TABLE + '[[rules]]\nequation = "voters.total.* = voters.lists.*"\n'
    pieces = re.findall(r"\w+|\W", text)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(pieces) - 1))
        other = st.sampled_from([*PIECES, *pieces]) | st.text(max_size=3)
        pieces[at : at + data.draw(st.integers(0, 2))] = [data.draw(other)]
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_bytes("".join(pieces).encode("utf-8", "surrogatepass"))
    try:
        form = load_form(path)
    except FormError as error:
        assert re.match(rf"{re.escape(str(path))}: (line \d+: |\d+ faults:\n)", str(error))
    else:
        assert form.fields
