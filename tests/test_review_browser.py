"""The review page in Chromium, opened from disk and used by keyboard."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from command import here

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
HOSTILE = "<script>alert(1)<script>.png"
TURNED = "turned.png"
EMPTY = "nothing.png"


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    folder = tmp_path_factory.mktemp("review")
    (folder / "scans").mkdir()
    shutil.copy(samples / "2017.png", folder / "scans" / HOSTILE)
    upright = cv2.imread(str(samples / "numbers.png"))
    assert upright is not None
    cv2.imwrite(str(folder / "scans" / TURNED), cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE))
    cv2.imwrite(str(folder / "scans" / EMPTY), np.full((400, 600), 250, np.uint8))
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


def _only(page: Any, file: str) -> None:
    """Show one file only, by keyboard."""
    page.keyboard.press("f")
    page.keyboard.type(file)
    page.keyboard.press("Escape")


def _shown(page: Any) -> int:
    found = re.search(r"(\d+)( of \d+)? \w+ shown", page.locator("summary").inner_text())
    assert found
    return int(found[1])


def test_a_number_is_corrected_by_keyboard_and_survives_a_reload(page: Any) -> None:
    _only(page, "script")
    page.keyboard.type("2011")
    page.keyboard.press("Enter")
    page.reload()
    (row,) = _downloaded(page)
    assert (row["file"], row["was"], row["text"], row["decision"]) == (HOSTILE, "2017", "2011", "change")
    assert (row["task"], row["kind"], row["by"]) == ("review", "number", "=Ann")


def test_a_group_is_confirmed_and_taken_back(page: Any) -> None:
    _only(page, "script")
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

    _only(page, "script")
    assert page.get_by_role("heading", name=HOSTILE).count() == 1
    for _ in range(3):
        found = Axe().run(page).response["violations"]
        assert not [each["id"] for each in found if each["impact"] in ("serious", "critical")]
        page.keyboard.press("v")


def _numbers(html: Path, file: str) -> list[dict[str, str]]:
    with (html.parent / "results.numbers.csv").open(newline="", encoding="utf-8") as table:
        return [row for row in csv.DictReader(table) if row["file"] == file]


def _box(row: dict[str, str]) -> list[int]:
    return [int(row[name]) for name in ("left", "top", "width", "height")]


def test_missed_digits_are_added_by_pointing_on_a_page_that_is_shown_turned(page: Any, html: Path) -> None:
    _only(page, TURNED)
    shown = page.get_by_label("The right text").input_value()
    (row,) = [row for row in _numbers(html, TURNED) if row["text"] == shown]
    at = page.locator(".sheet > .mark").first.bounding_box()
    inner = [at["x"] + 3, at["y"] + 3, at["x"] + at["width"] - 3, at["y"] + at["height"] - 3]  # without the border
    page.mouse.move(*inner[:2])
    page.mouse.down()
    page.mouse.move(*inner[2:])
    page.mouse.up()
    page.keyboard.type("58")
    page.keyboard.press("Enter")
    (added,) = _downloaded(page)
    assert (added["kind"], added["decision"], added["was"], added["text"]) == ("number", "add", "", "58")
    assert (added["file"], added["task"], float(added["confidence"])) == (TURNED, "review", 0)
    # a pixel of the screen is about three of the page
    assert max(abs(a - b) for a, b in zip(_box(added), _box(row), strict=True)) <= 8
    assert int(row["height"]) > int(row["width"])  # it is upright on the page as given


def test_missed_digits_are_added_by_keyboard_survive_a_reload_and_are_taken_away(page: Any) -> None:
    _only(page, "script")
    page.keyboard.press("a")
    page.keyboard.press("7")
    page.keyboard.press("Enter")
    page.keyboard.press("a")
    page.keyboard.press("8")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    page.reload()
    first, second = _downloaded(page)
    assert [first["kind"], first["text"], second["text"]] == ["digit", "7", "8"]
    left, top, width, height = (b - a for a, b in zip(_box(first), _box(second), strict=True))
    assert left == height == 0 and top == width > 0
    _only(page, "script")
    page.get_by_role("button", name="Take away 7").click()
    assert [row["text"] for row in _downloaded(page)] == ["8"]
    page.get_by_role("main").focus()
    page.keyboard.press("z")
    assert [row["text"] for row in _downloaded(page)] == ["7", "8"]


def test_a_digit_is_added_on_a_page_where_nothing_was_read(page: Any) -> None:
    page.get_by_role("button", name="Pages").click()
    _only(page, "nothing")
    page.keyboard.press("a")
    page.keyboard.press("7")
    page.keyboard.press("Enter")
    (row,) = _downloaded(page)
    assert (row["file"], row["decision"], row["text"]) == (EMPTY, "add", "7")


def test_the_filter_shows_what_it_says_and_counts_it(page: Any, html: Path) -> None:
    _only(page, TURNED)
    block = re.search(r'id="data">(.*?)</script>', html.read_text(encoding="utf-8"))
    assert block
    data = json.loads(block[1])
    pages = [each["file"] for each in data["pages"]]
    of_file = [each for each in data["items"] if each[0] == "number" and pages[each[-1][0]] == TURNED]
    assert 0 < _shown(page) == len(of_file) < sum(each[0] == "number" for each in data["items"])
    page.get_by_label("Mark").select_option("origin")
    assert _shown(page) == sum("origin" in row["review"] for row in _numbers(html, TURNED))
    page.get_by_label("Confidence at most %").fill("0")
    assert page.get_by_text("Nothing is shown").count() == 1
    page.get_by_role("button", name="Show all").click()
    assert page.locator("summary").inner_text().startswith("Filter (f): all ")


def test_a_digit_that_is_corrected_in_its_group_changes_its_number_and_the_other_way_round(page: Any) -> None:
    _only(page, "script")
    page.get_by_role("button", name="Digits", exact=True).click()
    page.get_by_role("button", name="7", exact=True).click()
    page.keyboard.press("1")
    page.get_by_role("button", name="Numbers", exact=True).click()
    assert page.get_by_label("The right text").input_value() == "2011"
    assert page.get_by_text("a digit was decided in the view Digits").count() == 1
    page.get_by_role("main").focus()
    page.keyboard.type("2016")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Digits", exact=True).click()
    assert "settled elsewhere: 6" in page.locator(".cell").first.get_attribute("aria-label")
    rows = _downloaded(page)
    assert [(row["kind"], row["text"]) for row in rows] == [("digit", "1"), ("number", "2016")]
    assert rows[0]["at"] < rows[1]["at"]  # the later one counts


def test_digits_are_corrected_by_touch(html: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        phone = browser.new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        phone.goto(html.as_uri())
        phone.get_by_role("button", name="Digits", exact=True).tap()
        phone.get_by_role("button", name="7", exact=True).tap()
        phone.locator(".cell").nth(1).tap()
        phone.get_by_role("button", name="It is 3").tap()
        assert phone.locator(".cell").nth(1).inner_text().endswith("→3")
        shown = phone.locator("main button:visible, nav button:visible").all()
        targets = [target for target in (each.bounding_box() for each in shown) if target]
        assert min(target["height"] for target in targets) >= 44
        assert max(target["x"] + target["width"] for target in targets) <= 390
        browser.close()
