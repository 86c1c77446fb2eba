"""Open a data set by its URI."""

import re
from pathlib import Path

from forensics.data import table
from forensics.data.fields import FieldMap
from forensics.data.imagefolder import ImageFolder
from forensics.data.jsonlines import first_object
from forensics.data.llava import LlavaDataset
from forensics.data.outside import open_outside, outside_readers
from forensics.data.records import FileDataset, Turns, shown
from forensics.errors import DataError
from forensics.settings import check_place

FOLDERS = ("imagefolder", "hf-dataset", "wds")
_FILES = ("llava", "table")
SCHEMES = (*_FILES, *FOLDERS)
"""Our own formats; other packages add theirs."""
_WITH_COLUMNS = ("table", "hf-dataset")
_SCHEME = re.compile(r"([a-z][a-z-]+):(.*)", re.DOTALL)
_FORMS = (
    "Known: llava:/file.json, imagefolder:/dir, table:/file.csv, hf-dataset:/folder[:split], "
    "hf-dataset:org/name[:split][@revision], wds:/shards-{000..010}.tar, or a plain path."
)


def open_dataset(
    uri: str,
    *,
    root: Path | None = None,
    fields: FieldMap | None = None,
    turns: Turns = "first",
    download: bool = False,
) -> FileDataset:
    """Open a data set for streaming; nothing but the start of its files is read yet.

    Args:
        uri: ``llava:/file.json`` (or ``.jsonl``), ``imagefolder:/dir``, ``table:/file.csv`` (or
            ``.tsv``, ``.jsonl``, ``.parquet``), ``hf-dataset:/folder[:split]`` or
            ``hf-dataset:org/name[:split][@revision]``, ``wds:/shards-{000..010}.tar`` (or
            ``/folder/*.tar``, ``/folder``), or a plain path where its kind is clear.
        root: Folder that image paths are relative to and must stay under; by default the folder
            of the file.
        fields: Columns of a table, where their names are not the usual ones.
        turns: Which turns of a conversation are samples: the first, or each.
        download: Whether data named by its hub id may be fetched into the hub cache.

    Returns:
        A :class:`~forensics.data.sample.Dataset`; it can be iterated over any number of times.

    Raises:
        DataError: The URI is not understood, or the file is missing, empty or of another kind.
        OptionError: It lies outside the folders that the settings allow.
    """
    opened = _open(uri, root, fields, turns, download=download)
    if not _from_hub(opened):
        for place in {opened.path, opened.root, *opened.files}:
            check_place(place, "The data")
    return opened


def _from_hub(opened: FileDataset) -> bool:
    """Tell whether data were named by a hub id: they lie in the hub cache, wherever that is."""
    return opened.format == "hf-dataset" and not opened.uri.startswith("hf-dataset:/")


def _open(
    uri: str, root: Path | None, fields: FieldMap | None, turns: Turns, *, download: bool
) -> FileDataset:
    scheme, rest = _split(uri)
    scheme = scheme or _guess(_absolute(rest))
    if scheme not in _WITH_COLUMNS and fields is not None:
        raise DataError("A field map fits tables only.", remedy="Leave it out for this format.")
    if has_own_root(scheme) and root is not None:
        raise DataError(f"Data of kind '{scheme}:' is its own root.", remedy="Leave the root out.")
    if scheme == "hf-dataset":
        from forensics.data.hf_open import open_hf_dataset  # pyarrow is slow to import

        return open_hf_dataset(rest, fields, turns, download=download)
    if scheme == "wds":
        from forensics.data.webdataset import WebDataset

        return WebDataset.open(rest, turns)
    if scheme not in SCHEMES:
        return open_outside(scheme, rest, turns)
    return _open_path(scheme, _absolute(rest), root, fields, turns)


def has_own_root(data_format: str) -> bool:
    """Tell whether a format knows its images itself, so that no folder can be named for them."""
    return data_format not in _FILES


def _open_path(
    scheme: str, path: Path, root: Path | None, fields: FieldMap | None, turns: Turns
) -> FileDataset:
    uri = f"{scheme}:{path}"
    if scheme == "imagefolder":
        return ImageFolder(path, uri, path)
    root = root.absolute() if root else path.parent
    if not root.is_dir():
        raise DataError(f"The image folder {root} does not exist.", remedy="Check the path.")
    if scheme == "llava":
        return LlavaDataset(path, uri, root, turns)
    return table.open_table(path, uri, root, fields, turns)


def _split(uri: str) -> tuple[str, str]:
    if "\0" in uri or not uri.strip():
        raise DataError(f"{shown(uri)} names no data.", remedy=_FORMS)
    match = _SCHEME.fullmatch(uri)
    scheme, rest = (match[1], match[2]) if match else ("", uri)
    known = scheme in ("", *SCHEMES) or scheme in outside_readers()
    if not known or not rest:
        raise DataError(f"{shown(uri)} is not a data URI.", remedy=_FORMS)
    return scheme, rest


def _absolute(rest: str) -> Path:
    return Path(rest).expanduser().absolute()


def _guess(path: Path) -> str:
    """Return the scheme of a plain path."""
    suffix = path.suffix.lower()
    if path.is_dir():
        return _guess_folder(path)
    if suffix == ".tar" or "*" in path.name:
        return "wds"
    if not path.exists():
        raise DataError(f"{path} does not exist.", remedy="Check the path.")
    if suffix == ".jsonl":
        first = first_object(path)
        return "llava" if {"conversations", "messages"} & first.keys() else "table"
    if suffix == ".json":
        return "llava"
    if suffix in table.SUFFIXES:
        return "table"
    raise DataError(f"{path} is of no known kind.", remedy=_FORMS)


def _guess_folder(path: Path) -> str:
    if any((path / name).is_file() for name in ("dataset_dict.json", "dataset_info.json")):
        return "hf-dataset"
    return "wds" if next(path.glob("*.tar"), None) else "imagefolder"
