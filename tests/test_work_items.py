"""Work items: small changes of the scans change few of them, and shards divide them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from store_pages import scan_of

from batchocr.distributed.work_items import PARAMETERS, WorkItemParameters, shard_of, tag_of, work_item, work_items
from batchocr.records import Scan

SCANS = [scan_of(f"{number:04}.png") for number in range(1000)]
PLACES = random.Random(7).sample(range(1000), 60)


def keys(scans: list[Scan]) -> set[bytes]:
    return {item.key for item in work_items(scans)}


def test_every_scan_is_in_one_work_item_in_order() -> None:
    items = list(work_items(SCANS))
    assert [scan for item in items for scan in item.scans] == SCANS
    assert max(len(item.scans) for item in items) <= PARAMETERS.max_scans
    assert len({item.key for item in items}) == len(items)


def test_the_mean_number_of_scans_is_about_that_of_the_parameters() -> None:
    items = list(work_items(scan_of(f"{number}.png") for number in range(20_000)))
    assert 0.7 * PARAMETERS.mean_scans < 20_000 / len(items) < 1.1 * PARAMETERS.mean_scans


def changed(scans: list[Scan]) -> int:
    """Return how many work items of SCANS are not among those of other scans."""
    return len(keys(SCANS) - keys(scans))


def test_a_removed_scan_changes_few_work_items() -> None:
    counts = sorted(changed(SCANS[:place] + SCANS[place + 1 :]) for place in PLACES)
    assert counts[len(counts) * 9 // 10] <= 2
    assert counts[-1] <= 4  # of scans between two limits of work items that are far apart


def test_an_added_scan_changes_few_work_items() -> None:
    counts = sorted(
        changed([*SCANS[: place + 1], scan_of(f"{place:04}-new.png"), *SCANS[place + 1 :]]) for place in PLACES
    )
    assert counts[len(counts) * 9 // 10] <= 2
    assert counts[-1] <= 4


def test_a_renamed_scan_changes_few_work_items() -> None:
    for place in PLACES[:50]:
        renamed = [*SCANS[:place], scan_of(f"{place:04}-other.png"), *SCANS[place + 1 :]]
        assert 1 <= changed(renamed) <= 4


@pytest.mark.parametrize(
    "other", [Scan(Path("/other/a.png"), "a.png"), Scan(Path("/scans/a.png"), "b.png"), scan_of("a\0b.png")]
)
def test_the_key_depends_on_names_and_places(other: Scan) -> None:
    scan = Scan(Path("/scans/a.png"), "a.png", size=1, modified=2)
    assert work_item([scan]).key != work_item([other]).key
    assert work_item([scan]).key == work_item([replace(scan, size=3, modified=4)]).key


def test_the_state_depends_on_size_time_tag_and_pages() -> None:
    scan = scan_of("a.png", content="abc")
    url = Scan(Path("a.png"), "a.png", url="s3://bucket/a.png", tag="one 3")
    states = [
        work_item([scan]).state,
        work_item([replace(scan, size=9)]).state,
        work_item([replace(scan, modified=9)]).state,
        work_item([scan], (1,)).state,
        work_item([scan], (1, 2)).state,
        work_item([url]).state,
        work_item([replace(url, tag="two 3")]).state,
    ]
    assert len(set(states)) == len(states)
    assert work_item([scan]).state == work_item([scan_of("b.png", content="abc")]).state


def test_the_credentials_in_a_url_are_no_part_of_the_key() -> None:
    signed = "https://host/a.png?X-Amz-Signature=one"
    one, two = (Scan(Path("a.png"), "a.png", url=url) for url in (signed, signed.replace("one", "two")))
    assert work_item([one]).key == work_item([two]).key


def test_a_place_that_is_not_utf8_has_a_key() -> None:
    one, two = (Scan(Path(f"/scans/{last}.png"), "x.png") for last in ("\udcfe", "\udcff"))
    assert work_item([one]).key != work_item([two]).key


def test_scans_without_size_and_time_have_no_tag() -> None:
    assert tag_of(Scan(Path("/scans/gone.png"), "gone.png")) == ""
    assert tag_of(Scan(Path("a.png"), "a.png", url="https://host/a.png")) == ""


@pytest.mark.parametrize("shards", [1, 2, 3, 16])
def test_shards_divide_all_work_items_about_equally(shards: int) -> None:
    items = list(work_items(scan_of(f"{number}.png") for number in range(16_000)))
    numbers = [shard_of(item, shards) for item in items]
    sizes = [numbers.count(number) for number in range(1, shards + 1)]
    assert sum(sizes) == len(items)
    assert min(sizes) > 0.65 * len(items) / shards


def test_parameters_decide_the_size() -> None:
    items = list(work_items(SCANS, parameters=WorkItemParameters(mean_scans=1000, max_scans=5)))
    assert {len(item.scans) for item in items[:-1]} <= set(range(1, 6))
    assert 200 <= len(items) <= 205
