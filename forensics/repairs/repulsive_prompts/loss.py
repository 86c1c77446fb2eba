"""RVPT's loss: cross entropy beside repulsion from the frozen tower's features."""

import torch
from torch import Tensor
from torch.nn import functional as F


def cosines(features: Tensor, reference: Tensor) -> Tensor:
    """Return the mean cosine over prompted depths, picture by picture.

    Args:
        features: ``[depth, batch, width]`` of the prompted tower.
        reference: The same of the frozen, unprompted one.

    Returns:
        ``[batch]`` float32 in [-1, 1].
    """
    return F.cosine_similarity(features.float(), reference.float(), dim=-1).mean(dim=0)


def repelling_loss(cosine: Tensor, margin: float = -1.0) -> Tensor:
    """Compute L_FR (arXiv 2412.20392, feature-repelling loss); smaller is further away.

    Args:
        cosine: ``[batch]``, see :func:`cosines`.
        margin: The paper's m: a picture's term never falls below it. -1 = no margin; with 1 there
            is no gradient, which is plain visual prompt tuning.

    Returns:
        Mean over the batch, in [-1, 1].
    """
    return torch.clamp(cosine, min=margin).mean()


def class_loss(images: Tensor, classes: Tensor, labels: Tensor, scale: float) -> Tensor:
    """Compute L_CE: cross entropy of scaled cosines with the class vectors.

    Args:
        images: ``[batch, width]`` unit vectors.
        classes: ``[classes, width]`` unit vectors of sentences about the classes.
        labels: ``[batch]`` true classes.
        scale: CLIP's own factor on cosines, 1/tau. A bias, as SigLIP has it, changes no softmax.
    """
    return F.cross_entropy(scale * images @ classes.T, labels)
