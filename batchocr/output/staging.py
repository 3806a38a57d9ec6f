"""Results in an object store: they are written to a temporary folder first, and copied when all are complete."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from batchocr.errors import UsageError
from batchocr.output.atomic_write import followed
from batchocr.output.outputs import Outputs, as_path, make_ready, output_paths, remove_results
from batchocr.output.table_kinds import BASIC, Kinds
from batchocr.records import CsvDialect
from batchocr.stores import Store, is_url, open_store, shown_url


@dataclass(frozen=True)
class Staging:
    """The files of a run on the disk, and where they go."""

    outputs: Outputs
    """The files on the disk."""
    _targets: dict[Path, tuple[Store, str]] = field(default_factory=dict)
    """Where files go that do not stay on the disk: the folder, and the name in it."""

    @property
    def out(self) -> str | Path:
        """The path of the digits, or their URL without credentials."""
        target = self._targets.get(self.outputs.out)
        return f"{target[0]}/{target[1]}" if target else self.outputs.out

    @property
    def names(self) -> list[str]:
        """The paths and URLs of all files, that of the digits first."""
        found = ((path, self._targets.get(path)) for path in self.outputs.files)
        return [f"{target[0]}/{target[1]}" if target else str(path) for path, target in found]

    def make_ready(self) -> None:
        """Check that the results can be written on the disk. Raises OutputError."""
        make_ready(self.outputs)

    def has_results(self) -> bool:
        """Return whether there is a file of an earlier run."""
        return any(path.exists() for path in self.outputs.files) or any(
            store.exists(name) for store, name in self._targets.values()
        )

    def fetch(self, paths: Collection[Path | None] | None = None) -> None:
        """Copy the files of an earlier run to the disk: these, or all.

        Raises:
            OutputError: The store cannot be read.
        """
        for path, (store, name) in self._targets.items():
            if paths is not None and path not in paths:
                continue
            with suppress(FileNotFoundError):
                store.download(name, path)

    def remove_results(self) -> None:
        """Remove the results of an earlier run, see `outputs.remove_results`."""
        remove_results(self.outputs)
        stay = self.outputs.is_database or self.outputs.delta
        for path, (store, name) in self._targets.items():
            if not stay or path == self.outputs.run:
                store.remove([name])

    def publish(self) -> None:
        """Copy all files to their store, that of the digits last.

        Raises:
            OutputError: The store cannot be written.
        """
        for path in reversed(self.outputs.files):
            if path in self._targets:
                store, name = self._targets[path]
                store.upload(path, name)


@contextmanager
def staged(
    out: str | Path,
    *,
    numbers_out: str | Path | None = None,
    csv_dialect: CsvDialect = "plain",
    delta: bool = False,
    kinds: Kinds = BASIC,
    report: str | Path | None = None,
) -> Iterator[Staging]:
    """Yield the files that a run writes. If `out` is a symbolic link, they are beside its target.

    Args:
        out: The path or URL of the digits, of a workbook or of a database, or STDOUT.
        numbers_out: A second place for the numbers.
        csv_dialect: The dialect of all CSV files.
        delta: Whether to write the tables of the pages that are new, changed or removed.
        kinds: The tables.
        report: The HTML file that shows the run.

    Raises:
        UsageError: A name or a combination of options is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="batchocr-") as folder:
        disk_out = Path(folder, "out", file_name(out)) if is_url(out) else followed(as_path(out))
        disk_numbers = numbers_out and (
            Path(folder, "numbers", file_name(numbers_out)) if is_url(numbers_out) else Path(numbers_out)
        )
        disk_report = report and (
            Path(folder, "report", file_name(report, "--report")) if is_url(report) else Path(report)
        )
        outputs = output_paths(
            disk_out,
            numbers_out=disk_numbers or None,
            csv_dialect=csv_dialect,
            delta=delta,
            kinds=kinds,
            report=disk_report or None,
        )
        targets: dict[Path, tuple[Store, str]] = {}
        for url, path in ((out, disk_out), (numbers_out, disk_numbers), (report, disk_report)):
            if url is not None and is_url(url):
                store = open_store(folder_url(url))
                targets |= {each: (store, each.name) for each in outputs.files if each.parent == path.parent}  # type: ignore[union-attr]
        yield Staging(outputs, targets)


def folder_url(url: str | Path) -> str:
    """Return the URL of the folder of a file."""
    return str(url).rpartition("/")[0]


def file_name(url: str | Path, option: str = "--out") -> str:
    """Return the name of a file from its URL, which was given with this option.

    Raises:
        UsageError: The URL has no name of a file.
    """
    folder, _, name = str(url).rpartition("/")
    if not name or folder.endswith((":", ":/")):
        shown = shown_url(str(url))
        raise UsageError(f"{option} {shown}: name a file, such as {shown.rstrip('/')}/results.csv")
    return name
