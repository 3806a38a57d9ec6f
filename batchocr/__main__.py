"""The command in a process of its own: `batchocr`, and `python -m batchocr`.

Nothing that takes time is imported before `main` is called.
"""

from __future__ import annotations

import os
import sys

from batchocr.process_setup import collect_garbage_less_often


def main() -> None:
    """Runs the command and ends this process with its exit code."""
    collect_garbage_less_often()
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
