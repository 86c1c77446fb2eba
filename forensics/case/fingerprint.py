"""Content hashes of what a case examines: each file's SHA-256, and one over the whole set."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import CaseError

Report = Callable[[str, int, int], None]
"""Called with a message, files or rows done, and how many there are (0 if unknown)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHash:
    """One hashed file.

    Attributes:
        path: Below the root it was hashed from, with forward slashes.
        bytes: Its size.
        sha256: Hash of its content.
    """

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The hash of a set of files.

    Attributes:
        sha256: Hash over the lines ``sha256  bytes  path`` of all files in the order of their
            paths, so that it changes with any content, name or missing file.
        files: How many files.
        bytes: How large together.
    """

    sha256: str
    files: int
    bytes: int


def hash_files(
    root: Path, paths: Iterable[Path], report: Report | None = None
) -> tuple[Fingerprint, list[FileHash]]:
    """Hash a set of files.

    Args:
        root: What their paths are told from; a file outside it is told by its name only.
        paths: The files.
        report: Told of every file.

    Raises:
        CaseError: A file cannot be read.
    """
    ordered = sorted(paths)
    hashes: list[FileHash] = []
    for done, path in enumerate(ordered):
        if report is not None:
            report(f"Hashing {path.name}", done, len(ordered))
        hashes.append(_hash_file(root, path))
    hashes.sort(key=lambda entry: entry.path)
    lines = "".join(f"{entry.sha256}  {entry.bytes}  {entry.path}\n" for entry in hashes)
    whole = hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
    size = sum(entry.bytes for entry in hashes)
    return Fingerprint(sha256=whole, files=len(hashes), bytes=size), hashes


def files_below(folder: Path) -> list[Path]:
    """Return every file of a folder; links to files count (hub caches are made of them).

    What begins with a dot is no part of a model and is left out.
    """
    inside = [path for path in folder.rglob("*") if path.is_file()]
    depth = len(folder.parts)
    return sorted(
        path for path in inside if not any(part.startswith(".") for part in path.parts[depth:])
    )


def _hash_file(root: Path, path: Path) -> FileHash:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return FileHash(path=name, bytes=file.tell(), sha256=digest)
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror}.") from error
