"""Commands that load the networks write no messages of TensorFlow to standard error."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import in_own_process
from conftest import SAMPLES
from drawn_forms import SUM, WEATHER, form_file, sheet
from strokes import save


@pytest.mark.parametrize("command", ["preview", "form check"])
def test_a_command_that_reads_pages_says_nothing_of_tensorflow(command: str, tmp_path: Path) -> None:
    if command == "preview":
        ended = in_own_process("preview", SAMPLES / "2017.png", "--out", "drawn.png", folder=tmp_path)
    else:
        save(tmp_path / "a.png", sheet(WEATHER, ["0042", "12", "30", "42"]).pixels)
        form = form_file(tmp_path, WEATHER, "weather", ("number", "rain", "wind", "total"), SUM)
        ended = in_own_process("form", "check", form, "a.png", "--read", "--out", "drawn", folder=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert "drawn" in ended.out
