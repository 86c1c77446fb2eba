"""Keep a half-finished repair, so that it goes on where it stopped."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from forensics.errors import CheckpointError

_MOMENTUM = "momentum_buffer"


class StepCheckpoint:
    """One safetensors file: what is learnt, its momentum, and the log so far.

    Args:
        path: Of the file.
        plan: What the run is made of; a file of another plan is not used.
    """

    def __init__(self, path: Path, plan: Any) -> None:
        self.path = path
        self._plan = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()

    def save(
        self, learnt: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, log: Tensor
    ) -> None:
        """Write it whole or not at all.

        Args:
            learnt: By name.
            optimizer: SGD over them.
            log: ``[steps, columns]``, one row for every finished step.
        """
        tensors = {"log": log}
        for name, value in learnt.items():
            tensors[f"value.{name}"] = value
            momentum = optimizer.state[value].get(_MOMENTUM)
            if momentum is not None:
                tensors[f"momentum.{name}"] = momentum
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".tmp")
        stored = {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}
        save_file(stored, fresh, metadata={"plan": self._plan})
        fresh.replace(self.path)

    def restore(self, learnt: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> Tensor:
        """Put the saved state back; return the log, without rows if there is nothing to go on from.

        Raises:
            CheckpointError: The file is damaged.
        """
        nothing = torch.zeros(0)
        if not self.path.exists():
            return nothing
        try:
            with safe_open(self.path, framework="pt") as file:
                if (file.metadata() or {}).get("plan") != self._plan:
                    return nothing
                found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _put(found, learnt, optimizer)
        except (SafetensorError, OSError, KeyError, RuntimeError) as error:
            raise CheckpointError(
                f"{self.path} cannot be read.", remedy="Delete it to start the repair again."
            ) from error

    def remove(self) -> None:
        """Delete it once the repair is finished."""
        self.path.unlink(missing_ok=True)


def _put(
    found: Mapping[str, Tensor], learnt: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> Tensor:
    """Put values and momentum back; return the log."""
    for name, value in learnt.items():
        with torch.no_grad():
            value.copy_(found[f"value.{name}"])
        if f"momentum.{name}" in found:
            optimizer.state[value][_MOMENTUM] = found[f"momentum.{name}"].to(value)
    return found["log"]
