"""Run folders that cannot be read: found, told about, and cleared away on request."""

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from forensics.errors import CaseError
from forensics.runs.choices import CHOICES, choices
from forensics.runs.run import RUN_ID, Run, folder_bytes
from forensics.runs.status import State
from forensics.runs.whole import is_whole

TOLD = ("options.json", "status.json", "result.json", CHOICES)
MEASURED = ("attention.safetensors", "maps.safetensors", "clusters.safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedRun:
    """A folder that should be a run and is none.

    Attributes:
        id: Its name.
        folder: Where it is.
        reason: What cannot be read.
    """

    id: str
    folder: Path
    reason: str

    def disk_use(self) -> int:
        """Return the bytes of all its files."""
        return folder_bytes(self.folder)

    def delete(self) -> None:
        """Remove the folder and all in it."""
        doomed = self.folder.with_name(f".old-{secrets.token_hex(8)}")
        self.folder.rename(doomed)
        shutil.rmtree(doomed)


def run_folders(runs_dir: Path) -> Iterator[Path]:
    """Yield the folders that are named like a run; links are none."""
    if not runs_dir.is_dir():
        return
    for folder in runs_dir.iterdir():
        if RUN_ID.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
            yield folder


def damaged_runs(runs_dir: Path) -> list[DamagedRun]:
    """Return the runs of a folder that cannot be read, newest first."""
    found = [
        DamagedRun(id=folder.name, folder=folder, reason=reason)
        for folder in run_folders(runs_dir)
        if (reason := damage(folder))
    ]
    return sorted(found, key=lambda run: run.id, reverse=True)


def damage(folder: Path) -> str:
    """Say what of a run cannot be read; empty if all that every run has can be.

    Its options, its status and what it chose; of a finished one the result, and whether what it
    measured is whole. A file is looked at again only after it has changed.
    """
    return _damage(folder, tuple(_stamp(folder / name) for name in (*TOLD, *MEASURED)))


@lru_cache(maxsize=4096)
def _damage(folder: Path, _stamps: object) -> str:
    try:
        run = Run.open(folder)
        choices(folder)
        if run.status().state is not State.FINISHED:
            return ""
        run.result()
    except (CaseError, ValueError) as error:
        return str(error)
    files = [folder / name for name in MEASURED if (folder / name).exists()]
    broken = [file.name for file in files if not is_whole(file)]
    return f"{', '.join(broken)} of this run cannot be read: cut off or damaged." if broken else ""


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino
