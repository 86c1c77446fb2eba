"""Find the data files of a folder that the Hugging Face ``datasets`` library wrote or published.

Its own loader is not used on a stranger's folder: ``load_from_disk`` opens whatever files
``state.json`` names, anywhere, and takes the offsets in Arrow files on trust. What is read here is
the layout only: no script runs and no file outside the folder is opened.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from forensics.data.locate import ImageLocator
from forensics.data.records import BadRow, shown
from forensics.errors import DataError

MAX_FILES = 10_000
MAX_JSON_BYTES = 16 << 20
_SPLIT_NAME = re.compile(r"\w[\w.-]{0,99}")
_SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?")
# The keywords by which the library recognises splits in file and folder names.
_KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFiles:
    """The files of one split.

    Attributes:
        layout: ``saved`` by ``save_to_disk``, or ``plain`` Parquet and Arrow files.
        split: Its name; ``None`` where the folder holds one data set without a name.
        folder: Where its files stand, below the folder of the data set.
        data: The data files in order, relative to the folder of the data set.
        notes: The JSON files that describe it, likewise.
    """

    layout: Literal["saved", "plain"]
    split: str | None
    folder: str
    data: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find_split(folder: Path, root: Path, split: str | None) -> SplitFiles:
    """Return the files of a split; without a name the only one, or ``train``.

    Args:
        folder: The folder of the data set.
        root: Folder that every file must lie in, links followed.
        split: Its name.

    Raises:
        DataError: The folder holds a script or no data, or there is no such split.
    """
    script = next(folder.glob("*.py"), None)
    if script is not None:
        raise DataError(
            f"{folder} holds the script {shown(script.name)}; scripts of data sets are never run.",
            remedy="Name a folder of Parquet files, or one written by save_to_disk.",
        )
    if (folder / "dataset_dict.json").is_file():
        names = read_note(folder / "dataset_dict.json").get("splits")
        name = _choose(folder, names if isinstance(names, list) else [], split)
        return _saved(folder, root, name)
    if (folder / "state.json").is_file():
        if split is not None:
            raise DataError(f"{folder} holds one split only.", remedy="Leave its name out.")
        return _saved(folder, root, None)
    return _plain(folder, root, split)


def read_note(path: Path) -> dict[str, Any]:
    """Return a JSON file that describes a data set.

    Raises:
        DataError: It is missing, too large, or holds no JSON object.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise DataError(f"{path} is larger than {MAX_JSON_BYTES >> 20} MB.")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}.", remedy="Copy it again.") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} holds no JSON object.", remedy="Copy the folder again.")
    return found


def _saved(folder: Path, root: Path, split: str | None) -> SplitFiles:
    below = f"{split}/" if split is not None else ""
    checked = _Inside(folder, root)
    notes = [name for name in (f"{below}state.json", f"{below}dataset_info.json")
             if (folder / name).exists()]  # fmt: skip
    if split is not None:
        notes.append("dataset_dict.json")
    for name in notes:
        checked(name)
    state = read_note(folder / below / "state.json")
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise DataError(
            f"{folder / below} holds a selection of rows, not the rows.",
            remedy="Load it, call flatten_indices(), and save it again.",
        )
    listed = state.get("_data_files")
    names = [part.get("filename") for part in _objects(listed)]
    if not names or len(names) > MAX_FILES:
        raise DataError(f"{folder / below}state.json names no data files.", remedy=_FORMS)
    data = tuple(checked(below + str(name)) for name in names)
    return SplitFiles(
        layout="saved", split=split, folder=below.rstrip("/"), data=data, notes=tuple(notes)
    )


def _plain(folder: Path, root: Path, split: str | None) -> SplitFiles:
    by_split: dict[str, list[str]] = {}
    for name in _data_files(folder):
        by_split.setdefault(split_of(name), []).append(name)
    if not by_split:
        raise DataError(f"{folder} holds no Parquet or Arrow files.", remedy=_FORMS)
    chosen = _choose(folder, list(by_split), split)
    folders = {str(PurePosixPath(name).parent) for name in by_split[chosen]}
    if len(folders) > 1:
        listed = ", ".join(sorted(folders)[:10])
        raise DataError(
            f"{folder} holds several data sets: {listed}.", remedy="Name the folder of one of them."
        )
    checked = _Inside(folder, root)
    data = tuple(checked(name) for name in by_split[chosen])
    return SplitFiles(layout="plain", split=chosen, folder=folders.pop(), data=data)


def split_of(name: str) -> str:
    """Return the split that a path of a published data file says; ``train`` if it says none."""
    path = PurePosixPath(name)
    shard = _SHARD.fullmatch(path.stem)
    if shard and _SPLIT_NAME.fullmatch(shard[1]):
        return shard[1]
    for part in (path.stem, *reversed(path.parts[:-1])):
        words = re.split(r"[^a-z]+", part.lower())
        for split, known in _KEYWORDS.items():
            if any(word in known for word in words):
                return split
    return "train"


def _data_files(folder: Path) -> list[str]:
    found: list[str] = []
    for place, folders, names in os.walk(folder):  # does not follow links to folders
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith((".parquet", ".arrow")) and not name.startswith("."):
                found.append((Path(place) / name).relative_to(folder).as_posix())
        if len(found) > MAX_FILES:
            raise DataError(f"{folder} holds over {MAX_FILES:,} data files.", remedy=_FORMS)
    return sorted(found)


def _choose(folder: Path, names: list[Any], split: str | None) -> str:
    known = [name for name in names if isinstance(name, str) and _SPLIT_NAME.fullmatch(name)]
    listing = f"Its splits: {', '.join(known[:20])}."
    if split is not None and split not in known:
        raise DataError(f"{folder} has no split {shown(split)}.", remedy=listing)
    if split is None and len(known) != 1 and "train" not in known:
        raise DataError(f"{folder} has {len(known)} splits; which one?", remedy=listing)
    return split or (known[0] if len(known) == 1 else "train")


class _Inside:
    """Check that files of a data set are regular ones that lie in its root."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._below = folder.relative_to(root).as_posix()
        self._locator = ImageLocator(root)
        self._folder = folder

    def __call__(self, name: str) -> str:
        try:
            self._locator.locate(f"{self._below}/{name}")
        except BadRow as bad:
            reason = bad.reason.replace("image path ", "file ").replace("image ", "file ")
            raise DataError(
                f"{self._folder}: {reason}.", remedy="Copy the folder again, whole."
            ) from None
        return name


def _objects(value: object) -> list[dict[str, Any]]:
    """Return a list of objects, or nothing where it is no such list."""
    found = value if isinstance(value, list) else []
    return found if all(isinstance(part, dict) for part in found) else []


_FORMS = "Name a folder of Parquet files, or one written by save_to_disk."
