"""The command in a process of its own: `batchocr`, and `python -m batchocr`.

Each worker process imports this module when it starts. So nothing slow is imported before `main` is called.
"""

from __future__ import annotations

import os
import sys

from batchocr.process_setup import look_seldom


def main() -> None:
    """Run the command and end this process with its exit code."""
    look_seldom()
    from batchocr.cli import app

    try:
        app(prog_name="batchocr")
    except SystemExit as ended:
        _end_at_once(ended.code)
        raise


def _end_at_once(code: object) -> None:
    """End without unloading TensorFlow, which takes a second. All files are written and closed at this point.

    Returns if `code` is not a number or a stream cannot be flushed: Python then reports it.
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
