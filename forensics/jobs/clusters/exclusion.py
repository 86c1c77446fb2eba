"""Samples that are put aside before a map is drawn: lists of ids, never a change of the data."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import OptionError
from forensics.jobs.flag_files import id_line
from forensics.runs.durable import write_bytes

FOLDER: Final = "quarantine"
NAME: Final = re.compile(r"quarantine-[0-9a-f]{12}")
_LARGEST: Final = 256 * 2**20


def save_exclusion(case: Case, ids: Iterable[object]) -> str:
    """Keep a list of ids in the case, one a line; return its name, which is made of its content."""
    content = "".join(f"{id_line(name)}\n" for name in ids).encode("utf-8", "surrogateescape")
    name = f"quarantine-{hashlib.sha256(content).hexdigest()[:12]}"
    folder = case.folder / FOLDER
    folder.mkdir(exist_ok=True, mode=0o700)
    write_bytes(folder / f"{name}.txt", content)
    return name


def read_exclusion(case: Case, given: str) -> NDArray[np.int64]:
    """Return the catalogue rows of a list of ids, ascending.

    Args:
        case: The case.
        given: Name of a list in the case, or the path of a text file with one id a line.

    Raises:
        OptionError: The list cannot be read, or names no sample of the case.
    """
    path = Path(given).expanduser()
    if NAME.fullmatch(given):
        path = case.folder / FOLDER / f"{given}.txt"
    try:
        if path.stat().st_size > _LARGEST:
            raise OptionError(f"{path} is too large for a list of ids.")
        lines = path.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    except OSError as error:
        raise OptionError(f"The list of samples to put aside cannot be read: {error}.") from error
    wanted = {line.removesuffix("\r") for line in lines if line}
    rows = [row for row, name in enumerate(case.catalog.ids) if id_line(name) in wanted]
    if not rows:
        raise OptionError(
            f"{path.name} names no sample of this case.", remedy="It needs one id a line."
        )
    return np.array(rows, dtype=np.int64)
