"""Files that are either whole or not there, and logs whose last line may be torn.

A process can be killed between any two instructions. Whole files are therefore written beside
their name and renamed over it; logs only grow, and a reader skips what it cannot parse.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.errors import CaseError
from forensics.runs.plain import plain

LARGEST_JSON = 64 * 2**20


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace a file at once: readers see the old content or the new, never a part.

    Args:
        path: Where; its folder exists. The file is readable by its owner only.
        content: What.
        durable: Whether to wait until it would survive a power cut; not needed for a cache.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file at once; numpy values become lists, NaN and infinities null."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=2, allow_nan=False)
    write_bytes(path, text.encode("utf-8", "replace") + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CaseError: The file is missing, larger than 64 MiB, no JSON, or no object.
    """
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise CaseError(f"{path} is larger than {LARGEST_JSON >> 20} MiB.")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CaseError(f"{path} is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise CaseError(f"{path} does not hold a JSON object.")
    return value


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one JSON line and wait until it is on the disk.

    A line that a killed process left without its end is closed first, so that it spoils only
    itself.
    """
    line = json.dumps(plain(record), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    with path.open("ab+") as file:
        if file.tell() and not _ends_whole(path):
            line = b"\n" + line
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Read a log of JSON lines.

    Returns:
        The records in file order, and the number of lines that were not JSON objects.
    """
    if not path.exists():
        return [], 0
    records: list[dict[str, Any]] = []
    lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    for line in lines:
        record = _parse(line)
        if record is not None:
            records.append(record)
    return records, len(lines) - len(records)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder survive a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
