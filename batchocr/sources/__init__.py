"""Which scans, which pages, and their decoding: files become grey upright pages, or a ScanError that says why.

Nothing here imports OpenCV, Pillow or PDFium before a page is loaded.
"""

from __future__ import annotations

from batchocr.sources.formats import SUFFIXES
from batchocr.sources.load import load_pages
from batchocr.sources.scans import PREVIEW, Found, find_scans, read_files_from, written_name
from batchocr.sources.source import MAX_MEGAPIXELS, MAX_PAGES, BadPage

__all__ = [
    "MAX_MEGAPIXELS",
    "MAX_PAGES",
    "PREVIEW",
    "SUFFIXES",
    "BadPage",
    "Found",
    "find_scans",
    "load_pages",
    "read_files_from",
    "written_name",
]
