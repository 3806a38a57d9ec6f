"""The option `--pages`: which pages of a TIFF or PDF are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from batchocr.errors import UsageError
from batchocr.sources.source import MAX_PAGES

PageRange = tuple[int, int]
"""The first and the last page, from 1."""


def parse_pages(text: str) -> tuple[int, ...]:
    """Return the page numbers in `2`, `1-3` or `1,4-5`, in the order given.

    Raises:
        UsageError: The text is anything else, or it has more than MAX_PAGES numbers.
    """
    pages: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            pages += islice(range(int(first), int(last or first) + 1), MAX_PAGES + 1)
        except ValueError:
            raise UsageError(f"--pages {text}: give numbers and ranges, as in 1,3-5") from None
        if last and int(last) < int(first):
            raise UsageError(f"--pages {text}: the range {part} ends before it starts; give {last}-{first}")
        if len(pages) > MAX_PAGES:
            raise UsageError(f"--pages {text}: more than {MAX_PAGES:,} pages; give fewer")
    if not pages or min(pages) < 1:
        raise UsageError(f"--pages {text}: pages count from 1, as in 1,3-5")
    return tuple(pages)


def page_ranges(pages: Sequence[int]) -> Iterator[PageRange]:
    """Yield the runs of consecutive page numbers, in ascending order."""
    numbers = sorted(set(pages))
    first = 0
    for place, number in enumerate(numbers):
        first = first or number
        if numbers[place + 1 : place + 2] != [number + 1]:
            yield first, number
            first = 0
