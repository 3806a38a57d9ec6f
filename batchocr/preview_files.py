"""Names of the image files that a preview writes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from batchocr.errors import OutputError, UsageError
from batchocr.output.drawing.image_file import SUFFIXES
from batchocr.records import Scan
from batchocr.sources import PREVIEW

ImageFormat = Literal["png", "jpg"]

FOLDER = Path("previews")
"""Folder for the images of several pages, if none is given."""


@dataclass(frozen=True)
class Targets:
    """Where the image of each page is written."""

    scans: Sequence[Scan]
    out: Path | None
    """A file or a folder; None for the default."""
    image_format: ImageFormat | None
    one_scan: bool
    """Whether a single file was given, and not a folder or a pattern."""
    one_page: bool
    """Whether a single page was selected."""

    def __post_init__(self) -> None:
        """Check what was given.

        Raises:
            UsageError: `out` has the suffix of another format, contradicts `image_format`, or is one file for several
                scans.
            OutputError: The folder of the file `out` does not exist.
        """
        if self.out is None or self.in_folder:
            return
        check_image_file(self.out, self._scan_files)
        suffix = self.out.suffix.lower()
        if self.image_format and (suffix == ".png") != (self.image_format == "png"):
            raise UsageError(
                f"--out {self.out} and --format {self.image_format}: the suffix must agree with the format"
            )
        if not self.one_scan:
            raise UsageError(f"--out {self.out}: one file for several scans; give a folder")

    @property
    def in_folder(self) -> bool:
        """Whether `out` is a folder: it exists as one, or its name has no suffix."""
        return self.out is not None and (self.out.is_dir() or not self.out.suffix)

    def of_page(self, scan: Scan, page: int, pages: int) -> Path:
        """Return the file for a page (from 1) of a scan with this number of pages; its folder is made.

        Raises:
            UsageError: The file is one of the scans.
            OutputError: The folder cannot be made.
        """
        single = self.one_scan and (pages == 1 or self.one_page)
        suffix = self.image_format or "png"
        if self.out is not None and not self.in_folder:
            path = self.out if single else self.out.with_stem(f"{self.out.stem}-{page:03}")
        elif single and self.out is None:
            path = Path(f"{scan.path.stem}{PREVIEW}{suffix}")
        else:
            path = (self.out or FOLDER) / f"{self._base(scan)}-{page:03}{PREVIEW}{suffix}"
            make_folder(path.parent)
        check_not_a_scan(path, self._scan_files)
        return path

    def _base(self, scan: Scan) -> Path:
        """The scan's name below the common folder; without suffix if that is enough to distinguish all scans."""
        name = Path(*(part for part in Path(scan.name).parts if part not in ("/", "..")))  # keys may have these
        return name.with_suffix("") if self._stems_differ else name

    @cached_property
    def _stems_differ(self) -> bool:
        return len({str(Path(scan.name).with_suffix("")).casefold() for scan in self.scans}) == len(self.scans)

    @cached_property
    def _scan_files(self) -> frozenset[tuple[int, int]]:
        return file_ids(self.scans)


def file_ids(scans: Sequence[Scan]) -> frozenset[tuple[int, int]]:
    """Return device and inode of the scans that exist."""
    found = set()
    for scan in scans:
        if scan.url:
            continue
        with suppress(OSError):
            now = scan.path.stat()
            found.add((now.st_dev, now.st_ino))
    return frozenset(found)


def check_image_file(path: Path, scan_files: frozenset[tuple[int, int]]) -> None:
    """Check that an image can be written to `path`.

    Raises:
        UsageError: It has the suffix of another format, or is one of the scans.
        OutputError: Its folder does not exist.
    """
    if path.suffix.lower() not in SUFFIXES:
        fix = f"use {', '.join(SUFFIXES)}, or the name of a folder that exists or has no suffix"
        raise UsageError(f"{path}: not the name of an image that can be written; {fix}")
    check_not_a_scan(path, scan_files)
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it, or give another path")


def check_not_a_scan(path: Path, scan_files: frozenset[tuple[int, int]]) -> None:
    """Raise UsageError if `path` is the file of a scan, also under another name."""
    try:
        now = path.stat()
    except OSError:
        return
    if (now.st_dev, now.st_ino) in scan_files:
        raise UsageError(f"{path}: this is the scan itself; give another name")


def make_folder(path: Path) -> None:
    """Make a folder and its parents.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: the folder cannot be made ({error.strerror}); give --out another one") from error
