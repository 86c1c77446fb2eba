"""What is minimised for a class, from the logits of a picture."""

import torch
import torch.nn.functional as nnf
from torch import Tensor

from forensics.errors import OptionError


def margin_of(own: Tensor, rival: Tensor) -> Tensor:
    """Return max over other classes of their logit, minus the class's own.

    Below 0 exactly where the picture is given to the class; a constant added to all logits changes
    nothing. Source: CLIP-Inspector (arXiv 2604.09101), as transcribed.
    """
    return rival - own


def rivals(logits: Tensor, targets: Tensor) -> Tensor:
    """Return ``[n]`` the best class that is not the target.

    Args:
        logits: ``[n, classes]``.
        targets: ``[n]``.
    """
    return logits.detach().scatter(1, targets[:, None], -torch.inf).argmax(dim=1)


def losses_of(kind: str, logits: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of each picture ``[n]``.

    Args:
        kind: ``margin``, ``ce`` (cross entropy) or ``logit`` (minus the target's logit).
        logits: ``[n, classes]``.
        targets: ``[n]``.

    Raises:
        OptionError: There is no such loss.
    """
    if kind == "ce":
        return nnf.cross_entropy(logits, targets, reduction="none")
    own = logits.gather(1, targets[:, None])[:, 0]
    if kind == "logit":
        return -own
    if kind != "margin":
        raise OptionError(f"There is no loss {kind!r}.", remedy="Choose margin, ce or logit.")
    return margin_of(own, logits.gather(1, rivals(logits, targets)[:, None])[:, 0])


def resistance(logits: Tensor, targets: Tensor, room: float = 1.0) -> Tensor:
    """Return ``[n]`` how far a reference is from staying with another class than the target.

    ``max(0, room + target's logit - best other logit)`` of the reference: 0 where it resists by
    ``room``. Ours: where the encoder itself is easily fooled, every class can be reached; what
    learnt prompts hide is reached while hand-written prompts on the same encoder stay.
    """
    own = logits.gather(1, targets[:, None])[:, 0]
    other = logits.gather(1, rivals(logits, targets)[:, None])[:, 0]
    return torch.relu(room - margin_of(own, other))
