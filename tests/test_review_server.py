"""The served review page: who may use it, and what it saves; then the whole way, in Chromium where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from command import START, beside, environment, here, rows
from decisions import about, decision, write

from batchocr.errors import OutputError, UsageError
from batchocr.review.page.saved import KEY, SavedDecisions, key_of, saved_path
from batchocr.review.page.server import MAX_BYTES, ReviewServer

CHROMIUM = shutil.which("chromium")
ROW = {"file": "<a>.png", "page": "1", "left": "3", "top": "4", "width": "20", "height": "30", "digit": "7"}
SHA256 = "0" * 64


def cells(text: str = "1", **more: Any) -> list[str]:
    """Return the cells of a decision about a digit that was read as 7."""
    made = decision(ROW, SHA256, text, **more)
    return [str(getattr(made, name)) for name in made.__slots__]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ReviewServer]:
    saved = SavedDecisions(tmp_path / "results.review.csv", "bea")
    with ReviewServer("<title>x</title><body>page</body>", saved, 0) as opened:
        threading.Thread(target=opened.serve_forever, daemon=True).start()
        yield opened
        opened.shutdown()


def ask(server: ReviewServer, body: Any = None, path: str = "", **headers: str) -> tuple[int, str]:
    """Get the page, or post a body; return status and text."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    place = path or f"/{server.token}/{'' if body is None else 'decisions'}"
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("GET" if body is None else "POST", place, content, given)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def post(server: ReviewServer, put: list[list[str]], drop: list[list[str]] | None = None) -> tuple[int, str]:
    return ask(server, {"put": put, "drop": drop or []})


def texts(server: ReviewServer) -> list[tuple[str, str]]:
    return [(row["text"], row["by"]) for row in rows(server.saved.path)]


def test_the_page_has_what_was_saved_and_its_names_are_no_markup(server: ReviewServer) -> None:
    assert post(server, [cells()])[0] == 200
    status, text = ask(server)
    block = re.search(
        r'<body><script type="application/json" id="saved" data-save-url="decisions">(.*?)</script>', text
    )
    assert status == 200 and block and "<a>" not in text
    assert json.loads(block[1]) == {"key": list(KEY), "rows": [cells()], "by": "bea"}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/wrong/decisions", {}, 403),
        ("/decisions", {}, 403),
        ("/{token}x/decisions", {}, 403),
        ("/{token}", {}, 404),
        ("/{token}/../decisions", {}, 404),
        ("/{token}/", {}, 404),
        ("/{token}/decisions", {"Host": "evil.example"}, 403),
        ("/{token}/decisions", {"Host": "localhost:{port}"}, 403),
        ("/{token}/decisions", {"Origin": "http://evil.example"}, 403),
        ("/{token}/decisions", {"Origin": "null"}, 403),
        ("/{token}/decisions", {"Content-Type": "text/plain"}, 415),
        ("/{token}/decisions", {"Content-Length": str(MAX_BYTES + 1)}, 413),
        ("/{token}/decisions", {"Content-Length": "9" * 5000}, 413),
        ("/{token}/decisions", {"Content-Length": "-1"}, 411),
    ],
)
def test_a_wrong_token_host_or_form_saves_nothing(
    server: ReviewServer, path: str, headers: dict[str, str], status: int
) -> None:
    filled = {name: value.format(port=server.server_port) for name, value in headers.items()}
    body = {"put": [cells()], "drop": []}
    assert ask(server, body, path.format(token=server.token), **filled)[0] == status
    assert not server.saved.path.exists()


@pytest.mark.parametrize("path", ["/", "/wrong/", "/{token}/decisions", "/{token}/x", "/{token}"])
def test_only_the_page_is_given_out(server: ReviewServer, path: str) -> None:
    status, text = ask(server, path=path.format(token=server.token))
    assert status in (403, 404) and server.token not in text and "page" not in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        [],
        {},
        {"put": [], "drop": {}},
        {"put": [[1]], "drop": []},
        {"put": [["a"]], "drop": []},
        {"put": [cells(), cells("12")], "drop": []},
        {"put": [cells("1", at="yesterday")], "drop": []},
    ],
)
def test_what_is_no_decision_is_refused_with_the_reason(server: ReviewServer, body: Any) -> None:
    status, text = ask(server, body)
    assert status == 400 and text.strip()
    assert not server.saved.path.exists()


def test_a_decision_replaces_that_about_the_same_item_or_is_taken_back(server: ReviewServer) -> None:
    other = cells("9", left=100, by="")
    assert post(server, [cells("1"), other]) == (200, '{"saved": 2}')
    assert texts(server) == [("1", "anna"), ("9", "bea")]
    post(server, [cells("2")])
    assert texts(server) == [("2", "anna"), ("9", "bea")]
    post(server, [], [list(key_of(cells("2")))])
    assert texts(server) == [("9", "bea")]


def test_a_planted_item_does_not_replace_the_real_one(server: ReviewServer) -> None:
    post(server, [cells("1"), cells("3", task="known", expected="3")])
    assert [row["task"] for row in rows(server.saved.path)] == ["review", "known"]


def test_decisions_of_before_are_kept_and_a_damaged_file_is_not_written_over(tmp_path: Path) -> None:
    path = write(tmp_path / "results.review.csv", decision(ROW, SHA256, "1"))
    saved = SavedDecisions(path, "bea")
    saved.update([cells("4", left=50)], [])
    assert [row["text"] for row in rows(path)] == ["1", "4"]
    path.write_text(path.read_text().replace("confirm", "yes").replace("change", "yes"))
    with pytest.raises(OutputError, match=r"review\.csv:2: decision is 'yes'"):
        SavedDecisions(path, "bea")
    assert len(rows(path)) == 2


def test_a_file_that_cannot_be_written_is_told_to_the_page(server: ReviewServer) -> None:
    server.saved.path.mkdir()
    status, text = post(server, [cells()])
    assert status == 500 and "results.review.csv" in text
    server.saved.path.rmdir()
    assert post(server, [cells()]) == (200, '{"saved": 1}')


def test_a_port_in_use_is_told(server: ReviewServer) -> None:
    with pytest.raises(UsageError, match=f"--port {server.server_port}: cannot be used"):
        ReviewServer("", server.saved, server.server_port)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    folder = tmp_path_factory.mktemp("served")
    (folder / "scans").mkdir()
    for name in ("2017.png", "digits/2.jpg"):
        shutil.copy(samples / name, folder / "scans")
    out = folder / "results.csv"
    assert here("run", folder / "scans", "--out", out, "--device", "cpu").code == 0
    return out


@contextmanager
def serve(out: Path, *options: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Run `batchocr review --serve`; yield the URL, and a function that presses Ctrl-C and checks the exit code."""
    process = subprocess.Popen(
        [*START, "review", str(out), "--serve", "--port", "0", "--known", "0", "--by", "Bea", *options],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stderr

    def end() -> None:
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
        assert re.search(r"\d+ decisions? saved\n$", said)

    try:
        line = process.stdout.readline()
        found = re.search(r"open (http://127\.0\.0\.1:\d+/\S+/)$", line)
        assert found, line + process.stderr.read()
        yield found[1], end
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
def test_decisions_are_saved_while_they_are_made_and_shown_again(results: Path) -> None:
    from playwright.sync_api import sync_playwright

    saved = saved_path(results)
    saved.unlink(missing_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        with serve(results) as (url, end):
            port = url.split(":")[2].split("/")[0]
            page.goto(url)
            page.get_by_role("button", name="Digits", exact=True).click()
            page.get_by_role("button", name="7", exact=True).click()
            page.keyboard.press("1")
            page.get_by_text("· saved", exact=False).wait_for()
            assert [(row["was"], row["text"], row["by"]) for row in rows(saved)] == [("7", "1", "Bea")]
            page.get_by_role("button", name="7", exact=True).click()
            page.keyboard.press("x")
            page.get_by_text("· saved", exact=False).wait_for()
            assert [row["decision"] for row in rows(saved)] == ["remove"]
            page.get_by_role("button", name="2", exact=True).click()
            page.keyboard.press("3")
            page.keyboard.press("z")
            page.get_by_text("· saved", exact=False).wait_for()
            assert [row["was"] for row in rows(saved)] == ["7"]
            end()
            page.get_by_role("listbox").focus()
            page.keyboard.press("4")
            page.get_by_text("server lost, kept in this browser").wait_for()
        assert [row["text"] for row in rows(saved)] == [""]
        with serve(results, "--port", port) as (url, end):
            page.goto(url)  # the browser kept what the server did not get
            page.get_by_text("· saved", exact=False).wait_for()
            assert [row["text"] for row in rows(saved)] == ["", "4"]
            other = browser.new_context().new_page()
            other.goto(url)  # another browser shows what the server has
            other.get_by_role("button", name="Digits", exact=True).click()
            other.get_by_text("2 of 5 decided").wait_for()
            other.get_by_role("button", name="7", exact=True).click()
            other.keyboard.press("7")
            other.get_by_text("· saved", exact=False).wait_for()
            end()
        assert [row["decision"] for row in rows(saved)] == ["confirm", "change"]
        assert not faults
        browser.close()


def test_saved_decisions_are_applied_by_correct(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results.parent, tmp_path / "run")
    out = tmp_path / "run" / results.name
    write(saved_path(out), about(out, "csv", "7", "1"))
    ended = here("correct", out, saved_path(out))
    assert ended.code == 0, ended.err
    assert sorted(row["digit"] for row in rows(out)) == ["0", "1", "1", "2", "2"]


def test_wrong_calls_are_told(results: Path) -> None:
    for options, words in [
        (("--serve", "--out", "x.html"), "leave out --out"),
        (("--only", "x.csv", "--audit", "3"), "leave out --audit"),
    ]:
        ended = here("review", results, *options)
        assert ended.code == 2 and words in ended.err
    assert "cannot do so in a store" in here("review", "s3://bucket/results.csv", "--serve").err
    assert not beside(results, "x.html").exists()
