"""Writes docs/python.md and docs/command.md, from the docstrings and from what the command says of itself.

`python docs/reference.py` writes them; with `--check` it ends with 1 where they are not what it would write.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import griffe
import typer
from griffe2md import render_object_docs

DOCS = Path(__file__).parent
PUBLIC = {
    "batchocr.reader": ["Reader", "read", "as_grey"],
    "batchocr.batch.job": ["run", "Summary"],
    "batchocr.settings": ["Settings"],
    "batchocr.preview": ["preview", "Preview", "contact_sheet", "ContactSheet"],
    "batchocr.records": ["PageResult", "PageRow", "DigitRow", "NumberRow"],
    "batchocr.errors": ["BatchocrError", "ScanError", "ExitCode"],
}
HEAD = "<!-- Written by docs/reference.py; change the docstrings, not this file. -->\n\n"


def python() -> str:
    """The public functions and classes, from their docstrings."""
    parts = []
    for module, members in PUBLIC.items():
        loaded = griffe.load(module, search_paths=[str(DOCS.parent)])
        for name in members:
            parts.append(render_object_docs(loaded[name], {"heading_level": 2, "filters": ["!^_"], "summary": False}))
    return HEAD + "# From Python\n\n" + "\n".join(part.strip() + "\n" for part in parts)


def command() -> str:
    """The subcommands and their options, by Typer's own generator."""
    call = [sys.executable, "-m", "typer", "batchocr.cli", "utils", "docs", "--name", "batchocr"]
    done = subprocess.run(call, check=True, capture_output=True, text=True, cwd=DOCS.parent)
    return HEAD + "\n".join(line.rstrip() for line in done.stdout.strip().splitlines()) + "\n"


def main(
    check: Annotated[bool, typer.Option(help="Write nothing; end with 1 where a file is out of date.")] = False,
) -> None:
    """Write the references."""
    old = []
    for name, written in (("python.md", python()), ("command.md", command())):
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
