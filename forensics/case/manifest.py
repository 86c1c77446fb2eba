"""``case.json``: what a case examines. It is written last, so a case with one is whole."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from forensics.case.fingerprint import Fingerprint
from forensics.case.suggestions import check_suggested
from forensics.errors import CaseError
from forensics.models.kinds import MODEL_KINDS
from forensics.runs.durable import read_json, write_json

SCHEMA = 2
"""Version 2 brought several images, earlier turns and ``turns``; version 1 is still read."""
_READABLE = (1, SCHEMA)
HERE = "${case}"
"""Stands for the case folder in stored paths, so that a case can move with the data in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a case examines.

    Attributes:
        model: URI of the model under suspicion.
        data: URI of the data set it was tuned on.
        data_root: Folder that every image stays under.
        data_format: ``llava``, ``imagefolder``, ``table``, ``hf-dataset`` or ``wds``.
        data_fields: Columns of a table where their names are not the usual ones.
        kind: Of the model, as in :mod:`forensics.models.kinds`: which methods can examine it.
        turns: Which turns of a conversation are samples: ``first`` or ``each``.
        samples: Rows, or turns of rows, that can be used.
        errors: Rows that cannot.
        unread_rows: Usable rows whose later turns were not read.
        created: When, ISO 8601, UTC.
        base: URI of the model before tuning, where it is at hand.
        title: For people.
        story: For people: what is known of its origin.
        hashes: Content hash of ``data``, ``model`` and ``base``, for those on this machine.
        preprocessing: The model's own image settings, as its folder states them.
        suggested: Options that fit this case, by method; used where nothing else is given.
        versions: Versions of the software that made the case.
        schema: Version of the case folder's layout.
    """

    model: str
    data: str
    data_root: str
    data_format: str
    samples: int
    errors: int
    created: str
    data_fields: dict[str, str] | None = None
    kind: str = "multimodal-llm"
    turns: str = "first"
    unread_rows: int = 0
    base: str | None = None
    title: str = ""
    story: str = ""
    hashes: dict[str, Fingerprint] = field(default_factory=dict)
    preprocessing: dict[str, Any] = field(default_factory=dict)
    suggested: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA


_PLACES = ("model", "data", "data_root", "base")
_TEXTS = ("model", "data", "data_root", "data_format", "created", "title", "story")
_TABLES = ("preprocessing", "versions", "hashes")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``case.json`` at once; paths inside the case are stored relative to it."""
    places = {name: to_portable(getattr(manifest, name), folder) for name in _PLACES}
    write_json(folder / "case.json", asdict(manifest) | places)


def read_manifest(folder: Path) -> Manifest:
    """Read and check ``case.json``.

    Raises:
        CaseError: There is none, or it is damaged or of another schema.
    """
    _check_is_case(folder)
    record = read_json(folder / "case.json")
    if record.get("schema") not in _READABLE:
        raise CaseError(
            f"{folder} has case schema {record.get('schema')!r}; this program reads 1 to {SCHEMA}.",
            remedy="Open it with the version of the program that made it.",
        )
    try:
        _check_types(record)
        hashes = {name: Fingerprint(**entry) for name, entry in record["hashes"].items()}
        manifest = Manifest(**(record | {"hashes": hashes}))
    except (KeyError, TypeError) as error:
        raise CaseError(
            f"{folder / 'case.json'} is damaged: {error}.", remedy="Make the case anew."
        ) from error
    places: dict[str, Any] = {
        name: from_portable(getattr(manifest, name), folder) for name in _PLACES
    }
    return replace(manifest, **places)


def to_portable(text: str | None, folder: Path) -> str | None:
    """Write the case folder inside a path or URI as a placeholder."""
    if text is None:
        return None
    for place in (folder, folder.resolve()):
        text = text.replace(f"{place}/", f"{HERE}/")
    return text


def from_portable(text: str | None, folder: Path) -> str | None:
    """Put the case folder in place of the placeholder."""
    return None if text is None else text.replace(HERE, str(folder))


def unread_note(rows: int) -> str:
    """Say that only the first turn of some conversations was read."""
    which = "1 row has" if rows == 1 else f"{rows:,} rows have"
    return f"{which} later turns that were not read."


def _check_is_case(folder: Path) -> None:
    if (folder / "case.json").is_file():
        return
    if not folder.is_dir():
        raise CaseError(
            f"There is no folder {folder}.", remedy="Make a case with: forensics case new."
        )
    if (folder / ".unfinished").exists():
        raise CaseError(
            f"The case in {folder} was not finished.", remedy="Delete the folder; make it anew."
        )
    raise CaseError(f"{folder} is not a case.", remedy="Make one with: forensics case new.")


def _check_types(record: dict[str, Any]) -> None:
    for name in _TEXTS:
        if not isinstance(record[name], str):
            raise TypeError(f"{name} is not text")
    for name in ("samples", "errors", "unread_rows"):
        count = record.get(name, 0) if name == "unread_rows" else record[name]
        if type(count) is not int or count < 0:
            raise TypeError(f"{name} is not a count")
    if record.get("turns", "first") not in ("first", "each"):
        raise TypeError("turns is neither first nor each")
    if record.get("kind", "multimodal-llm") not in MODEL_KINDS:
        raise TypeError("kind is none of a model")
    for name in _TABLES:
        if not isinstance(record[name], dict):
            raise TypeError(f"{name} is not an object")
    check_suggested(record.get("suggested", {}))
    if not isinstance(record.get("base"), str | None):
        raise TypeError("base is not text")
