"""The command in a process of its own: `batchocr`, and `python -m batchocr`.

Nothing that takes time is imported before `main` is called.
"""

from __future__ import annotations

import os
import sys

from batchocr.process_setup import collect_garbage_less_often


def main() -> None:
    """Run the command and end this process with its exit code."""
    collect_garbage_less_often()
    from batchocr.cli import app

    try:
        app(prog_name="batchocr")
    except SystemExit as ended:
        _end_at_once(ended.code)
        raise


def _end_at_once(code: object) -> None:
    """End the process without unloading TensorFlow, which takes a second. All files are closed at this point.

    Return if the exit code is a message, or if the output was closed, so that Python reports it.
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
