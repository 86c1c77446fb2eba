"""The one exception tree of the package.

Every error says what is wrong and, in ``remedy``, what the user can do about it. The command line
turns the branches into exit codes: input errors 2, failed jobs 3, cancelled jobs 130.
"""


class ForensicsError(Exception):
    """Base of every error that the package raises on purpose.

    Args:
        message: What is wrong, naming the file, line or option.
        remedy: What the user can do about it; empty if nothing.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InputError(ForensicsError):
    """Something the user gave cannot be used."""

    exit_code = 2


class DataError(InputError):
    """A data set, a row or an image cannot be read."""


class ModelError(InputError):
    """A model cannot be opened or does not fit the method."""


class CheckpointError(ModelError):
    """Weights are unsafe, damaged or of the wrong shape."""


class NotApplicable(ModelError):
    """A model has not got the part that a method looks at."""


class CaseError(InputError):
    """A case folder or a run in it cannot be opened or created."""


class OptionError(InputError):
    """An option has a value outside its range."""


class JobFailed(ForensicsError):
    """A job stopped on an error; its run folder says where."""

    exit_code = 3


class Cancelled(ForensicsError):
    """The user cancelled a job; what it finished is kept."""

    exit_code = 130


def first_line(error: BaseException) -> str:
    """Return the beginning of a library's error message, for a message of our own."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
