"""Write a file in one step: it is there whole, or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forensics.errors import DataError


@contextmanager
def whole_file(to: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary path beside ``to``; it takes the place of ``to`` when the block succeeds.

    Args:
        to: Where the finished file goes; missing folders above it are made.
        overwrite: Whether a file that is already there may be replaced.

    Raises:
        DataError: ``to`` exists and may not be replaced, or cannot be written.
    """
    refuse_existing(to, overwrite=overwrite)
    partial = partial_path(to)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        refuse_existing(to, overwrite=overwrite)
        partial.replace(to)
    except OSError as error:
        raise cannot_write(to, error) from error
    finally:
        partial.unlink(missing_ok=True)


def partial_path(to: Path) -> Path:
    """Return a fresh hidden path in the same folder, so that a rename never copies."""
    return to.with_name(f".{secrets.token_hex(8)}.partial")


def refuse_existing(to: Path, *, overwrite: bool) -> None:
    """Check that nothing stands at ``to`` that may not be replaced.

    Raises:
        DataError: There is a file and ``overwrite`` is off, or there is something else.
    """
    if to.is_dir():
        raise DataError(f"{to} is a folder.", remedy="Name a file.")
    if not overwrite and (to.exists() or to.is_symlink()):
        raise DataError(
            f"{to} already exists.", remedy="Choose another name, or allow overwriting."
        )


def cannot_write(to: Path, error: OSError) -> DataError:
    """Return the error that says why ``to`` could not be written."""
    return DataError(
        f"{to} cannot be written: {error.strerror or error}.", remedy="Choose another place."
    )
