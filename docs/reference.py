"""Write docs/python.md from the docstrings, docs/command.md from the help of the command, docs/parameters.md, and the
JSON schema of form files, docs/form.schema.json.

`python docs/reference.py` writes all of them. With `--check` it ends with 1 if a file is out of date.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import griffe
import typer
from parameter_tables import parameters

from batchocr.checked_settings import allowed_values
from batchocr.executors.local import PAGE_TIMEOUT
from batchocr.forms.form_file import schema
from batchocr.settings import Settings
from batchocr.sources import MAX_MEGAPIXELS

DOCS = Path(__file__).parent
NOTICE = "<!-- Written by docs/reference.py; change the docstrings, not this file. -->\n\n"
COMMANDS = {
    "run": "`batchocr.run`; for single scans `batchocr.read`, `batchocr.read_numbers`, `batchocr.Reader`",
    "merge": "`batchocr.merge`",
    "status": "`batchocr.read_status`; of a run on a cluster and of shards `batchocr.read_drivers`",
    "review": "`batchocr.review.page.build.compose_page` and `write_page` there",
    "correct": "`batchocr.correct`",
    "preview": "`batchocr.preview.preview`",
    "form draft": "`batchocr.forms.draft.draft_form`, whose result has `write()`; `batchocr.Form.draft` without a file",
    "form check": "`batchocr.forms.check.check_pages`, `batchocr.forms.check.draw_blank`",
    "doctor": "`batchocr.examine`",
    "evaluate": "`batchocr.evaluation.true_pages.read_pages`, whose result has `score()`",
    "train": "`batchocr.training.train.train`, after `batchocr.recognition.network.open_device`",
    "models": "`batchocr.training.model_table.table_lines`, `batchocr.training.model_table.summary`",
}
"""What does in Python what each command does."""
HEAD = """# From Python

`import batchocr` is fast; TensorFlow is loaded by the first call that needs it. The names `batchocr.NAME` on this page
are public. Names with another dot belong to a module, which may change with any version.

| command | from Python |
|---|---|
{commands}

`batchocr.run` starts worker processes. They do not import your script, so it needs no `if __name__ == "__main__":`, and
`run` works in notebooks, in scripts from standard input, and in daemonic processes, such as workers of Celery or of
`multiprocessing.Pool`. Load networks only after a fork: a process that is forked from one with loaded networks gets a
`UsageError`, because TensorFlow would hang there. All errors are subclasses of `batchocr.BatchocrError`, and their
messages name the file, the fault and the fix.
"""
SECTIONS = {
    "Read scans": ["read", "read_numbers", "Reader", "as_grey"],
    "Run over folders": [
        "run",
        "Settings",
        "Summary",
        "merge",
        "read_status",
        "Status",
        "read_drivers",
        "DriverStatus",
        "correct",
        "Corrected",
    ],
    "Forms": ["Form"],
    "Check pages and the installation": ["preview.preview", "preview.Preview", "examine", "Finding"],
    "Results": ["PageResult", "PageRow", "NumberRow", "DigitRow", "FormRow", "FieldRow"],
}
"""The public names in the order of the page; names with a dot are in a module of the package."""
HIDDEN = ("result",)
"""Methods that only this package uses."""
CONSTANTS = {"MAX_MEGAPIXELS": MAX_MEGAPIXELS, "PAGE_TIMEOUT": PAGE_TIMEOUT}
CHOICES = {
    "PageStatus": "records.PageStatus",
    "FieldStatus": "records.FieldStatus",
    "FormStatus": "records.FormStatus",
    "Origin": "records.Origin",
    "Printed": "records.Printed",
    "DeviceName": "settings.DeviceName",
}
EXAMPLES = {
    "run": """settings = batchocr.Settings(jobs=2, min_confidence=0.9)
summary = batchocr.run("scans", "results.csv", settings)
print(summary.digits, summary.failed, summary.exit_code)""",
    "merge": """summary = batchocr.merge("s3://archive/results.csv")
print(summary.pages, summary.files)""",
    "correct": """done = batchocr.correct("results.csv", "corrections.csv")
print(done.applied, done.refused, done.exit_code)""",
    "read_status": """status = batchocr.read_status("results.csv")
print(status.failed_pages)""",
    "preview.preview": """from batchocr.preview import preview

for drawn in preview("samples/form.png", "form.preview.png"):
    print(drawn.out)""",
    "examine": """for finding in batchocr.examine(device="cpu"):
    print(finding.state, finding.name, finding.detail)""",
    "as_grey": """grey = batchocr.as_grey(np.zeros((28, 28, 3), np.float32))""",
    "Settings": """batchocr.Settings(jobs=0)
# UsageError: jobs=0: must be a whole number of at least 1 or None""",
}
"""Examples of functions whose docstrings have none."""


@cache
def package() -> Any:
    """The package, with docstrings in Google's style."""
    return griffe.load("batchocr", search_paths=[str(DOCS.parent)], docstring_parser="google")


def public(name: str) -> Any:
    """Return the griffe object of a public name. Raise KeyError if there is none."""
    if "." in name or name not in package().members:
        return package()[name]
    return package()[package()[name].target_path.removeprefix("batchocr.")]


def python() -> str:
    """Return the page of the public functions and classes."""
    commands = [f"| `batchocr {command}` | {way} |" for command, way in COMMANDS.items()]
    for name in re.findall(r"`batchocr\.([\w.]+)`", " ".join(COMMANDS.values())):
        public(name)
    parts = [HEAD.format(commands="\n".join(commands))]
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in names:
            parts += _described(name, public(name))
    parts.append("## Errors\n")
    parts += [*_table(["error", "exit code", "meaning"], _errors())]
    return NOTICE + "\n".join(parts).rstrip() + "\n"


def _errors() -> Iterator[list[str]]:
    """Yield the rows of the table of errors, the base class first."""
    for error in package()["errors"].classes.values():
        if error.name == "ExitCode":
            continue
        code = str(error.members["exit_code"].value).rpartition(".")[2] if "exit_code" in error.members else ""
        number = package()["errors.ExitCode"].members[code].value if code else ""
        text = " ".join(error.docstring.value.split())
        yield [f"`batchocr.{error.name}`", f"{number}", text]


def _described(name: str, found: Any) -> Iterator[str]:
    """Yield the lines that describe a function or a class."""
    title = f"batchocr.{name}"
    yield f"### `{title}`\n"
    if found.is_class and "dataclass" in " ".join(str(decorator.value) for decorator in found.decorators):
        yield from _docstring(found)
        attributes = [each for each in found.attributes.values() if not each.name.startswith("_")]
        allowed = allowed_values(Settings) if found.name == "Settings" else {}
        rows = ([*_field(each)[:1], allowed.get(each.name, _field(each)[1]), *_field(each)[2:]] for each in attributes)
        yield from _table(["field", "allowed" if allowed else "type", "default", "meaning"], rows)
        yield from _methods(title, found)
    elif found.is_class:
        init = found.members["__init__"]
        yield from _signature(title, init)
        yield from _docstring(found)
        yield from _docstring(init)
        yield from _methods(title, found)
    else:
        yield from _signature(title, found)
        yield from _docstring(found)
    if name in EXAMPLES:
        yield f"```python\n{EXAMPLES[name]}\n```\n"


def _methods(title: str, found: Any) -> Iterator[str]:
    """Yield the lines that describe the public methods of a class."""
    for method in found.functions.values():
        if not method.name.startswith("_") and method.name not in HIDDEN:
            yield f"#### `{title}.{method.name}`\n"
            yield from _signature(method.name, method)
            yield from _docstring(method)


def _signature(title: str, function: Any) -> Iterator[str]:
    texts = []
    for each in function.parameters:
        if each.name == "self":
            continue
        if each.kind == griffe.ParameterKind.keyword_only and "*" not in texts:
            texts.append("*")
        star = "**" if each.kind == griffe.ParameterKind.var_keyword else ""
        default = f"={_value(each.default)}" if each.default is not None and not star and each.default != "{}" else ""
        texts.append(f"{star}{each.name}{default}")
    yield f"```python\n{title}({', '.join(texts)})\n```\n"


def _docstring(found: Any) -> Iterator[str]:
    """Yield the sections of a docstring: text as it is, arguments as a table, results, errors and examples."""
    for section in found.docstring.parsed if found.docstring else ():
        kind = section.kind.value
        if kind == "text":
            yield section.value + "\n"
        elif kind == "parameters":
            rows = ([f"`{each.name}`", _type(each.annotation), _line(each.description)] for each in section.value)
            yield from _table(["argument", "type", "meaning"], rows)
        elif kind in ("returns", "yields"):
            for each in section.value:
                yield f"{kind.capitalize()} {_type(each.annotation)}: {_line(each.description)}\n"
        elif kind == "raises":
            rows = ([f"`{each.annotation}`", _line(each.description)] for each in section.value)
            yield from _table(["error", "raised"], rows)
        elif kind == "examples":
            code = "\n".join(text for _, text in section.value)
            yield f"```pycon\n{code}\n```\n"


def _field(found: Any) -> list[str]:
    default = "" if found.value is None or "field(" in str(found.value) else f"`{_value(found.value)}`"
    meaning = _line(found.docstring.value) if found.docstring else ""
    return [f"`{found.name}`", _type(found.annotation), default, meaning]


def _value(default: Any) -> str:
    """Return a default value; a constant by its value."""
    return str(CONSTANTS.get(str(default), default))


def _type(annotation: Any) -> str:
    """Return a type; a choice of strings by its values."""
    text = str(annotation or "")
    if text in CHOICES:
        text = str(package()[CHOICES[text]].value)
    return f"`{text}`".replace("|", "\\|") if text else ""


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(columns: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield a table. Columns without any content are left out."""
    cells = list(rows)
    kept = [place for place in range(len(columns)) if any(row[place] for row in cells)]
    lines = [
        [columns[place] for place in kept],
        ["---"] * len(kept),
        *([row[place] for place in kept] for row in cells),
    ]
    if cells:
        yield "".join(f"| {' | '.join(line)} |\n" for line in lines)


def command() -> str:
    """Return the page of the subcommands and their options, written by Typer."""
    call = [sys.executable, "-m", "typer", "batchocr.cli", "utils", "docs", "--name", "batchocr"]
    done = subprocess.run(call, check=True, capture_output=True, text=True, cwd=DOCS.parent)
    return NOTICE + "\n".join(line.rstrip() for line in done.stdout.strip().splitlines()) + "\n"


def main(
    check: Annotated[bool, typer.Option(help="Write nothing; end with 1 if a file is out of date.")] = False,
) -> None:
    """Write the references."""
    old = []
    pages = {
        "python.md": python(),
        "command.md": command(),
        "parameters.md": parameters(),
        "form.schema.json": json.dumps(schema(), indent=2) + "\n",
    }
    for name, written in pages.items():
        path = DOCS / name
        if check:
            old += [name] if not path.exists() or path.read_text(encoding="utf-8") != written else []
        else:
            path.write_text(written, encoding="utf-8")
    if old:
        typer.echo(f"out of date: {', '.join(old)}; run python docs/reference.py", err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
