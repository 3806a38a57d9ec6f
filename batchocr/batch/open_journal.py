"""Where the journal of an output is, how a run opens it, and when its pages are of no use."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from batchocr.batch import journal as journals
from batchocr.batch.journal import Journal
from batchocr.batch.lock import locked, shard_folders
from batchocr.batch.run_models import RunModels
from batchocr.errors import OutputError, UsageError
from batchocr.output.atomic_write import followed
from batchocr.output.outputs import STDOUT, as_path
from batchocr.settings import Settings
from batchocr.stores import is_url, shown_place
from batchocr.stores.local_copy import local_copy
from batchocr.version import __version__, code_sha256


def journal_folder(out: Path) -> Path:
    """Return where the journal of an output is unless `Settings.state` names another folder."""
    return out.with_name(f"{out.name}.journal")


def journal_place(out: str | Path, settings: Settings) -> str | Path | None:
    """Return the path or URL of the journal; None if the results go to standard output, and no place is given."""
    if settings.state:
        return settings.state
    if is_url(out):
        return f"{str(out).rstrip('/')}.journal"
    out = as_path(out)
    return None if out == STDOUT else journal_folder(followed(out))


def open_journal(out: Path, settings: Settings, opened: ExitStack, *, fresh: bool) -> Journal:
    """Return the journal of this output, which is locked until `opened` is closed.

    Args:
        out: The output; standard output has a temporary journal unless `settings.state` names a folder.
        settings: The settings of the run.
        opened: Holds the lock.
        fresh: Whether the pages of earlier runs are removed. What persons decided stays, if it can be read.
    """
    beside = journal_folder(out)
    if out == STDOUT and settings.state is None:
        return Journal(None)
    folder = Path(settings.state or beside)
    folders = [folder] if out == STDOUT else [beside, folder]
    opened.enter_context(locked(out, list(dict.fromkeys(folders))))
    opened.enter_context(locked(out, shard_folders(folder)))
    if fresh and not has_corrections(folder):
        journals.remove(folder)
    journal = Journal(folder)
    if fresh:
        with journal.at_once():
            journal.clear()
            journal.note(rows_depend_on=None, batch_size=None, device=None)
    return journal


def has_corrections(folder: Path) -> bool:
    """Return whether a journal can be read and has decisions of persons."""
    try:
        if not (folder / journals.FILE).is_file():
            return False
        with Journal(folder, read_only=True) as journal:
            return bool(journal.corrections())
    except (OSError, OutputError):  # the run itself reports what cannot be read
        return False


def rows_depend_on(settings: Settings, models: RunModels) -> dict[str, Any]:
    """Return all that the rows in a journal depend on, as JSON values.

    The threshold and --printed are not part of it: they apply when the results are written.

    Raises:
        UsageError: A blank form cannot be read.
    """
    return {
        "version": __version__,
        "code": code_sha256(),
        "model": models.sidecar.sha256,
        "detector": models.detector.sha256,
        "temperature": models.sidecar.temperature,
        "reading": models.reading.sha256,
        "max_megapixels": settings.max_megapixels,
        "blank": [_sha256(path) for path in settings.blank],
        "form": [[form.name, form.sha256] for form in models.forms],
    }


def is_usable(journal: Journal, depend_on: dict[str, Any], batch_size: int | None) -> bool:
    """Return whether the pages in the journal are as a run with these settings would read them."""
    recorded = journal.account("batch_size")
    other_batch = None not in (batch_size, recorded) and batch_size != recorded
    return journal.account("rows_depend_on") == depend_on and not other_batch


def take_over(journal: Journal, depend_on: dict[str, Any], batch_size: int | None) -> int | None:
    """Remove the pages of earlier runs if they are not usable, and return the batch size to use.

    Args:
        journal: The journal.
        depend_on: What `rows_depend_on` returned.
        batch_size: The batch size asked for. None is the batch size of the earlier runs, if their pages are usable.
    """
    recorded = journal.account("batch_size")
    if not is_usable(journal, depend_on, batch_size):
        journal.clear()
        recorded = None
    journal.note(rows_depend_on=depend_on, batch_size=recorded)
    return batch_size or recorded


def _sha256(blank: str | Path) -> str:
    """Return the SHA-256 of a blank form."""
    try:
        with local_copy(blank).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        raise UsageError(
            f"--blank {shown_place(blank)}: cannot be read ({fault.strerror}); give an image or PDF of a form"
        ) from fault
