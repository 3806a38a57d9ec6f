"""Reading from Python: paths, bytes, pictures; the same rows as the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

import batchocr
from batchocr import Reader
from batchocr.errors import ScanError, UsageError
from batchocr.output.table import columns
from batchocr.reader import as_grey
from batchocr.records import DigitRow


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(device="cpu", batch_size=64)


PAGE, WRITTEN = "card.webp", "83075294186026375"


def picture(samples: Path) -> NDArray[np.uint8]:
    """A card with numbers, (height, width, 3) blue green red."""
    return np.asarray(cv2.imread(str(samples / PAGE)), np.uint8)


def text(rows: pd.DataFrame) -> str:
    return "".join(map(str, rows["digit"]))


def test_a_path_gives_the_contract_s_columns(reader: Reader, samples: Path) -> None:
    rows = reader.read(samples / PAGE)
    assert list(rows.columns) == columns(DigitRow)
    assert text(rows) == WRITTEN
    assert set(rows["file"]) == {PAGE}


def test_bytes_give_the_same_without_a_name(reader: Reader, samples: Path) -> None:
    by_path = reader.read(str(samples / PAGE))
    by_bytes = reader.read((samples / PAGE).read_bytes())
    assert set(by_bytes["file"]) == {""}
    pd.testing.assert_frame_equal(by_path.drop(columns="file"), by_bytes.drop(columns="file"))


def test_a_picture_of_pillow_is_read(reader: Reader, samples: Path) -> None:
    with Image.open(samples / PAGE) as opened:
        assert text(reader.read(opened)) == WRITTEN


def test_a_picture_of_pillow_is_turned_and_has_its_depth(reader: Reader, samples: Path) -> None:
    for name in ("photo.jpg", "16bit.tif"):
        with Image.open(samples / name) as opened:
            assert text(reader.read(opened)) == text(reader.read(samples / name)) != ""


AS: dict[str, Callable[[NDArray[np.uint8]], NDArray[Any]]] = {
    "grey": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY),
    "red green blue": lambda bgr: bgr[..., ::-1],
    "one channel": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)[..., None],
    "16 bits": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.uint16) * 257,
    "bool": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY) > 128,
    "with alpha": lambda bgr: np.dstack([bgr[..., ::-1], np.full(bgr.shape[:2], 255, np.uint8)]),
}


@pytest.mark.parametrize("kind", AS)
def test_a_picture_of_any_kind_is_read(kind: str, reader: Reader, samples: Path) -> None:
    assert text(reader.read(AS[kind](picture(samples)))) == WRITTEN


def test_colour_becomes_grey_as_a_decoder_makes_it(samples: Path) -> None:
    bgr = picture(samples)
    grey = as_grey(bgr[..., ::-1]).astype(int)
    assert np.abs(grey - cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)).max() <= 1


def test_what_is_transparent_is_paper() -> None:
    assert (as_grey(np.zeros((5, 5, 4), np.uint8)) == 255).all()


@pytest.mark.parametrize(
    "picture", [np.zeros((5, 5)), np.zeros(5, np.uint8), np.zeros((5, 5, 2), np.uint8), np.zeros((0, 5), np.uint8)]
)
def test_other_arrays_are_refused(picture: NDArray[Any], reader: Reader) -> None:
    with pytest.raises(UsageError, match="give"):
        reader.read(picture)


def test_a_blank_page_gives_no_rows_but_all_columns(reader: Reader) -> None:
    rows = reader.read(np.full((500, 400), 250, np.uint8))
    assert len(rows) == 0 and list(rows.columns) == columns(DigitRow)


def test_what_cannot_be_read_is_an_exception_that_says_why(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"none\.png: there is no such file"):
        reader.read(tmp_path / "none.png")
    with pytest.raises(ScanError, match="not an image"):
        reader.read(b"not a picture at all")


def test_pages_go_on_where_read_raises(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (page,) = reader.pages(tmp_path / "text.png")
    assert (page.page.status, page.page.error, page.digits) == ("failed", "not-a-picture", ())


def test_the_public_names_are_those_of_the_package() -> None:
    for name in batchocr.__all__:
        assert getattr(batchocr, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        batchocr.nothing  # noqa: B018
