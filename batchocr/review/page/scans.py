"""Where the scans of a run are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batchocr.batch.journal import FILE, Journal
from batchocr.batch.open_journal import journal_folder
from batchocr.errors import OutputError
from batchocr.output.atomic_write import followed
from batchocr.output.outputs import as_path
from batchocr.records import Scan
from batchocr.sources import find_scans
from batchocr.stores import is_url


def scans_by_name(out: str | Path, given: Sequence[str | Path] = ()) -> dict[str, Scan]:
    """Return the scans of a run by their name in the results.

    Args:
        out: The results.
        given: The folders and files that the run was given, if the scans have moved since; else the journal of the
            results says where they are.

    Raises:
        UsageError: A name in `given` does not exist.
        OutputError: There is no journal beside the results, or it cannot be read.
    """
    if given:
        return {scan.name: scan for scan in find_scans(given).scans}
    folder = None if is_url(out) else journal_folder(followed(as_path(out)))
    if folder is None or not (folder / FILE).is_file():
        raise OutputError(f"{out}: no journal beside the results says where the scans are: name them with --scans")
    found = {}
    with Journal(folder, read_only=True) as journal:
        for place, entries in journal.entries().items():
            name = entries[0].name
            found[name] = Scan(Path(place), name, url=place if is_url(place) else "")
    return found
