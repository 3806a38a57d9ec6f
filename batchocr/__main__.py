"""The command in a process of its own: `batchocr`, and `python -m batchocr`.

Nothing is imported before it is called, for a worker process imports this again as it starts.
"""

from __future__ import annotations

import gc
import os
import sys

GARBAGE = (50_000, 20, 100)
"""New objects after which Python looks for garbage among them; after how many such looks it looks further back.

Importing TensorFlow makes some 350,000 objects that all stay; by Python's own 700 they are gone through time and again,
for a quarter of what the import takes.
"""


def main() -> None:
    """Runs the command and ends this process with its exit code."""
    gc.set_threshold(*GARBAGE)
    from batchocr.cli import app

    try:
        app(prog_name="batchocr")
    except SystemExit as ended:
        _end_at_once(ended.code)
        raise


def _end_at_once(code: object) -> None:
    """Without taking TensorFlow apart, which takes a second: all is written and closed by now.

    Returns where there is more to say than a number, or nobody takes what was said: that is Python's to tell.
    """
    if not isinstance(code, int):
        return
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        return
    os._exit(code)


if __name__ == "__main__":
    main()
