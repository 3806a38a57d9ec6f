"""Whole runs whose journal is in a store, without networks: interruptions, resumes, failures, other kinds of runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from command import beside, rows
from text_engine import TextEngine

from batchocr import Settings, Summary, run
from batchocr.batch.open_journal import journal_folder
from batchocr.batch.parts import PARTS
from batchocr.distributed import collector, holder, job, reading
from batchocr.distributed.merge import merge
from batchocr.distributed.status import read_drivers
from batchocr.errors import BatchocrError, HeldError, NothingToRead, OutputError
from batchocr.records import PageResult
from batchocr.stores import store as stores

PAGES = [(f"{number}.png", 1) for number in range(40)] + [("z.pdf", page) for page in range(1, 6)]

Read = list[tuple[str, int | None]]
Go = Callable[..., tuple[Summary, Read]]


@pytest.fixture(autouse=True)
def _empty_store() -> Iterator[None]:
    yield
    files = fsspec.filesystem("memory")
    if files.exists("/runs"):
        files.rm("/runs", recursive=True)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take over the journal of a driver that has ended, or was killed, at once."""
    for name in ("_CONFIRM_S", "LEASE_S", "_POLL_S"):
        monkeypatch.setattr(holder, name, 0.0)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Forty scans of a page, and one of five."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name, pages in PAGES:
        write(folder, name, f"{'%PDF-' if name == 'z.pdf' else ''}{pages} of {name}")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "results.csv"


@pytest.fixture
def go(monkeypatch: pytest.MonkeyPatch, scans: Path) -> Go:
    """Return a function that runs with a TextEngine, and returns the summary and the pages that were read."""

    def run_it(
        out: str | Path, engine: TextEngine | None = None, shard: tuple[int, int] | None = (1, 1), **settings: Any
    ) -> tuple[Summary, Read]:
        engine = engine or TextEngine()

        def with_run(of_run: reading.StoreRun) -> TextEngine:
            engine.run = of_run
            return engine

        monkeypatch.setattr(job, "_engine", with_run)
        if shard:
            settings["shard"] = shard
        return run([scans], out, Settings(**settings)), engine.read_pages

    return run_it


def write(folder: Path, name: str, text: str) -> None:
    """Write a scan; its time differs from that of the file before."""
    path = folder / name
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    now = path.stat().st_mtime_ns
    if now <= before:
        os.utime(path, ns=(before + 1000, before + 1000))


def pages_of(out: Path, *, failed: bool = False) -> Read:
    """Return the pages in the results in order, those that failed or all others."""
    found = [row for row in rows(beside(out, "pages.csv")) if (row["status"] == "failed") == failed]
    return [(row["file"], int(row["page"]) or None) for row in found]


def parts_of(out: Path) -> list[Path]:
    return sorted((journal_folder(out) / PARTS).rglob("*.parquet"))


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_pages_in_any_order_and_twice_are_in_the_results_once_and_in_order(seed: int | None, go: Go, out: Path) -> None:
    go(out, TextEngine(seed=seed))
    assert merge(out).pages == len(PAGES)
    assert pages_of(out) == PAGES


def test_a_second_run_reads_nothing(go: Go, out: Path) -> None:
    go(out)
    before = parts_of(out)
    summary, read = go(out)
    assert (read, summary.kept) == ([], len(PAGES))
    assert parts_of(out) == before


@pytest.mark.parametrize("crash_after", [1, 9, 20, 44])
def test_an_engine_that_fails_loses_few_pages_and_doubles_none(crash_after: int, go: Go, out: Path) -> None:
    with pytest.raises(ConnectionError):
        go(out, TextEngine(crash_after=crash_after))
    summary, read = go(out)
    assert summary.kept + len(read) == len(PAGES)
    assert summary.kept >= crash_after - 16  # of the work item that was not finished
    merge(out)
    assert pages_of(out) == PAGES


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list with the number of changes of a store after which the process is killed."""
    left = [10**9]

    def limited(unlimited: Callable[..., Any]) -> Callable[..., Any]:
        def work(self: object, *arguments: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return unlimited(self, *arguments)

        return work

    for kind in (stores.DiskStore, stores.ObjectStore):
        for name in ("write", "remove", "upload"):
            monkeypatch.setattr(kind, name, limited(getattr(kind, name)))
    monkeypatch.setattr(collector, "MAX_UNFINISHED", 2)
    return left


@pytest.mark.parametrize("shard", [(1, 1), None])
def test_a_run_that_is_killed_at_any_change_of_the_store_can_be_resumed(
    shard: tuple[int, int] | None,
    changes: list[int],
    go: Go,
    scans: Path,
    tmp_path: Path,
) -> None:
    for path in scans.iterdir():
        if path.name not in ("1.png", "2.png", "z.pdf"):
            path.unlink()
    step, was_killed = 0, True
    while was_killed:
        out: str | Path = tmp_path / f"{step}" / "results.csv" if shard else f"memory://runs/{step}.csv"
        was_killed = False
        for text in ("1 page", "2 pages"):  # the first run, then one over a changed scan
            write(scans, "2.png", f"{text} at {step}")
            changes[0] = step
            try:
                go(out, shard=shard)
            except Killed:
                was_killed = True
            changes[0] = 10**9
            summary, read = go(out, shard=shard)
            assert len(set(read)) == len(read)
            pages = 6 + int(text[0])
            assert summary.pages == pages
            if isinstance(out, Path):
                assert merge(out).pages == pages
                assert len(set(pages_of(out))) == pages
            else:
                with fsspec.open(f"memory://runs/{step}.pages.csv", "rt") as file:
                    assert len(set(file.readlines())) == 1 + pages
        step += 1
    assert step > 4


def test_what_a_run_reports_while_it_reads(go: Go, out: Path) -> None:
    with pytest.raises(ConnectionError):
        go(out, TextEngine(crash_after=20))
    (driver,) = read_drivers(out)
    assert (driver.state, driver.progress.message) == ("failed", "the cluster is gone")
    assert driver.progress.done == 20
    go(out)
    (driver,) = read_drivers(out)
    assert (driver.name, driver.state) == ("1/1", "done")
    assert (driver.progress.pages, driver.progress.done) == (len(PAGES), len(PAGES))


def test_pages_that_do_not_come_back_fail_and_no_others(go: Go, scans: Path, out: Path) -> None:
    write(scans, "5.png", "unreachable")
    write(scans, "6.png", "2! pages")
    summary, _ = go(out, TextEngine(lost=frozenset(["7.png"])))
    merge(out)
    failures = {(row["file"], row["error"]) for row in rows(beside(out, "pages.csv")) if row["status"] == "failed"}
    assert failures == {("5.png", "unreachable"), ("6.png", "no-memory"), ("7.png", "crashed")}
    assert summary.pages == len(PAGES) + 1
    _, read = go(out)
    assert read == [("5.png", None), ("6.png", 2)]


def test_a_broken_cluster_ends_the_run(go: Go, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_LOST", 1)
    with pytest.raises(BatchocrError, match="did not come back from the cluster"):
        go(out, TextEngine(lost=frozenset(name for name, _ in PAGES)))


def test_temporary_failures_are_read_again_and_damage_is_not(go: Go, scans: Path, out: Path) -> None:
    write(scans, "3.png", "unreachable")
    write(scans, "4.png", "damaged")
    assert go(out)[0].failed == 2
    assert go(out)[1] == [("3.png", None)]
    assert go(out, retry_failed=True)[1] == [("3.png", None), ("4.png", None)]
    merge(out)
    assert pages_of(out, failed=True) == [("3.png", None), ("4.png", None)]
    (scans / "3.png").write_text("2 pages")
    os.utime(scans / "3.png", ns=(1, 1))
    assert go(out)[1] == [("3.png", 1), ("3.png", 2)]
    merge(out)
    assert pages_of(out, failed=True) == [("4.png", None)]
    assert len(pages_of(out)) == len(PAGES)


def test_what_retry_failed_reads_is_used_even_if_it_fails_for_the_moment(go: Go, scans: Path, out: Path) -> None:
    """Two pages of one work item failed. One is readable now; the other is not, for another reason."""
    before = {name: (scans / name).stat() for name in ("20.png", "21.png")}
    for name, stat in before.items():
        write(scans, name, "damaged".ljust(stat.st_size))
        os.utime(scans / name, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    go(out)
    for name, text in (("20.png", "1 page"), ("21.png", "no-memory")):
        (scans / name).write_text(text.ljust(before[name].st_size))
        os.utime(scans / name, ns=(before[name].st_mtime_ns, before[name].st_mtime_ns))
    assert go(out, retry_failed=True)[1] == [("20.png", 1), ("21.png", None)]
    merge(out)
    assert pages_of(out, failed=True) == [("21.png", None)]
    assert ("20.png", 1) in pages_of(out)


def test_changed_added_removed_and_renamed_scans(go: Go, scans: Path, out: Path) -> None:
    go(out)
    write(scans, "10.png", "1 other")
    write(scans, "10b.png", "1 new")
    (scans / "11.png").unlink()
    (scans / "12.png").rename(scans / "12b.png")
    write(scans, "z.pdf", "7 pages")
    (scans / "20.png").touch()
    summary, read = go(out)
    assert read == [("10.png", 1), ("10b.png", 1), ("12b.png", 1), *(("z.pdf", page) for page in range(1, 8))]
    assert summary.kept + len(read) == summary.pages
    merge(out)
    names = sorted(path.name for path in scans.iterdir())
    assert sorted({name for name, _ in pages_of(out)}) == names
    assert len(pages_of(out)) == len(names) + 6


def test_selected_pages_are_kept_and_the_others_come_back(go: Go, out: Path) -> None:
    go(out, pages=(2, 3, 9))
    merge(out)
    assert pages_of(out)[-2:] == [("z.pdf", 2), ("z.pdf", 3)]
    assert go(out)[1] == [("z.pdf", 1), ("z.pdf", 4), ("z.pdf", 5)]
    merge(out)
    assert pages_of(out) == PAGES


def test_fresh_reads_everything_again(go: Go, out: Path) -> None:
    go(out)
    assert len(go(out, fresh=True)[1]) == len(PAGES)
    go("memory://runs/results.csv", shard=None)
    assert len(go("memory://runs/results.csv", shard=None, fresh=True)[1]) == len(PAGES)


def test_a_fresh_shard_leaves_the_parts_of_others(go: Go, out: Path) -> None:
    first = go(out, shard=(1, 2))[1]
    second = go(out, shard=(2, 2))[1]
    assert go(out, shard=(1, 2), fresh=True)[1] == first
    assert merge(out).pages == len(first) + len(second) == len(PAGES)


def test_a_run_that_finds_no_scans_keeps_the_journal(go: Go, scans: Path) -> None:
    place = "memory://runs/results.csv"
    go(place, shard=None)
    mounted = scans.rename(scans.with_name("not mounted"))
    scans.mkdir()
    with pytest.raises(NothingToRead, match="are now empty"):
        go(place, shard=None)
    scans.rmdir()
    mounted.rename(scans)
    assert go(place, shard=None)[1] == []


def test_a_shard_that_finds_no_scans_writes_no_record(go: Go, scans: Path, out: Path) -> None:
    go(out)
    merge(out)
    scans.rename(scans.with_name("not mounted"))
    scans.mkdir()
    with pytest.raises(NothingToRead):
        go(out)
    assert merge(out).pages == len(PAGES)


def test_an_old_set_of_shards_is_not_merged(go: Go, scans: Path, out: Path) -> None:
    for number in (1, 2, 3):
        go(out, shard=(number, 3))
    merge(out)
    write(scans, "new.png", "1 page")
    go(out, shard=(1, 2))
    with pytest.raises(OutputError, match="not finished: 2/2"):
        merge(out)
    go(out, shard=(2, 2))
    assert merge(out).pages == len(PAGES) + 1


def test_shards_over_different_scans_are_not_merged(go: Go, scans: Path, out: Path) -> None:
    go(out, shard=(1, 3))
    write(scans, "new.png", "1 page")
    go(out, shard=(2, 3))
    go(out, shard=(3, 3))
    with pytest.raises(OutputError, match="different scans; unlike the others: 1/3"):
        merge(out)


def test_a_lost_work_item_in_the_record_of_a_shard_is_noticed(go: Go, out: Path) -> None:
    go(out)
    items = journal_folder(out) / "shards" / "1-of-1.items"
    items.write_bytes(items.read_bytes()[32:])
    with pytest.raises(OutputError, match="damaged: run all shards again"):
        merge(out)


def test_a_lost_part_is_noticed_and_read_again(go: Go, out: Path) -> None:
    go(out)
    parts_of(out)[2].unlink()
    with pytest.raises(OutputError, match="parts of 1 work items are gone"):
        merge(out)
    assert 0 < len(go(out)[1]) <= 16
    assert merge(out).pages == len(PAGES)


def test_a_damaged_part_is_named_and_read_again_when_it_is_removed(go: Go, out: Path) -> None:
    go(out)
    part = parts_of(out)[2]
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(OutputError, match=f"{part}: .*remove this file"):
        go(out)
    part.unlink()
    go(out)
    assert merge(out).pages == len(PAGES)


def test_a_run_and_its_shards_exclude_each_other_on_a_disk(go: Go, out: Path) -> None:
    go(out)
    with holder.held(journal_folder(out), str(out), "shards/1-of-2.json"):
        for shard in ((1, 2), None):  # the shard itself, and a run on the disk
            with pytest.raises(HeldError, match="another run is using it"):
                go(out, shard=shard)
        with pytest.raises(HeldError):
            merge(out)
    with holder.held(journal_folder(out), str(out), "driver.json"), pytest.raises(HeldError):
        go(out, shard=(2, 2))


def test_on_page_receives_marked_pages_and_only_those_that_are_read(go: Go, scans: Path, out: Path) -> None:
    pages: list[PageResult] = []
    go(out)
    write(scans, "3.png", "1 other")
    run([scans], out, Settings(shard=(1, 1)), on_page=pages.append)
    assert [(page.page.file, page.page.status) for page in pages] == [("3.png", "empty")]  # as in the results
