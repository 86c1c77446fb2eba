"""The loss of a tuning while it runs: a line now and then, read out of what the job reports."""

import contextlib
import math
import re
import time
from pathlib import Path
from typing import Any, Final

from forensics.runs.durable import append_line, read_lines

FILE: Final = "losses.jsonl"
_MESSAGE: Final = re.compile(
    r"(?P<stage>[^\d]*?)\s*(?P<step>\d+) of (?P<of>\d+), loss (?P<loss>-?\d+(?:\.\d+)?)"
)
_PACE: Final = 0.25  # seconds between two lines at the least
_MOST: Final = 1000  # lines of a job of any length, roughly


class LossLog:
    """Keeps some of the losses that a job tells in its messages (``step 3 of 40, loss 0.52``).

    The pace falls as the job grows older, so that the file stays small.

    Args:
        folder: Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._began = self._last = -math.inf

    def note(self, message: str) -> None:
        """Write a loss down, if the message has one and the last line is old enough."""
        found = _MESSAGE.match(message)
        if found is None:
            return
        now, step, of = time.monotonic(), int(found["step"]), int(found["of"])
        if self._began == -math.inf:
            self._began = now
        pace = max(_PACE, (now - self._began) / _MOST)
        if now - self._last < pace and step != of:
            return
        self._last = now
        line = {"stage": found["stage"], "step": step, "of": of, "loss": float(found["loss"])}
        with contextlib.suppress(OSError):  # a full disk is told by whatever needs the disk
            append_line(self._path, line)


def read_losses(folder: Path) -> list[dict[str, Any]]:
    """Read the losses of a run, stage by stage.

    A step that an attempt was stopped after and the next one did again is there once.

    Args:
        folder: Of the run.

    Returns:
        For each stage ``stage`` (its name), ``of`` (steps in all), ``steps`` and ``loss``.
    """
    if not (folder / FILE).is_file():
        return []
    stages: dict[str, dict[int, float]] = {}
    totals: dict[str, int] = {}
    for line in read_lines(folder / FILE)[0]:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            name, step, loss = str(line["stage"]), int(line["step"]), float(line["loss"])
            totals[name] = int(line["of"])
            stages.setdefault(name, {})[step] = loss
    return [
        {"stage": name, "of": totals[name], "steps": sorted(found),
         "loss": [found[step] for step in sorted(found)]}
        for name, found in stages.items()
    ]  # fmt: skip
