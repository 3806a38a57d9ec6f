"""Errors that end a run, a page or a command. The message says what happened, to which file, and how to fix it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command. Callers rely on the numbers: never use one for something else."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    SOME_FAILED = 3
    NOTHING_TO_READ = 4
    MODEL = 5
    DEVICE = 6
    OUTPUT = 7
    FORM = 8
    HELD = 9


class BatchocrError(Exception):
    """Base class of all errors of batchocr. `exit_code` is the code that the command ends with."""

    exit_code: int = ExitCode.INTERNAL


class UsageError(BatchocrError):
    """The call is wrong: for example an option's value, or a file of the wrong kind."""

    exit_code = ExitCode.USAGE


class NothingToRead(BatchocrError):
    """The given folders, files and globs contain no scan."""

    exit_code = ExitCode.NOTHING_TO_READ


class ModelError(BatchocrError):
    """The model file or its sidecar is missing, damaged or of the wrong kind."""

    exit_code = ExitCode.MODEL


class DeviceError(BatchocrError):
    """The requested device is not available."""

    exit_code = ExitCode.DEVICE


class OutputError(BatchocrError):
    """The results cannot be written."""

    exit_code = ExitCode.OUTPUT


class FormError(BatchocrError):
    """A form file, its image or a list that it names is wrong."""

    exit_code = ExitCode.FORM


class HeldError(BatchocrError):
    """Another run uses the same output."""

    exit_code = ExitCode.HELD


class Stopped(BatchocrError):
    """The run was asked to stop. The same call resumes it.

    The command ends with 128 plus the number of the signal.
    """


class ScanError(BatchocrError):
    """A scan or page cannot be read. It gets a `failed` row, and the job continues with the others.

    Attributes:
        reason: A short fixed word for the column `error`, such as `not-a-picture`.
        message: What is wrong and how to fix it.
        sha256: SHA-256 of the scan's bytes; empty if they were not read.
    """

    exit_code = ExitCode.SOME_FAILED

    def __init__(self, reason: str, message: str, sha256: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.sha256 = sha256

    def __reduce__(self) -> tuple[type[ScanError], tuple[str, str, str]]:
        return type(self), (self.reason, self.message, self.sha256)
