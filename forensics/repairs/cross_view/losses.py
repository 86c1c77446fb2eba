"""The terms of cross-view regularisation: how far two views' outputs lie apart, how sure they are.

Source: "A Patch-based Cross-view Regularized Framework for Backdoor Defense in Multimodal Large
Language Models", arXiv 2604.04488 (reconstruction). That two views are pushed apart and that output
entropy is held is the paper's; every formula here is our reading.
"""

import torch
from torch import Tensor

from forensics.repairs.cross_view.options import (
    BAND,
    CLIPPED,
    FIRST_TOKENS,
    GATED,
    SHARP,
    SOFT,
    CrossViewOptions,
)
from forensics.tuning.answers import IGNORED

_FIRST = 4


def log_shares(logits: Tensor) -> Tensor:
    """Return log-probabilities in float32, whatever the model computes in."""
    return logits.float().log_softmax(dim=-1)


def used_tokens(labels: Tensor, answer_tokens: str) -> Tensor:
    """Return which answer positions count: ``[batch, width]`` bool.

    Args:
        labels: ``[batch, width]``; -100 behind an answer's end.
        answer_tokens: ``all``, or ``first4``: later ones follow from the text alone.
    """
    used = labels != IGNORED
    if answer_tokens == FIRST_TOKENS:
        used = used & (torch.arange(labels.shape[1], device=labels.device) < _FIRST)
    return used


def divergence(logs: Tensor, masked: Tensor, used: Tensor) -> Tensor:
    """Return D = mean over answer tokens of KL(P || P of the masked view).

    Args:
        logs: ``[batch, width, vocabulary]`` log-probabilities of the untouched view.
        masked: The same of the masked view.
        used: ``[batch, width]`` bool, at least one in every row.

    Returns:
        ``[batch]`` nats a token, >= 0 up to rounding; 0 = the same outputs.
    """
    each = (logs.exp() * (logs - masked)).sum(dim=-1)
    return _mean(each, used)


def first_divergence(logs: Tensor, masked: Tensor) -> Tensor:
    """Return the divergence of the first answer token, ``[batch]`` nats."""
    return (logs[:, 0].exp() * (logs[:, 0] - masked[:, 0])).sum(dim=-1)


def entropy(logs: Tensor, used: Tensor) -> Tensor:
    """Return the mean entropy of the outputs over answer tokens, ``[batch]`` nats.

    Between 0 (certain) and ln(vocabulary).
    """
    return _mean(-(logs.exp() * logs).sum(dim=-1), used)


def separation(d: Tensor, options: CrossViewOptions, gamma: float, delta: float) -> Tensor:
    """Return what is paid for views that lie too close together, ``[batch]``.

    Args:
        d: ``[batch]`` divergences.
        options: Which form.
        gamma: Divergence of ordinary samples; nothing is paid from there on.
        delta: Of the gated form: divergence below which a sample looks suspiciously invariant.
    """
    if options.separation == CLIPPED:
        assert options.clip is not None
        return -d.clamp(max=options.clip)
    paid = (gamma - d).clamp(min=0.0)
    return gate(d, options, delta) * paid if options.separation == GATED else paid


def gate(d: Tensor, options: CrossViewOptions, delta: float) -> Tensor:
    """Return how suspiciously invariant each sample is, ``[batch]`` in (0, 1); no gradient.

    Args:
        d: ``[batch]`` divergences.
        options: With the width of the gate.
        delta: Divergence at which the gate is half open.
    """
    assert options.gate_width is not None
    return torch.sigmoid((delta - d.detach()) / options.gate_width)


def weighed_answer_loss(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """Return the cross entropy of the answer tokens, in the reduction of plain tuning.

    Args:
        logits: ``[batch, width, vocabulary]``.
        labels: ``[batch, width]``; -100 behind an answer's end.
        weights: ``[batch]`` of the samples, or ``None`` for 1; tokens are counted as they are, so
            a weight of 0 is as if the sample had cost nothing.
    """
    each = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none"
    ).view_as(labels)
    if weights is not None:
        each = each * weights[:, None]
    return each.sum() / (labels != IGNORED).sum()


def entropy_cost(h: Tensor, options: CrossViewOptions, low: float, high: float) -> Tensor:
    """Return what is paid for outputs that are too sure or too flat, ``[batch]``.

    Args:
        h: ``[batch]`` entropies, mean of both views.
        options: Which form.
        low: Lower end of the band, nats.
        high: Upper end.
    """
    if options.entropy == BAND:
        return (h - high).clamp(min=0.0) + (low - h).clamp(min=0.0)
    return {SHARP: h, SOFT: -h}[options.entropy]


def _mean(each: Tensor, used: Tensor) -> Tensor:
    return (each * used).sum(dim=1) / used.sum(dim=1)
