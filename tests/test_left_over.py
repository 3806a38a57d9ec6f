"""Tables of fields of an earlier run with forms do not stay beside the results of a run without forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import beside, here
from drawn_forms import SUM, WEATHER, form_file, sheet
from strokes import save

from batchocr.output.outputs import left_over, output_paths
from batchocr.output.table_kinds import table_kinds

OF_FIELDS = ("fields.csv", "forms.csv")


def description(**run: object) -> bytes:
    return json.dumps({"out": "results.csv", "forms": [{"name": "weather"}]} | run).encode()


def test_a_run_without_forms_removes_the_tables_of_fields(tmp_path: Path) -> None:
    save(tmp_path / "scans" / "a.png", sheet(WEATHER, ["0042", "12", "30", "42"]).pixels)
    form = form_file(tmp_path, WEATHER, "weather", ("number", "rain", "wind", "total"), SUM)
    out = tmp_path / "results.csv"
    command: list[str | Path] = ["run", tmp_path / "scans", "--out", out, "--device", "cpu"]

    def existing() -> list[str]:
        return [name for name in OF_FIELDS if beside(out, name).exists()]

    assert here(*command, "--form", form).code == 0
    assert existing() == list(OF_FIELDS)
    assert here(*command, "--form", form).code == 0
    assert existing() == list(OF_FIELDS)
    assert here(*command).code == 0
    assert existing() == []
    beside(out, "fields.csv").write_text("of another program")
    assert here(*command).code == 0
    assert beside(out, "fields.csv").read_text() == "of another program"


def test_the_tables_of_the_differences_are_left_over_too(tmp_path: Path) -> None:
    names = [path.name for path in left_over(output_paths(tmp_path / "results.csv"), description())]
    assert sorted(names) == [
        "results.delta.fields.csv",
        "results.delta.forms.csv",
        "results.fields.csv",
        "results.forms.csv",
    ]


@pytest.mark.parametrize(
    "described",
    [b"", b"[]", b"{", b"\xff", description(forms=[]), description(out="others.csv"), b'{"out": "results.csv"}'],
)
def test_without_the_description_of_a_run_with_forms_nothing_is_left_over(described: bytes, tmp_path: Path) -> None:
    assert left_over(output_paths(tmp_path / "results.csv"), described) == []


def test_a_run_with_forms_leaves_nothing_over(tmp_path: Path) -> None:
    assert left_over(output_paths(tmp_path / "results.csv", kinds=table_kinds(["rain"])), description()) == []


@pytest.mark.parametrize("name", ["results.xlsx", "results.db", "-"])
def test_one_file_with_all_tables_leaves_nothing_over(name: str, tmp_path: Path) -> None:
    out = Path("-") if name == "-" else tmp_path / name
    assert left_over(output_paths(out), description(out=name)) == []
