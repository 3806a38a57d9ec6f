"""Whole runs over scans in an object store and on the web, through the command."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command import START, Ended, account, beside, in_own_process, rows
from object_store import BUCKET, ObjectStore, object_store

from batchocr.batch.journal import Journal

SECRET = "se/cret"


@dataclass(frozen=True)
class Ran:
    """A run that read scans of two stores, one of which failed at first."""

    store: ObjectStore
    arguments: tuple[str, ...]
    signature: str
    folder: Path
    ended: Ended
    gets: int


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, one_digit: Path) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("stores")
    with pytest.MonkeyPatch.context() as monkeypatch, object_store(monkeypatch) as store:
        store.put(
            {"a/2.jpg": one_digit.read_bytes(), "a/b/broken.png": b"no image", "signed.jpg": one_digit.read_bytes()}
        )
        place = {"Bucket": BUCKET, "Key": "signed.jpg"}
        signed = store.client.generate_presigned_url("get_object", place).replace(
            store.client.meta.endpoint_url, store.url
        )
        (folder / "list").write_text(f"{signed}\n{store.url}/{BUCKET}/gone.png\n", encoding="utf-8")
        arguments = (f"s3://testing:{SECRET}@{BUCKET}/a/", "--device", "cpu", "--jobs", "1", "--log-format", "json")
        store.fail("slow-down", only="2.jpg", times=2)
        ended = run(store, folder, *arguments, "--files-from", "list")
        yield Ran(
            store, arguments, signed.partition("Signature=")[2].partition("&")[0], folder, ended, store.gets(".jpg")
        )


def run(store: ObjectStore, folder: Path, *arguments: str) -> Ended:
    return in_own_process("run", *arguments, folder=folder, start=START, **store.variables)


def test_the_rows_of_scans_in_stores(ran: Ran) -> None:
    assert ran.ended.code == 3, ran.ended.err
    out = ran.folder / "results.csv"
    web = f"{ran.store.url}/{BUCKET}"
    pages = {row["file"]: (row["status"], row["error"]) for row in rows(beside(out, "pages.csv"))}
    assert pages == {
        f"{web}/gone.png": ("failed", "not-found"),
        f"{web}/signed.jpg": ("read", ""),
        f"s3://{BUCKET}/a/2.jpg": ("read", ""),
        f"s3://{BUCKET}/a/b/broken.png": ("failed", "not-a-picture"),
    }
    assert [(row["file"], row["digit"]) for row in rows(out)] == [
        (f"{web}/signed.jpg", "2"),
        (f"s3://{BUCKET}/a/2.jpg", "2"),
    ]
    assert ran.gets > 2  # the store failed at first


def test_credentials_and_signatures_are_written_nowhere(ran: Ran) -> None:
    assert ran.signature
    with Journal(ran.folder / "results.csv.journal", read_only=True) as journal:
        results = "".join(map(repr, journal.results()))
    written = [
        path.read_bytes().decode("latin-1") for path in ran.folder.rglob("*") if path.is_file() and path.name != "list"
    ]
    assert len(written) >= 5
    for text in (*written, results, ran.ended.out, ran.ended.err):
        assert SECRET not in text
        assert ran.signature not in text
        assert "AWSAccessKeyId" not in text
    assert f"s3://{BUCKET}/a/" in account(ran.folder / "results.csv")["inputs"]


def test_a_later_run_downloads_nothing(ran: Ran, tmp_path: Path) -> None:
    shutil.copytree(ran.folder, tmp_path / "later")
    (tmp_path / "later" / "list").write_text((ran.folder / "list").read_text("utf-8").splitlines()[0], "utf-8")
    ran.store.requests.clear()
    planned = run(ran.store, tmp_path / "later", *ran.arguments, "--files-from", "list", "--dry-run", "--quiet")
    assert "3 scans: would read 0 pages, keep 3 pages" in planned.out
    ended = run(ran.store, tmp_path / "later", *ran.arguments, "--files-from", "list")
    assert ended.code == 3
    assert ran.store.gets() == 0
    assert account(tmp_path / "later" / "results.csv")["counts"]["kept"] == 3
