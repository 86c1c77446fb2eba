"""How precisely gradients are computed: one rule for all loops, one variable that overrules it.

Results of a seed are the same bit for bit on processors of one kind. Where bfloat16 is fast they
differ a little from those of float32, and a backdoor that is half learnt may differ by points of
its ASR: runs that are to be compared over machines set ``ACCELERATE_MIXED_PRECISION=no``.
"""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Literal

import torch

from forensics.errors import OptionError

Precision = Literal["float32", "bfloat16"]
VARIABLE: Final = "ACCELERATE_MIXED_PRECISION"
"""accelerate's own variable: ``no`` or ``bf16``."""
_SPELT: Final[dict[str, Precision]] = {"no": "float32", "bf16": "bfloat16"}


def precision_on(device: torch.device) -> Precision:
    """Say what gradients are computed in: bfloat16 where the hardware multiplies it faster.

    That is on CUDA, and on processors with AVX-512 bf16, where a step takes three quarters of the
    time. Weights, and what the optimizer remembers, are float32 all the same.

    Raises:
        OptionError: The variable names neither.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        if chosen not in _SPELT:
            raise OptionError(
                f"{VARIABLE} is {chosen[:40]!r}, which is no precision to train in.",
                remedy="Set it to no (float32) or bf16, or unset it.",
            )
        return _SPELT[chosen]
    fast = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if fast else "float32"


def mixed_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Compute what stands inside as :func:`precision_on` says."""
    if precision_on(device) == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
