"""The finished shards of a run: what a killed job need not do again."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from forensics.errors import CaseError
from forensics.runs.durable import append_line, read_lines, sync_folder, write_bytes
from forensics.runs.plain import plain

Arrays = Mapping[str, NDArray[Any]]
Shard = dict[str, Any]
"""A line of the ledger: ``shard`` (number), ``start``, ``stop`` (units), ``file`` (below the run's
folder), ``sha256`` of that file, and the facts of the plan that shaped its bytes, such as
``batch_size``, by which a resumed job goes so that it ends with the same arrays."""

OWN_FIELDS = ("shard", "start", "stop", "file", "sha256")
SUFFIXES = (".safetensors", ".bin")


class Ledger:
    """The list of finished shards, and their files.

    Args:
        folder: The run's folder, or any other.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "ledger.jsonl"

    def read(self) -> tuple[dict[int, Shard], int]:
        """Return the shards by number whose files are there and whole, and how many are not.

        A torn line, a missing file and a wrong hash each cost only their own shard.
        """
        records, damaged = read_lines(self.path)
        listed = [record for record in records if _is_sound(record)]
        kept = {shard["shard"]: shard for shard in listed if self._is_whole(shard)}
        lost = {shard["shard"] for shard in listed} - kept.keys()
        return kept, damaged + len(records) - len(listed) + len(lost)

    def commit(
        self, index: int, content: Arrays | bytes, *, start: int, stop: int, **facts: Any
    ) -> Shard:
        """Put a shard's file in place, then list it; both are on the disk on return.

        The file comes first: a kill in between leaves a file nobody counts, not a line without
        a file.

        Raises:
            CaseError: A fact has the name of a ledger field.
        """
        clash = sorted(set(facts) & set(OWN_FIELDS))
        if clash:
            raise CaseError(f"A shard's facts may not be called {', '.join(clash)}.")
        packed, suffix = pack(content)
        name = f"shards/{index:06d}{suffix}"
        digest = hashlib.sha256(packed).hexdigest()
        shard = {"shard": index, "start": start, "stop": stop, "file": name, "sha256": digest}
        shard |= plain(facts)
        (self.folder / "shards").mkdir(exist_ok=True, mode=0o700)
        write_bytes(self.folder / name, packed)
        append_line(self.path, shard)
        return shard

    def load(self, shard: Shard) -> dict[str, NDArray[Any]]:
        """Read the arrays of a shard."""
        arrays: dict[str, NDArray[Any]] = load((self.folder / shard["file"]).read_bytes())
        return arrays

    def rewrite(self, shards: Mapping[int, Shard]) -> None:
        """Keep only these shards in the list; delete the files of all others."""
        temporary = self.path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        for index in sorted(shards):
            append_line(temporary, shards[index])
        temporary.replace(self.path)
        sync_folder(self.folder)
        kept = {shard["file"] for shard in shards.values()}
        for path in (self.folder / "shards").glob("*"):
            if f"shards/{path.name}" not in kept:
                path.unlink()

    def drop_files(self) -> None:
        """Delete the shard files of a job that came to its end; the list stays."""
        for path in (self.folder / "shards").glob("*"):
            path.unlink()

    def _is_whole(self, shard: Shard) -> bool:
        path = self.folder / shard["file"]
        if not path.is_file() or path.is_symlink():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == str(shard["sha256"])


def pack(content: Arrays | bytes) -> tuple[bytes, str]:
    """Turn a shard's content into bytes that depend on nothing else, and a file suffix."""
    if isinstance(content, bytes):
        return content, ".bin"
    # safetensors writes the memory as it lies, so a transposed view would come back wrong.
    arrays = {name: np.array(array, order="C") for name, array in content.items()}
    return bytes(save(arrays)), ".safetensors"


def _is_sound(record: dict[str, Any]) -> bool:
    """Check a line of the list; a case folder may come from anyone, so trust no field."""
    numbers = [record.get(name) for name in OWN_FIELDS[:3]]
    if not all(type(number) is int and number >= 0 for number in numbers):
        return False
    names = {f"shards/{numbers[0]:06d}{suffix}" for suffix in SUFFIXES}
    return record.get("file") in names and isinstance(record.get("sha256"), str)
