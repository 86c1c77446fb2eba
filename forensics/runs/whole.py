"""Whether a file of arrays is whole, told by its length; nothing of it is read but its head."""

import json
import struct
from pathlib import Path

LARGEST_HEADER = 100_000_000  # that of the safetensors library


def is_whole(path: Path) -> bool:
    """Tell whether a safetensors file is as long as its head says."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(LARGEST_HEADER, size):
                return False
            header = json.loads(file.read(length))
        ends = [part["data_offsets"][1] for name, part in header.items() if name != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return False
    return bool(size == 8 + length + max(ends, default=0))
