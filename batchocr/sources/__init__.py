"""Find scans and decode their pages: each file becomes grey upright pages, or a ScanError that states the reason.

Nothing here imports OpenCV, Pillow or PDFium before a page is loaded.
"""

from __future__ import annotations

from batchocr.sources.formats import SUFFIXES
from batchocr.sources.load import has_pages, load_pages
from batchocr.sources.page_selection import parse_pages
from batchocr.sources.scans import PREVIEW, Found, find_scans, nothing_to_read, read_files_from, written_name
from batchocr.sources.source import MAX_MEGAPIXELS, MAX_PAGES, BadPage

__all__ = [
    "MAX_MEGAPIXELS",
    "MAX_PAGES",
    "PREVIEW",
    "SUFFIXES",
    "BadPage",
    "Found",
    "find_scans",
    "has_pages",
    "load_pages",
    "nothing_to_read",
    "parse_pages",
    "read_files_from",
    "written_name",
]
