"""Open ``hf-dataset:`` URIs: a local folder, or a data set of the hub that is in its cache."""

import re
from pathlib import Path

from forensics.data.fields import FieldMap
from forensics.data.hf_dataset import HfDataset
from forensics.data.hf_files import find_split
from forensics.data.records import Turns, shown
from forensics.errors import DataError

_HUB = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)"
    r"(?::(?P<split>\w[\w.-]*))?(?:@(?P<revision>\w[\w./-]*))?"
)
_DATA_FILES = ("*.parquet", "*.arrow", "*state.json", "*dataset_info.json", "dataset_dict.json")


def open_hf_dataset(
    text: str, fields: FieldMap | None, turns: Turns, *, download: bool
) -> HfDataset:
    """Open a data set in the files of the ``datasets`` library.

    Args:
        text: ``/folder[:split]`` or ``org/name[:split][@revision]``.
        fields: Columns that the user named.
        turns: Which turns of a conversation are samples.
        download: Whether a data set of the hub may be fetched into the hub cache.

    Raises:
        DataError: It is not there, holds a script, or cannot be read.
    """
    folder, split = _local(text)
    if folder is not None:
        uri = f"hf-dataset:{folder}" + (f":{split}" if split else "")
        return HfDataset(folder, uri, folder, find_split(folder, folder, split), fields, turns)
    match = _HUB.fullmatch(text)
    if match is None or len(text) > 256 or text.startswith((".", "~")):
        raise DataError(
            f"{shown(text)} is neither a folder that exists nor a hub id.",
            remedy="Give hf-dataset:/folder[:split] or hf-dataset:org/name[:split][@revision].",
        )
    snapshot = _snapshot(match["name"], match["revision"], download)
    # Files of a snapshot are links into the folder of the whole repository.
    root = snapshot.parent.parent
    found = find_split(snapshot, root, match["split"])
    # The commit, not the branch: the case must find the very same data again.
    uri = f"hf-dataset:{match['name']}:{found.split or ''}".rstrip(":") + f"@{snapshot.name}"
    return HfDataset(snapshot, uri, root, found, fields, turns)


def _local(text: str) -> tuple[Path | None, str | None]:
    """Return folder and split of a local data set; the name of a folder may hold a colon."""
    head, colon, tail = text.rpartition(":")
    for place, split in ((text, None), (head if colon else "", tail)):
        try:
            path = Path(place).expanduser().absolute()
            if place and path.is_dir():
                return path, split or None
        except (OSError, RuntimeError):  # too long for a file name, or ~ of nobody
            continue
    if text.startswith("/"):
        raise DataError(f"The folder {shown(text)} does not exist.", remedy="Check the path.")
    return None, None


def _snapshot(name: str, revision: str | None, download: bool) -> Path:
    """Return the folder of a data set in the hub cache.

    Raises:
        DataError: It is not there, and may not or cannot be fetched.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise DataError(
            "Data sets of the hub need the package huggingface_hub.",
            remedy='Install it: pip install "triggerlens[hub]".',
        ) from error
    try:
        found = huggingface_hub.snapshot_download(
            name, repo_type="dataset", revision=revision, local_files_only=not download,
            allow_patterns=list(_DATA_FILES),
        )  # fmt: skip
    except Exception as error:
        # The library raises a dozen kinds, those of its network client among them.
        what = "could not be fetched" if download else "is not in the hub cache of this machine"
        remedy = "Check name, revision and network." if download else (
            "Fetch it: forensics case new with --download, or "
            f"hf download --repo-type dataset {name}"
        )  # fmt: skip
        raise DataError(f"The data set {shown(name)} {what}.", remedy=remedy) from error
    return Path(found)
