"""Options of all commands: their environment variables, their help, and shell completion."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from command import START, environment, here, in_own_process
from typer.main import get_command

from batchocr.cli import app

GROUP: Any = get_command(app)
OPTIONS = [
    (name, param)
    for name, command in GROUP.commands.items()
    for param in command.params
    if param.param_type_name == "option"
]
NEEDED = {
    "train": {"BATCHOCR_TRAIN_DATA": "x"},
    "evaluate": {"BATCHOCR_EVALUATE_DATA": "x"},
}
"""Variables for the required options of a command."""
VALUES = ("1", "0.5", "1000", "x", "cpu", "digits", "drop", "read", "test", "text", "plain", "png", "ray")
"""At least one of these is valid for each option."""


def long_name(param: Any) -> str:
    return next(str(name) for name in param.opts if name.startswith("--"))


def ids(value: Any) -> str:
    return value if isinstance(value, str) else long_name(value)


def sources(command: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return where each parameter of a command gets its value from, with these environment variables."""
    given = {"preview": 1, "merge": 1, "review": 1, "correct": 1, "certify": 2}
    arguments = ["page.png"] * given.get(command, 0)
    with monkeypatch.context() as patch:
        for name, value in {**NEEDED.get(command, {}), **variables}.items():
            patch.setenv(name, value)
        context = GROUP.commands[command].make_context(command, list(arguments))
        return {param.name: context.get_parameter_source(param.name).name for param in context.command.params}


@pytest.mark.parametrize(("command", "param"), OPTIONS, ids=ids)
def test_every_option_is_set_by_the_variable_with_its_name(
    command: str, param: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = long_name(param)[2:].upper().replace("-", "_")
    assert param.envvar in (f"BATCHOCR_{own}", f"BATCHOCR_{command.upper()}_{own}")
    if not param.envvar.startswith(f"BATCHOCR_{command.upper()}_"):
        shared = next(other for name, other in OPTIONS if name == "run" and long_name(other) == long_name(param))
        assert (param.envvar, param.help) == (shared.envvar, shared.help)  # the same option of `run`
    found = set()
    for value in VALUES:
        try:
            found.add(sources(command, {param.envvar: value}, monkeypatch)[param.name])
        except Exception as fault:
            assert type(fault).__name__ == "BadParameter" and param.envvar in str(getattr(fault, "param_hint", ""))
    assert found == {"ENVIRONMENT"}


def test_no_two_options_of_a_command_share_a_variable() -> None:
    for name, command in GROUP.commands.items():
        variables = [param.envvar for param in command.params if param.param_type_name == "option"]
        assert len(set(variables)) == len(variables), name


@pytest.mark.parametrize(
    ("arguments", "variable", "value", "option"),
    [
        (["run", "scans"], "BATCHOCR_DEVICE", "abacus", "--device"),
        (["run", "scans"], "BATCHOCR_QUIET", "perhaps", "--quiet"),
        (["run", "scans"], "BATCHOCR_JOBS", "0", "--jobs"),
        (["run", "."], "BATCHOCR_OUT", "results.txt", "--out"),
        (["run", "."], "BATCHOCR_BLANK", "no-such-form.png", "--blank"),
        (["doctor"], "BATCHOCR_DEVICE", "abacus", "--device"),
        (["train", "--data", "x"], "BATCHOCR_TRAIN_EPOCHS", "many", "--epochs"),
        (["train", "--data", "x"], "BATCHOCR_TRAIN_SYSTEM", "no-such-system", "--system"),
    ],
)
def test_an_invalid_value_from_the_environment_names_its_variable(
    arguments: list[str], variable: str, value: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    ended = here(*arguments, variables={variable: value})
    assert ended.code == 2
    assert variable in ended.err and option in ended.err and value in ended.err


def test_a_value_from_the_command_line_does_not_name_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("run", ".", "--out", "results.txt", variables={"BATCHOCR_OUT": "results.csv"})
    assert ended.code == 2 and "BATCHOCR_OUT" not in ended.err


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("command", ["", *GROUP.commands])
def test_help_fits_the_terminal_and_cuts_no_word(command: str, width: int) -> None:
    help_text = here(*filter(None, [command]), "--help", variables={"COLUMNS": str(width)}).out
    lines = help_text.splitlines()
    assert all(len(line) <= width for line in lines)
    assert "<bool>" not in help_text and "…" not in help_text
    words = set(help_text.split())
    for name, param in OPTIONS:
        if name == command:
            assert long_name(param) in words
            assert {param.envvar, f"{param.envvar},", f"{param.envvar}."} & words


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", GROUP.commands)
def test_paragraphs_of_the_help_are_not_ragged(command: str, width: int) -> None:
    """Each line is full: the first word of the next line does not fit on it."""
    help_text = here(command, "--help", variables={"COLUMNS": str(width)}).out
    end = min(help_text.index(f"{title}:\n") for title in ("Arguments", "Options") if f"{title}:\n" in help_text)
    description = help_text[help_text.index("\n\n") : end]
    for paragraph in description.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line.startswith("  ")]
        used = min(width, 102) - 2
        for line, following in pairwise(lines):
            assert len(line) + 1 + len(following.split()[0]) > used, line


def test_the_reference_does_not_cut_the_commands_short() -> None:
    reference = (Path(__file__).parents[1] / "docs" / "command.md").read_text("utf-8")
    assert "...\n" not in reference[: reference.index("\n## ")].replace("ARGS]...\n", "")


def test_short_options(tmp_path: Path) -> None:
    ended = here("run", tmp_path, "-o", tmp_path / "results.csv", "-j", "1", "-q")
    assert (ended.code, "no images or PDFs" in ended.err) == (4, True)


# Completion


def completed(words: str, folder: Path) -> list[str]:
    """Return what bash offers for the last word, and check that nothing slow was imported."""
    code = (
        "import sys\nfrom batchocr.cli import app\ntry:\n    app(prog_name='batchocr')\nfinally:\n"
        "    print(*sorted({'tensorflow', 'keras', 'cv2', 'pandas', 'pyarrow'} & set(sys.modules)), file=sys.stderr)"
    )
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    ended = in_own_process(
        folder=folder, start=[sys.executable, "-c", code], _BATCHOCR_COMPLETE="complete_bash", **variables
    )
    assert (ended.code, ended.err) == (0, "\n")
    return ended.out.split()


def test_the_shell_completes_commands_options_and_values(tmp_path: Path) -> None:
    assert completed("batchocr d", tmp_path) == ["doctor"]
    assert completed("batchocr run --max-", tmp_path) == ["--max-error", "--max-megapixels", "--max-failures"]
    assert completed("batchocr run --device g", tmp_path) == ["gpu"]


def test_completion_can_be_installed() -> None:
    assert re.search(r"--install-completion\s+Install completion", here("--help").out)


# A working folder that is gone


@pytest.mark.parametrize("arguments", ["run {scan} --out {out}", "status", "models", "doctor", "preview {scan}"])
def test_a_working_folder_that_is_gone_is_named(arguments: str, tmp_path: Path, one_digit: Path) -> None:
    (tmp_path / "gone").mkdir()
    words = arguments.format(scan=one_digit, out=tmp_path / "results.csv").split()
    script = 'rmdir "$PWD" && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *START, *words],
        cwd=tmp_path / "gone",
        env=environment(PYTHONPATH=str(Path(__file__).parents[1])),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("batchocr: the working folder is gone") and done.stderr.count("\n") == 1
    assert "cd ~" in done.stderr and "--jobs" not in done.stderr


def test_a_variable_that_sets_no_option_is_reported(tmp_path: Path, one_digit: Path) -> None:
    arguments = ("run", one_digit, "--dry-run", "--out", tmp_path / "r.csv")
    ended = here(*arguments, variables={"BATCHOCR_LIMITT": "3"})
    assert ended.code == 0
    assert "BATCHOCR_LIMITT sets no option: did you mean BATCHOCR_LIMIT?" in ended.err
    assert here(*arguments, "--quiet", variables={"BATCHOCR_LIMITT": "3"}).err == ""
