"""Apache Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from batchocr.output.table import Column, TableKind, Values, check_columns, frame

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 10_000
"""Rows that are read at a time."""


class ParquetTable:
    """A table in a Parquet file."""

    def __init__(self, file: BinaryIO, kind: TableKind) -> None:
        """Begin a table in `file`, which must be empty."""
        import pyarrow as pa
        from pyarrow import parquet

        self._kind = kind
        self._schema = pa.schema([(column.name, _arrow_type(column)) for column in kind.columns])
        self._writer = parquet.ParquetWriter(file, self._schema)

    def add(self, rows: Sequence[Values]) -> None:
        """Append rows."""
        import pyarrow as pa

        table = frame(self._kind, rows)
        self._writer.write_table(pa.Table.from_pandas(table, schema=self._schema, preserve_index=False))

    def close(self) -> None:
        """Write the footer of the file."""
        self._writer.close()


def _arrow_type(column: Column) -> pa.DataType:
    """Return the type of a column. `page` has the type that `pandas.read_csv` gives it."""
    import pyarrow as pa

    whole = {"digit": pa.int8(), "second": pa.int8(), "page": pa.int64()}
    by_type = {int: whole.get(column.name, pa.int32()), float: pa.float64(), str: pa.string()}
    return by_type[column.type]


def read_parquet(source: Path | BinaryIO, kind: TableKind, path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file.

    Args:
        source: Its path or content.
        kind: The table.
        path: The path that messages name.

    Raises:
        OSError: If the file cannot be opened or read.
        ValueError: If it is not a Parquet file, or lacks a column.
    """
    from pyarrow import parquet

    with ExitStack() as opened:
        stream = opened.enter_context(source.open("rb")) if isinstance(source, Path) else source
        file = opened.enter_context(parquet.ParquetFile(stream))
        check_columns(file.schema_arrow.names, kind, path)
        for batch in file.iter_batches(_BATCH_ROWS, columns=kind.names):
            yield from batch.to_pylist()
