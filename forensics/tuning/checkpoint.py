"""Keep a half-finished tuning run, so that it goes on where it stopped."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from forensics.errors import CheckpointError
from forensics.tuning.options import ContrastiveOptions, TuneOptions


class Checkpoint:
    """The one checkpoint of a run: tuned weights, optimizer, schedule and losses so far.

    Args:
        out: Folder of the run.
        options: A checkpoint made with others is not used.
        model_uri: Likewise.
        ids: The samples in order; likewise.
        facts: What else shapes the weights; likewise.
    """

    def __init__(
        self,
        out: Path,
        options: TuneOptions | ContrastiveOptions,
        model_uri: str,
        ids: Sequence[str],
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        parts: list[Any] = [asdict(options), model_uri, list(ids)]
        plan = json.dumps([*parts, dict(facts)] if facts else parts, sort_keys=True)
        self._plan = hashlib.sha256(plan.encode()).hexdigest()
        self.path = out / "tuning.pt"

    def save(
        self,
        module: Any,
        optimizer: Any,
        schedule: Any,
        losses: list[float],
        notes: Sequence[list[float]] = (),
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """Write it whole or not at all.

        Args:
            module: Its trainable weights are kept.
            optimizer: Of the run.
            schedule: Of its rate.
            losses: One per finished step.
            notes: What was seen on the way.
            state: What the loss has to remember: numbers, texts, lists.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = {
            "plan": self._plan,
            "weights": {name: p.detach() for name, p in _tuned(module)},
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "losses": list(losses),
            "notes": [list(note) for note in notes],
            "state": dict(state or {}),
        }
        fresh = self.path.with_suffix(".tmp")
        torch.save(kept, fresh)
        fresh.replace(self.path)

    def restore(
        self,
        module: Any,
        optimizer: Any,
        schedule: Any,
        notes: list[list[float]] | None = None,
        state: dict[str, Any] | None = None,
    ) -> list[float]:
        """Put the saved state back; return the losses so far, one per finished step.

        Args:
            module: Gets its weights back.
            optimizer: Gets its state back.
            schedule: Likewise.
            notes: Gets what was seen on the way.
            state: Gets what the loss remembered.

        Raises:
            CheckpointError: The file is damaged.
        """
        if not self.path.exists():
            return []
        try:
            kept = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise CheckpointError(
                f"{self.path} cannot be read.", remedy="Delete it to start the tuning again."
            ) from error
        if kept.get("plan") != self._plan:
            return []
        with torch.no_grad():
            for name, parameter in _tuned(module):
                parameter.copy_(kept["weights"][name])
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        if notes is not None:
            notes[:] = kept.get("notes", [])
        if state is not None:
            state.update(kept.get("state", {}))
        return list(kept["losses"])

    def remove(self) -> None:
        """Delete it once the run is finished."""
        self.path.unlink(missing_ok=True)


def _tuned(module: Any) -> list[tuple[str, torch.nn.Parameter]]:
    return [(name, p) for name, p in module.named_parameters() if p.requires_grad]
