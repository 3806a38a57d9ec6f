"""Every parameter of a stage has a documented basis, and docs/parameters.md lists it."""

from __future__ import annotations

import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "docs"))

from parameter_tables import Stage, stages  # noqa: E402

STAGES = list(stages())


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_each_parameter_has_a_meaning_and_a_basis(stage: Stage) -> None:
    assert stage.meaning
    missing = [p.name for p in stage.parameters if not p.meaning or not (p.basis or stage.basis)]
    assert not missing


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_limits_are_named_min_and_max(stage: Stage) -> None:
    old = ("least_", "most_", "fewest_", "largest_", "smallest_")
    assert not [p.name for p in stage.parameters if p.name.startswith(old)]


def test_all_packages_have_parameters() -> None:
    rooms = {stage.module.split(".")[1] for stage in STAGES}
    assert rooms >= {"vision", "recognition", "decoding", "training"}
    assert all(not is_dataclass(p.value) for stage in STAGES for p in stage.parameters)
