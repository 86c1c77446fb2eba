"""Readers that other packages add, each under a URI scheme of its own."""

from importlib.metadata import EntryPoint

from forensics.data.records import FileDataset, Turns
from forensics.errors import DataError, ForensicsError
from forensics.registry.outside import READERS, failure, outside_targets

REMEDY = "Mend or remove the package that adds this format."


def outside_readers() -> dict[str, EntryPoint]:
    """Return the entry points of other packages by scheme; nothing is imported."""
    return outside_targets(READERS, set(), "data format")


def open_outside(scheme: str, rest: str, turns: Turns) -> FileDataset:
    """Open data of a format that another package adds.

    The entry point names a function ``(rest, turns) -> FileDataset`` whose ``format`` is the
    scheme and whose images lie under its own ``root``.

    Args:
        scheme: What the URI begins with.
        rest: What stands behind the colon.
        turns: Which turns of a conversation are samples.

    Raises:
        DataError: The data cannot be opened, or the package is broken.
    """
    entry = outside_readers()[scheme]
    try:
        opened = entry.load()(rest, turns)
    except ForensicsError:
        raise
    except Exception as error:
        raise DataError(
            f"The reader of {scheme!r} ({entry.value}) failed: {failure(error)}.", remedy=REMEDY
        ) from error
    if not isinstance(opened, FileDataset) or opened.format != scheme:
        raise DataError(f"{entry.value} is no reader of format {scheme!r}.", remedy=REMEDY)
    return opened
