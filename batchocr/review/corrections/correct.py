"""Store what persons decided about a run, and write its tables again. No page is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchocr.batch.journal import FILE, Journal, Stored
from batchocr.batch.lock import locked, shard_folders
from batchocr.batch.open_journal import journal_folder
from batchocr.batch.summary import Counts, counted
from batchocr.decoding.marking import Marking
from batchocr.errors import ExitCode, OutputError, UsageError
from batchocr.output.results import write_results
from batchocr.output.staging import Staging, staged
from batchocr.output.table_folder import is_folder
from batchocr.output.table_kinds import table_kinds
from batchocr.review.corrections.accept import accept
from batchocr.review.corrections.compare import Comparison, compare, write_differences
from batchocr.review.corrections.lines import Given, Refused, read_corrections, write_refused
from batchocr.review.corrections.of_run import Corrections
from batchocr.sources import MAX_MEGAPIXELS
from batchocr.stores import is_url, shown_place

if TYPE_CHECKING:
    from batchocr.review.corrections.crops import SavedCrops

SEVERAL = 2
"""Files that are compared."""


@dataclass(frozen=True)
class Corrected:
    """What `correct` did."""

    applied: int
    """Decisions that were stored by this call."""
    repeated: int
    """Lines that changed nothing: given twice, stored already, or replaced by a later line of the same person."""
    known: int
    """Lines whose answer was known. They are never applied."""
    refused: tuple[str, ...]
    """Of each refused line the file, the line, the reason and the fix."""
    refused_file: str
    """The file that has the refused lines; empty if there are none."""
    stored: int
    """All decisions that the journal has now."""
    dropped: int
    """Stored decisions whose scan has changed. The journal has lost them."""
    compared: Comparison | None = None
    """Of two files that were compared."""
    differences_file: str = ""
    """The file that has what they differ in; empty if they do not."""

    @property
    def exit_code(self) -> ExitCode:
        """SOME_FAILED if a line was refused, else OK."""
        return ExitCode.SOME_FAILED if self.refused else ExitCode.OK


@dataclass(frozen=True)
class _Run:
    """A finished run on this machine, locked."""

    staging: Staging
    account: dict[str, Any]
    """The content of `results.run.json`."""
    journal: Journal
    corrections: Corrections


def correct(
    results: str | Path,
    corrections: str | Path | Sequence[str | Path],
    *,
    compare_files: bool = False,
    replace: bool = False,
    state: str | Path | None = None,
) -> Corrected:
    """Apply files of corrections to the results of a run, and keep them for later runs.

    Lines that cannot be applied are refused one by one and written to `RESULTS.refused.csv` with the reason; the others
    are applied.

    Args:
        results: The results, as `--out` was given to the run.
        corrections: Files that the page of `batchocr review` saved.
        compare_files: Whether two files of two persons are compared: what both say is applied, what they differ in is
            written to `RESULTS.differences.csv`.
        replace: Whether a decision may replace a stored one of another person.
        state: The folder of the journal, if the run had another one than the default.

    Returns:
        What was applied and what was refused.

    Raises:
        HeldError: A run is using the results.
        OutputError: There are no finished results, or they cannot be written.
        UsageError: A file is not one of corrections, or the run has its journal in a store.
    """
    paths = [Path(each) for each in ([corrections] if isinstance(corrections, (str, Path)) else corrections)]
    if compare_files and len(paths) != SEVERAL:
        raise UsageError(f"--compare: give two files of corrections, of two persons; {len(paths)} given")
    if not paths:
        raise UsageError("give a file of corrections, which the page of `batchocr review` saves")
    read = [read_corrections(path) for path in paths]
    given: list[Given] = [line for lines, _ in read for line in lines]
    refused: list[Refused] = [line for _, lines in read for line in lines]
    compared = compare(read[0][0], read[1][0]) if compare_files else None
    if compared:
        given = list(compared.agreed)
    with _opened(results, state) as run:
        found = accept(given, run.corrections.stored, run.journal, run.corrections.fields, replace=replace)
        refused += found.refused
        out = run.staging.outputs.out
        refused_file = out.with_name(f"{out.stem}.refused.csv")
        differences_file = out.with_name(f"{out.stem}.differences.csv")
        if refused:  # first, so that no line is lost
            write_refused(refused_file, refused)
        if compared and compared.differences:
            write_differences(differences_file, compared.differences)
        if found.new:
            run.journal.correct(found.new, found.replaced)
        run.corrections.load(run.journal)
        _write_tables(run)
        return Corrected(
            applied=len(found.new),
            repeated=found.repeated,
            known=found.known,
            refused=tuple(map(str, sorted(refused, key=lambda each: (str(each.path), each.line)))),
            refused_file=str(refused_file) if refused else "",
            stored=len(run.corrections.stored) - len(run.corrections.dropped),
            dropped=len(run.corrections.dropped),
            compared=compared,
            differences_file=str(differences_file) if compared and compared.differences else "",
        )


def stored_corrections(
    results: str | Path, *, by: str = "", file: str = "", state: str | Path | None = None
) -> list[Stored]:
    """Return the decisions that are kept for the results of a run.

    Args:
        results: The results, as `--out` was given to the run.
        by: Only those of this person.
        file: Only those about this scan.
        state: The folder of the journal, if the run had another one than the default.

    Raises:
        OutputError: There are no finished results.
        UsageError: The run has its journal in a store.
    """
    with staged(_checked(results)) as staging:
        folder = _journal(staging, _account(staging, results), state)
        with Journal(folder, read_only=True) as journal:
            return _chosen(journal.corrections(), by, file)


def undo(results: str | Path, *, by: str = "", file: str = "", state: str | Path | None = None) -> list[Stored]:
    """Forget decisions, and write the tables without them. The arguments are those of `stored_corrections`.

    Returns:
        The decisions that were forgotten.

    Raises:
        HeldError: A run is using the results.
        OutputError: There are no finished results, or they cannot be written.
        UsageError: The run has its journal in a store.
    """
    with _opened(results, state) as run:
        gone = _chosen(run.corrections.stored, by, file)
        if gone:
            run.corrections.load(run.journal, without=gone)
            _write_tables(run)
            run.journal.correct((), gone)  # last: after an interruption nothing is undone
        return gone


def save_crops(results: str | Path, folder: Path, *, state: str | Path | None = None) -> SavedCrops:
    """Save crops of all digits that persons have settled, and the true digits of their pages, to learn from.

    The scans are read again from their places; see `crops`.

    Args:
        results: The results, as `--out` was given to the run.
        folder: Where the files are written; it is made if it is missing.
        state: The folder of the journal, if the run had another one than the default.

    Raises:
        HeldError: A run is using the results.
        OutputError: There are no finished results, or the folder cannot be written.
        UsageError: The run has its journal in a store.
    """
    from batchocr.review.corrections.crops import save

    with _opened(results, state) as run:
        limit = float(run.account["settings"].get("max_megapixels", MAX_MEGAPIXELS))
        return save(run.journal, run.corrections, folder, limit)


def _chosen(stored: Sequence[Stored], by: str, file: str) -> list[Stored]:
    return [each for each in stored if by in ("", each.decision.by) and file in ("", each.decision.file)]


def _checked(results: str | Path) -> str | Path:
    if is_folder(results) or is_url(results):
        raise UsageError(
            f"{shown_place(results)}: results in a folder of Parquet files or in an object store cannot keep "
            "corrections: run with a file on a disk as --out"
        )
    return results


def _account(staging: Staging, results: str | Path) -> dict[str, Any]:
    """Return the content of `results.run.json`."""
    out, path = staging.outputs.out, staging.outputs.run
    if path is None:
        raise UsageError("results on standard output cannot be corrected: give --out a file")
    try:
        account: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if Path(account["out"]).suffix != out.suffix:
            raise OutputError(f"{results}: the last run wrote {account['out']}: give that name")
        if not account["counts"]["scans"]:
            raise OutputError(f"{results}: the last run found no scans, so there is nothing to correct: run it again")
    except FileNotFoundError as fault:
        raise OutputError(f"{results}: there are no finished results ({path.name} is missing): run it first") from fault
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise OutputError(f"{path}: is not the description of a run ({fault}): run it again") from fault
    return account


def _journal(staging: Staging, account: dict[str, Any], state: str | Path | None) -> Path:
    """Return the folder of the journal of a run."""
    out = staging.outputs.out
    place = state or account["settings"].get("state") or journal_folder(out)
    if is_url(place) or not (Path(place) / FILE).is_file():
        raise UsageError(
            f"{out}: its journal {shown_place(place)} has no {FILE}: give --state the folder of the run; runs with "
            "--engine ray or --shard cannot keep corrections: run without these"
        )
    return Path(place)


@contextmanager
def _opened(results: str | Path, state: str | Path | None) -> Iterator[_Run]:
    """Lock the results of a run and open its journal."""
    with ExitStack() as opened:
        first = opened.enter_context(staged(_checked(results)))
        account = _account(first, results)
        folder, out = _journal(first, account, state), first.outputs.out
        folders = list(dict.fromkeys([journal_folder(out), folder]))
        opened.enter_context(locked(out, [*folders, *shard_folders(folder)]))
        account = _account(first, results)  # a run may have ended just before
        journal = opened.enter_context(Journal(folder))
        corrections = Corrections()
        corrections.load(journal)
        names = journal.account("field_names")
        if account.get("forms") and names is None:
            raise OutputError(
                f"{results}: was written by an earlier version: run the same command again; no page is read again"
            )
        settings = account["settings"]
        staging = opened.enter_context(
            staged(
                results,
                numbers_out=settings.get("numbers_out") if settings.get("numbers_out") != "-" else None,
                csv_dialect=settings.get("csv_dialect", "plain"),
                delta=bool(settings.get("delta")),
                kinds=(*table_kinds(names), corrections.kind),
            )
        )
        staging.make_ready()
        yield _Run(staging, account, journal, corrections)


def _write_tables(run: _Run) -> None:
    """Write all tables of the run again, with its threshold and its choice of rows."""
    settings = run.account["settings"]
    marking = Marking(settings["min_confidence"], settings.get("printed", "keep"))
    counts = Counts.of_forms([form["name"] for form in run.account.get("forms", ())])
    write_results(
        run.staging.outputs,
        counted(run.corrections.corrected(run.journal), marking, counts, lambda: False),
        lambda: {
            **run.account,
            "counts": {**run.account["counts"], **counts.figures(), **run.corrections.figures()},
        },
    )
    run.staging.publish()
    run.corrections.forget_dropped(run.journal)
