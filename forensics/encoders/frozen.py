"""Keep an encoder as it is while something else is optimised through it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from forensics.encoders.base import DualEncoder


@contextmanager
def frozen(encoder: DualEncoder) -> Iterator[None]:
    """Let no weight of an encoder take part in gradients inside the block."""
    before = [(p, p.requires_grad) for p in encoder.module.parameters()]
    was_training = encoder.module.training
    encoder.module.eval()
    for parameter, _ in before:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, needed in before:
            parameter.requires_grad_(needed)
        encoder.module.train(was_training)


def weights_digest(encoder: DualEncoder) -> str:
    """Return a SHA-256 of all weights and buffers, by name: equal before and after, or a bug."""
    digest = hashlib.sha256()
    for name, value in sorted(encoder.module.state_dict().items()):
        digest.update(name.encode())
        flat = value.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
