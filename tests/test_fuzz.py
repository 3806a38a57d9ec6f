"""Broken files of every format: pages within the limit, or reasons. The long run is benchmarks/robustness/mutate.py."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutations, seeds

from batchocr.errors import ScanError
from batchocr.records import Page, Scan
from batchocr.sources import BadPage, load_pages

MEGAPIXELS = 1.0
NAME = "=scan"
REASONS = set(re.findall(r"`([a-z-]+)`", (load_pages.__doc__ or "").partition("with one of the reasons")[2]))
SEEDS = seeds(max_bytes=10_000)


def check(pages: list[Page | BadPage]) -> None:
    for page in pages:
        if isinstance(page, BadPage):
            check_error(page.error)
        else:
            assert page.pixels.dtype == np.uint8
            assert page.pixels.ndim == 2
            assert 0 < page.pixels.size <= MEGAPIXELS * 1e6


def check_error(error: ScanError) -> None:
    assert error.reason in REASONS
    assert error.message.startswith(f"{NAME}: ")
    assert len(error.sha256) == 64


@settings(max_examples=2000, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SEEDS), st.integers(1, 3), st.randoms(use_true_random=False))
def test_broken_files_end_as_pages_or_errors(seed: tuple[str, bytes], times: int, rng: Random) -> None:
    suffix, content = seed
    data = bytearray(content)
    for _ in range(times):
        if data:
            rng.choice(mutations(suffix))(data, rng)
    try:
        check(list(load_pages(Scan(Path(NAME), NAME, bytes(data)), max_megapixels=MEGAPIXELS)))
    except ScanError as error:
        check_error(error)
