"""Reading the tables of earlier results, in every format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from batchocr.output.formats.csv_table import read_csv
from batchocr.output.formats.database import read_database
from batchocr.output.formats.json_lines import read_json_lines
from batchocr.output.formats.parquet import read_parquet
from batchocr.output.formats.workbook import read_workbook
from batchocr.output.outputs import DATABASE, WORKBOOK
from batchocr.output.table import TableKind, text_of


def read_table(path: Path, kind: TableKind) -> Iterator[dict[str, str]]:
    """Yield the rows of a table as the cells of a plain CSV file, whatever its format.

    Args:
        path: The file, whose suffix says the format.
        kind: The table. The file may have more columns.

    Yields:
        The cells of a row by the name of their column.

    Raises:
        OSError: If the file cannot be opened or read.
        ValueError: If the file is damaged, or the table has not all columns.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        yield from read_csv(path, kind)
        return
    if suffix == ".jsonl":
        rows = read_json_lines(path, kind)
    elif suffix == ".parquet":
        rows = read_parquet(path, kind, path)
    elif suffix == WORKBOOK:
        rows = read_workbook(path, kind)
    elif suffix in DATABASE:
        rows = read_database(path, kind)
    else:
        raise ValueError(f"{path.name} has an unknown suffix")
    for values in rows:
        yield {column.name: text_of(column, values[column.name]) for column in kind.columns}
