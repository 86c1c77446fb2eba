"""One run: a folder that the worker, the app, the command line and a notebook share."""

import contextlib
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filelock import FileLock, Timeout
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from forensics.errors import CaseError
from forensics.runs.abandoned import is_abandoned
from forensics.runs.durable import append_line, read_json, read_lines, write_bytes, write_json
from forensics.runs.ledger import Ledger
from forensics.runs.plain import plain
from forensics.runs.process import identity
from forensics.runs.status import SCHEMA, State, Status, read_status, write_status
from forensics.runs.versions import versions

RUN_ID = re.compile(r"\d{8}-\d{6}-[a-z][a-z0-9-]{0,40}-[0-9a-f]{4}")
METHOD = re.compile(r"[a-z][a-z0-9-]{0,40}")
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}(\.[a-z0-9]{1,16}){1,2}")


class Run:
    """A run folder.

    Attributes:
        folder: Where it is.
        id: Its name, which sorts by time: ``20261121-081530-attention-entropy-3f2a``.
        method: Registry name of the method.
        options: What the method was told.
        created: When, ISO 8601, UTC.
        versions: Versions of the software that made it.
    """

    def __init__(self, folder: Path) -> None:
        """Open a run; see :meth:`open`."""
        if not RUN_ID.fullmatch(folder.name):
            raise CaseError(f"{folder.name!r} is not the name of a run.")
        described = read_json(folder / "options.json")
        if described.get("schema") != SCHEMA:
            raise CaseError(
                f"{folder} has run schema {described.get('schema')!r}, not {SCHEMA}.",
                remedy="Open it with the version of the program that made it.",
            )
        self.folder = folder
        self.id = folder.name
        self.method = str(described.get("method"))
        self.options: dict[str, Any] = dict(described.get("options") or {})
        self.created = str(described.get("created"))
        self.versions: dict[str, str] = dict(described.get("versions") or {})

    @classmethod
    def create(
        cls, runs_dir: Path, method: str, options: Mapping[str, Any], *, worker: bool = False,
        files: Mapping[str, bytes] = MappingProxyType({}),
    ) -> "Run":  # fmt: skip
        """Make a run in state ``queued``.

        Args:
            runs_dir: The folder of all runs of a case.
            method: Registry name: small letters, digits and hyphens.
            options: What the method is told; must have a JSON form.
            worker: Whether a worker may take it; otherwise the caller executes it.
            files: What it begins with besides: name -> content.

        Raises:
            CaseError: The method's name is not one, or that of a file.
        """
        if not METHOD.fullmatch(method):
            raise CaseError(f"{method!r} cannot be the name of a method.")
        now = datetime.now(UTC)
        folder = runs_dir / f".new-{secrets.token_hex(8)}"
        folder.mkdir(parents=True, mode=0o700)
        (folder / "shards").mkdir(mode=0o700)
        described = {"schema": SCHEMA, "method": method, "created": now.isoformat()}
        described |= {"options": plain(options), "versions": versions()}
        write_json(folder / "options.json", described)
        for name, content in files.items():
            write_bytes(folder / checked_name(name), content)
        write_status(folder / "status.json", _queued(Status(state=State.QUEUED), worker))
        return cls(_named(folder, f"{now:%Y%m%d-%H%M%S}-{method}"))

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Open a run folder.

        Raises:
            CaseError: It is none, or of another schema.
        """
        return cls(folder)

    def status(self) -> Status:
        """Read where it stands now."""
        return read_status(self.folder / "status.json")

    def write_status(self, status: Status) -> None:
        """Replace the status; only for whoever holds the run (:meth:`hold`)."""
        write_status(self.folder / "status.json", status)

    def result(self) -> dict[str, Any]:
        """Read the result.

        Raises:
            CaseError: There is none (yet).
        """
        if not (self.folder / "result.json").exists():
            raise CaseError(
                f"Run {self.id} has no result; it is {self.status().state}.",
                remedy="Wait for it, or resume it.",
            )
        return read_json(self.folder / "result.json")

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Read a file of arrays.

        Args:
            name: File name, ``attention.safetensors``.

        Raises:
            CaseError: It is missing or damaged.
        """
        try:
            arrays: dict[str, NDArray[Any]] = load_file(self.path(name))
        except (OSError, SafetensorError) as error:
            raise CaseError(
                f"{self.path(name)} cannot be read: {error}.", remedy="Run the job again."
            ) from error
        return arrays

    def path(self, name: str) -> Path:
        """Return the path of one of the run's files.

        Raises:
            CaseError: The name is not a plain file name.
        """
        return self.folder / checked_name(name)

    @property
    def ledger(self) -> Ledger:
        """The finished shards."""
        return Ledger(self.folder)

    def events(self) -> list[dict[str, Any]]:
        """Read what happened, oldest first; a torn line is left out."""
        return read_lines(self.folder / "events.jsonl")[0]

    def event(self, kind: str, **fields: Any) -> None:
        """Append to what happened."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        append_line(self.folder / "events.jsonl", {"at": at, "kind": kind} | fields)

    def request_cancel(self) -> None:
        """Ask whoever executes the run to stop; one that only waits is cancelled at once."""
        (self.folder / "cancel").touch(mode=0o600)
        # Held by another process: it is being executed, and whoever does that sees the file.
        with contextlib.suppress(CaseError), self.hold():
            status = self.status()
            if status.state is State.QUEUED:
                self.write_status(status.to(State.CANCELLED, ended=time.time()))

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / "cancel").exists()

    def requeue(self, *, worker: bool = False) -> None:
        """Put a stopped run in the queue again; it will go on from its ledger.

        Raises:
            CaseError: It works or waits already, or it is finished.
        """
        with self.hold():
            status = self.status()
            if status.state is State.RUNNING or is_abandoned(status):
                # We hold the run, so nobody works on it, whatever its status says.
                status = status.to(State.INTERRUPTED)
            status = status.to(State.QUEUED)
            (self.folder / "cancel").unlink(missing_ok=True)
            self.write_status(_queued(status, worker))

    @contextlib.contextmanager
    def hold(self, wait: float = 0.5) -> Iterator[None]:
        """Be the only process that executes or changes the run.

        The system frees the lock when the process dies, however it dies.

        Args:
            wait: Seconds to wait for others that hold it briefly, to change its state.

        Raises:
            CaseError: Another one holds it.
        """
        lock = FileLock(self.folder / "lock", timeout=wait, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise CaseError(
                f"Run {self.id} is in the hands of process {self.status().pid}.",
                remedy="Wait until it ends, or cancel it.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def delete(self) -> None:
        """Remove the folder and all in it.

        Raises:
            CaseError: It is being executed.
        """
        doomed = self.folder.with_name(f".old-{secrets.token_hex(8)}")
        with self.hold():
            self.folder.rename(doomed)
        shutil.rmtree(doomed)

    def disk_use(self) -> int:
        """Return the bytes of all its files."""
        return folder_bytes(self.folder)


def checked_name(name: str) -> str:
    """Return the name of a file in a run.

    Raises:
        CaseError: It is not a plain file name.
    """
    if not FILE_NAME.fullmatch(name):
        raise CaseError(f"{name!r} is not the name of a file in a run.")
    return name


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files under a folder; files that vanish meanwhile count 0."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.lstat().st_size if path.is_file() else 0
    return total


def _queued(status: Status, worker: bool) -> Status:
    pid, started, host = identity()
    return replace(
        status, worker=worker, pid=pid, process_started=started, host=host, queued=time.time()
    )


def _named(folder: Path, stem: str) -> Path:
    """Give a complete folder its final name; two runs of one second differ in the last part."""
    while True:
        target = folder.with_name(f"{stem}-{secrets.token_hex(2)}")
        try:
            return folder.rename(target)
        except OSError:
            if not target.exists():
                raise
