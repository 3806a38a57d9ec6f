"""The status of a run on a cluster or of shards, also while they run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from batchocr.batch.open_journal import journal_place
from batchocr.distributed.holder import LEASE_S, Progress, Report, read_report
from batchocr.distributed.shards import SHARDS, report_name
from batchocr.settings import Settings
from batchocr.stores import open_store

_REPORT = re.compile(rf"{SHARDS}/\d+-of-\d+\.json")


@dataclass(frozen=True)
class DriverStatus:
    """What one driver reports: of a run, or of a shard."""

    name: str
    """`run`, or the shard, such as `3/16`."""
    state: str
    """`running`, `done`, `stopped`, `failed`, or `lost` if a running one does not report any more."""
    host: str
    process: int
    since: str
    """Time of its start, in ISO 8601."""
    reported_s: float
    """Seconds since its last report, by the clock of this machine."""
    progress: Progress


def read_drivers(out: str | Path, state: str | Path | None = None) -> list[DriverStatus]:
    """Return what the drivers of an output report: that of a run first, then those of shards.

    Args:
        out: As it was given as `--out`.
        state: As it was given as `--state`.

    Raises:
        OutputError: The journal cannot be read.
    """
    place = journal_place(out, Settings(state=state))
    if place is None:
        return []
    store = open_store(place)
    names = filter(_REPORT.fullmatch, store.names(SHARDS))
    found = []
    for name in [report_name(None), *sorted(names, key=_number)]:
        report = read_report(store, name)
        if report is not None:
            found.append(_status("run" if name == report_name(None) else _shard(name), report))
    return found


def _shard(name: str) -> str:
    return name.removeprefix(f"{SHARDS}/").removesuffix(".json").replace("-of-", "/")


def _number(name: str) -> list[int]:
    return [int(part) for part in _shard(name).split("/") if part.isdigit()]


def _status(name: str, report: Report) -> DriverStatus:
    age_s = (datetime.now(UTC) - datetime.fromisoformat(report.time)).total_seconds()
    progress = Progress(**report.progress)
    lost = report.is_running and (age_s > LEASE_S or report.is_dead)
    return DriverStatus(
        name, "lost" if lost else progress.state, report.host, report.process, report.since, round(age_s, 1), progress
    )


def driver_lines(drivers: list[DriverStatus]) -> Iterator[str]:
    """Yield a line for each driver, and one for all shards."""
    for driver in drivers:
        yield _line(driver)
    shards = [driver.progress for driver in drivers if driver.name != "run"]
    if len(shards) > 1:
        done, pages, failed = (sum(getattr(p, name) for p in shards) for name in ("done", "pages", "failed"))
        speed = sum(driver.progress.pages_per_s for driver in drivers if driver.state == "running")
        left = f", {_duration((pages - done) / speed)} left" if speed and done < pages else ""
        yield f"all {len(shards)} shards: {done} of {pages} pages, {failed} failed, {speed:.1f} pages/s{left}"


def _line(driver: DriverStatus) -> str:
    p = driver.progress
    what = driver.name if driver.name == "run" else f"shard {driver.name}"
    line = f"{what}: {driver.state}: {p.done} of {p.pages} pages, {p.failed} failed"
    if driver.state == "running":
        line += f", {p.pages_per_s:.1f} pages/s"
        if p.remaining_s is not None and p.done < p.pages:
            line += f", {_duration(p.remaining_s)} left"
    elif driver.state == "lost":
        line += f"; no report for {_duration(driver.reported_s)}: run the same command again"
    else:
        line += f", in {_duration(p.seconds)}"
    line += f" (process {driver.process} on {driver.host} since {driver.since})"
    return f"{line}: {p.message}" if p.message else line


def _duration(seconds: float) -> str:
    """Return a duration such as `45 s`, `12 min` or `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
