"""A run on a cluster of Ray over a store of S3, in its own processes: the rows and the promises of one machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from command import START, Ended, account, beside, in_own_process, rows
from object_store import BUCKET, ObjectStore, object_store
from PIL import Image
from strokes import page, save

from batchocr import Settings, run
from batchocr.errors import ExitCode

pytest.importorskip("ray", reason="the extra `ray` is not installed")


@dataclass(frozen=True)
class Place:
    """A store with scans, and the results of one machine."""

    store: ObjectStore
    folder: Path
    expected: Path

    def run(self, *arguments: str) -> Ended:
        scans = f"s3://{BUCKET}/scans/"
        return in_own_process(
            "run", scans, "--device", "cpu", *arguments, folder=self.folder, start=START, **self.store.variables
        )

    def get(self, key: str) -> bytes:
        content: bytes = self.store.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("cluster")
    scans = folder / "scans"
    for number in range(9):
        save(scans / f"{number}.png", page([f"20{number} 7"]))
    frames = [Image.fromarray(page([f"{number}{number}"])) for number in range(3, 6)]
    frames[0].save(scans / "three.tif", save_all=True, append_images=frames[1:])
    save(scans / "empty.png", np.full((300, 400), 250, np.uint8))
    (scans / "broken.jpg").write_bytes(b"\xff\xd8\xff and then nothing")
    run([scans], folder / "expected.csv", Settings(device="cpu"))
    with pytest.MonkeyPatch.context() as monkeypatch, object_store(monkeypatch) as store:
        store.put({f"scans/{path.name}": path.read_bytes() for path in scans.iterdir()})
        yield Place(store, folder, folder / "expected.csv")


@pytest.fixture(scope="module")
def ended(place: Place) -> Ended:
    """A run on a cluster of this machine, while the store is too busy for some requests."""
    place.store.fail("slow-down", only="scans/scans/", times=5)
    return place.run("--engine", "ray", "--out", f"s3://{BUCKET}/out/results.csv")


def test_a_cluster_writes_the_rows_of_one_machine(place: Place, ended: Ended) -> None:
    assert ended.code == ExitCode.SOME_FAILED, ended.err
    for name in ("results.csv", "results.numbers.csv"):
        expected = beside(place.expected, name.removeprefix("results.")) if "numbers" in name else place.expected
        assert place.get(f"out/{name}") == expected.read_bytes(), name
    (place.folder / "found.pages.csv").write_bytes(place.get("out/results.pages.csv"))
    found, expected_pages = rows(place.folder / "found.pages.csv"), rows(beside(place.expected, "pages.csv"))
    for row in (*found, *expected_pages):
        del row["seconds"]
    assert found == expected_pages


def test_a_cluster_prints_what_one_machine_prints(ended: Ended) -> None:
    lines = [line for line in ended.err.splitlines() if not re.match(r"\d+ of \d+ pages|starting", line)]
    (failed,) = lines  # nothing of Ray
    assert failed.startswith("failed: broken.jpg: ")
    assert ended.out.startswith("14 pages, 1 failed, ") and "\nto do: " in ended.out


def test_one_machine_continues_what_a_cluster_began_and_reads_nothing_again(place: Place, ended: Ended) -> None:
    before = place.store.gets(".png")
    again = place.run("--out", f"s3://{BUCKET}/out/results.csv", "--min-confidence", "0.5")
    assert again.code == ExitCode.SOME_FAILED and place.store.gets(".png") == before
    (place.folder / "again.run.json").write_bytes(place.get("out/results.run.json"))
    assert account(place.folder / "again.csv")["counts"]["kept"] == 14


def test_a_cluster_that_cannot_be_reached_is_an_error(place: Place) -> None:
    ended = place.run("--engine", "ray", "--ray-address", "127.0.0.1:1", "--out", f"s3://{BUCKET}/none/results.csv")
    assert ended.code == ExitCode.INTERNAL and "no cluster of Ray at 127.0.0.1:1" in ended.err
    assert len(ended.err.splitlines()) == 1
