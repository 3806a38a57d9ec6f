"""A run on this machine, with its journal on a disk: scans → pages → networks → decoding → journal → output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from batchocr.batch.exchange import parts_folder, parts_to_journal, remove_parts
from batchocr.batch.open_journal import journal_place, open_journal, rows_depend_on, take_over
from batchocr.batch.parts import PARTS
from batchocr.batch.process_pages import MissingPages
from batchocr.batch.resume_plan import Plan, plan, with_limit
from batchocr.batch.run_models import run_models
from batchocr.batch.summary import MAX_NAMES, Clock, Counts, Start, Summary, account, counted
from batchocr.decoding.marking import Marking
from batchocr.errors import NothingToRead
from batchocr.executors.local import default_jobs
from batchocr.output.results import write_results
from batchocr.output.staging import Staging, staged
from batchocr.output.table_kinds import BASIC, Kinds
from batchocr.records import PageResult
from batchocr.review.certificate.apply import apply_certificate
from batchocr.review.certificate.certificate import load_certificate
from batchocr.review.certificate.make import basis_of
from batchocr.review.corrections.fields import fields_of
from batchocr.review.corrections.of_run import Corrections, tables_with_corrections
from batchocr.run_report import RunReport
from batchocr.settings import Settings
from batchocr.sources import find_scans, nothing_to_read
from batchocr.stores import open_store


def run_on_disk(
    scans: Sequence[str | Path],
    out: str | Path,
    settings: Settings,
    *,
    listed: Sequence[str | Path],
    on_start: Callable[[Start], None],
    on_total: Callable[[int], None],
    on_page: Callable[[PageResult], None],
    should_stop: Callable[[], bool],
) -> Summary:
    """Read all scans and write the results. The arguments are those of `runs.run`."""
    clock = Clock()
    with ExitStack() as opened:
        models = run_models(settings)  # errors before the slow steps
        certificate = load_certificate(settings.certificate) if settings.certificate else None
        corrections = Corrections()
        tables = tables_with_corrections(models.tables, corrections, journal_place(out, settings))
        staging = opened.enter_context(staging_of(out, settings, tables))
        outputs = staging.outputs
        out = outputs.out
        found = find_scans(scans, listed, recursive=settings.recursive)
        emptied, nothing = not found.scans, nothing_to_read(found.roots, len(found.passed_over))
        if emptied and not staging.has_results():
            raise NothingToRead(f"{nothing}; give a folder that has some")
        depend_on = rows_depend_on(settings, models)
        staging.make_ready()
        journal = opened.enter_context(open_journal(out, settings, opened, fresh=settings.fresh and not emptied))
        jobs = settings.jobs or default_jobs()
        todo, batch_size, left = Plan(), None, 0
        if not emptied:  # else the journal stays as it is
            batch_size = take_over(journal, depend_on, settings.batch_size)
            journal.note(field_names=models.field_names, fields=fields_of(models.forms))
            corrections.load(journal)
            if isinstance(place := journal_place(out, settings), Path) and settings.fresh:
                remove_parts(open_store(place), PARTS)
            elif isinstance(place, Path):
                parts_to_journal(journal, place, parts_folder(depend_on, settings.batch_size))
            retry = settings.retry_failed
            entries = journal.entries()
            pages = settings.pages
            todo = plan(
                found.scans,
                entries,
                retry_failed=retry,
                jobs=jobs,
                should_stop=should_stop,
                pages=pages,
                tags=journal.tags(),
            )
            if settings.limit is not None:
                todo = with_limit(todo, entries, settings.limit, pages=pages)
            to_read = min(todo.to_read, settings.limit or todo.to_read)
            on_start(Start(todo.kept, todo.kept_failed, to_read, todo.is_exact, journal.failures()))
            if todo.stale:
                journal.drop(todo.stale)
            journal.add_tags(todo.tags)
        marking = Marking(models.threshold, settings.printed)

        def on_missing(pages: int) -> None:
            on_total(todo.kept + pages)

        missing = MissingPages(journal, settings, models, marking, batch_size, on_missing, on_page, should_stop)
        if todo.parts:
            missing.read(todo.parts, staging, clock.seconds)
            left = missing.left(todo.parts) if settings.limit is not None else 0
        applied = None
        if certificate and not emptied:
            basis = basis_of(
                {**models.account(), "settings": {"printed": settings.printed, "blank": map(str, settings.blank)}}
            )
            applied = apply_certificate(certificate, basis, journal.results(), settings.printed)
            if applied.is_valid:
                marking = Marking(certificate.threshold, settings.printed)
        counts = Counts.of_forms([form.name for form in models.forms])
        corrected = () if emptied else corrections.corrected(journal)
        results = counted(corrected, marking, counts, should_stop)
        report = RunReport(found.scans, settings, staging.names, str(out.name), should_stop) if outputs.report else None
        known = {"scans": len(found.scans), "passed_over": len(found.passed_over)}
        if outputs.is_database or outputs.delta:
            staging.fetch()
        write_results(
            outputs,
            report.counting(results) if report else results,
            lambda: account(
                settings,
                {**models.account(), **({"certificate": applied.account()} if applied else {})},
                marking.min_confidence,
                clock,
                out=out.name,
                batch_size=journal.account("batch_size"),
                device=journal.account("device"),
                inputs=found.roots,
                passed_over=found.passed_over[:MAX_NAMES],
                counts={**known, **counts.figures(), "kept": todo.kept, "left": left, **corrections.figures()},
                stages=missing.stages,
            ),
            report.html if report else None,
        )
        staging.publish()
        corrections.forget_dropped(journal)
        if emptied:
            raise NothingToRead(
                f"{nothing}, so the results ({staging.names[0]}) are now empty; the pages of earlier "
                "runs stay in the journal: when the scans are there again (is the folder mounted?), the next run "
                "writes them again without reading them"
            )
        return Summary(
            **known,
            **counts.totals(),
            forms=dict(counts.forms),
            fields=dict(counts.fields),
            kept=todo.kept,
            left=left,
            failed_pages=tuple(counts.failed_pages),
            seconds=clock.passed,
            device=journal.account("device") or "",
            out=staging.out,
            files=tuple(staging.names),
            certificate=applied.message if applied else "",
        )


def staging_of(out: str | Path, settings: Settings, tables: Kinds = BASIC) -> AbstractContextManager[Staging]:
    """Return the files that a run writes.

    Args:
        out: As for `runs.run`.
        settings: The settings of the run.
        tables: The tables that it writes.

    Raises:
        UsageError: A name or a combination of options is wrong.
    """
    return staged(
        out,
        numbers_out=settings.numbers_out,
        csv_dialect=settings.csv_dialect,
        delta=settings.delta,
        kinds=tables,
        report=settings.report,
    )
