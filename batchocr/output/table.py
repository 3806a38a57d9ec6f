"""The results files: rows of digits, numbers and pages, and what was run. Each appears whole or not at all."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, get_args, get_type_hints

import numpy as np

from batchocr.errors import OutputError, UsageError
from batchocr.output.atomic_write import cannot_write, followed, whole_files
from batchocr.records import DigitRow, NumberRow, PageResult, PageRow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Row = DigitRow | NumberRow | PageRow

STDOUT = Path("-")
"""As the path of the results: the digit rows go to standard output, and nothing else is written."""

ROWS = 50_000
"""Held at a time while they are written."""

DECIMALS = {"confidence": 4, "second_confidence": 4, "angle": 2, "seconds": 3}
"""Of every column with a fraction, in every format."""

_DIGIT_COLUMNS = ("digit", "second")


@dataclass(frozen=True)
class Outputs:
    """Where the results of one run stand."""

    digits: Path
    numbers: Path
    """Always CSV, as `pages`, so that scripts find them whatever the format of the digits."""
    pages: Path
    run: Path


def output_paths(out: Path) -> Outputs:
    """The files beside `out`: `results.csv` has `results.numbers.csv`, `results.pages.csv`, `results.run.json`.

    Raises UsageError where the suffix is none of .csv, .jsonl, .parquet.
    """
    _table_of(out)
    return Outputs(
        digits=out,
        numbers=out.with_suffix(".numbers.csv"),
        pages=out.with_suffix(".pages.csv"),
        run=out.with_suffix(".run.json"),
    )


def check_writable(out: Path) -> None:
    """Raises OutputError where the results could not be written, to be known before the work and not after it."""
    if out == STDOUT:
        return
    outputs = output_paths(out)
    if not out.parent.is_dir():
        raise OutputError(f"{out}: there is no folder {out.parent}: make it, or give --out another one")
    try:
        for path in dataclasses.astuple(outputs):  # a name that is too long fails here
            if path.is_dir():
                raise OutputError(f"{path}: this is a folder: give --out another name")
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise cannot_write(out, error) from error


def remove_results(out: Path) -> None:
    """Takes the files of an earlier run away, the digits' first, so that nobody takes them for this run's."""
    if out == STDOUT:
        return
    for path in dataclasses.astuple(output_paths(out)):
        try:
            followed(path).unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from error


def write_results(out: Path, results: Iterable[PageResult], run: Callable[[], Mapping[str, Any]]) -> None:
    """Writes the digit rows to `out` in the format of its suffix, and numbers, pages and `run` beside it.

    The pages must come in the contract's order; few of them are held at a time. `run` is asked when all have come,
    and must be fit for JSON. All files are complete on the disk before the first gets its name; the one with the
    digits gets it last.

    Raises OutputError, with nothing half-written, where the disk is full or does not take them.
    """
    if out == STDOUT:
        _write_stdout(results)
        return
    outputs = output_paths(out)
    with whole_files([outputs.run, outputs.pages, outputs.numbers, outputs.digits]) as files:
        account, pages_file, numbers_file, digits_file = files
        pages, numbers = _CsvTable(pages_file, PageRow), _CsvTable(numbers_file, NumberRow)
        digits = _table_of(out)(digits_file, DigitRow)
        for some in _batched(results):
            pages.add([result.page for result in some])
            numbers.add([row for result in some for row in result.numbers])
            digits.add([row for result in some for row in result.digits])
        for table in (pages, numbers, digits):
            table.close()
        account.write((json.dumps(run(), indent=2, ensure_ascii=False) + "\n").encode())


def _batched(results: Iterable[PageResult]) -> Iterator[list[PageResult]]:
    """At least one, so that files without rows have their columns."""
    pages: list[PageResult] = []
    held = 0
    for result in results:
        pages.append(result)
        held += 1 + len(result.digits)
        if held >= ROWS:
            yield pages
            pages, held = [], 0
    yield pages


def columns(kind: type[Row]) -> list[str]:
    """The columns of the table of such rows, in order."""
    return [field.name for field in dataclasses.fields(kind)]


# Formats


def frame(kind: type[Row], rows: Sequence[Row]) -> pd.DataFrame:
    """The rows as a table, of the same types when there are no rows, fractions rounded to what is written."""
    import pandas as pd

    names = columns(kind)
    hints = get_type_hints(kind)
    values = zip(*map(attrgetter(*names), rows), strict=True) if rows else [()] * len(names)
    return pd.DataFrame({name: _series(name, hints[name], each) for name, each in zip(names, values, strict=True)})


def _series(name: str, hint: Any, values: Sequence[Any]) -> pd.Series[Any]:
    import pandas as pd

    if hint is int or int in get_args(hint):
        return pd.Series(values, dtype="Int64")  # pandas' own, in which None is no NaN and ints stay ints
    if hint is float or float in get_args(hint):
        return pd.Series(values, dtype="float64").round(DECIMALS[name]) + 0.0  # -0.0 becomes 0.0
    return pd.Series(values, dtype="object")


class _Table(Protocol):
    """A table that is written piece by piece."""

    def __init__(self, file: BinaryIO, kind: type[Row]) -> None: ...

    def add(self, rows: Sequence[Row]) -> None: ...

    def close(self) -> None: ...


class _CsvTable:
    """Written by Python's own csv: pandas takes five times as long, and half a second to be imported."""

    def __init__(self, file: BinaryIO, kind: type[Row]) -> None:
        self._file, self._names, self._header = file, columns(kind), True

    def add(self, rows: Sequence[Row]) -> None:
        values = zip(*map(attrgetter(*self._names), rows), strict=True)
        cells = [_written(name, column) for name, column in zip(self._names, values, strict=False)]
        written = list(zip(*cells, strict=True))
        # Before Python 3.13 a bare CR (in a file's name) is not quoted, which would end the row there.
        has_cr = any("\r" in cell for row in written for cell in row)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if has_cr else csv.QUOTE_MINIMAL)
        if self._header:
            writer.writerow(self._names)
        writer.writerows(written)
        self._file.write(text.getvalue().encode())
        self._header = False

    def close(self) -> None:
        pass


def _written(name: str, values: Sequence[Any]) -> Sequence[str]:
    """A column as it is written; None is an empty cell."""
    if name not in DECIMALS:
        return ["" if value is None else str(value) for value in values]
    rounded = np.round(np.array(values, np.float64), DECIMALS[name]) + 0.0  # None becomes NaN, and -0.0 becomes 0.0
    written = f"{{:.{DECIMALS[name]}f}}".format
    return ["" if isnan(value) else written(value) for value in rounded.tolist()]


class _JsonLinesTable:
    def __init__(self, file: BinaryIO, kind: type[Row]) -> None:
        self._file, self._kind = file, kind

    def add(self, rows: Sequence[Row]) -> None:
        lines = frame(self._kind, rows).to_json(
            orient="records", lines=True, force_ascii=False, double_precision=max(DECIMALS.values())
        )
        # pandas writes each / as \/, which is the same to JSON, but not to who looks for a path with grep.
        self._file.write(lines.replace("\\/", "/").encode() if rows else b"")

    def close(self) -> None:
        pass


class _ParquetTable:
    def __init__(self, file: BinaryIO, kind: type[Row]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._kind = kind
        types = frame(kind, []).dtypes.items()
        self._schema = pa.schema([(name, _arrow_type(name, dtype)) for name, dtype in types])
        self._writer = parquet.ParquetWriter(file, self._schema)

    def add(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        table = frame(self._kind, rows)
        self._writer.write_table(pa.Table.from_pandas(table, schema=self._schema, preserve_index=False))

    def close(self) -> None:
        self._writer.close()


def _arrow_type(name: Any, dtype: Any) -> pa.DataType:
    import pyarrow as pa

    if name in _DIGIT_COLUMNS:
        return pa.int8()
    return {"Int64": pa.int32(), "float64": pa.float64(), "object": pa.string()}[str(dtype)]


_TABLES: dict[str, type[_Table]] = {
    ".csv": _CsvTable,
    ".jsonl": _JsonLinesTable,
    ".parquet": _ParquetTable,
}


def _table_of(out: Path) -> type[_Table]:
    try:
        return _TABLES[out.suffix.lower()]
    except KeyError:
        raise UsageError(f"--out {out}: the name must end with {', '.join(_TABLES)}, or be - for CSV") from None


def _write_stdout(results: Iterable[PageResult]) -> None:
    table = _CsvTable(sys.stdout.buffer, DigitRow)
    try:
        for some in _batched(results):
            table.add([row for result in some for row in result.digits])
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputError("standard output: closed before all rows were written, so the rows are incomplete") from error
    except OSError as error:
        raise OutputError(f"standard output: cannot be written ({error.strerror}): see what reads it") from error
