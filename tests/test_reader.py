"""Reading from Python: paths, bytes and images give the same rows as the command."""

from __future__ import annotations

import io
import pydoc
from collections.abc import Callable, Iterable
from functools import reduce
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import Job
from numpy.typing import NDArray
from PIL import Image, ImageCms

import batchocr
from batchocr import Reader
from batchocr.errors import ScanError, UsageError
from batchocr.image_input import as_grey, pillow_to_grey
from batchocr.output.table_kinds import TABLES
from batchocr.reader import Source


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(device="cpu", batch_size=64)


LAB = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
PAGE, WRITTEN = "card.webp", "83075294186026375"


def picture(samples: Path) -> NDArray[np.uint8]:
    """Return a card with numbers, (height, width, 3), BGR."""
    return np.asarray(cv2.imread(str(samples / PAGE)), np.uint8)


def text(rows: pd.DataFrame) -> str:
    return "".join(map(str, rows["digit"]))


def test_a_path_gives_the_documented_columns(reader: Reader, samples: Path) -> None:
    rows = reader.read(samples / PAGE)
    assert list(rows.columns) == TABLES["digits"].names
    assert text(rows) == WRITTEN
    assert set(rows["file"]) == {PAGE}


def test_bytes_give_the_same_without_a_name(reader: Reader, samples: Path) -> None:
    by_path = reader.read(str(samples / PAGE))
    by_bytes = reader.read((samples / PAGE).read_bytes())
    assert set(by_bytes["file"]) == {""}
    pd.testing.assert_frame_equal(by_path.drop(columns="file"), by_bytes.drop(columns="file"))


def test_a_pillow_image_is_read(reader: Reader, samples: Path) -> None:
    with Image.open(samples / PAGE) as opened:
        assert text(reader.read(opened)) == WRITTEN


def test_a_pillow_image_is_turned_and_keeps_its_depth(reader: Reader, samples: Path) -> None:
    for name in ("photo.jpg", "16bit.tif"):
        with Image.open(samples / name) as opened:
            assert text(reader.read(opened)) == text(reader.read(samples / name)) != ""


def grey_of(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)


def opaque(pixels: NDArray[Any], largest: float) -> NDArray[Any]:
    """With an alpha channel."""
    return np.dstack([pixels, np.full(pixels.shape[:2], largest, pixels.dtype)])


ARRAYS: dict[str, Callable[[NDArray[np.uint8]], NDArray[Any]]] = {
    "grey": grey_of,
    "RGB": lambda bgr: bgr[..., ::-1],
    "one channel": lambda bgr: grey_of(bgr)[..., None],
    "grey and alpha": lambda bgr: opaque(grey_of(bgr), 255),
    "RGBA": lambda bgr: opaque(bgr[..., ::-1], 255),
    "16 bits": lambda bgr: grey_of(bgr).astype(np.uint16) * 257,
    "16 bits of the other byte order": lambda bgr: (grey_of(bgr).astype(np.uint16) * 257).astype(">u2"),
    "12 bits, alpha of 16": lambda bgr: opaque(bgr[..., ::-1].astype(np.uint16) * 16, 65535),
    "bool": lambda bgr: grey_of(bgr) > 128,
    "float64": lambda bgr: grey_of(bgr) / 255,
    "float32 RGB": lambda bgr: (bgr[..., ::-1] / 255).astype(np.float32),
    "columns first": lambda bgr: np.asfortranarray(grey_of(bgr)),
    "every second pixel": lambda bgr: grey_of(bgr).repeat(2, 0).repeat(2, 1)[::2, ::2],
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_of_any_kind_is_read(kind: str, reader: Reader, samples: Path) -> None:
    assert text(reader.read(ARRAYS[kind](picture(samples)))) == WRITTEN


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_all_kinds_become_the_same_grey(kind: str, samples: Path) -> None:
    bgr = picture(samples)
    expected = np.where(grey_of(bgr) > 128, 255, 0) if kind == "bool" else grey_of(bgr)
    grey = as_grey(ARRAYS[kind](bgr))
    assert grey.dtype == np.uint8 and grey.flags.c_contiguous
    assert np.abs(grey.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.bool_])
def test_transparent_pixels_are_paper(channels: int, dtype: type[Any]) -> None:
    assert (as_grey(np.zeros((5, 5, channels), dtype)) == 255).all()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros(5, np.uint8), r"shape \(5,\): give \(height, width\)"),
        (np.zeros((5, 5, 5), np.uint8), r"1 \(grey\), 2 \(grey and alpha\), 3 \(RGB\), 4 \(RGBA\)"),
        (np.zeros((0, 5), np.uint8), "shape"),
        (np.full((5, 5), 255.0), r"float64 with values from 255 to 255: they must be from 0 \(black\) to 1"),
        (np.full((5, 5), np.nan), "must be from 0"),
        (np.zeros((5, 5), np.int64), "int64: give bool, uint8, uint16, or floats"),
        (np.zeros((5, 5), object), "give bool"),
    ],
)
def test_other_arrays_are_refused(image: NDArray[Any], message: str, reader: Reader) -> None:
    with pytest.raises(UsageError, match=message):
        reader.read(image)


MODES = "1 L LA La P PA RGB RGBA RGBa RGBX CMYK YCbCr LAB HSV I I;16 F".split()


@pytest.mark.parametrize("mode", MODES)
def test_a_pillow_image_of_any_mode_becomes_grey(mode: str) -> None:
    levels = np.tile(np.array([[20, 230]], np.uint8), (8, 4))
    if mode == "F":
        image = Image.fromarray(levels.astype(np.float32) / 255)
    elif mode in ("I", "I;16"):
        image = Image.fromarray(levels.astype({"I": np.int32, "I;16": np.uint16}[mode]) * 257)
    elif mode in ("La", "RGBa", "LAB"):
        image = Image.fromarray(levels).convert({"La": "LA", "RGBa": "RGBA", "LAB": "RGB"}[mode])
        image = ImageCms.profileToProfile(image, *LAB, outputMode="LAB") if mode == "LAB" else image.convert(mode)  # type: ignore[assignment]
    else:
        way = {"PA": ("P", "PA"), "HSV": ("RGB", "HSV")}.get(mode, (mode,))
        image = reduce(Image.Image.convert, way, Image.fromarray(levels))
    assert image.mode == mode
    before = image.tobytes()
    grey = pillow_to_grey(image)
    assert grey.dtype == np.uint8 and grey.shape == (8, 8)
    expected = np.where(levels > 128, 255, 0) if mode == "1" else levels
    assert np.abs(grey.astype(int) - expected).max() <= 6
    assert (image.mode, image.tobytes()) == (mode, before)


def test_a_pillow_image_is_turned_by_exif_and_not_changed_itself() -> None:
    image = Image.new("L", (40, 20), 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(file := io.BytesIO(), "JPEG", exif=exif)
    with Image.open(file) as opened:
        assert pillow_to_grey(opened).shape == (40, 20)
        assert opened.size == (40, 20) and opened.getexif()[0x0112] == 6


def test_transparent_pillow_images_are_on_white() -> None:
    for mode in ("LA", "RGBA"):
        assert (pillow_to_grey(Image.new(mode, (4, 4))) == 255).all()


def test_pillow_images_that_cannot_be_read_are_named() -> None:
    with pytest.raises(UsageError, match="mode I: its values must be from 0 to 65535"):
        pillow_to_grey(Image.fromarray(np.full((4, 4), 70_000, np.int32)))
    with pytest.raises(UsageError, match=r"from 0 \(black\) to 1"):
        pillow_to_grey(Image.fromarray(np.full((4, 4), 255, np.float32)))
    with pytest.raises(UsageError, match="no pixels"):
        pillow_to_grey(Image.new("L", (0, 4)))
    Image.effect_noise((200, 200), 60).save(file := io.BytesIO(), "PNG")
    with Image.open(io.BytesIO(file.getvalue()[:5000])) as opened, pytest.raises(ScanError, match="the image given"):
        pillow_to_grey(opened)


class OnlyReads:
    """A stream that cannot be rewound."""

    def __init__(self, content: bytes) -> None:
        self.read = lambda: content


CONTENT: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "a file": io.BytesIO,
    "a stream": OnlyReads,
}


@pytest.mark.parametrize("kind", CONTENT)
def test_the_content_of_a_file_is_read(kind: str, reader: Reader, one_digit: Path) -> None:
    assert text(reader.read(CONTENT[kind](one_digit.read_bytes()))) == "2"


def test_a_file_is_read_from_its_start(reader: Reader, one_digit: Path) -> None:
    file = io.BytesIO()
    file.write(one_digit.read_bytes())
    assert text(reader.read(file)) == "2"
    with one_digit.open("rb") as opened:
        assert text(reader.read(opened)) == "2"


@pytest.mark.parametrize("wrong", [None, 7, {"a": 1}, object(), [[b""]], pd.DataFrame()])
def test_what_is_not_a_scan_is_refused(wrong: Any, reader: Reader) -> None:
    with pytest.raises(UsageError, match="is not a scan; give a path, bytes, a binary file object, a Pillow image"):
        reader.read(wrong)


def test_files_that_give_no_bytes_are_refused(reader: Reader, one_digit: Path) -> None:
    with pytest.raises(UsageError, match="open the file with mode 'rb'"):
        reader.read(io.StringIO("text"))
    closed = one_digit.open("rb")
    closed.close()
    with pytest.raises(UsageError, match="give an open one"):
        reader.read(closed)


def test_several_scans_give_one_table(reader: Reader, one_digit: Path) -> None:
    other = one_digit.with_name("7.jpg")
    scans: list[Source] = [one_digit, other.read_bytes(), str(other)]
    several: Iterable[Source]
    for several in (scans, tuple(scans), iter(scans)):
        rows = reader.read(several)
        assert rows["file"].tolist() == [str(one_digit), "1", str(other)]
        assert text(rows) == "277"
    assert list(reader.read([]).columns) == TABLES["digits"].names
    with pytest.raises(ScanError, match="no-such"):
        reader.read([one_digit, "no-such.png"])


def test_numbers_are_strings_in_the_columns_of_their_table(
    reader: Reader, samples: Path, samples_job: Job, tmp_path: Path
) -> None:
    rows = reader.numbers(samples / PAGE)
    assert list(rows.columns) == TABLES["numbers"].names
    assert "".join(rows["digits"]) == WRITTEN
    written = pd.read_csv(samples_job.out.with_suffix(".numbers.csv"), dtype={"text": str, "digits": str})
    written = written[written["file"] == PAGE].reset_index(drop=True)
    same = ["file", "page", "line", "number", "text", "digits", "confidence", "left", "top"]
    assert rows[same].astype(str).equals(written[same].astype(str))
    assert len(reader.numbers(np.full((300, 300), 250, np.uint8))) == 0


def test_options_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(UsageError, match="min_confidence=2: must be a number from 0 to 1"):
        Reader(min_confidence=2)
    with pytest.raises(UsageError, match="device='cuda'"):
        batchocr.read_numbers(b"", device="cuda")


def test_a_reader_without_forms_has_no_fields(reader: Reader, one_digit: Path) -> None:
    for method in (reader.fields, reader.forms):
        with pytest.raises(UsageError, match=r"Reader\(form=\.\.\.\)"):
            method(one_digit)


def test_a_blank_page_gives_no_rows_but_all_columns(reader: Reader) -> None:
    rows = reader.read(np.full((500, 400), 250, np.uint8))
    assert len(rows) == 0 and list(rows.columns) == TABLES["digits"].names


def test_a_scan_that_cannot_be_read_raises_an_error_with_the_reason(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"none\.png: there is no such file"):
        reader.read(tmp_path / "none.png")
    with pytest.raises(ScanError, match="not an image"):
        reader.read(b"not a picture at all")


def test_pages_continues_where_read_raises(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (page,) = reader.pages(tmp_path / "text.png")
    assert (page.page.status, page.page.error, page.digits) == ("failed", "not-a-picture", ())


def test_the_public_names_are_those_of_the_package() -> None:
    for name in batchocr.__all__:
        assert getattr(batchocr, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        batchocr.nothing  # noqa: B018


def test_the_package_lists_and_describes_its_public_names() -> None:
    assert {"Reader", "Settings", "read", "read_numbers", "run"} <= set(dir(batchocr))
    text = pydoc.plain(pydoc.render_doc(batchocr))
    assert "Read handwritten digits" in text
    for name in ("read", "read_numbers", "run", "read_status"):
        assert f"    {name}(" in text


def test_no_public_name_is_that_of_a_module() -> None:
    """Importing the module would replace the name."""
    folder = Path(batchocr.__file__).parent
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & set(batchocr.__all__)
