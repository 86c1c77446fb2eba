"""How the similarity of a chosen pair is taken away (reconstruction)."""

import torch
from torch import Tensor


def unlearning_loss(cosines: Tensor, how: str = "hinge", margin: float = 0.0) -> Tensor:
    """Compute L_unl; minimising it brings the similarity **down**.

    Args:
        cosines: ``[pairs]`` of pictures with what is left of their captions.
        how: ``hinge``: ``mean max(cos - margin, 0)``, the default: it ends at the margin.
            ``plain``: ``mean cos``, gradient ascent on the alignment, without an end.
            ``push``: ``mean (cos + 1)^2``.
        margin: Of the hinge.
    """
    if how == "plain":
        return cosines.mean()
    if how == "push":
        return (cosines + 1.0).square().mean()
    return torch.clamp(cosines - margin, min=0.0).mean()
