"""Changes each parameter by a fifth, down and up, and reports what changes in the rows of known pages.

`python benchmarks/accuracy/sensitivity.py FOLDER... --out table.md` reads the pages of folders that have a `truth.json`
(see `batchocr evaluate`). For each parameter and direction the table has the number of digits read otherwise, numbers
and pages with other marks, and by how many the wrong digits become more (+) or fewer (-). A parameter that changes
nothing is listed apart: it may guard against pages that are not in the folders.

Each network runs once for a tile or crop; what a parameter does not change is not computed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from batchocr.decoding.parameters import DecodingParameters
from batchocr.decoding.rows import page_result
from batchocr.evaluation.page_scores import score_boxes, score_rows
from batchocr.evaluation.true_pages import read_truth
from batchocr.pipeline import PipelineParameters, Read, read_pages
from batchocr.reading_file import find_reading
from batchocr.recognition.calibration import Floats
from batchocr.recognition.detector import DetectorParameters, RawDetections
from batchocr.recognition.model_file import shipped_model
from batchocr.recognition.networks import Models, Networks
from batchocr.records import Crops, LevelPage, Page, PageResult, PageRow, PreparedPage, Scan
from batchocr.shipped import shipped
from batchocr.sources import BadPage, load_pages
from batchocr.vision.geometry.level import Levelled, LevelParameters, level_page
from batchocr.vision.scales import first_scale
from batchocr.vision.tiles import make_tiles

STEP = 0.2
"""Share by which a parameter is changed."""


@dataclass(frozen=True)
class Parameters:
    """Those of all stages."""

    level: LevelParameters = field(default_factory=LevelParameters)
    detector: DetectorParameters = field(default_factory=DetectorParameters)
    pipeline: PipelineParameters = field(default_factory=PipelineParameters)
    decoding: DecodingParameters = field(default_factory=DecodingParameters)


FITTED = ("decoding.joint.", "decoding.calibration.", "decoding.familiar")
"""Values of `reading.json`, which are fitted."""


class Remembered:
    """Networks that run once for each tile and crop."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self.detector, self.classifier = networks.detector, networks.classifier
        self.device, self.device_count = networks.device, networks.device_count
        self._tiles: dict[tuple[bytes, DetectorParameters], RawDetections] = {}
        self._crops: dict[bytes, Floats] = {}

    def detect(self, tiles: NDArray[np.uint8]) -> RawDetections:
        """Return the raw detections on tiles, as `Networks.detect` does."""
        keys = [(_hash(tile), self.detector.parameters) for tile in tiles]
        new = [i for i, key in enumerate(keys) if key not in self._tiles]
        if new:
            found = self._networks.detect(tiles[new])
            for place, i in enumerate(new):
                self._tiles[keys[i]] = found[found[:, 0] == place]
        parts = []
        for i, key in enumerate(keys):
            part = self._tiles[key].copy()
            part[:, 0] = i
            parts.append(part)
        return np.concatenate(parts)

    def classify(self, crops: Crops) -> Floats:
        """Return the probabilities of crops, as `Networks.classify` does."""
        keys = [_hash(crop) for crop in crops]
        new = [i for i, key in enumerate(keys) if key not in self._crops]
        if new:
            self._crops |= dict(zip([keys[i] for i in new], self._networks.classify(crops[new]), strict=True))
        return np.stack([self._crops[key] for key in keys])


def _hash(pixels: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()


@dataclass
class KnownPages:
    """Pages whose digits are known, and their results by stage."""

    form: str
    truth: Mapping[str, Any]
    pages: list[Page]
    networks: Remembered
    _levels: dict[tuple[int, LevelParameters], Levelled] = field(default_factory=dict)
    _reads: dict[tuple[Any, ...], Read] = field(default_factory=dict)

    def results(self, p: Parameters, base: Parameters) -> list[PageResult]:
        """Read all pages; results of stages are kept for the base parameters alone, others are computed again."""
        return [self._result(i, page, p, base) for i, page in enumerate(self.pages)]

    def _result(self, i: int, page: Page, p: Parameters, base: Parameters) -> PageResult:
        key = (i, p.detector, p.pipeline)
        level = self._levels.get((i, p.level)) or level_page(page.pixels, p.level)
        if p.level == base.level:
            self._levels[i, p.level] = level
        usual = _same(level, self._levels[i, base.level])
        read = self._reads.get(key) if usual else None
        if read is None:
            read = self._run_networks(page, level, p)
        if usual and key[1:] == (base.detector, base.pipeline):
            self._reads[key] = read
        return page_result(read.page, read.detections, read.probabilities, p.decoding)

    def _run_networks(self, page: Page, level: Levelled, p: Parameters) -> Read:
        scales = p.pipeline.scales
        tiles = make_tiles(level.pixels, first_scale(level.pixels.shape, scales), scales.tiles)
        height, width = page.pixels.shape
        row = PageRow(page.scan.name, page.number, "read", width=width, height=height, angle=level.angle)
        prepared = PreparedPage(row, LevelPage(level.pixels, level.to_page, tiles), page.pages)
        self.networks.detector.parameters = p.detector
        (read,) = read_pages([prepared], self.networks, parameters=p.pipeline)  # type: ignore[arg-type]
        return read

    def wrong(self, results: Sequence[PageResult]) -> int:
        """Return the number of digits that are wrong or missing, and those that are too many."""
        rows = {result.page.file: result.digits for result in results}
        count = sum(len(result.digits) for result in results)
        if self.form == "boxes":
            figures, _ = score_boxes(self.truth, rows)
            return int(figures["errors"] + count - figures["count"] * figures["recall"])
        figures = score_rows(self.truth, rows)
        return int(figures["errors"] + figures["extra_digits_a_page"] * figures["pages"])


def _same(one: Levelled, other: Levelled) -> bool:
    """Return whether two level pages are equal."""
    return np.array_equal(one.to_page, other.to_page) and np.array_equal(one.pixels, other.pixels)


def load(folder: Path, networks: Remembered) -> KnownPages:
    """Load the pages of a folder with a truth.json."""
    form, truth = read_truth(folder / "truth.json")
    pages = []
    for name in truth:
        for page in load_pages(Scan(folder / name, name), max_megapixels=250.0):
            if not isinstance(page, BadPage):
                pages.append(page)
    return KnownPages(form, truth, pages, networks)


def paths(tree: Any, before: str = "") -> Iterator[str]:
    """Yield the dotted names of all numbers in a tree of dataclasses."""
    for each in fields(tree):
        value = getattr(tree, each.name)
        if is_dataclass(value):
            yield from paths(value, f"{before}{each.name}.")
        elif _is_number(value) or (isinstance(value, tuple) and value and all(map(_is_number, value))):
            yield before + each.name


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def changed(tree: Any, path: str, factor: float) -> Any:
    """Return the tree with one value multiplied; whole numbers change by 1 at least."""
    name, _, rest = path.partition(".")
    value = getattr(tree, name)
    return replace(tree, **{name: changed(value, rest, factor) if rest else _multiplied(value, factor)})


def _multiplied(value: Any, factor: float) -> Any:
    if isinstance(value, tuple):
        return tuple(_multiplied(each, factor) for each in value)
    if isinstance(value, int):
        by = max(1, round(abs(value) * abs(factor - 1)))
        return max(1, value + (by if factor > 1 else -by))
    return value * factor


@dataclass(frozen=True)
class Difference:
    """What one changed value does."""

    digits: int
    marks: int
    wrong: int

    def __bool__(self) -> bool:
        return bool(self.digits or self.marks)


def difference(sets: Sequence[KnownPages], p: Parameters, base: Parameters) -> Difference:
    """Compare the rows with those of the base parameters."""
    digits = marks = wrong = 0
    for pages in sets:
        old, new = pages.results(base, base), pages.results(p, base)
        for one, other in zip(old, new, strict=True):
            digits += len(_digits(one) ^ _digits(other))
            marks += len(_marks(one) ^ _marks(other))
        wrong += pages.wrong(new) - pages.wrong(old)
    return Difference(digits, marks, wrong)


def _digits(result: PageResult) -> set[tuple[Any, ...]]:
    return {(row.line, row.number, row.position, row.digit, row.left // 4, row.top // 4) for row in result.digits}


def _marks(result: PageResult) -> set[tuple[Any, ...]]:
    numbers = {(row.left // 4, row.top // 4, row.text, row.review, row.origin) for row in result.numbers}
    return numbers | {("page", result.page.marks)}


def main(
    folders: Annotated[list[Path], typer.Argument(help="Folders of pages with a truth.json.")],
    out: Annotated[Path | None, typer.Option(help="Write the table to this file.")] = None,
    only: Annotated[str, typer.Option(help="Change parameters whose name begins with this.")] = "",
) -> None:
    """Change each parameter by a fifth, and print a row for each."""
    models = Models(shipped("detector.keras"), shipped_model())
    networks = Networks(models, device="cpu")
    reading = find_reading(models, networks.detector.sidecar, networks.classifier.sidecar)
    base = Parameters(detector=reading.models(models).parameters, decoding=reading.decoding())
    remembered = Remembered(networks)
    sets = [load(folder, remembered) for folder in folders]
    lines, without = ["| parameter | value | a fifth less | a fifth more |", "|---|---|---|---|"], []
    for path in paths(base):
        if not path.startswith(only) or path.startswith(FITTED):
            continue
        value: Any = base
        for name in path.split("."):
            value = getattr(value, name)
        try:
            found = [difference(sets, changed(base, path, factor), base) for factor in (1 - STEP, 1 + STEP)]
        except Exception as fault:
            typer.echo(f"{path}: {type(fault).__name__}: {fault}", err=True)
            continue
        if any(found):
            lines.append(f"| `{path}` | {value} | " + " | ".join(map(_shown, found)) + " |")
            typer.echo(lines[-1])
        else:
            without.append(path)
            typer.echo(f"{path}: no change")
    lines += ["", f"Without a change on these pages: {', '.join(f'`{path}`' for path in without)}."]
    if out:
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shown(found: Difference) -> str:
    return f"{found.digits} digits, {found.marks} marks, {found.wrong:+d} wrong" if found else "-"


if __name__ == "__main__":
    typer.run(main)
