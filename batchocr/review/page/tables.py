"""The tables of a run, as the review page needs them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchocr.errors import OutputError, UsageError
from batchocr.output.outputs import STDOUT, as_path
from batchocr.output.read_table import read_table
from batchocr.output.staging import staged
from batchocr.output.table_kinds import BASIC, FIELDS
from batchocr.stores import is_url

Row = Mapping[str, str]
"""The cells of a row by the name of their column."""
Place = tuple[str, int]
"""File and page."""


@dataclass(frozen=True)
class RunTables:
    """The rows of a run."""

    run: Mapping[str, Any]
    """The content of `results.run.json`."""
    digits: tuple[Row, ...]
    numbers: tuple[Row, ...]
    pages: Mapping[Place, Row]
    """The pages that were read."""
    fields: tuple[Row, ...]


def read_tables(out: str | Path) -> RunTables:
    """Read the tables of a run, in any format with files.

    Args:
        out: The results, as `--out` was given.

    Returns:
        All rows. There are no fields if the run had no form.

    Raises:
        UsageError: Results on standard output, or a folder of tables, cannot be reviewed.
        OutputError: The results are missing, incomplete or damaged.
    """
    if str(out).endswith("/"):
        raise UsageError(f"{out}: a folder of tables cannot be reviewed: name a results file, such as results.csv")
    if not is_url(out) and as_path(out) == STDOUT:
        raise UsageError("results on standard output cannot be reviewed: name the results file")
    with staged(out, kinds=(*BASIC, FIELDS)) as staging:
        staging.fetch()
        outputs = staging.outputs
        assert outputs.run is not None and outputs.tables is not None
        try:
            run = json.loads(outputs.run.read_text(encoding="utf-8"))
            kinds = (*BASIC, FIELDS) if run["settings"]["form"] else BASIC
            rows = {kind.name: tuple(read_table(outputs.tables[kind.name], kind)) for kind in kinds}
        except FileNotFoundError as fault:
            raise OutputError(f"{out}: there are no results of a run here ({fault.filename} is missing)") from fault
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise OutputError(
                f"{out}: the files of the results are not those of a run ({fault}); run it again"
            ) from fault
    read = {(row["file"], int(row["page"])): row for row in rows["pages"] if row["status"] != "failed"}
    return RunTables(run, rows["digits"], rows["numbers"], read, rows.get(FIELDS.name, ()))
