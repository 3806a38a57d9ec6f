"""The results files: rows of digits, numbers and pages, and what was run. Each appears whole or not at all."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, get_args, get_type_hints

from batchocr.errors import OutputError, UsageError
from batchocr.records import DigitRow, NumberRow, PageResult, PageRow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Row = DigitRow | NumberRow | PageRow

STDOUT = Path("-")
"""As the path of the results: the digit rows go to standard output, and nothing else is written."""

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
    _writer_of(out)
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
        raise _cannot_write(out, error) from error


def write_results(out: Path, results: Sequence[PageResult], run: Mapping[str, Any]) -> None:
    """Writes the digit rows to `out` in the format of its suffix, and numbers, pages and `run` beside it.

    Pages are put in the contract's order, whatever the order in which they were read. `run` must be fit for JSON.
    All files are complete on the disk before the first gets its name; the one with the digits gets it last.

    Raises OutputError, with nothing half-written, where the disk is full or does not take them.
    """
    ordered = sorted(results, key=lambda result: (result.page.file, result.page.page or 0))
    digits = frame(DigitRow, [row for result in ordered for row in result.digits])
    if out == STDOUT:
        _write_stdout(digits)
        return
    numbers = frame(NumberRow, [row for result in ordered for row in result.numbers])
    pages = frame(PageRow, [result.page for result in ordered])
    outputs = output_paths(out)
    write_digits = _writer_of(out)
    _write_whole(
        {
            outputs.run: lambda file: _write_run(file, run),
            outputs.pages: lambda file: _write_csv(file, pages),
            outputs.numbers: lambda file: _write_csv(file, numbers),
            outputs.digits: lambda file: write_digits(file, digits),
        }
    )


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


def _write_csv(file: BinaryIO, frame: pd.DataFrame) -> None:
    written = frame.copy()
    for name in DECIMALS.keys() & set(frame.columns):
        written[name] = frame[name].map(f"{{:.{DECIMALS[name]}f}}".format, na_action="ignore")
    # Before Python 3.13 a bare CR (in a file's name) is not quoted, which would end the row there.
    quoting: Any = csv.QUOTE_ALL if _holds_cr(frame) else csv.QUOTE_MINIMAL
    written.to_csv(file, index=False, lineterminator="\n", encoding="utf-8", mode="wb", quoting=quoting)


def _holds_cr(frame: pd.DataFrame) -> bool:
    return any("\r" in text for _, column in frame.select_dtypes("object").items() for text in column.unique())


def _write_jsonl(file: BinaryIO, frame: pd.DataFrame) -> None:
    lines = frame.to_json(orient="records", lines=True, force_ascii=False, double_precision=max(DECIMALS.values()))
    # pandas writes each / as \/, which is the same to JSON, but not to who looks for a path with grep.
    file.write(lines.replace("\\/", "/").encode() if len(frame) else b"")


def _write_parquet(file: BinaryIO, frame: pd.DataFrame) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    fields = [(name, _arrow_type(name, dtype)) for name, dtype in frame.dtypes.items()]
    parquet.write_table(pa.Table.from_pandas(frame, schema=pa.schema(fields), preserve_index=False), file)


def _arrow_type(name: Any, dtype: Any) -> pa.DataType:
    import pyarrow as pa

    if name in _DIGIT_COLUMNS:
        return pa.int8()
    return {"Int64": pa.int32(), "float64": pa.float64(), "object": pa.string()}[str(dtype)]


def _write_run(file: BinaryIO, run: Mapping[str, Any]) -> None:
    file.write((json.dumps(run, indent=2, ensure_ascii=False) + "\n").encode())


_WRITERS: dict[str, Callable[[BinaryIO, pd.DataFrame], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}


def _writer_of(out: Path) -> Callable[[BinaryIO, pd.DataFrame], None]:
    try:
        return _WRITERS[out.suffix.lower()]
    except KeyError:
        raise UsageError(f"--out {out}: the name must end with {', '.join(_WRITERS)}, or be - for CSV") from None


# Files


def _write_stdout(frame: pd.DataFrame) -> None:
    try:
        _write_csv(sys.stdout.buffer, frame)
        sys.stdout.flush()
    except BrokenPipeError:
        # who read it has seen enough, as `head` has; Python would complain once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
    except OSError as error:
        raise OutputError(f"standard output: cannot be written ({error.strerror}): see what reads it") from error


def _write_whole(writers: Mapping[Path, Callable[[BinaryIO], None]]) -> None:
    """Writes each file under a name of its own for the time being, then renames them in the order given."""
    unfinished: dict[Path, Path] = {}
    path = Path()
    try:
        for path, write in writers.items():
            unfinished[path] = path.with_name(f".{secrets.token_hex(8)}.tmp")
            with unfinished[path].open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
        for path in writers:
            unfinished[path].replace(path)
            del unfinished[path]
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        for temporary in unfinished.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written ({error.strerror or error}): make room or give --out another folder")
