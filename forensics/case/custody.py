"""Whether the files that a case examines are still what they were when it was made."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from forensics.case.case import Case
from forensics.case.fingerprint import (
    HASHES,
    FileHash,
    Report,
    examined_files,
    hash_files,
    stored_name,
)
from forensics.errors import CaseError, DataError
from forensics.models.uri import parse_model_uri

CHANGED, MISSING, ADDED = "changed", "missing", "added"
SHOWN: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A file that is no longer what it was.

    Attributes:
        part: ``data``, ``pictures``, ``model``, ``base`` or what belongs to them.
        path: Below the folder of that part.
        what: ``changed``, ``missing`` or ``added``.
    """

    part: str
    path: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """What a comparison with the hashes of the case's making found.

    Attributes:
        files: Files compared.
        bytes: Their size today.
        parts: Names of what was compared; a model that is named by a hub id has no files here.
        differences: Every file that differs, in the order of parts and paths.
    """

    files: int
    bytes: int
    parts: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        told = f"{self.files:,} files of {', '.join(self.parts) or 'nothing'}"
        if self.intact:
            return f"{told} are what they were when the case was made."
        counts = [
            f"{sum(found.what == what for found in self.differences):,} {what}"
            for what in (CHANGED, MISSING, ADDED)
            if any(found.what == what for found in self.differences)
        ]
        return f"Of {told}, {', '.join(counts)} since the case was made."

    def lines(self) -> list[str]:
        """Return the sentence, and a line for each of the first differences."""
        listed = [f"  {found.what}: {found.part}/{found.path}" for found in self.differences[:20]]
        more = len(self.differences) - len(listed)
        return [self.sentence, *listed, *([f"  and {more:,} more"] if more else [])]

    def audit(self) -> dict[str, Any]:
        """Return what the audit trail keeps."""
        return {key: value for key, value in self.to_json().items() if key != "differences"}

    def to_json(self) -> dict[str, Any]:
        """Return plain values; at most 1,000 differences are listed."""
        return {
            "intact": self.intact, "sentence": self.sentence, "files": self.files,
            "bytes": self.bytes, "parts": list(self.parts), "differing": len(self.differences),
            "differences": [asdict(found) for found in self.differences[:SHOWN]],
        }  # fmt: skip


def verify(case: Case, report: Report | None = None) -> Custody:
    """Hash everything a case examines again, and compare with the hashes of its making.

    Only what was hashed then is compared: cases that were made before pictures were hashed by
    themselves say nothing about pictures.

    Args:
        case: The case; nothing of it is changed.
        report: Told of every file.

    Raises:
        CaseError: ``hashes.parquet`` is missing or damaged, or a file cannot be read.
    """
    before = _before(case.folder / HASHES)
    today: dict[str, list[FileHash]] = {part: [] for part in before}
    for part, root, files in _today(case, set(before)):
        _, today[part] = hash_files(root, (path for path in files if path.is_file()), report)
    differences = [
        found for part, listed in before.items() for found in _compare(part, listed, today[part])
    ]
    there = [entry for entries in today.values() for entry in entries]
    return Custody(
        files=len(there),
        bytes=sum(entry.bytes for entry in there),
        parts=tuple(before),
        differences=tuple(sorted(differences, key=lambda found: (found.part, found.path))),
    )


def _today(case: Case, wanted: set[str]) -> Iterator[tuple[str, Path, list[Path]]]:
    """Yield part, folder and files of what is there now; a part that is gone is not."""
    named = {"model": case.manifest.model, "base": case.manifest.base}
    models = {part: parse_model_uri(uri) for part, uri in named.items() if uri is not None}
    try:
        dataset = case.dataset()
    except DataError:  # the whole set is gone: all of its files are missing
        dataset = None
    for part, root, files in examined_files(dataset, models, case.catalog):
        if part in wanted:
            yield part, root, files


def _compare(part: str, before: Mapping[str, str], now: list[FileHash]) -> Iterator[Difference]:
    found = {stored_name(entry.path): entry.sha256 for entry in now}
    for path in sorted({*before, *found}):
        if path not in found:
            yield Difference(part=part, path=path, what=MISSING)
        elif path not in before:
            yield Difference(part=part, path=path, what=ADDED)
        elif before[path] != found[path]:
            yield Difference(part=part, path=path, what=CHANGED)


def _before(path: Path) -> dict[str, dict[str, str]]:
    """Read the hashes of the making: part -> path -> SHA-256."""
    try:
        rows = pq.read_table(path, columns=["part", "path", "sha256"]).to_pylist()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise CaseError(
            f"{path} cannot be read: {error}.",
            remedy="Without the hashes of its making a case cannot be verified; make it anew.",
        ) from error
    listed: dict[str, dict[str, str]] = {}
    for row in rows:
        listed.setdefault(row["part"], {})[row["path"]] = row["sha256"]
    return listed
