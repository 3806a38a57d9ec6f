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
from batchocr.output.table import TABLES, columns, text_of


def read_table(path: Path, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table as the cells of a plain CSV file, whatever its format.

    Args:
        path: The file, whose suffix says the format.
        name: The name of the table, a key of TABLES.

    Yields:
        The cells of a row by the name of their column.

    Raises:
        OSError: If the file cannot be opened or read.
        ValueError: If the file is damaged, or the table has not all columns.
    """
    kind, suffix = TABLES[name], path.suffix.lower()
    if suffix == ".csv":
        yield from read_csv(path, kind)
        return
    if suffix == ".jsonl":
        rows = read_json_lines(path, kind)
    elif suffix == ".parquet":
        rows = read_parquet(path, kind, path)
    elif suffix == WORKBOOK:
        rows = read_workbook(path, name)
    elif suffix in DATABASE:
        rows = read_database(path, name)
    else:
        raise ValueError(f"{path.name} has an unknown suffix")
    names = columns(kind)
    for values in rows:
        yield {column: text_of(column, values[column]) for column in names}
