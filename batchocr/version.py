"""The version, said once."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from batchocr.shipped import SINGLE, shipped

__version__ = "0.1.0"


@cache
def code_sha256() -> str:
    """Of the package's modules and of the weights in them: what is read depends on them, also between two versions."""
    whole = hashlib.sha256()
    modules = sorted(Path(__file__).parent.rglob("*.py"))
    for part in [*modules, shipped(SINGLE)]:
        whole.update(part.read_bytes())
    return whole.hexdigest()
