"""What a job sees of its run: progress, cancelling, and shards that need not be done again."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from forensics.errors import Cancelled
from forensics.runs.durable import write_bytes, write_json
from forensics.runs.ledger import Arrays, Ledger, Shard, pack
from forensics.runs.losses import LossLog
from forensics.runs.run import Run, checked_name
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
        """Return the finished shards by number: those of earlier attempts, too.

        Each is its line of the ledger: ``shard``, ``start``, ``stop``, ``file`` (below
        :attr:`folder`), ``sha256`` and the facts it was committed with.
        """
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
    def folder(self) -> Path:
        """Where the run's files are."""
        ...


class QuietContext:
    """A context without a run, for use of the jobs as a library: nobody watches or cancels.

    Args:
        folder: Where files and shards go; a second call with the same folder resumes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ledger = Ledger(folder)
        self._shards, self._dropped = self._ledger.read()
        self._ledger.rewrite(self._shards)

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._folder

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Do nothing."""

    def event(self, kind: str, **fields: Any) -> None:
        """Do nothing."""

    def check_cancelled(self) -> None:
        """Do nothing."""

    def finished_shards(self) -> dict[int, Shard]:
        """Return the finished shards by number."""
        return dict(self._shards)

    def commit_shard(
        self, index: int, content: Arrays | bytes, *, start: int, stop: int, **facts: Any
    ) -> Shard:
        """Keep one finished shard for good."""
        shard = self._ledger.commit(index, content, start=start, stop=stop, **facts)
        self._shards[index] = shard
        return shard

    def load_shard(self, index: int) -> dict[str, NDArray[Any]]:
        """Read the arrays of a finished shard back."""
        return self._ledger.load(self._shards[index])

    def save_arrays(self, name: str, arrays: Arrays) -> None:
        """Write a safetensors file."""
        write_bytes(self._folder / checked_name(name), pack(arrays)[0])

    def save_json(self, name: str, value: dict[str, Any]) -> None:
        """Write a JSON file."""
        write_json(self._folder / checked_name(name), value)

    def save_bytes(self, name: str, content: bytes) -> None:
        """Write any other file."""
        write_bytes(self._folder / checked_name(name), content)

    def save_result(self, result: dict[str, Any]) -> None:
        """Write ``result.json``."""
        write_json(self._folder / "result.json", result)


class WatchedContext(QuietContext):
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
        super().__init__(run.folder)
        self._run = run
        self._board = board
        self._stop = stop
        self._between = between
        self._losses = LossLog(run.folder)
        board.known = sum(shard["stop"] - shard["start"] for shard in self._shards.values())
        for leftover in run.folder.rglob(".*.tmp"):
            leftover.unlink(missing_ok=True)
        if self._shards or self._dropped:
            run.event("resumed", shards=len(self._shards), dropped=self._dropped)

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Report units finished and in all; also a yield point."""
        self._board.progress(done, total, message)
        self._losses.note(message)
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
