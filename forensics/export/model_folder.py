"""Write a repaired model as the folder that its own library opens, with its provenance inside."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from forensics.errors import DataError
from forensics.export.atomic import cannot_write, partial_path

NOTE: Final = "provenance.json"


def write_model_folder(
    source: Path, to: Path, tell: Callable[[dict[str, str]], str], *, overwrite: bool
) -> dict[str, str]:
    """Copy a model folder; it is there whole, or not at all.

    Plain files of the folder are copied and nothing else: no links, no folders below it.

    Args:
        source: As a run left it.
        to: New folder.
        tell: Makes the note out of file name -> SHA-256.
        overwrite: Replace a folder that an earlier export wrote.

    Returns:
        File name -> SHA-256, without the note.

    Raises:
        DataError: Something else is in the way, or it cannot be written.
    """
    _refuse(to, overwrite=overwrite)
    partial = partial_path(to)
    try:
        partial.mkdir(parents=True)
        digests = {}
        for file in sorted(source.iterdir()):
            if file.is_file() and not file.is_symlink():
                shutil.copyfile(file, partial / file.name)
                with (partial / file.name).open("rb") as stream:
                    digests[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
        (partial / NOTE).write_text(tell(digests) + "\n", encoding="utf-8")
        if to.exists():
            shutil.rmtree(to)
        partial.replace(to)
    except OSError as error:
        raise cannot_write(to, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return digests


def _refuse(to: Path, *, overwrite: bool) -> None:
    if not (to.exists() or to.is_symlink()):
        return
    ours = to.is_dir() and not to.is_symlink() and (to / NOTE).is_file()
    if not (ours and overwrite):
        raise DataError(
            f"{to} already exists.",
            remedy="Choose another name; only the folder of an earlier export is overwritten.",
        )
