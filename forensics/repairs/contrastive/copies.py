"""Change the weights of an encoder without changing the encoder that others hold."""

import copy

from forensics.encoders.base import DualEncoder


def copy_of(encoder: DualEncoder) -> DualEncoder:
    """Return the same encoder with float32 weights of its own; all of them may be trained."""
    twin = copy.copy(encoder)
    twin.module = copy.deepcopy(encoder.module).float()
    for parameter in twin.module.parameters():
        parameter.requires_grad_(True)
    return twin
