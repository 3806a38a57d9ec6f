"""Parts: pages as they were, also with unusual names, and messages about damaged files."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from store_pages import FOLDER, record_of, scan_of

from batchocr.batch.parts import (
    PageRecord,
    PartName,
    is_loose,
    pack,
    parse_name,
    places_in,
    results_in,
    unpack,
    write_loose,
    write_part,
)
from batchocr.errors import OutputError
from batchocr.records import PageResult, PageRow, Scan
from batchocr.stores import open_store

KEY, STATE = bytes(range(16)), bytes(range(8))


@pytest.fixture
def pages() -> list[PageRecord]:
    bad_place = Scan(Path("/scans/\udcff\udcfe.png"), r"\xff\xfe.png", size=3, modified=4)
    row = PageRow("ä β.pdf", 2, "failed", error="damaged", message="“quoted”: why", sha256="ab" * 32, seconds=0.25)
    return [
        record_of(bad_place),
        record_of(scan_of("gone.png"), None, error="not-found", again=True),
        PageRecord.of("ä β.pdf", "s3://bucket/ä β.pdf", '"tag" 7', 3, "ab" * 32, PageResult(row), is_kept=True),
    ]


def test_pages_come_back_as_they_were(pages: list[PageRecord]) -> None:
    assert list(unpack(pack(pages), "a part")) == pages
    assert places_in(pack(pages), "a part") == {page.place for page in pages}


def test_a_part_may_be_empty() -> None:
    assert list(unpack(pack([]), "a part")) == []
    assert places_in(pack([]), "a part") == set()


def test_the_name_of_a_part_counts_its_pages(pages: list[PageRecord], tmp_path: Path) -> None:
    store = open_store(tmp_path)
    name = write_part(store, FOLDER, KEY, STATE, pages)
    assert name == PartName(KEY, STATE, pages=3, failed=2, again=1)
    assert list(store.names(FOLDER)) == [name.path(FOLDER)]
    assert parse_name(name.path(FOLDER)) == name
    assert list(unpack(store.read(name.path(FOLDER)), "a part")) == pages


def test_loose_parts_have_different_names(pages: list[PageRecord], tmp_path: Path) -> None:
    store = open_store(tmp_path)
    paths = {write_loose(store, FOLDER, pages) for _ in range(3)}
    assert set(store.names(FOLDER)) == paths
    assert len(paths) == 3
    assert all(is_loose(path) and parse_name(path) is None for path in paths)


@pytest.mark.parametrize(
    "name",
    [
        "lock",
        "",
        f"{KEY.hex()}-{STATE.hex()}-1-0.parquet",
        f"{KEY.hex()}-{STATE.hex()}-1-0-0.parquet.tmp",
        f"{KEY.hex()}-{STATE.hex()}-1-0-0.txt",
        f"x{KEY.hex()}-{STATE.hex()}-1-0-0.parquet",
    ],
)
def test_other_files_are_no_parts(name: str) -> None:
    assert parse_name(f"parts/00/{name}") is None
    assert not is_loose(f"parts/loose/{name}")


def damaged(content: bytes) -> dict[str, bytes]:
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(content))
    other, shorter = io.BytesIO(), io.BytesIO()
    parquet.write_table(table.drop_columns(["place"]), other)
    column = pa.array([b"nothing"] * len(table), pa.binary())
    parquet.write_table(table.set_column(table.schema.get_field_index("result"), "result", column), shorter)
    return {
        "empty": b"",
        "half": content[: len(content) // 2],
        "no parquet": b"x" * 1000,
        "zeros": bytes(len(content)),
        "no place": other.getvalue(),
        "no result": shorter.getvalue(),
    }


@pytest.mark.parametrize("how", ["empty", "half", "no parquet", "zeros", "no place", "no result"])
def test_a_damaged_part_is_an_error_that_names_it_and_the_fix(how: str, pages: list[PageRecord]) -> None:
    content = damaged(pack(pages))[how]
    with pytest.raises(OutputError, match=r"parts/of/this\.parquet: .*damaged.*remove this file"):
        results_in(content, "parts/of/this.parquet")


@pytest.mark.parametrize("how", ["empty", "half", "no parquet", "zeros", "no place"])
def test_places_of_a_damaged_part_are_an_error_too(how: str, pages: list[PageRecord]) -> None:
    with pytest.raises(OutputError, match=r"this\.parquet: .*damaged.*remove this file"):
        places_in(damaged(pack(pages))[how], "this.parquet")


def test_any_changed_byte_before_the_footer_changes_no_page_or_is_an_error(pages: list[PageRecord]) -> None:
    content = pack(pages)
    footer = int.from_bytes(content[-8:-4], "little") + 8
    for place in range(0, len(content) - footer, 3):
        changed = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
        try:
            assert results_in(changed, "a part") == pages
        except OutputError as fault:
            assert "remove this file" in str(fault)


def test_a_page_may_have_thousands_of_rows(tmp_path: Path) -> None:
    scan = scan_of("many.pdf")
    pages = [record_of(scan, page, 5000) for page in range(1, 5001)]
    name = write_part(open_store(tmp_path), FOLDER, KEY, STATE, pages)
    read = list(unpack(open_store(tmp_path).read(name.path(FOLDER)), "a part"))
    assert read == pages
    assert replace(read[0], is_kept=True) != pages[0]
