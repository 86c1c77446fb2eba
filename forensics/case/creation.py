"""Making a case: freeze the data, hash what is examined, and write ``case.json`` last."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forensics.case.catalog import Catalog
from forensics.case.fingerprint import (
    HASHES,
    FileHash,
    Fingerprint,
    Report,
    examined_files,
    hash_files,
    stored_name,
)
from forensics.case.manifest import Manifest, from_portable, write_manifest
from forensics.case.suggestions import Suggested
from forensics.case.tables import Counts, freeze
from forensics.data.fields import FieldMap
from forensics.data.open import open_dataset
from forensics.data.records import Turns
from forensics.data.sample import Dataset
from forensics.errors import CaseError, DataError
from forensics.models.kinds import ModelKind, model_kind
from forensics.models.uri import OPEN_CLIP_CONFIG, ModelURI, parse_model_uri
from forensics.runs.durable import write_json
from forensics.runs.versions import versions

UNFINISHED = ".unfinished"
PREPROCESSING = ("preprocessor_config.json", "processor_config.json", OPEN_CLIP_CONFIG)
LARGEST_PREPROCESSING = 2**20
HASHES_SCHEMA = pa.schema(
    [("part", pa.string()), ("path", pa.string()), ("bytes", pa.int64()), ("sha256", pa.string())]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What :meth:`forensics.case.Case.create` was asked for; see there."""

    model: str
    data: str
    base: str | None = None
    title: str | None = None
    story: str | None = None
    data_root: Path | None = None
    data_fields: FieldMap | None = None
    turns: Turns = "first"
    download: bool = False
    known: Mapping[str, Any] | None = None
    suggested: Suggested | None = None
    prepare: Callable[[Path], None] | None = None
    report: Report | None = None


def create_folder(folder: Path, order: Order) -> None:
    """Make the folder of a case; see :meth:`forensics.case.Case.create`."""
    existed = folder.is_dir()
    _claim(folder)
    try:
        if order.prepare is not None:
            order.prepare(folder)
        _fill(folder, order)
        (folder / UNFINISHED).unlink()
    except BaseException:
        _clear(folder, keep=existed)
        raise


def _fill(folder: Path, order: Order) -> None:
    named = {"model": order.model, "base": order.base}
    models = {
        part: parse_model_uri(str(from_portable(uri, folder)))
        for part, uri in named.items()
        if uri is not None
    }
    kind = _kind(models)
    uri = str(from_portable(order.data, folder))
    dataset = open_dataset(
        uri,
        root=order.data_root,
        fields=order.data_fields,
        turns=order.turns,
        download=order.download,
    )
    counts = freeze(folder, dataset, order.report)
    if order.known is not None:
        write_json(folder / "known.json", dict(order.known))
    (folder / "runs").mkdir(mode=0o700)
    hashes = _hash_all(folder, dataset, models, order.report)
    write_manifest(folder, _manifest(folder, order, dataset, models, kind, counts, hashes))


def _manifest(
    folder: Path,
    order: Order,
    dataset: Dataset,
    models: Mapping[str, ModelURI],
    kind: ModelKind,
    counts: Counts,
    hashes: dict[str, Fingerprint],
) -> Manifest:
    return Manifest(
        model=str(models["model"]),
        base=str(models["base"]) if "base" in models else None,
        data=dataset.uri,
        data_root=str(dataset.root),
        data_format=dataset.format,
        data_fields=_given_fields(order.data_fields),
        kind=kind,
        turns=order.turns,
        samples=counts.samples,
        errors=counts.errors,
        unread_rows=counts.unread_rows,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        title=order.title or folder.name,
        story=order.story or "",
        hashes=hashes,
        preprocessing=_preprocessing(models["model"]),
        suggested={name: dict(own) for name, own in (order.suggested or {}).items()},
        versions=versions(),
    )


def _kind(models: Mapping[str, ModelURI]) -> ModelKind:
    """Tell what kind of model the case is about; what it was tuned from is of the same kind.

    Raises:
        CaseError: The two differ.
    """
    kinds = {part: model_kind(uri) for part, uri in models.items()}
    if len(set(kinds.values())) > 1:
        raise CaseError(
            f"The model is of kind {kinds['model']} and its base of kind {kinds['base']}.",
            remedy="Give the base that the model was tuned from.",
        )
    return kinds["model"]


def _claim(folder: Path) -> None:
    """Make the folder for its owner only, or take an empty one.

    Raises:
        CaseError: Something is in it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        occupied = next(folder.iterdir(), None)
    except OSError as error:
        raise CaseError(f"{folder} cannot be made: {error.strerror}.") from error
    if occupied is None:
        folder.chmod(0o700)
        (folder / UNFINISHED).touch(mode=0o600)
        return
    what = "is not empty"
    if (folder / UNFINISHED).exists():
        what = "holds a case that was not finished"
    elif (folder / "case.json").exists():
        what = "holds a case already"
    raise CaseError(f"{folder} {what}.", remedy="Choose another folder, or delete this one first.")


def _clear(folder: Path, *, keep: bool) -> None:
    """Remove what a failed creation left, so that a second try finds the folder as it was."""
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _hash_all(
    folder: Path, dataset: Dataset, parsed: Mapping[str, ModelURI], report: Report | None
) -> dict[str, Fingerprint]:
    """Hash data, pictures, local models and prompts; the single files go into a table."""
    catalog = Catalog(folder / "catalog.parquet", dataset.root)
    found, listed = {}, []
    for part, root, files in examined_files(dataset, parsed, catalog):
        found[part], hashes = hash_files(root, files, report)
        listed += [(part, entry) for entry in hashes]
    _write_hashes(folder / HASHES, listed)
    return found


def _write_hashes(path: Path, listed: list[tuple[str, FileHash]]) -> None:
    rows = [{"part": part} | asdict(entry) for part, entry in listed]
    for row in rows:
        row["path"] = stored_name(str(row["path"]))
    pq.write_table(pa.Table.from_pylist(rows, schema=HASHES_SCHEMA), path, compression="zstd")


def _given_fields(fields: FieldMap | None) -> dict[str, str] | None:
    if fields is None:
        return None
    return {name: value for name, value in asdict(fields).items() if value is not None}


def _preprocessing(model: ModelURI) -> dict[str, Any]:
    """Copy the image settings that the model's folder states."""
    found: dict[str, Any] = {}
    for name in PREPROCESSING:
        path = model.folder / name if model.folder else None
        if path is None or not path.is_file() or path.stat().st_size > LARGEST_PREPROCESSING:
            continue
        try:
            found[name.removesuffix(".json")] = json.loads(path.read_bytes())
        except ValueError as error:
            raise DataError(f"{path} is not valid JSON: {error}.") from error
    return found
