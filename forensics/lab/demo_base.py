"""What all shipped demos share: a name, a story, a folder of assets, measured figures."""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from forensics.errors import InputError

MEASURED: Final = "measured.json"


class Named(Protocol):
    """Something that is chosen by its name."""

    @property
    def name(self) -> str:
        """What the user types."""
        ...


Found = TypeVar("Found", bound=Named)


def find_named(things: Iterable[Found], name: str, what: str) -> Found:
    """Return the thing of a name.

    Args:
        things: All there are.
        name: What is looked for.
        what: What such a thing is called, such as ``demo``.

    Raises:
        InputError: There is none of that name.
    """
    listed = list(things)
    for thing in listed:
        if thing.name == name:
            return thing
    names = ", ".join(thing.name for thing in listed)
    raise InputError(f"There is no {what} {name!r}.", remedy=f"Choose {names}.")


@cache
def assets_folder() -> Path:
    """Find the shipped assets: inside the installed package, else at the root of the repository.

    Raises:
        InputError: They are in neither place.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "assets", package.parent / "assets"):
        if (folder / "demos").is_dir():
            return folder
    raise InputError(
        "The demo weights are not installed.", remedy="Install the package with its assets."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedDemo:
    """One demo case.

    Attributes:
        name: What the user types.
        title: What the user reads first.
        story: What somebody might be told who gets this case; gives nothing away.
        scenes: Samples of the case's data.
        seed: Of its pictures, its poison and its tuning.
    """

    name: str
    title: str
    story: str
    scenes: int
    seed: int

    @property
    def folder(self) -> Path:
        """What was made for this demo alone, with its measured figures."""
        return assets_folder() / "demos" / self.name

    @property
    def suggested(self) -> dict[str, dict[str, Any]]:
        """Options that its case suggests, by method: what a toy needs beside the defaults."""
        return {}

    def measured(self) -> dict[str, Any]:
        """Return what was measured when the demo was built; empty before that."""
        path = self.folder / MEASURED
        if not path.is_file():
            return {}
        figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return figures


def draw_set(
    data: Path,
    draw: Callable[[Path], Path],
    plant: Callable[[Path, Path], object] | None = None,
) -> None:
    """Draw a data set anew, and poison it where something is planted.

    Args:
        data: Folder of the set; half a set of an earlier, interrupted call is deleted.
        draw: Draws the clean set into a folder and returns its file.
        plant: Copies the set of a file into a folder and poisons it.
    """
    shutil.rmtree(data, ignore_errors=True)
    if plant is None:
        draw(data)
        return
    clean = data.with_name(f"{data.name}-clean")
    shutil.rmtree(clean, ignore_errors=True)
    plant(draw(clean), data)
    shutil.rmtree(clean)
