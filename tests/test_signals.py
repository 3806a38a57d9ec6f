"""The signals that ask a run to stop: recorded within the block, and received while the run is in a library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from command import environment

from batchocr.cli.signals import SIGNALS, Stopping
from batchocr.errors import Stopped

IN_A_LIBRARY = """
import hashlib
from batchocr.cli.signals import Stopping
with Stopping(say=True):
    print("within", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)  # half an hour in C
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_recorded_and_gives_the_exit_code(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with pytest.raises(Stopped) as stopped, Stopping(say=False) as stopping:
        assert not stopping()
        os.kill(os.getpid(), number)
        while not stopping():
            time.sleep(0.01)
        raise Stopped("by the signal")
    assert stopped.value.exit_code == 128 + number
    assert [signal.getsignal(each) for each in SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_the_second_signal_ends_it_at_once_even_in_a_library() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", IN_A_LIBRARY],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert b"again stops at once" in process.stderr.readline() + process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    process.communicate()
