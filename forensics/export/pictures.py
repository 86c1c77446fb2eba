"""Copy the images that kept rows name to where the exported file will look for them."""

import filecmp
import shutil
from pathlib import Path

from forensics.data.images import image_path
from forensics.data.sample import ImageRef
from forensics.errors import DataError
from forensics.export.atomic import partial_path


class ImageCopier:
    """Copy images below a new root, each once, under their old relative paths.

    Readers take no image from outside the folder of the data file, so an export elsewhere needs
    images of its own. They are copied, not hard-linked: a link would share the file with the
    user's data, and whoever edits the export would edit the original.

    Args:
        root: New folder that the image paths are relative to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._done: set[str] = set()
        self._made: list[Path] = []

    def copy(self, ref: ImageRef) -> None:
        """Copy an image file; does nothing where it stands at its place already.

        Raises:
            DataError: The image is missing or outside its root, or another file is in its place.
        """
        if ref.row is not None or ref.offset is not None or ref.path in self._done:
            return  # an image in a cell or in a tar file travels with its row
        source, target = image_path(ref), self._root / ref.path
        if not target.parent.resolve().is_relative_to(self._root.resolve()):
            raise DataError(f"{target} leads out of {self._root}.", remedy=_EMPTY_FOLDER)
        if not target.exists():
            self._copy(source, target)
        elif not (target.samefile(source) or filecmp.cmp(source, target, shallow=False)):
            raise DataError(f"{target} is there already and differs.", remedy=_EMPTY_FOLDER)
        self._done.add(ref.path)

    def undo(self) -> None:
        """Remove what was copied, after the export has failed."""
        for path in self._made:
            path.unlink(missing_ok=True)

    def _copy(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = partial_path(target)
        try:
            shutil.copyfile(source, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        self._made.append(target)


_EMPTY_FOLDER = "Export into an empty folder."
