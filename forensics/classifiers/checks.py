"""What every classifier asks of its class names."""

from collections.abc import Sequence

from forensics.errors import OptionError


def check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the names, if there are any and they differ.

    Raises:
        OptionError: There is none, one is empty, or two are the same.
    """
    names = tuple(classes)
    if not names or not all(name.strip() for name in names):
        raise OptionError("A classifier needs the name of every class.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise OptionError(f"Two classes are called {twice[:80]!r}.")
    return names
