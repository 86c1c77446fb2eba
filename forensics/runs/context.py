"""What a job sees of its run: progress, cancelling, and shards that need not be done again."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from forensics.errors import Cancelled
from forensics.runs.durable import write_bytes, write_json
from forensics.runs.ledger import Arrays, Shard, pack
from forensics.runs.run import Run
from forensics.runs.statusboard import StatusBoard


class RunContext(Protocol):
    """What a job is given. A job calls ``progress`` first with what is done already."""

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Report units finished and in all; also a yield point like :meth:`check_cancelled`."""
        ...

    def event(self, kind: str, **fields: Any) -> None:
        """Append to the run's log of events."""
        ...

    def check_cancelled(self) -> None:
        """Let waiting live requests use the model, then stop the job if the user asked.

        Call it between batches, with no hook on the model.

        Raises:
            Cancelled: The user asked; let it pass.
        """
        ...

    def finished_shards(self) -> dict[int, Shard]:
        """Return the shards that earlier attempts finished, by number."""
        ...

    def commit_shard(
        self, index: int, content: Arrays | bytes, *, start: int, stop: int, **facts: Any
    ) -> Shard:
        """Keep one finished shard for good.

        Args:
            index: Its number, from 0.
            content: Arrays (stored as safetensors) or bytes.
            start: First unit in it.
            stop: First unit after it.
            facts: What of the plan shaped its bytes, for instance ``batch_size``.
        """
        ...

    def load_shard(self, index: int) -> dict[str, NDArray[Any]]:
        """Read the arrays of a finished shard back."""
        ...

    def save_arrays(self, name: str, arrays: Arrays) -> None:
        """Write a safetensors file of the run, whole or not at all."""
        ...

    def save_json(self, name: str, value: dict[str, Any]) -> None:
        """Write a JSON file of the run, whole or not at all."""
        ...

    def save_bytes(self, name: str, content: bytes) -> None:
        """Write any other file of the run, whole or not at all."""
        ...

    def save_result(self, result: dict[str, Any]) -> None:
        """Write ``result.json``; what the job returns is written so in any case."""
        ...

    @property
    def folder(self) -> Path | None:
        """Where the run's files are; ``None`` where there is no folder."""
        ...


class FolderContext:
    """The context of a run that is being executed.

    Args:
        run: The run, held by this process.
        board: Where progress goes.
        stop: Set when the process was told to stop.
        between: Called between batches; a worker serves live requests there.
    """

    def __init__(
        self,
        run: Run,
        board: StatusBoard,
        stop: threading.Event,
        between: Callable[[], None] | None = None,
    ) -> None:
        self._run = run
        self._board = board
        self._stop = stop
        self._between = between
        self._shards = _clean(run)

    @property
    def folder(self) -> Path:
        """Where the run's files are."""
        return self._run.folder

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Report units finished and in all; also a yield point."""
        self._board.progress(done, total, message)
        self.check_cancelled()

    def event(self, kind: str, **fields: Any) -> None:
        """Append to the run's log of events."""
        self._run.event(kind, **fields)

    def check_cancelled(self) -> None:
        """Let live requests pass, then raise :class:`Cancelled` if the user asked for it."""
        self._board.raise_problem()
        if self._between is not None:
            self._between()
        if self._stop.is_set() or self._run.cancel_requested:
            raise Cancelled(
                f"Run {self._run.id} was cancelled.", remedy="What it finished is kept; resume it."
            )

    def finished_shards(self) -> dict[int, Shard]:
        """Return the finished shards by number."""
        return dict(self._shards)

    def commit_shard(
        self, index: int, content: Arrays | bytes, *, start: int, stop: int, **facts: Any
    ) -> Shard:
        """Keep one finished shard for good."""
        shard = self._run.ledger.commit(index, content, start=start, stop=stop, **facts)
        self._shards[index] = shard
        return shard

    def load_shard(self, index: int) -> dict[str, NDArray[Any]]:
        """Read the arrays of a finished shard back."""
        return self._run.ledger.load(self._shards[index])

    def save_arrays(self, name: str, arrays: Arrays) -> None:
        """Write a safetensors file of the run."""
        write_bytes(self._run.path(name), pack(arrays)[0])

    def save_json(self, name: str, value: dict[str, Any]) -> None:
        """Write a JSON file of the run."""
        write_json(self._run.path(name), value)

    def save_bytes(self, name: str, content: bytes) -> None:
        """Write any other file of the run."""
        write_bytes(self._run.path(name), content)

    def save_result(self, result: dict[str, Any]) -> None:
        """Write ``result.json``."""
        write_json(self._run.folder / "result.json", result)


class MemoryContext:
    """A context without a folder, for use of the jobs as a library: nothing is cancelled or kept.

    Attributes:
        files: What the job saved, by file name: arrays, JSON values or bytes.
        result: What it saved as its result.
    """

    folder: Path | None = None

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}
        self.result: dict[str, Any] = {}
        self._shards: dict[int, tuple[Shard, Arrays]] = {}

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Do nothing."""

    def event(self, kind: str, **fields: Any) -> None:
        """Do nothing."""

    def check_cancelled(self) -> None:
        """Do nothing."""

    def finished_shards(self) -> dict[int, Shard]:
        """Return the shards committed so far."""
        return {index: shard for index, (shard, _) in self._shards.items()}

    def commit_shard(
        self, index: int, content: Arrays | bytes, *, start: int, stop: int, **facts: Any
    ) -> Shard:
        """Keep one finished shard in memory."""
        shard = Shard(index=index, start=start, stop=stop, file="", sha256="", facts=facts)
        copy = {} if isinstance(content, bytes) else {k: np.array(v) for k, v in content.items()}
        self._shards[index] = (shard, copy)
        return shard

    def load_shard(self, index: int) -> dict[str, NDArray[Any]]:
        """Return the arrays of a committed shard."""
        return dict(self._shards[index][1])

    def save_arrays(self, name: str, arrays: Arrays) -> None:
        """Keep arrays under a name."""
        self.files[name] = dict(arrays)

    def save_json(self, name: str, value: dict[str, Any]) -> None:
        """Keep a JSON value under a name."""
        self.files[name] = value

    def save_bytes(self, name: str, content: bytes) -> None:
        """Keep bytes under a name."""
        self.files[name] = content

    def save_result(self, result: dict[str, Any]) -> None:
        """Keep the result."""
        self.result = result


def _clean(run: Run) -> dict[int, Shard]:
    """Bring ledger and shard files in line; say in the events what has to be done again."""
    shards, dropped = run.ledger.read()
    (run.folder / "shards").mkdir(exist_ok=True, mode=0o700)
    run.ledger.rewrite(shards)
    for leftover in run.folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)
    if shards or dropped:
        run.event("resumed", shards=len(shards), dropped=dropped)
    return shards
