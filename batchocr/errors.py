"""Every fault that ends a run, a page or a command: what happened, to which file, and how to fix it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller. The numbers are a contract: never reuse one."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    SOME_FAILED = 3
    NOTHING_TO_READ = 4
    MODEL = 5
    DEVICE = 6
    OUTPUT = 7
    HELD = 9


class BatchocrError(Exception):
    """Base of all our errors. `exit_code` is what the command ends with."""

    exit_code: int = ExitCode.INTERNAL


class UsageError(BatchocrError):
    """The call itself is wrong: an option's value, or a file that is not of the kind asked for."""

    exit_code = ExitCode.USAGE


class NothingToRead(BatchocrError):
    """No scan was found in what was given."""

    exit_code = ExitCode.NOTHING_TO_READ


class ModelError(BatchocrError):
    """The model file or its sidecar is missing, damaged or of another kind."""

    exit_code = ExitCode.MODEL


class DeviceError(BatchocrError):
    """The device asked for is not there."""

    exit_code = ExitCode.DEVICE


class OutputError(BatchocrError):
    """The results cannot be written."""

    exit_code = ExitCode.OUTPUT


class HeldError(BatchocrError):
    """Another run is at work on this output."""

    exit_code = ExitCode.HELD


class Stopped(BatchocrError):
    """Somebody asked the run to stop; the same call goes on where it stopped.

    The command ends with 128 and the signal's number.
    """


class ScanError(BatchocrError):
    """One scan or page cannot be read: a `failed` row, while the rest of the job goes on.

    `reason` is a short fixed word for the column `error` (such as `not-a-picture`); the message says more. `sha256` is
    that of the scan's bytes, empty where they were not read.
    """

    exit_code = ExitCode.SOME_FAILED

    def __init__(self, reason: str, message: str, sha256: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.sha256 = sha256

    def __reduce__(self) -> tuple[type[ScanError], tuple[str, str, str]]:
        return type(self), (self.reason, self.message, self.sha256)
