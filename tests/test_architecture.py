"""The packages of batchocr: those that the documents name exist, and none imports a forbidden one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ROOT / "batchocr"
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in CODE.rglob("*.py")
}
FORBIDDEN = {
    "sources": ("vision", "recognition", "decoding", "output", "batch", "training", "keras"),
    "vision": ("recognition", "decoding", "output", "batch", "training", "keras"),
    "recognition": ("vision", "decoding", "sources", "output", "batch", "training", "cv2"),
    "decoding": ("recognition", "sources", "output", "batch", "training", "keras"),
    "forms": ("recognition", "batch", "distributed", "training", "keras"),
    "output": ("recognition", "decoding", "sources", "batch", "training", "keras"),
    "datasets": ("training", "evaluation", "batch", "decoding"),
    "executors": ("recognition", "output", "batch", "training", "keras"),
    "evaluation": ("training", "batch", "output"),
    "review": ("recognition", "training", "evaluation", "keras", "tensorflow"),
    "batch": ("distributed", "training", "evaluation", "cv2", "keras"),
    "distributed": ("vision", "training", "evaluation", "cv2", "keras"),
    "stores": tuple({path.stem for path in CODE.iterdir()} - {"stores", "errors"}),
}
"""Packages, and the packages and libraries that they must not import."""


def imported(path: Path, *, everywhere: bool) -> Iterator[str]:
    """Yield the names of the modules that a file imports: all of them, or those imported when it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everywhere else iter(tree.body)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else node.module for name in whole)


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_no_forbidden_one(package: str) -> None:
    forbidden = FORBIDDEN[package]
    found = {
        f"{path.name} imports {name}"
        for path in (CODE / package).rglob("*.py")
        for name in imported(path, everywhere=True)
        if (name.removeprefix("batchocr.") if name.startswith("batchocr.") else name).split(".")[0] in forbidden
    }
    assert not found


def test_only_engines_import_the_networks() -> None:
    found = {
        f"{path.name} imports {name}"
        for path in (CODE / "distributed").glob("*.py")
        for name in imported(path, everywhere=True)
        if name.startswith(("batchocr.recognition", "batchocr.pipeline"))
    }
    assert not found


def test_there_are_no_circular_imports() -> None:
    imports = {
        name: {other for other in imported(path, everywhere=False) if other in FILES} for name, path in FILES.items()
    }
    order: dict[str, int] = defaultdict(int)  # 1 while a file's own imports are followed, 2 afterwards

    def follow(name: str, way: tuple[str, ...]) -> None:
        assert order[name] != 1, " imports ".join((*way, name))
        if order[name] == 0:
            order[name] = 1
            for other in sorted(imports[name]):
                follow(other, (*way, name))
            order[name] = 2

    for name in sorted(FILES):
        follow(name, ())


@pytest.mark.parametrize(("document", "min_names"), [("docs/architecture.md", 13), ("CONTRIBUTING.md", 5)])
def test_packages_and_files_that_a_document_names_exist(document: str, min_names: int) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    rooms = {path.name for path in CODE.iterdir() if path.is_dir()}
    named = set(re.findall(r"[`\[\"(]((?:" + "|".join(rooms) + r")(?:/[a-z_]+)*)/?(?=[`:\"\])])", text))
    named |= {name.removesuffix(".py") for name in re.findall(r"`([a-z_]+\.py)`", text)}
    assert len(named) >= min_names
    missing = {name for name in named if not (CODE / name).is_dir() and not (CODE / f"{name}.py").is_file()}
    assert not missing
