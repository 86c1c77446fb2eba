"""Content hashes of what a case examines: each file's SHA-256, and one over the whole set."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forensics.data.sample import Dataset, ImageRef, Sample
from forensics.errors import CaseError
from forensics.models.uri import ModelURI

HASHES: Final = "hashes.parquet"
PICTURES: Final = "pictures"

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


def examined_files(
    dataset: Dataset | None, models: Mapping[str, ModelURI], samples: Iterable[Sample]
) -> Iterator[tuple[str, Path, list[Path]]]:
    """Yield what a case examines: name of the part, folder its paths are told from, its files.

    Args:
        dataset: The data; ``None`` where they are gone.
        models: Role -> model; those named by a hub id have no files here.
        samples: Of the case, for pictures that are files of their own.
    """
    if dataset is not None:
        files = list(dataset.files)
        yield "data", dataset.root, files
        pictures = _pictures(samples, {path.resolve() for path in files})
        if pictures:
            yield PICTURES, dataset.root, pictures
    for part, uri in models.items():
        for name, place in ((part, uri.folder), (f"{part}-adapter", uri.adapter)):
            if place is not None:
                yield name, place, files_below(place)
        if uri.prompts is not None:
            yield f"{part}-prompts", uri.prompts.parent, [uri.prompts]


def stored_name(path: str) -> str:
    """Return a path as ``hashes.parquet`` writes it: names that are no UTF-8 are escaped."""
    return path.encode("utf-8", "backslashreplace").decode()


def _pictures(samples: Iterable[Sample], known: set[Path]) -> list[Path]:
    """Return picture files that are under their root and in no file of the data itself."""
    places: dict[ImageRef, Path] = {}
    for sample in samples:
        for image in sample.images:
            whole = ImageRef(root=image.root, path=image.path)
            if image.row is None and image.offset is None and whole not in places:
                places[whole] = image.root / image.path
    real = {path: path.resolve() for path in places.values()}
    roots = {image.root: image.root.resolve() for image in places}
    return [
        path
        for image, path in places.items()
        if real[path] not in known
        and real[path].is_relative_to(roots[image.root])
        and path.is_file()
    ]
