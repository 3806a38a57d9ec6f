"""The style and the script of the review page, each one text."""

from __future__ import annotations

from importlib.resources import files

SCRIPTS = ("state.js", "server.js", "filter.js", "group.js", "sheet.js", "one.js", "start.js")
"""The files of the script in the order in which they are joined."""


def style() -> str:
    """Return the CSS of the page."""
    return _text("review.css")


def script() -> str:
    """Return the JavaScript of the page: its files in one scope of their own."""
    return "\n".join(['"use strict";', "(() => {", *map(_text, SCRIPTS), "})();"])


def _text(name: str) -> str:
    return files("batchocr.review.page").joinpath(name).read_text(encoding="utf-8")
