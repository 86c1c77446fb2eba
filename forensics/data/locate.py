"""Find an image below the root of a data set without ever leaving that root."""

import re
import stat
from functools import lru_cache
from pathlib import Path, PurePosixPath

from forensics.data.records import BadRow, shown
from forensics.data.sample import ImageRef

# A leading slash or backslash, or a Windows drive.
_ABSOLUTE = re.compile(r"[\\/]|[A-Za-z]:[\\/]")
_KNOWN_FOLDERS = 4096


class ImageLocator:
    """Check image paths of one data set; remembers which folders lie inside the root.

    Args:
        root: Folder that every image stays under. It may itself be a link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._real_root = root.resolve()
        # One resolve per folder instead of one per image: rows of a folder come in a run.
        self._is_inside = lru_cache(maxsize=_KNOWN_FOLDERS)(self._resolves_inside)

    def locate(self, path: str) -> ImageRef:
        """Return the reference of an image file that exists below the root.

        Raises:
            BadRow: The path is empty, absolute, a URL, leads out of the root or has no file.
        """
        _refuse_foreign(path)
        relative = PurePosixPath(path)
        full = self._root / relative
        if not self._is_inside(full.parent):
            raise _outside(path)
        mode = _mode_of(full, path)
        if stat.S_ISLNK(mode):
            if not self._resolves_inside(full):
                raise _outside(path)
            mode = _mode_of(full.resolve(), path)
        if not stat.S_ISREG(mode):
            raise BadRow(f"image {shown(path)} is not a regular file")
        return ImageRef(root=self._root, path=str(relative))

    def _resolves_inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._real_root)
        except (OSError, RuntimeError):  # a loop of links
            return False


def _refuse_foreign(path: str) -> None:
    if not path.strip():
        raise BadRow("the image path is empty")
    if "\0" in path:
        raise BadRow(f"image path {shown(path)} holds a NUL character")
    if "://" in path:
        raise BadRow(f"image {shown(path)} is a URL", "Download it and name the local file.")
    if _ABSOLUTE.match(path):
        raise BadRow(f"image path {shown(path)} is absolute", "Give it relative to the data set.")
    if ".." in re.split(r"[\\/]", path):
        raise _outside(path)


def _outside(path: str) -> BadRow:
    return BadRow(
        f"image {shown(path)} leads outside the folder of the data set",
        "Copy the image into that folder.",
    )


def _mode_of(full: Path, path: str) -> int:
    try:
        return full.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise BadRow(
            f"missing file: image {shown(path)}", "Put it there, or remove the row."
        ) from None
    except OSError as error:
        raise BadRow(f"image {shown(path)} cannot be reached: {error.strerror}") from error
