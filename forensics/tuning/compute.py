"""Where and how precisely gradients are computed: accelerate's part of the loop."""

from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState

from forensics.tuning.precision import precision_on


def accelerator_for(device: torch.device) -> Accelerator:
    """Return accelerate's view of a device, with the precision of that device.

    accelerate settles on one device and one precision in a process; a worker or a test that turns
    from one to another would be refused without a fresh start.
    """
    wanted = "bf16" if precision_on(device) == "bfloat16" else "no"
    if PartialState().device.type != device.type or _settled() not in (None, wanted):
        AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=device.type == "cpu", mixed_precision=wanted)


def _settled() -> str | None:
    """Return the precision that this process has settled on, if it has."""
    return str(AcceleratorState().mixed_precision) if AcceleratorState._shared_state else None


def save_memory(module: Any) -> None:
    """Compute activations of every layer again in the backward pass instead of keeping them.

    Args:
        module: A transformers model, or peft's around one.
    """
    module.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    # With a frozen base nothing that enters a layer would need gradients.
    module.enable_input_require_grads()
