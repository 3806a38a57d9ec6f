"""Make the HTML of a report: one file that needs no script and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from batchocr.forms.form_status import TO_CHECK
from batchocr.output.report import words
from batchocr.output.report.figures import EDGES, Figures, WorstPage

MAX_FIELDS = 15
"""Fields that a report lists as those most often to check."""
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Picture:
    """One of the worst pages."""

    page: WorstPage
    jpeg: bytes = b""
    """The picture; empty if there is none."""
    width: int = 0
    height: int = 0
    why_not: str = ""
    """Why there is no picture."""

    @property
    def url(self) -> str:
        """The picture as a URL that contains it."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.jpeg).decode()}"

    @property
    def about(self) -> str:
        """What is to be checked on the page."""
        page = self.page
        counts = ((page.digits, "digit"), (page.numbers, "number without a marked digit"), (page.fields, "field"))
        parts = [plural(count, noun) for count, noun in counts if count]
        marks = [words.of_mark(mark).lower() for mark in page.result.page.marks.split(";") if mark]
        return "; ".join(filter(None, (", ".join(parts) and f"to check: {', '.join(parts)}", ", ".join(marks))))


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart. Widths are in percent of the longest bar."""

    label: str
    count: float
    width: float
    marked: float = 0
    """Of `count`, those for review."""
    marked_width: float = 0
    note: str = ""


def render(
    figures: Figures, run: Mapping[str, Any], pictures: Sequence[Picture], *, files: Sequence[str], name: str
) -> bytes:
    """Return the report as HTML in UTF-8.

    Args:
        figures: The counts of all pages.
        run: What `results.run.json` says.
        pictures: The worst pages.
        files: The files of the results.
        name: The name of the results.

    Returns:
        The file. Its content security policy allows only its own style and the pictures in it.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, share=share, plain=plain, plural=plural, decimal=decimal)
    style = (_HERE / "report.css").read_text(encoding="utf-8")
    counts = run["counts"]
    template = environment.get_template("report.html.j2")
    text = template.render(
        figures=figures,
        run=run,
        counts=counts,
        name=name,
        files=files,
        pictures=pictures,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        words=words,
        fields=sum(counts.get("fields", {}).values()),
        fields_to_check=sum(counts.get("fields", {}).get(status, 0) for status in TO_CHECK),
        reasons=list(_reasons(figures)),
        histogram=list(_histogram(figures)),
        field_reasons=bars([(words.of_reason(each), n) for each, n in figures.field_reasons.most_common()]),
        worst_fields=list(_worst_fields(figures)),
        failures=sorted(figures.failures.items(), key=lambda each: -each[1].count),
        stages=bars([(title, run["seconds"].get(each, 0)) for each, title in words.STAGES.items()]),
        read_now=counts["pages"] - counts["kept"],
    )
    return text.encode("utf-8", "backslashreplace")


def bars(rows: Sequence[tuple[str, float]]) -> list[Bar]:
    """Return the bars of a chart."""
    longest = max((count for _, count in rows), default=0) or 1
    return [Bar(label, count, 100 * count / longest) for label, count in rows]


def number(value: int) -> str:
    """Return a whole number with its thousands separated."""
    return f"{value:,}"


def decimal(value: float) -> str:
    """Return seconds with one decimal place, or two if they are few."""
    return f"{value:,.2f}" if value < 1 else f"{value:,.1f}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    first, *rest = noun.split(" ", 1)
    return " ".join((f"{count:,}", first if count == 1 else f"{first}s", *rest))


def share(part: int, whole: int) -> str:
    """Return a share in percent; what is rare is never written as 0%, and never everything as 100%."""
    if not part or not whole:
        return "0%"
    percent = 100 * part / whole
    if percent < 0.1:
        return "<0.1%"
    return ">99.9%" if 99.95 <= percent < 100 else f"{percent:.1f}%"


def plain(text: str) -> str:
    """Return a text on one line, with characters that are not visible or change the direction of text escaped."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape", "replace").decode() for each in text)


def _reasons(figures: Figures) -> Iterator[tuple[str, str, str, int, int, int, float]]:
    """Yield each mark: its name, meaning, what to do, digits, numbers, pages, and the width of its bar."""
    kinds = (figures.digit_marks, figures.number_marks, figures.page_marks)
    total = {mark: max(kind[mark] for kind in kinds) for mark in {*kinds[0], *kinds[1], *kinds[2]}}
    longest = max(total.values(), default=1)
    for mark in sorted(total, key=lambda each: (-total[each], each)):
        meaning, todo = words.MARKS.get(mark, (mark, ""))
        digits, numbers, pages = (kind[mark] for kind in kinds)
        yield mark, meaning, todo, digits, numbers, pages, 100 * total[mark] / longest


def _histogram(figures: Figures) -> Iterator[Bar]:
    """Yield the bars of the confidences, the surest first."""
    longest = max(map(sum, zip(figures.sure, figures.marked, strict=True))) or 1
    names = [
        f"below {EDGES[0]:.0%}",
        *(f"{_percent(low)} to {_percent(high)}%" for low, high in pairwise(EDGES)),
        f"{_percent(EDGES[-1])}% and more",
    ]
    for label, sure, marked in reversed(list(zip(names, figures.sure, figures.marked, strict=True))):
        yield Bar(label, sure + marked, 100 * sure / longest, marked, 100 * marked / longest)


def _percent(confidence: float) -> str:
    return f"{100 * confidence:g}"


def _worst_fields(figures: Figures) -> Iterator[Bar]:
    """Yield the fields that are most often to be checked."""
    for (form, name), count in figures.fields_to_check.most_common(MAX_FIELDS):
        pages = figures.pages_of_forms[form]
        yield Bar(name, count, 100 * count / pages if pages else 0, note=f"of {plural(pages, 'page')}, form {form}")
