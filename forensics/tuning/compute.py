"""Where and how precisely gradients are computed: accelerate's part of the loop."""

from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState


def accelerator_for(device: torch.device) -> Accelerator:
    """Return accelerate's view of a device, with bfloat16 where that is fast.

    accelerate settles on one device in a process; a worker or a test that turns from one to
    another would be refused without a fresh start.
    """
    if PartialState().device.type != device.type:
        AcceleratorState._reset_state(reset_partial_state=True)
    fast = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()
    return Accelerator(cpu=device.type == "cpu", mixed_precision="bf16" if fast else "no")


def save_memory(module: Any) -> None:
    """Compute activations of every layer again in the backward pass instead of keeping them.

    Args:
        module: A transformers model, or peft's around one.
    """
    module.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    # With a frozen base nothing that enters a layer would need gradients.
    module.enable_input_require_grads()
