"""Read a folder of images, with one folder per class or flat."""

import os
from collections.abc import Iterator
from pathlib import Path

from forensics.data.assemble import Assembler
from forensics.data.records import BadRow, Draft, FileDataset, Record
from forensics.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


class ImageFolder(FileDataset):
    """Stream the images below a folder; the folder that an image lies in is its label.

    The id of an image is its path below the root. Files with other suffixes and names that begin
    with a dot are passed over; links to folders are reported, not followed.

    Args:
        path: The folder, absolute.
        uri: How the user names it, scheme included.
        root: The same folder.

    Raises:
        DataError: There is no such folder, or no image in it.
    """

    format = "imagefolder"

    def __init__(self, path: Path, uri: str, root: Path) -> None:
        super().__init__(path, uri, root)
        if not path.is_dir():
            raise DataError(f"{path} is not a folder.", remedy="Name the folder with the images.")
        if next(_walk(path), None) is None:
            raise DataError(f"{path} holds no images.", remedy=f"Looked for {', '.join(SUFFIXES)}.")

    @property
    def files(self) -> tuple[Path, ...]:
        """Return every image file in reading order; walks the folder anew."""
        return tuple(self.path / name for name, problem in _walk(self.path) if problem is None)

    def records(self) -> Iterator[Record]:
        """Yield every image, folder by folder in the order of the names."""
        assembler = Assembler(self.path.name, self.path.name, self.root)
        for row, (name, problem) in enumerate(_walk(self.path), start=1):
            folder = Path(name).parent.name
            cells = {"id": name, "image": name, "label": folder or None}
            yield from assembler.records(
                Draft(line=row, row=row, raw=name, cells=cells, problem=problem)
            )


def _walk(root: Path) -> Iterator[tuple[str, BadRow | None]]:
    """Yield paths below the root with forward slashes, or with the reason why one cannot be read.

    Only the entries of one folder are in memory at a time.
    """
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(root / prefix) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            yield prefix, BadRow(f"the folder cannot be read: {error.strerror}")
            continue
        folders: list[str] = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(f"{prefix}{entry.name}/")
            elif entry.is_dir():
                reason = "a link to a folder is not followed"
                yield prefix + entry.name, BadRow(reason, "Put the folder itself here.")
            elif entry.name.lower().endswith(SUFFIXES):
                yield prefix + entry.name, None
        pending.extend(reversed(folders))
