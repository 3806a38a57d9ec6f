"""Decisions of a person about the rows of results, and files of corrections."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from command import beside, rows

from batchocr.review.decision import COLUMNS, Decision

AT = "2026-11-30T06:00:00Z"


def decision(row: Mapping[str, Any], sha256: str, text: str, **more: Any) -> Decision:
    """Return a decision about a row of digits, numbers or fields: confirm if the text is the same, else change."""
    kind = "digit" if "digit" in row else "field" if "field" in row else "number"
    was = str(row["digit"] if kind == "digit" else row["text"])
    place = {side: int(row[side]) for side in ("left", "top", "width", "height")}
    verdict = "confirm" if text == was else "change" if text else "remove"
    values = {
        "file": str(row["file"]),
        "page": int(row["page"]),
        "sha256": sha256,
        "kind": kind,
        "name": str(row.get("field", "")),
        **place,
        "was": was,
        "text": text,
        "decision": verdict,
        "task": "review",
        "expected": "",
        "confidence": 0.5,
        "by": "anna",
        "at": AT,
        "seconds": 1.5,
    }
    return Decision(**{**values, **more})


def about(out: Path, table: str, text: str, new: str, **more: Any) -> Decision:
    """Return a decision about the first row of a table of results (`csv`, `numbers.csv`, `fields.csv`) with a text."""
    found = rows(out if table == "csv" else beside(out, table))
    row = next(each for each in found if each.get("text", each.get("digit")) == text)
    return decision(row, sha256_of(out, row["file"]), new, **more)


def sha256_of(out: Path, file: str) -> str:
    """Return the SHA-256 of a scan as the results have it."""
    return next(row["sha256"] for row in rows(beside(out, "pages.csv")) if row["file"] == file)


def write(path: Path, *decisions: Decision) -> Path:
    """Write a file of corrections."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(dataclasses.astuple(each) for each in decisions)
    return path
