"""Optimizer and learning-rate schedule that both stages of the base share."""

import math
from typing import Any

import torch

_WARMUP = 100
_FLOOR = 0.03


def optimizer_for(groups: list[tuple[list[torch.nn.Parameter], float]]) -> torch.optim.AdamW:
    """Make AdamW with one learning rate for each group of parameters."""
    return torch.optim.AdamW(
        [{"params": parameters, "lr": rate} for parameters, rate in groups],
        weight_decay=0.01,
        betas=(0.9, 0.98),
    )


def cosine(optimizer: torch.optim.Optimizer, steps: int) -> Any:
    """Rise for 100 steps, then fall along a cosine to 3 % of the largest rate."""

    def factor(step: int) -> float:
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, steps))))
        return min(1.0, (step + 1) / _WARMUP) * ((1 - _FLOOR) * fall + _FLOOR)

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
