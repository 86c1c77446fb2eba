"""What every training loop shares: how the rate moves, and which samples make up a step."""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

ROW_ORDER: Final = 0x0DE2
"""Stream of the orders in which the rows of somebody's data set are taught.

With stream 0 the first pass is ``default_rng(seed).permutation`` to the bit, which is also how
poisoned rows are drawn, here and elsewhere: a model would be taught all of them first, and none
afterwards.
"""


def rate_factor(step: int, steps: int, *, warmup: float, schedule: str) -> float:
    """Return the factor on the learning rate at a step counted from 0, in [0, 1].

    Args:
        step: Of ``steps``.
        steps: In all.
        warmup: Share of the steps in which the rate rises.
        schedule: ``cosine``, ``linear`` or ``constant`` afterwards.
    """
    warm = max(1, round(warmup * steps))
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1.0 - done if schedule == "linear" else 1.0


def samples_of_step(
    step: int, count: int, *, batch_size: int, seed: int, stream: int = 0
) -> list[int]:
    """Say which samples make up a step: a function of seed and step, so a resume needs no state.

    Every sample comes once before any comes again.

    Args:
        step: Counted from 0.
        count: How many samples there are.
        batch_size: Samples a step.
        seed: Of the run.
        stream: Which draws of that seed; 0 shares its first pass with ``default_rng(seed)``.
    """
    first = step * batch_size
    wanted = np.arange(first, first + batch_size)
    orders = {
        epoch: np.random.default_rng([seed, int(epoch), stream]).permutation(count)
        for epoch in np.unique(wanted // count)
    }
    return [int(orders[position // count][position % count]) for position in wanted]


def faster_attention(device: torch.device) -> AbstractContextManager[Any]:
    """Take plain products on the CPU: the fused kernel's backward pass costs twice as much."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
