"""Draw the pictures of docs/forms.md with the commands that it shows.

python docs/form_pictures.py [--out DIR]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

FORMS = Path(__file__).parents[1] / "samples" / "forms"
WIDTH_PX, COLOURS = 900, 64


def save_small(source: Path, target: Path) -> None:
    """Save an image smaller and with few colours."""
    image = Image.open(source).convert("RGB")
    image = image.resize((WIDTH_PX, round(image.height * WIDTH_PX / image.width)), Image.Resampling.LANCZOS)
    image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)


def main(out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(__file__).parent) -> None:
    """Draw the fields of a draft, and of the form file on a photo."""
    form = [sys.executable, "-m", "batchocr", "form"]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        subprocess.run([*form, "draft", FORMS / "blank.png", "--out", work / "form.toml"], check=True)
        page = FORMS / "pages" / "desk.jpg"
        subprocess.run([*form, "check", FORMS / "form.toml", page, "--out", work / "pages"], check=True)
        save_small(work / "form.preview.png", out / "form-draft.png")
        save_small(next((work / "pages").iterdir()), out / "form-check.png")


if __name__ == "__main__":
    typer.run(main)
