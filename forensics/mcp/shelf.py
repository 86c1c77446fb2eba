"""The cases that the server may show, opened so that nothing in them changes."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from PIL import Image

from forensics.case import Case
from forensics.case.journal import Journal
from forensics.case.pictures import Pictures
from forensics.data.sample import Sample
from forensics.errors import CaseError, DataError

DATABASE = ("case.sqlite", "case.sqlite-wal")


class Shelf:
    """Cases by a short name; no other folder can be asked for.

    Args:
        folders: Of the cases.

    Raises:
        CaseError: One of them is no case.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._cases: dict[str, Case] = {}
        for folder in folders:
            case = Case.open(folder)
            case.pictures = _NoPictures(case.folder)
            self._cases[self._name(case.folder)] = case

    def __iter__(self) -> Iterator[tuple[str, Case]]:
        return iter(self._cases.items())

    def case(self, name: str) -> Case:
        """Return a case by its name.

        Raises:
            CaseError: There is none of that name.
        """
        if name not in self._cases:
            raise CaseError(f"There is no case {name[:80]!r}; list_cases names them.")
        return self._cases[name]

    def _name(self, folder: Path) -> str:
        stem = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:40] or "case"
        name, number = stem, 1
        while name in self._cases:
            number += 1
            name = f"{stem}-{number}"
        return name


@contextlib.contextmanager
def with_journal(case: Case) -> Iterator[Case]:
    """Lend a case whose journal is a copy: opening a database writes to it.

    Args:
        case: The case; its own folder is only read.
    """
    with tempfile.TemporaryDirectory(prefix="triggerlens-") as scratch:
        for name in DATABASE:
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(case.folder / name, Path(scratch) / name)
        lent = Case.open(case.folder)
        lent.pictures = case.pictures
        lent.journal = Journal(Path(scratch) / DATABASE[0])
        yield lent


class _NoPictures(Pictures):
    """No pictures: none is decoded here, and none is written into the case."""

    def thumb(self, sample: Sample) -> None:
        return None

    def picture(self, sample: Sample, side: int = 768) -> NoReturn:
        raise DataError(f"Sample {sample.id[:80]!r} is not shown here.")

    def keep(self, image: Image.Image, side: int = 768) -> NoReturn:
        raise DataError("Nothing is kept here.")

    def kept(self, address: str) -> None:
        return None
