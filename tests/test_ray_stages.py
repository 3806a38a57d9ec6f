"""The stages of a work item on a cluster, called in this process: errors are rows, and deadly pages cost no others."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PosixPath
from typing import Any

import numpy as np
import pytest
from children import is_child
from strokes import page, save

from batchocr import Settings
from batchocr.batch.parts import PageRecord, unpack
from batchocr.batch.run_models import run_models
from batchocr.decoding.marking import Marking
from batchocr.distributed.engines import ray_stages
from batchocr.distributed.engines.ray_stages import Context, ReadUnits, Unit, UnitParameters, decode, prepare
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.work_items import work_item
from batchocr.errors import BatchocrError, ScanError
from batchocr.forms.reading.page_result import page_result as make_result
from batchocr.pipeline import read_pages as read_together
from batchocr.records import Scan
from batchocr.version import code_sha256

pytestmark = pytest.mark.usefixtures("stage_worker_ends")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    settings = Settings(device="cpu")
    models = run_models(settings)
    found = models.reading.models(models.models)
    paths = [path for model in (found.detector, found.classifier) for path in (model, model.with_suffix(".json"))]
    return Context(
        settings,
        tmp_path_factory.mktemp("journal"),
        models.reading.decoding(),
        {path.name: path.read_bytes() for path in paths},
        found,
        (),
        (),
        Marking(models.threshold),
        code_sha256(),
    )


@pytest.fixture(autouse=True)
def _references_are_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass contexts where Ray passes references."""
    monkeypatch.setattr(ray_stages, "_resolved", lambda reference: reference)


@pytest.fixture(scope="module")
def networks(context: Context) -> Iterator[ReadUnits]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(ray_stages, "_resolved", lambda reference: reference)
        yield ReadUnits(context)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scan, ...]:
    folder = tmp_path_factory.mktemp("scans")
    for number in range(5):
        save(folder / f"{number}.png", page([f"20{number}"]))
    (folder / "broken.png").write_bytes(b"no image")
    return tuple(Scan(path, path.name) for path in sorted(folder.iterdir()))


def batch(name: str, *values: Any) -> dict[str, Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = [pickle.dumps(value) for value in values]
    return {name: column}


def prepared(scans: tuple[Scan, ...], context: Context) -> list[Unit]:
    item = batch("item", ItemPlan(work_item(scans), ()))
    return [pickle.loads(unit) for rows in prepare(item, context) for unit in rows["unit"]]


def decoded(units: list[Unit], networks: ReadUnits, context: Context) -> list[PageRecord]:
    rows = decode(networks(batch("unit", *units)), context)
    return [record for content in rows["pages"] for record in unpack(content, "here")]


def texts(records: list[PageRecord]) -> dict[str, str]:
    return {each.name: each.result.page.error or " ".join(n.text for n in each.result.numbers) for each in records}


EXPECTED = {
    "0.png": "200",
    "1.png": "201",
    "2.png": "202",
    "3.png": "203",
    "4.png": "204",
    "broken.png": "not-a-picture",
}


def test_all_pages_come_out_of_the_stages(scans: tuple[Scan, ...], networks: ReadUnits, context: Context) -> None:
    units = prepared(scans, context)
    assert len(units) == 1 and len(units[0].prepared) == 6
    assert texts(decoded(units, networks, context)) == EXPECTED


@pytest.mark.parametrize("limit", [UnitParameters(pages=2), UnitParameters(bytes=1)])
def test_units_are_bounded_by_pages_and_by_bytes(
    limit: UnitParameters, scans: tuple[Scan, ...], networks: ReadUnits, context: Context
) -> None:
    units = prepared(scans, replace(context, unit=limit))
    assert len(units) in (3, 5, 6) and max(len(unit.prepared) for unit in units) <= 2
    assert texts(decoded(units, networks, context)) == EXPECTED


def test_a_page_on_which_the_networks_fail_costs_no_other(
    scans: tuple[Scan, ...], networks: ReadUnits, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:

    def read_pages(pages: list[Any], loaded: Any, **options: Any) -> Any:
        if any(each.row.file == "3.png" and each.level for each in pages):
            raise RuntimeError("a fault in a library")
        return read_together(pages, loaded, **options)

    monkeypatch.setattr(ray_stages, "read_pages", read_pages)
    assert texts(decoded(prepared(scans, context), networks, context)) == EXPECTED | {"3.png": "internal"}


def test_a_page_that_cannot_be_decoded_costs_no_other(
    scans: tuple[Scan, ...], networks: ReadUnits, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:

    def page_result(prepared: Any, *rest: Any) -> Any:
        if prepared.row.file == "1.png" and prepared.level:
            raise ZeroDivisionError
        return make_result(prepared, *rest)

    monkeypatch.setattr(ray_stages, "page_result", page_result)
    found = decoded(prepared(scans, context), networks, context)
    assert texts(found) == EXPECTED | {"1.png": "internal"}
    assert next(each for each in found if each.name == "1.png").sha256  # read again only with --retry-failed


class DeadlyPath(PosixPath):
    """A file that kills each worker that reads it."""

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        if is_child():
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().stat(follow_symlinks=follow_symlinks)


def test_a_page_that_kills_its_worker_costs_no_other(
    scans: tuple[Scan, ...], networks: ReadUnits, context: Context
) -> None:
    deadly = tuple(replace(each, path=DeadlyPath(each.path)) if each.name == "2.png" else each for each in scans)
    for _ in range(2):  # the worker of this process is used again after its death
        assert texts(decoded(prepared(deadly, context), networks, context)) == EXPECTED | {"2.png": "crashed"}


def test_another_program_on_a_machine_is_an_error_of_the_run(scans: tuple[Scan, ...], context: Context) -> None:
    (unit,) = prepared(scans, replace(context, code="another"))
    assert isinstance(unit.error, BatchocrError) and not isinstance(unit.error, ScanError)
    assert "another version of batchocr" in str(unit.error)
    with pytest.raises(BatchocrError, match="another version"):
        ReadUnits(replace(context, code="another"))


def test_a_damaged_part_is_an_error_of_the_run(scans: tuple[Scan, ...], context: Context) -> None:
    assert isinstance(context.journal, Path)
    (context.journal / "bad.parquet").write_bytes(b"not a part")
    item = batch("item", ItemPlan(work_item(scans), ("bad.parquet",)))
    (rows,) = list(prepare(item, context))
    assert "damaged" in str(pickle.loads(rows["unit"][0]).error)
