"""The record of a finished shard, from which `merge` knows what belongs to the results, and in which order."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from batchocr.errors import OutputError, UsageError
from batchocr.records import Printed
from batchocr.stores import Store

SHARDS = "shards"
"""Folder of the records in the journal."""
_LISTS = ("inputs", "passed_over_names", "field_names")
_OF_SHARD = re.compile(rf"{SHARDS}/\d+-of-(\d+)(?:\.done)?\.(?:json|items)")
_ITEM = struct.Struct("<Q16s8s")  # number, key and state of a work item


@dataclass(frozen=True)
class ShardRecord:
    """A finished shard."""

    shard: int
    """From 1."""
    shards: int
    folder: str
    """Folder of the parts."""
    plan: str
    """Hash of all work items, also of those of other shards."""
    scans: int
    passed_over: int
    """Files that are not scans, of all shards."""
    passed_over_names: tuple[str, ...]
    inputs: tuple[str, ...]
    """The arguments for the scans, as results may write them."""
    kept: int
    """Pages that earlier runs had read."""
    field_names: tuple[str, ...] | None
    """The names of the fields of all forms: columns of the wide table. None if there are no forms."""
    threshold: float
    """Digits and fields with a lower confidence are marked."""
    printed: Printed
    models: dict[str, Any]
    """What `RunModels.account` returned."""
    device: str
    stages: dict[str, float]
    """Seconds of each stage."""

    @property
    def name(self) -> str:
        """Name of the record in the journal."""
        return f"{SHARDS}/{self.shard}-of-{self.shards}.done.json"


def parse_shard(text: str) -> tuple[int, int]:
    """Return the number of a shard and the number of shards, from `3/16`.

    Raises:
        UsageError: The text is anything else.
    """
    number, _, count = text.partition("/")
    try:
        shard = int(number), int(count)
    except ValueError:
        raise UsageError(f"--shard {text}: give its number and the number of shards, as in 3/16") from None
    if not 1 <= shard[0] <= shard[1]:
        raise UsageError(f"--shard {text}: shards are numbered from 1 to {shard[1]}, as in 3/16")
    return shard


def report_name(shard: tuple[int, int] | None) -> str:
    """Return the name of the file in which a driver reports its progress."""
    return f"{SHARDS}/{shard[0]}-of-{shard[1]}.json" if shard else "driver.json"


def write_record(store: Store, record: ShardRecord, items: Iterable[tuple[int, bytes, bytes]]) -> None:
    """Write the record of a finished shard: its work items first.

    Raises:
        OutputError: It cannot be written.
    """
    store.remove([record.name])  # that of an earlier run does not describe these work items
    store.write(_items_name(record.name), b"".join(_ITEM.pack(*item) for item in items))
    store.write(record.name, (json.dumps(asdict(record), indent=2) + "\n").encode())


def remove_record(store: Store, shard: tuple[int, int]) -> None:
    """Remove the record of a shard, as it is read again."""
    store.remove([f"{SHARDS}/{shard[0]}-of-{shard[1]}.done.json"])


def remove_other_records(store: Store, shards: int) -> None:
    """Remove records and reports of another number of shards: `merge` must not take an old set for the results.

    Args:
        store: The journal.
        shards: The number of shards whose files stay.
    """
    names = ((name, _OF_SHARD.fullmatch(name)) for name in store.names(SHARDS))
    store.remove([name for name, found in names if found and int(found[1]) != shards])


def read_records(store: Store) -> list[ShardRecord]:
    """Return the records of all finished shards.

    Raises:
        OutputError: A record is damaged, or the store cannot be read.
    """
    found = []
    for name in sorted(store.names(SHARDS)):
        if name.endswith(".done.json"):
            try:
                record = json.loads(store.read(name))
                lists = {key: tuple(record[key]) for key in _LISTS if record[key] is not None}
                found.append(ShardRecord(**{**record, **lists}))
            except (ValueError, TypeError, KeyError) as fault:
                raise OutputError(f"{store}/{name}: is damaged ({fault}): run this shard again") from fault
    return found


def read_items(store: Store, record: ShardRecord) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the number, key and state of each work item of a shard.

    Raises:
        OutputError: The record is damaged, or the store cannot be read.
    """
    name = _items_name(record.name)
    try:
        yield from _ITEM.iter_unpack(store.read(name))
    except (FileNotFoundError, struct.error) as fault:
        raise OutputError(f"{store}/{name}: is missing or damaged: run this shard again") from fault


def _items_name(record: str) -> str:
    return record.removesuffix(".done.json") + ".items"
