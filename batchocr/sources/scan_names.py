"""Which names are those of scans, and how the results write names."""

from __future__ import annotations

from pathlib import Path, PurePath

from batchocr.sources.formats import SUFFIXES

NO_SCANS = frozenset(("@eadir", "#recycle", "$recycle.bin", "__macosx"))
"""Lower-case names of folders that storage devices and operating systems create for thumbnails and deleted files."""
PREVIEW = ".preview."
"""Part of the name of each image that `batchocr preview` writes. Such an image in a folder is not a scan."""


def has_image_name(path: PurePath) -> bool:
    """Return whether a file in a folder is a scan, by its name."""
    name = path.name.lower()
    return not name.startswith(".") and path.suffix.lower() in SUFFIXES and PREVIEW not in name


def is_entered(folder: str) -> bool:
    """Return whether a folder within a folder is searched for scans, by its name."""
    return not folder.startswith(".") and folder.lower() not in NO_SCANS


def name_below(folder: Path, path: Path) -> str:
    """Return the name of a file in the results, if names start below `folder`."""
    return written_name(path.relative_to(folder).as_posix())


def written_name(name: str) -> str:
    """Return `name` as the results write it: valid UTF-8, and never a formula in a spreadsheet."""
    valid = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return f"./{valid}" if valid.startswith(("=", "+", "-", "@", "\t", "\r")) else valid
