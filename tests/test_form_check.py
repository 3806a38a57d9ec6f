"""`batchocr form`: draft, check and schema through the command."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from command import START, environment, here, in_own_process
from drawing import Sheet
from PIL import Image

from batchocr.forms.load import load_form
from batchocr.records import Pixels

PX = 6
DPI = PX * 25.4
SIZE = (1260, 1782)
"""A4."""


def sheet(title: str = "Yearly card of the energy cooperative") -> Sheet:
    """Return a form with a number, a row of eight cells, and text to recognize it by."""
    form = Sheet(*SIZE, 250)
    form.frame(20 * PX, 40 * PX, 60 * PX, 9 * PX)
    for at in range(8):
        form.frame((110 + 7 * at) * PX, 40 * PX, 7 * PX, 9 * PX)
    for at in range(24):
        words = f"{title}, line {at * 37 % 23}"
        place = ((20 + at * 13 % 40) * PX, (70 + 9 * at) * PX)
        cv2.putText(form.pixels, words, place, at % 4, 0.5 + at % 3 / 10, 30, 1, cv2.LINE_AA)
    return form


def turned(pixels: Pixels, angle: float) -> Pixels:
    """Return a page that was scanned at an angle in degrees."""
    matrix = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), angle, 1.0)
    return np.asarray(cv2.warpAffine(pixels, matrix, SIZE, flags=cv2.INTER_AREA, borderValue=250), np.uint8)


def saved(path: Path, pixels: Pixels) -> Path:
    Image.fromarray(pixels).save(path, dpi=(DPI, DPI))
    return path


@pytest.fixture
def form(tmp_path: Path) -> Path:
    """Return a drafted form file; its blank is beside it."""
    ended = here("form", "draft", saved(tmp_path / "card.png", sheet().pixels))
    assert ended.code == 0
    return tmp_path / "card.toml"


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        image.load()
        return image.size


def test_draft_writes_the_form_file_and_a_picture(form: Path) -> None:
    assert [(field.name, field.kind) for field in load_form(form).fields] == [
        ("field-1", "number"),
        ("field-2", "cells"),
    ]
    text = form.read_text(encoding="utf-8")
    assert text.startswith("#:schema form.schema.json\n")
    assert "card.preview.png" in text
    width, height = size_of(form.with_name("card.preview.png"))
    assert height > width >= SIZE[0] * 0.9


def test_draft_replaces_a_form_file_only_if_told(form: Path) -> None:
    form.write_text("mine", encoding="utf-8")
    ended = here("form", "draft", form.with_name("card.png"))
    assert ended.code == 2
    assert "--force" in ended.err
    assert form.read_text(encoding="utf-8") == "mine"
    assert here("form", "draft", form.with_name("card.png"), "--force").code == 0
    assert len(load_form(form).fields) == 2


def test_draft_with_the_size_of_the_paper(tmp_path: Path) -> None:
    blank = saved(tmp_path / "card.png", sheet().pixels)
    assert here("form", "draft", blank, "--out", tmp_path / "a.toml", "--size-mm", "105,148.5").code == 0
    assert load_form(tmp_path / "a.toml").width_mm == 105
    wrong = here("form", "draft", blank, "--out", tmp_path / "b.toml", "--size-mm", "210")
    assert wrong.code == 2
    assert "210,297" in wrong.err


def test_draft_of_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image", encoding="utf-8")
    ended = here("form", "draft", tmp_path / "text.png")
    assert ended.code == 8
    assert "text.png" in ended.err
    empty = here("form", "draft", saved(tmp_path / "empty.png", np.full((1782, 1260), 250, np.uint8)))
    assert empty.code == 8
    assert "has no boxes" in empty.err
    assert not list(tmp_path.glob("*.toml"))


def test_check_draws_the_blank(form: Path) -> None:
    picture = form.with_name("card.preview.png")
    drafted = picture.read_bytes()
    picture.unlink()
    ended = here("form", "check", form)
    assert (ended.code, ended.out) == (0, f"2 fields: {picture}\n")
    assert picture.read_bytes() == drafted
    assert here("form", "check", form, "--out", form.parent / "pictures").code == 0
    assert (form.parent / "pictures" / "card.preview.png").read_bytes() == drafted


def test_the_fields_are_where_the_picture_shows_them(form: Path) -> None:
    with Image.open(form.with_name("card.preview.png")) as image:
        drawn = np.asarray(image.convert("RGB")).astype(int)
    scale = drawn.shape[1] / 210
    coloured = drawn.max(axis=2) - drawn.min(axis=2) > 60
    for left, width in ((20, 60), (110, 56)):
        for y in (40, 49):
            row = round(y * scale)
            side = coloured[row - 4 : row + 5, round((left + 5) * scale) : round((left + width - 5) * scale)]
            assert side.any(axis=0).mean() > 0.9


def test_check_reports_the_residual_of_pages(form: Path) -> None:
    page = sheet()
    page.number("40927", 25 * PX, 41.5 * PX, 36)
    saved(form.with_name("page.png"), turned(page.pixels, 0.8))
    out = form.parent / "pictures"
    ended = here("form", "check", form, form.with_name("page.png"), "--out", out)
    assert ended.code == 0, ended.err
    found = re.fullmatch(r"page\.png: residual (\d\.\d\d) mm: (.*)\n", ended.out)
    assert found
    assert float(found[1]) < 0.3
    assert size_of(Path(found[2]))[0] >= SIZE[0]


def test_a_page_of_another_form_is_reported(form: Path) -> None:
    other = Sheet(*SIZE, 250)
    for at in range(20):
        other.frame((20 + at * 7 % 60) * PX, (20 + 13 * at) * PX, 90 * PX, 8 * PX)
    saved(form.with_name("a-other.png"), other.pixels)
    saved(form.with_name("b-page.png"), turned(sheet().pixels, -0.5))
    out = form.parent / "pictures"
    ended = here("form", "check", form, form.with_name("a-other.png"), form.with_name("b-page.png"), "--out", out)
    assert ended.code == 3
    assert "a-other.png: " in ended.err
    assert "1 page without an image" in ended.err
    assert ended.out.startswith("b-page.png: residual ")
    assert [path.name for path in out.iterdir()] == ["b-page-001.preview.png"]


def test_check_of_a_form_without_an_image(tmp_path: Path) -> None:
    text = '[page]\nsize_mm = [100, 50]\n[[fields]]\nname = "sum"\nkind = "number"\nplace = [10, 10, 50, 9]\n'
    (tmp_path / "plain.toml").write_text(text, encoding="utf-8")
    assert here("form", "check", tmp_path / "plain.toml").code == 0
    width, height = size_of(tmp_path / "plain.preview.png")
    assert width > 1.6 * height


def test_check_of_a_wrong_form_file(form: Path) -> None:
    form.write_text(form.read_text(encoding="utf-8").replace('"number"', '"nummer"'), encoding="utf-8")
    ended = here("form", "check", form)
    assert ended.code == 8
    assert "kind" in ended.err
    assert here("form", "check", form.with_name("missing.toml")).code == 8


def test_pages_that_are_missing(form: Path) -> None:
    (form.parent / "empty").mkdir()
    assert here("form", "check", form, form.parent / "empty").code == 4


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def test_watch_draws_again_after_a_change_and_ends_with_the_signal(form: Path) -> None:
    picture = form.with_name("card.preview.png")
    picture.unlink()
    text = form.read_text(encoding="utf-8")
    log = form.with_name("log.txt")
    with log.open("wb") as stream:
        running = subprocess.Popen(
            [*START, "form", "check", str(form), "--watch"],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment(),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            wait_for(lambda: log.read_text().count("end with Ctrl-C") == 1)
            before = picture.read_bytes()
            form.write_text(text.replace('"field-1"', '"member"'), encoding="utf-8")
            wait_for(lambda: log.read_text().count("end with Ctrl-C") == 2)
            assert picture.read_bytes() != before
            form.write_text(text.replace('"number"', '"nummer"'), encoding="utf-8")
            wait_for(lambda: log.read_text().count("end with Ctrl-C") == 3)
            assert "kind" in log.read_text()
            form.with_name("card.png").unlink()
            wait_for(lambda: log.read_text().count("end with Ctrl-C") == 4)
            assert running.poll() is None
            running.send_signal(signal.SIGINT)
            assert running.wait(30) == 130
        finally:
            running.kill()
    assert "Traceback" not in log.read_text()


def test_the_schema_is_printed() -> None:
    ended = here("form", "schema")
    assert ended.code == 0
    assert "fields" in json.loads(ended.out)["properties"]


def test_help_imports_no_large_library(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom batchocr.cli import app\n"
        "for words in (['--help'], ['form', '--help'], ['form', 'draft', '--help'], ['form', 'check', '--help']):\n"
        "    assert CliRunner().invoke(app, words).exit_code == 0\n"
        "print([name for name in ('tensorflow', 'keras', 'cv2') if name in sys.modules])\n"
    )
    ended = in_own_process("-c", code, folder=tmp_path, start=START[:1], PYTHONPATH=str(Path(__file__).parents[1]))
    assert ended.out == "[]\n", ended.err


def test_options_of_the_group_have_their_own_variables() -> None:
    ended = here("form", "draft", "--help")
    assert "BATCHOCR_FORM_DRAFT_OUT" in ended.out
