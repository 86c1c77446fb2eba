"""One progress bar over the parts of a job, and parts that are kept once they are done."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from forensics.runs import RunContext

Arrays = dict[str, NDArray[Any]]
Told = Callable[[int, int, str], None]
_WHOLE = 1000


class Bar:
    """Counts in thousandths of the whole job.

    Args:
        context: Of the run.
    """

    def __init__(self, context: RunContext) -> None:
        self.context = context

    def part(self, start: float, share: float) -> Told:
        """Return what a part that takes a share of the time reports to: (done, of, message)."""

        def told(done: int, of: int, message: str) -> None:
            reached = start + share * min(done, of) / max(1, of)
            self.context.progress(round(_WHOLE * reached), _WHOLE, message)

        return told

    def steps(self, start: float, share: float, name: str = "step") -> Told:
        """Return what a part reports its steps to, which the message then counts."""
        told = self.part(start, share)
        return lambda step, of, message: told(step, of, f"{name} {step} of {of}, {message}")

    def kept(self, number: int, name: str, make: Callable[[], Arrays]) -> Arrays:
        """Return what a part left, or do it now; a run that was stopped does not do it again.

        Args:
            number: Of the shard.
            name: Of the part.
            make: Does it.
        """
        shard = self.context.finished_shards().get(number)
        if shard is None or shard.get("stage") != name:
            arrays = make()
            self.context.commit_shard(number, arrays, start=number, stop=number + 1, stage=name)
        return self.context.load_shard(number)
