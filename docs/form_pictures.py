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
WIDTH_PX = 900


def small(path: Path) -> Image.Image:
    """Load an image and make it smaller."""
    image = Image.open(path).convert("RGB")
    return image.resize((WIDTH_PX, round(image.height * WIDTH_PX / image.width)), Image.Resampling.LANCZOS)


def main(out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(__file__).parent) -> None:
    """Draw the fields of a draft, and of the form file on a photo."""
    form = [sys.executable, "-m", "batchocr", "form"]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        subprocess.run([*form, "draft", FORMS / "blank.png", "--out", work / "form.toml"], check=True)
        page = FORMS / "pages" / "desk.jpg"
        subprocess.run([*form, "check", FORMS / "form.toml", page, "--out", work / "pages"], check=True)
        small(work / "form.preview.png").quantize(192).save(out / "form-draft.png", optimize=True)
        small(next((work / "pages").iterdir())).save(out / "form-check.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    typer.run(main)
