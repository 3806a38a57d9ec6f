"""Interrupt runs on a cluster, and compare their results with those of one machine.

`python benchmarks/robustness/cluster.py PAGES_FOLDER` starts a server of S3 (moto) behind a proxy that can fail, and
clusters of Ray with several nodes on this machine. It prints a line for each case: whether the bytes of the results are
the same, pages lost, pages doubled, and seconds. It ends with 1 if a case differs. `--case NAME` runs some cases only.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import psutil
import typer

sys.path.append(str(Path(__file__).parents[2] / "tests" / "support"))
from object_store import BUCKET, ObjectStore

ACTOR = "ray::MapWorker(MapBatches(ReadUnits))"
OUTAGE_S = 60.0
"""Seconds for which the store fails."""
COMMAND = [sys.executable, "-m", "batchocr", "run", "--quiet", "--device", "cpu"]
TABLES = ("results.csv", "results.numbers.csv")
TIMEOUT_S = 900.0


@dataclass
class Bench:
    """A store with scans, and the results that all runs should have."""

    store: ObjectStore
    expected: dict[str, bytes]
    pages: int
    nodes: list[Any] = field(default_factory=list)
    cluster: Any = None

    def start(self, folder: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a run over all scans into a folder of the bucket."""
        out = ["--out", f"s3://{BUCKET}/{folder}/results.csv"]
        return subprocess.Popen(
            [*COMMAND, f"s3://{BUCKET}/scans/", *out, *options], env=os.environ | self.store.variables
        )

    def on_cluster(self, folder: str) -> subprocess.Popen[bytes]:
        """Start a run on the cluster."""
        return self.start(folder, "--engine", "ray", "--ray-address", self.cluster.address)

    def read(self, folder: str, name: str) -> bytes:
        """Return a file of the results; empty if it is not there."""
        try:
            content: bytes = self.store.client.get_object(Bucket=BUCKET, Key=f"{folder}/{name}")["Body"].read()
        except self.store.client.exceptions.NoSuchKey:
            return b""
        return content

    def done(self, folder: str) -> int:
        """Return how many pages the driver reports as done."""
        content = self.read(folder, "results.csv.journal/driver.json")
        return int(json.loads(content)["progress"]["done"]) if content else 0

    def wait_for(self, folder: str, pages: int, driver: subprocess.Popen[bytes]) -> None:
        """Wait until the driver reports this number of pages."""
        deadline = time.monotonic() + TIMEOUT_S
        while self.done(folder) < pages:
            if driver.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{folder}: ended with {driver.poll()} before {pages} pages were done")
            time.sleep(0.5)


def finish(driver: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a run, and return its exit code."""
    return driver.wait(TIMEOUT_S)


@contextmanager
def nodes(bench: Bench, count: int) -> Iterator[None]:
    """Run a cluster with a head, which has no processors for tasks, and this number of nodes."""
    from ray.cluster_utils import Cluster

    bench.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        bench.nodes = [bench.cluster.add_node(num_cpus=3) for _ in range(count)]
        bench.cluster.wait_for_nodes()
        yield
    finally:
        bench.cluster.shutdown()


def undisturbed(bench: Bench, folder: str) -> int:
    return finish(bench.on_cluster(folder))


def node_lost(bench: Bench, folder: str) -> int:
    """Kill a node, with its tasks, its actor and its objects, when a quarter of the pages is done."""
    driver = bench.on_cluster(folder)
    bench.wait_for(folder, bench.pages // 4, driver)
    bench.cluster.remove_node(bench.nodes[-1], allow_graceful=False)
    return finish(driver)


def actor_killed(bench: Bench, folder: str) -> int:
    driver = bench.on_cluster(folder)
    bench.wait_for(folder, bench.pages // 4, driver)
    actors = [
        process for process in psutil.process_iter(["cmdline"]) if ACTOR in " ".join(process.info["cmdline"] or ())
    ]
    actors[0].kill()
    return finish(driver)


def driver_killed(bench: Bench, folder: str) -> int:
    """Kill the driver with SIGKILL when a third is done, and start the same command again."""
    driver = bench.on_cluster(folder)
    bench.wait_for(folder, bench.pages // 3, driver)
    driver.kill()
    driver.wait()
    return finish(bench.on_cluster(folder))


def second_driver(bench: Bench, folder: str) -> int:
    """Start a second driver on the same output: it must end with 9."""
    driver = bench.on_cluster(folder)
    bench.wait_for(folder, 1, driver)
    if (code := finish(bench.on_cluster(folder))) != 9:
        raise SystemExit(f"the second driver ended with {code}")
    return finish(driver)


def store_down(bench: Bench, folder: str) -> int:
    """Let the store answer 503 to everything for a minute."""
    driver = bench.on_cluster(folder)
    bench.wait_for(folder, bench.pages // 4, driver)
    bench.store.fail("slow-down", OUTAGE_S)
    return finish(driver)


def begun_on_one_machine(bench: Bench, folder: str) -> int:
    """Begin without Ray, stop, and continue on the cluster."""
    driver = bench.start(folder)
    bench.wait_for(folder, bench.pages // 4, driver)
    driver.send_signal(signal.SIGTERM)
    driver.wait()
    return finish(bench.on_cluster(folder))


def continued_on_one_machine(bench: Bench, folder: str) -> int:
    """Begin on the cluster, kill the driver, and continue without Ray."""
    driver = bench.on_cluster(folder)
    bench.wait_for(folder, bench.pages // 4, driver)
    driver.kill()
    driver.wait()
    return finish(bench.start(folder))


CASES: dict[str, tuple[int, Callable[[Bench, str], int]]] = {
    "one node": (1, undisturbed),
    "two nodes": (2, undisturbed),
    "four nodes": (4, undisturbed),
    "node lost": (2, node_lost),
    "actor killed": (2, actor_killed),
    "driver killed": (2, driver_killed),
    "second driver": (1, second_driver),
    "store down": (2, store_down),
    "begun on one machine": (1, begun_on_one_machine),
    "continued on one machine": (1, continued_on_one_machine),
}
"""Each case with its number of nodes."""


def pages_of(table: bytes) -> Counter[tuple[str, str]]:
    """Return how often each page is in `results.pages.csv`."""
    return Counter((row["file"], row["page"]) for row in csv.DictReader(io.StringIO(table.decode())))


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Run a server of S3 behind a proxy."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = ObjectStore(f"{host}:{port}")
    os.environ |= store.variables
    try:
        yield store
    finally:
        store.close()
        server.stop()


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with scans.")],
    case: Annotated[list[str] | None, typer.Option(help="Run only this case. May repeat.")] = None,
) -> None:
    """Run all cases and print a table."""
    chosen = case or list(CASES)
    with object_store() as store, tempfile.TemporaryDirectory() as work:
        files = {f"scans/{path.name}": path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
        store.put(files)
        out = Path(work, "results.csv")
        subprocess.run([*COMMAND, str(folder), "--out", str(out)], check=True)
        expected = {name: out.with_name(name).read_bytes() for name in (*TABLES, "results.pages.csv")}
        counts = json.loads(out.with_suffix(".run.json").read_bytes())["counts"]
        bench = Bench(store, expected, counts["pages"])
        typer.echo(f"{counts['pages']} pages, {counts['digits']} digits")
        typer.echo(f"{'case':26}{'nodes':>6}{'exit':>6}{'same':>6}{'lost':>6}{'doubled':>9}{'kept':>6}{'seconds':>9}")
        is_bad = False
        for name in chosen:
            count, work_of = CASES[name]
            into, clock = f"{name.replace(' ', '-')}-{uuid4().hex[:6]}", time.monotonic()
            with nodes(bench, count):
                code = work_of(bench, into)
            seconds = time.monotonic() - clock
            same = all(bench.read(into, table) == expected[table] for table in TABLES)
            found, wanted = pages_of(bench.read(into, "results.pages.csv")), pages_of(expected["results.pages.csv"])
            lost, doubled = (wanted - found).total(), (found - wanted).total()
            kept = json.loads(bench.read(into, "results.run.json") or b'{"counts": {"kept": -1}}')["counts"]["kept"]
            is_bad |= bool(code or not same or lost or doubled)
            typer.echo(
                f"{name:26}{count:6}{code:6}{'yes' if same else 'NO':>6}{lost:6}{doubled:9}{kept:6}{seconds:9.0f}"
            )
    raise typer.Exit(is_bad)


if __name__ == "__main__":
    typer.run(main)
