"""docs/operations.md in parts, and a folder in which its programs run with substitutes for others."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from command import START, environment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = {name or language: (language, text) for language, name, text in FENCE.findall(PAGE)}
PROSE = FENCE.sub("", PAGE)

STUB = """#!/bin/sh
# Ends with $CODE; if there is a folder WAIT, after a SIGTERM
echo "$*" >> calls
if [ -d WAIT ]; then
    trap 'echo handled > WAIT/signal; sleep 0.3; echo ended > WAIT/ended; exit 143' TERM
    touch WAIT/ready
    while :; do sleep 0.05; done
fi
[ "$CODE" = 137 ] && kill -9 $$
exit "$CODE"
"""
SRUN = '#!/bin/sh\necho "$*" >> srun\nexec "$@"\n'
SCONTROL = '#!/bin/sh\necho "$*" >> scontrol\n'
REAL = f'#!/bin/sh\nexec {shlex.join(START)} "$@"\n'


def block(name: str) -> str:
    return BLOCKS[name][1]


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@dataclass(frozen=True)
class Place:
    """A folder to work in. The programs of the page, and substitutes for others, are first on PATH."""

    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    def environment(self, **more: str | int) -> dict[str, str]:
        path = f"{self.programs}:{os.environ['PATH']}"
        return {**environment(**{name: str(value) for name, value in more.items()}), "PATH": path}

    def run(self, *command: str, **variables: str | int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(**variables), capture_output=True, text=True, timeout=60
        )

    def calls(self, program: str) -> list[str]:
        """Return the arguments of each call to a substitute."""
        file = self.folder / program
        return file.read_text().splitlines() if file.exists() else []


def make_place(folder: Path) -> Place:
    """Return the folder with the programs of the page and the substitutes."""
    place = Place(folder)
    place.programs.mkdir()
    for name, text in (("batchocr", STUB), ("srun", SRUN), ("scontrol", SCONTROL)):
        write_program(place.programs / name, text)
    for name in ("batchocr-unattended", "batchocr.sbatch"):
        write_program(place.programs / name, block(name))
    return place
