"""The finished parts of a repair, each a shard of the run: what was done is not done again."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from forensics.runs import RunContext

Arrays = dict[str, NDArray[Any]]


class Stages:
    """Numbers the parts of a job and keeps what each leaves.

    Parts must come in the same order after a resume.

    Args:
        context: Of the run.
        total: Parts in all, for the progress bar.
    """

    def __init__(self, context: RunContext, total: int) -> None:
        self.context, self.total, self._next = context, total, 0

    def do(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """Return what a part left, or do it now.

        Args:
            name: What it is; shown, and kept with the shard.
            make: Does it.

        Raises:
            Cancelled: The user asked to stop; finished parts stay.
        """
        number = self._next
        self._next += 1
        self.total = max(self.total, number + 1)  # the new inversion has as many as it has
        self.context.progress(number, self.total, name)
        if not self.is_done(number, name):
            arrays = make()
            self.context.commit_shard(number, arrays, start=number, stop=number + 1, stage=name)
        return self.context.load_shard(number)

    def is_done(self, number: int, name: str) -> bool:
        """Tell whether a part was done before, and is the one that is meant."""
        shard = self.context.finished_shards().get(number)
        return shard is not None and shard.get("stage") == name

    def beat(self, message: str) -> None:
        """Say what is under way inside a part; also where a request to stop is heard."""
        self.context.progress(self._next - 1, self.total, message)
