"""The random sample of an audit: pages in random order, one item of a page until each page has one."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


def draw_audit(items: Sequence[_Item], pages: Sequence[Hashable], count: int, seed: int) -> list[_Item]:
    """Draw items so that pages can be taken as units: one of each page, then a second one of each page, and so on.

    Each start of the returned list is such a sample too, so an audit that was not finished is of use.

    Args:
        items: The accepted items.
        pages: The page of each item.
        count: Items to draw; all of them if there are fewer.
        seed: The same seed draws the same items.

    Returns:
        The items in the order in which they are to be shown.
    """
    chance = random.Random(seed)
    by_page: dict[Hashable, list[_Item]] = defaultdict(list)
    for item, page in zip(items, pages, strict=True):
        by_page[page].append(item)
    left = list(by_page.values())
    chance.shuffle(left)
    for page_items in left:
        chance.shuffle(page_items)
    drawn: list[_Item] = []
    turn = 0
    while len(drawn) < min(count, len(items)):
        drawn.extend(page_items[turn] for page_items in left if turn < len(page_items))
        turn += 1
    return drawn[:count]
