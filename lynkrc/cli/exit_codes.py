"""What a command's exit code says."""

from enum import IntEnum


class ExitCode(IntEnum):
    """0 fine; 1 the input has findings; 2 the command could not run."""

    OK = 0
    FINDINGS = 1
    CANNOT_RUN = 2
