"""`python -m batchocr`."""

from batchocr.cli import app

app(prog_name="batchocr")
