"""What a library's error says, in one line."""


def first_line(error: BaseException) -> str:
    """Return the beginning of a library's error message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
