"""The cases that this server knows, each under a short id that is safe in an address."""

import hashlib
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from forensics.case import Case
from forensics.errors import CaseError, ForensicsError
from forensics.runs.durable import read_json, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A case in the list of recent ones.

    Attributes:
        name: Its id.
        folder: Where it is, or was.
        case: It, opened; ``None`` if it cannot be.
        problem: Why not.
    """

    name: str
    folder: Path
    case: Case | None = None
    problem: str = ""


CASE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
RECENT = 30


class Workspace:
    """A folder of cases, and a list of those opened from elsewhere.

    A page never names a path: it names an id, and only folders that the user opened have one.

    Args:
        root: Where new cases go; the list of recent ones lies beside them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._open: dict[str, tuple[int, Case]] = {}

    def enter(self, folder: Path) -> str:
        """Open a case folder and return its id.

        Raises:
            CaseError: It is no case.
        """
        case = Case.open(folder)
        name = case_id(case.folder)
        with self._lock:
            recent = [entry for entry in self._recent() if entry != str(case.folder)]
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_json(self.root / "recent.json", {"cases": [str(case.folder), *recent][:RECENT]})
        return name

    def case(self, name: str) -> Case:
        """Return the case of an id, opened once.

        Raises:
            CaseError: No such case was opened here.
        """
        folder = self._folder(name)
        stamp = (folder / "case.json").stat().st_mtime_ns if folder.is_dir() else 0
        with self._lock:
            known = self._open.get(name)
            if known is None or known[0] != stamp:
                known = self._open[name] = (stamp, Case.open(folder))
            return known[1]

    def recent(self) -> list[tuple[str, Case]]:
        """Return the cases opened lately, newest first; folders that are gone are left out."""
        found = []
        for entry in self._recent():
            name = case_id(Path(entry))
            try:
                found.append((name, self.case(name)))
            except (CaseError, OSError):
                continue  # moved or deleted by the user: not this list's business
        return found

    def entries(self) -> list[Entry]:
        """Return all cases opened lately, newest first; those that cannot be opened say why."""
        found = []
        for listed in self._recent():
            folder = Path(listed)
            name = case_id(folder)
            try:
                found.append(Entry(name=name, folder=folder, case=self.case(name)))
            except (ForensicsError, OSError) as error:
                reason = str(error) if folder.exists() else "Its folder is not there any more."
                found.append(Entry(name=name, folder=folder, problem=reason))
        return found

    def forget(self, name: str) -> None:
        """Take a case off the list; its folder stays as it is.

        Raises:
            CaseError: It is not on the list.
        """
        folder = self._folder(name)
        with self._lock:
            kept = [entry for entry in self._recent() if entry != str(folder)]
            write_json(self.root / "recent.json", {"cases": kept})
            self._open.pop(name, None)

    def new_folder(self, title: str) -> Path:
        """Return a folder for a new case, named after its title and not there yet."""
        stem = _slug(title) or "case"
        for number in range(1, 10_000):
            folder = self.root / (stem if number == 1 else f"{stem}-{number}")
            if not folder.exists():
                return folder
        raise CaseError(f"There are too many cases named {stem!r}.", remedy="Choose another title.")

    def _folder(self, name: str) -> Path:
        if CASE_ID.fullmatch(name):
            for entry in self._recent():
                if case_id(Path(entry)) == name:
                    return Path(entry)
        raise CaseError(
            "This server knows no case of that name.", remedy="Open its folder in the Home tab."
        )

    def _recent(self) -> list[str]:
        path = self.root / "recent.json"
        if not path.exists():
            return []
        try:
            listed = read_json(path).get("cases", [])
        except (CaseError, json.JSONDecodeError):
            return []  # a list of conveniences: a damaged one is begun anew
        return [entry for entry in listed if isinstance(entry, str)]


def case_id(folder: Path) -> str:
    """Return the id of a case folder: its name, and a part of the hash of its path."""
    digest = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{_slug(folder.name) or 'case'}-{digest[:6]}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
