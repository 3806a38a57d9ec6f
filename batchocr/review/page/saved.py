"""The decisions that the served review page has saved: a file of corrections, written whole after each change."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path

from batchocr.errors import OutputError
from batchocr.review.corrections.check_line import Fault, decision_of
from batchocr.review.corrections.lines import read_corrections, write_csv
from batchocr.review.decision import COLUMNS, Decision

KEY = (*COLUMNS[: COLUMNS.index("was")], "task")
"""The columns that identify a decision. A planted item has the place of a real one, so the task is among them."""
Key = tuple[str, ...]
Cells = tuple[str, ...]
"""The texts of COLUMNS in order."""
_PLACES = tuple(map(COLUMNS.index, KEY))
_BY = COLUMNS.index("by")
_values = attrgetter(*COLUMNS)


def saved_path(results: Path) -> Path:
    """Return the file for the decisions about results: `results.review.csv` for `results.csv`."""
    return results.with_name(f"{results.stem}.review.csv")


class SavedDecisions:
    """The decisions in a file, one for each item."""

    def __init__(self, path: Path, by: str) -> None:
        """Read the file if it exists.

        Args:
            path: The file of corrections.
            by: The name of the person, for decisions that have none.

        Raises:
            UsageError: The file cannot be read, or is not one of corrections.
            OutputError: It has a line that is not a decision, which would be lost.
        """
        self.path = path
        self.by = by
        self._lock = threading.Lock()
        self._rows: dict[Key, Cells] = {}
        if not path.exists():
            return
        given, refused = read_corrections(path)
        if refused:
            raise OutputError(f"{refused[0]}; or move the file away to begin again")
        for each in given:
            cells = _cells(each.decision)
            self._rows[key_of(cells)] = cells

    def rows(self) -> list[Cells]:
        """Return the cells of all decisions, as in the file."""
        with self._lock:
            return list(self._rows.values())

    def update(self, put: Iterable[Sequence[str]], drop: Iterable[Sequence[str]]) -> int:
        """Save decisions, and forget others; the file is whole at any moment.

        Args:
            put: The cells of COLUMNS of each new or changed decision, which replaces that about the same item.
            drop: The cells of KEY of each decision that was taken back.

        Returns:
            The number of decisions in the file.

        Raises:
            Fault: A decision has a value that cannot be right; nothing is changed.
            OutputError: The file cannot be written; nothing is changed.
        """
        with self._lock:
            rows = dict(self._rows)
            for key in drop:
                rows.pop(tuple(key), None)
            for cells in put:
                checked = _cells(self._decision(cells))
                rows[key_of(checked)] = checked
            write_csv(self.path, COLUMNS, list(rows.values()))
            self._rows = rows
            return len(rows)

    def _decision(self, cells: Sequence[str]) -> Decision:
        if len(cells) != len(COLUMNS):
            raise Fault(f"a decision has {len(cells)} cells, not {len(COLUMNS)}")
        return decision_of([*cells[:_BY], cells[_BY].strip() or self.by, *cells[_BY + 1 :]])


def key_of(cells: Sequence[str]) -> Key:
    """Return the cells of KEY out of those of COLUMNS."""
    return tuple(cells[place] for place in _PLACES)


def _cells(decision: Decision) -> Cells:
    return tuple(map(str, _values(decision)))
