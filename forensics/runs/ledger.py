"""The finished shards of a run: what a killed job need not do again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from forensics.errors import CaseError
from forensics.runs.durable import append_line, read_lines, sync_folder, write_bytes
from forensics.runs.plain import plain

Arrays = Mapping[str, NDArray[Any]]
SUFFIXES = (".safetensors", ".bin")
OWN_FIELDS = ("shard", "start", "stop", "file", "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One finished piece of a job.

    Attributes:
        index: Number of the shard, from 0.
        start: First unit in it.
        stop: First unit after it.
        file: Its file in the run's ``shards`` folder.
        sha256: Hash of that file.
        facts: What of the plan shaped its content, for instance ``batch_size``. A resumed job
            goes by these, so that it ends with the same bytes.
    """

    index: int
    start: int
    stop: int
    file: str
    sha256: str
    facts: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """The list of finished shards, and their files.

    Args:
        path: The list, one JSON line a shard.
        folder: Where the files are.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder

    def read(self) -> tuple[dict[int, Shard], int]:
        """Return the shards by number whose files are there and whole, and how many are not.

        A torn line, a missing file and a wrong hash each cost only their own shard.
        """
        records, damaged = read_lines(self.path)
        listed = [_shard(record) for record in records]
        kept = {shard.index: shard for shard in listed if shard and self._is_whole(shard)}
        lost = {shard.index for shard in listed if shard} - kept.keys()
        return kept, damaged + listed.count(None) + len(lost)

    def commit(
        self, index: int, content: Arrays | bytes, *, start: int, stop: int, **facts: Any
    ) -> Shard:
        """Put a shard's file in place, then list it; both are on the disk on return.

        The file comes first: a kill in between leaves a file nobody counts, not a line without
        a file.

        Raises:
            CaseError: A fact has the name of a ledger field.
        """
        _check_facts(facts)
        packed, suffix = pack(content)
        shard = Shard(
            index=index,
            start=start,
            stop=stop,
            file=f"{index:06d}{suffix}",
            sha256=hashlib.sha256(packed).hexdigest(),
            facts=plain(facts),
        )
        write_bytes(self.folder / shard.file, packed)
        append_line(self.path, _record(shard))
        return shard

    def load(self, shard: Shard) -> dict[str, NDArray[Any]]:
        """Read the arrays of a shard."""
        arrays: dict[str, NDArray[Any]] = load((self.folder / shard.file).read_bytes())
        return arrays

    def rewrite(self, shards: Mapping[int, Shard]) -> None:
        """Keep only these shards in the list; delete the files of all others."""
        kept = {shard.file for shard in shards.values()}
        temporary = self.path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        for index in sorted(shards):
            append_line(temporary, _record(shards[index]))
        temporary.touch()
        temporary.replace(self.path)
        sync_folder(self.path.parent)
        for path in self.folder.iterdir():
            if path.name not in kept:
                path.unlink()

    def _is_whole(self, shard: Shard) -> bool:
        path = self.folder / shard.file
        if not path.is_file() or path.is_symlink():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256


def pack(content: Arrays | bytes) -> tuple[bytes, str]:
    """Turn a shard's content into bytes that depend on nothing else, and a file suffix."""
    if isinstance(content, bytes):
        return content, ".bin"
    # safetensors writes the memory as it lies, so a transposed view would come back wrong.
    arrays = {name: np.array(array, order="C") for name, array in content.items()}
    return bytes(save(arrays)), ".safetensors"


def _record(shard: Shard) -> dict[str, Any]:
    own = {"shard": shard.index, "start": shard.start, "stop": shard.stop}
    return own | {"file": shard.file, "sha256": shard.sha256} | shard.facts


def _shard(record: dict[str, Any]) -> Shard | None:
    """Read a line of the list; a case folder may come from anyone, so trust no field."""
    try:
        index, start, stop = (record[name] for name in OWN_FIELDS[:3])
        file, digest = record["file"], record["sha256"]
    except KeyError:
        return None
    if not all(type(number) is int and number >= 0 for number in (index, start, stop)):
        return None
    if file not in {f"{index:06d}{suffix}" for suffix in SUFFIXES} or type(digest) is not str:
        return None
    facts = {name: value for name, value in record.items() if name not in OWN_FIELDS}
    return Shard(index=index, start=start, stop=stop, file=file, sha256=digest, facts=facts)


def _check_facts(facts: Mapping[str, Any]) -> None:
    clash = sorted(set(facts) & set(OWN_FIELDS))
    if clash:
        raise CaseError(f"A shard's facts may not be called {', '.join(clash)}.")
