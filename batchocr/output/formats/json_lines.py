"""JSON Lines: one JSON object for each row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from batchocr.output.table import MAX_DECIMALS, TableKind, Values, check_columns, frame


class JsonLinesTable:
    """A table in a JSON Lines file."""

    def __init__(self, file: BinaryIO, kind: TableKind) -> None:
        """Prepare a table in `file`, which must be empty."""
        self._file, self._kind = file, kind

    def add(self, rows: Sequence[Values]) -> None:
        """Append rows."""
        if not rows:
            return
        lines = frame(self._kind, rows).to_json(
            orient="records", lines=True, force_ascii=False, double_precision=MAX_DECIMALS
        )
        # pandas writes / as \/, which means the same in JSON, but then `grep` does not find a path.
        self._file.write(lines.replace("\\/", "/").encode())

    def close(self) -> None:
        """Do nothing: all rows are in the file."""


def read_json_lines(path: Path, kind: TableKind) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSON Lines file.

    Raises:
        OSError: If the file cannot be opened or read.
        ValueError: If a line is not a JSON object, or lacks a column.
    """
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"{path.name} has a line that is not a JSON object")
            check_columns(row, kind, path)
            yield row
