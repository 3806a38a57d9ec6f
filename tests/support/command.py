"""The command as users and cron call it: in its own process, or in this one if that is enough."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from batchocr.cli import app

START = [sys.executable, "-m", "batchocr"]

Row = dict[str, str]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Return the environment of this process, without variables that change settings or the width of the help."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BATCHOCR_", "TF_CPP_", "COVERAGE_"))}
    return {**kept, "COLUMNS": "200", **more}


def in_own_process(*arguments: str | Path, folder: Path, start: list[str] = START, **variables: str) -> Ended:
    ended = subprocess.run(
        [*start, *map(str, arguments)],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def here(*arguments: str | Path, given: bytes = b"", variables: Mapping[str, str] | None = None) -> Ended:
    """Run the command in this process, without the start of an interpreter. Unexpected exceptions are raised."""
    result = CliRunner().invoke(
        app, [str(each) for each in arguments], input=given, env=dict(variables or {}), catch_exceptions=False
    )
    return Ended(result.exit_code, result.stdout, result.stderr)


def rows(table: Path | str) -> list[Row]:
    """Return the rows of a CSV file, or of CSV text."""
    text = table.read_bytes().decode() if isinstance(table, Path) else table
    return list(csv.DictReader(io.StringIO(text, newline="")))


def beside(out: Path, kind: str) -> Path:
    """`results.csv`, `pages.csv` → `results.pages.csv`."""
    return out.with_suffix(f".{kind}")


def account(out: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(beside(out, "run.json").read_text("utf-8"))
    return read
