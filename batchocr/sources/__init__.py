"""Find scans and decode their pages: each file becomes grey upright pages, or a ScanError that states the reason.

Nothing here imports OpenCV, Pillow or PDFium before a page is loaded.
"""

from __future__ import annotations

from batchocr.sources.files_from import read_files_from
from batchocr.sources.formats import SUFFIXES
from batchocr.sources.load import has_pages, load_pages
from batchocr.sources.page_selection import parse_pages
from batchocr.sources.scan_names import PREVIEW, written_name
from batchocr.sources.scans import Found, Listed, Listing, find_scans, list_scans, nothing_to_read
from batchocr.sources.source import MAX_MEGAPIXELS, MAX_PAGES, BadPage

__all__ = [
    "MAX_MEGAPIXELS",
    "MAX_PAGES",
    "PREVIEW",
    "SUFFIXES",
    "BadPage",
    "Found",
    "Listed",
    "Listing",
    "find_scans",
    "has_pages",
    "list_scans",
    "load_pages",
    "nothing_to_read",
    "parse_pages",
    "read_files_from",
    "written_name",
]
