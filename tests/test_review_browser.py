"""The review page in Chromium, opened from disk and used by keyboard."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import here

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
HOSTILE = "<script>alert(1)<script>.png"


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    folder = tmp_path_factory.mktemp("review")
    (folder / "scans").mkdir()
    shutil.copy(samples / "2017.png", folder / "scans" / HOSTILE)
    out = folder / "results.csv"
    assert here("run", folder / "scans", "--out", out, "--device", "cpu").code == 0
    ended = here("review", out, "--out", folder / "review.html", "--audit", "5", "--known", "0")
    assert ended.code == 0, ended.err
    return folder / "review.html"


@pytest.fixture
def page(html: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        faults: list[str] = []
        opened.on("pageerror", lambda fault: faults.append(str(fault)))
        opened.on("console", lambda message: faults.append(message.text))
        opened.on("dialog", lambda dialog: dialog.accept())
        opened.goto(html.as_uri())
        yield opened
        assert not faults
        browser.close()


def _downloaded(page: Any) -> list[dict[str, str]]:
    """Return the rows of the file; the name is asked before the first download."""
    asked = not page.get_by_label("Your name").input_value()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
        if asked:
            page.keyboard.type("=Ann")
            page.keyboard.press("Enter")
    text = Path(download.value.path()).read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_number_is_corrected_by_keyboard_and_survives_a_reload(page: Any) -> None:
    page.keyboard.type("2011")
    page.keyboard.press("Enter")
    page.reload()
    (row,) = _downloaded(page)
    assert (row["file"], row["was"], row["text"], row["decision"]) == (HOSTILE, "2017", "2011", "change")
    assert (row["task"], row["kind"], row["by"]) == ("review", "number", "=Ann")


def test_a_group_is_confirmed_and_taken_back(page: Any) -> None:
    page.keyboard.press("v")
    page.get_by_role("button", name="7", exact=True).click()
    page.keyboard.press("1")
    page.get_by_role("button", name="2", exact=True).click()
    page.wait_for_timeout(300)  # its image is decoded
    page.keyboard.press("Enter")
    assert [(row["was"], row["text"]) for row in _downloaded(page)] == [("7", "1"), ("2", "2")]
    page.get_by_role("listbox").focus()
    page.keyboard.press("z")
    assert [(row["was"], row["text"]) for row in _downloaded(page)] == [("7", "1")]


def test_a_hostile_name_stays_text_and_axe_finds_no_serious_fault(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    assert page.get_by_role("heading", name=HOSTILE).count() == 1
    for _ in range(2):
        found = Axe().run(page).response["violations"]
        assert not [each["id"] for each in found if each["impact"] in ("serious", "critical")]
        page.keyboard.press("v")
