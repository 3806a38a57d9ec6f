"""Corrections of fields, on a whole run with a form: values by the kind of the field, digits and the wide table."""

from __future__ import annotations

from pathlib import Path

from command import account, beside, here, rows
from decisions import about, write
from drawn_forms import SUM, WEATHER, form_file, sheet
from strokes import save


def test_corrected_fields_have_values_settle_their_digits_and_stay(tmp_path: Path) -> None:
    save(tmp_path / "scans" / "a.png", sheet(WEATHER, ["0042", "12", "30", "42"]).pixels)
    form = form_file(tmp_path, WEATHER, "weather", ("number", "rain", "wind", "total"), SUM)
    out = tmp_path / "results.csv"
    given = ("run", tmp_path / "scans", "--out", out, "--device", "cpu", "--jobs", "1", "--form", form)
    assert here(*given).code == 0
    decisions = [
        about(out, "fields.csv", "0042", "0043"),
        about(out, "fields.csv", "12", "", seconds=2.0),
        about(out, "fields.csv", "42", "", decision="doubt"),
    ]
    assert here("correct", out, write(tmp_path / "c.csv", *decisions)).code == 0
    for again in (given, (*given, "--fresh")):
        fields = {row["field"]: row for row in rows(beside(out, "fields.csv"))}
        assert [fields["number"][name] for name in ("text", "value", "status", "confidence", "reason")] == [
            "0043",
            "0043",
            "ok",
            "1.0000",
            "",
        ]
        assert (fields["rain"]["text"], fields["rain"]["status"]) == ("", "empty")
        assert (fields["total"]["text"], fields["total"]["status"], fields["total"]["reason"]) == (
            "42",
            "review",
            "doubt",
        )
        (wide,) = rows(beside(out, "forms.csv"))
        assert (wide["number"], wide["rain"], wide["wind"], wide["status"]) == ("0043", "", "30", "review")
        digits = [row["digit"] for row in rows(out)]
        assert "".join(digits).startswith("0043") and "12" not in "".join(digits)
        assert account(out)["counts"]["corrections"]["applied"] == 3
        assert here(*again).code == 0
