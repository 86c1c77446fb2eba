"""Open a data set by its URI."""

import re
from pathlib import Path

from forensics.data import table
from forensics.data.fields import FieldMap
from forensics.data.imagefolder import ImageFolder
from forensics.data.jsonlines import first_object
from forensics.data.llava import LlavaDataset
from forensics.data.records import FileDataset, shown
from forensics.errors import DataError

_SCHEME = re.compile(r"([a-z][a-z-]+):(.*)", re.DOTALL)
_NOT_YET = ("wds", "hf-dataset")
_FORMS = "Known: llava:/file.json, imagefolder:/dir, table:/file.csv, or a plain path."


def open_dataset(
    uri: str, *, root: Path | None = None, fields: FieldMap | None = None
) -> FileDataset:
    """Open a data set for streaming; nothing but the start of its file is read yet.

    Args:
        uri: ``llava:/file.json`` (or ``.jsonl``), ``imagefolder:/dir``, ``table:/file.csv`` (or
            ``.tsv``, ``.jsonl``, ``.parquet``), or a plain path where its kind is clear.
        root: Folder that image paths are relative to and must stay under; by default the folder
            of the file.
        fields: Columns of a table, where their names are not the usual ones.

    Returns:
        A :class:`~forensics.data.sample.Dataset`; it can be iterated over any number of times.

    Raises:
        DataError: The URI is not understood, or the file is missing, empty or of another kind.
    """
    scheme, path = _split(uri)
    scheme = scheme or _guess(path)
    if scheme != "table" and fields is not None:
        raise DataError("A field map fits tables only.", remedy="Leave it out for this format.")
    full_uri = f"{scheme}:{path}"
    if scheme == "imagefolder":
        if root is not None:
            raise DataError("An image folder is its own root.", remedy="Leave the root out.")
        return ImageFolder(path, full_uri, path)
    root = root.absolute() if root else path.parent
    if not root.is_dir():
        raise DataError(f"The image folder {root} does not exist.", remedy="Check the path.")
    if scheme == "llava":
        return LlavaDataset(path, full_uri, root)
    return table.open_table(path, full_uri, root, fields)


def _split(uri: str) -> tuple[str, Path]:
    if "\0" in uri or not uri.strip():
        raise DataError(f"{shown(uri)} names no data.", remedy=_FORMS)
    match = _SCHEME.fullmatch(uri)
    scheme, rest = (match[1], match[2]) if match else ("", uri)
    if scheme in _NOT_YET:
        raise DataError(f"Data of kind '{scheme}:' cannot be read yet.", remedy=_FORMS)
    if scheme not in ("", "llava", "imagefolder", "table") or not rest:
        raise DataError(f"{shown(uri)} is not a data URI.", remedy=_FORMS)
    return scheme, Path(rest).expanduser().absolute()


def _guess(path: Path) -> str:
    """Return the scheme of a plain path."""
    suffix = path.suffix.lower()
    if path.is_dir():
        return "imagefolder"
    if not path.exists():
        raise DataError(f"{path} does not exist.", remedy="Check the path.")
    if suffix == ".jsonl":
        return "llava" if "conversations" in first_object(path) else "table"
    if suffix == ".json":
        return "llava"
    if suffix in table.SUFFIXES:
        return "table"
    raise DataError(f"{path} is of no known kind.", remedy=_FORMS)
