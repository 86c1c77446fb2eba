"""The regularised loss of a step: the answer, two views that may not agree too well, a band.

L = CE(untouched view) + w(t) mean_i max(0, gamma - D_i) + v(t) mean_i band(H_i), with w
and v 0 at first and rising then; the terms are in :mod:`forensics.repairs.cross_view.losses`.

Source: arXiv 2604.04488 (reconstruction).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from forensics.models.base import PromptBatch
from forensics.repairs.cross_view.losses import (
    divergence,
    entropy,
    entropy_cost,
    first_divergence,
    gate,
    log_shares,
    separation,
    used_tokens,
    weighed_answer_loss,
)
from forensics.repairs.cross_view.options import (
    DETACH,
    GATED,
    SEQUENTIAL,
    CrossViewOptions,
)
from forensics.repairs.cross_view.seen import Seen
from forensics.repairs.cross_view.views import (
    answer_logits,
    both_views,
    masked_view,
    with_answers,
)
from forensics.tuning.answers import answer_loss
from forensics.tuning.objective import Backward, StepPart


@dataclass(frozen=True, slots=True)
class _Both:
    """Outputs of both views of a part; log-probabilities ``[batch, width, vocabulary]``."""

    logs: Tensor
    masked: Tensor
    used: Tensor


class CrossViewObjective:
    """Ordinary answer loss plus a price on views whose outputs lie too close together.

    Args:
        options: See :class:`CrossViewOptions`.
        gamma: Divergence that is ordinary, nats a token.

    Attributes:
        seen: Entropies and divergences of this run so far; the band and the gate go by them.
    """

    def __init__(self, options: CrossViewOptions, gamma: float) -> None:
        self._options, self.gamma = options, gamma
        self.seen = Seen()

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a checkpoint belongs to."""
        return {"objective": "cross-view", **asdict(self._options), "gamma": self.gamma}

    @property
    def compares(self) -> bool:
        """Whether the masked view changes the loss at all, by a term of its own or by the gate."""
        options = self._options
        return options.weight > 0 or options.entropy_weight > 0 or options.gate_answers

    def ramp(self, step: int, steps: int) -> float:
        """Return the factor on both weights at a step, in [0, 1]."""
        begin, rise = self._options.begin * steps, self._options.ramp * steps
        if step < begin:
            return 0.0
        return 1.0 if rise <= 0 else min(1.0, (step - begin + 1) / rise)

    def differentiate(self, module: Any, part: StepPart, backward: Backward) -> dict[str, float]:
        """Add the gradients of a part; see :class:`forensics.tuning.objective.Objective`."""
        ramp = self.ramp(part.step, part.steps) if self.compares else 0.0
        if ramp > 0.0:
            self.seen.settle()
            views = _sequential if self._options.batching == SEQUENTIAL else _together
            return views(self, module, part, backward, ramp)
        seen = self._look(module, part) if self._collects(part) else {}
        loss = answer_loss(module, with_answers(part.batch, part.answers, part.model))
        loss = loss * part.token_share
        backward(loss)
        return {"loss": float(loss.detach()), **seen}

    def cost(self, both: _Both) -> tuple[Tensor, Tensor, Tensor]:
        """Return the regulariser without its ramp, D and H, each ``[batch]``."""
        options = self._options
        logs = both.logs.detach() if options.gradient == DETACH else both.logs
        d = divergence(logs, both.masked, both.used)
        h = (entropy(both.logs, both.used) + entropy(both.masked, both.used)) / 2
        low, high = self.seen.band or (0.0, float("inf"))
        delta = self._delta(d) if options.separation == GATED else 0.0
        apart = separation(d, options, self.gamma, delta)
        held = entropy_cost(h, options, low, high)
        return options.weight * apart + options.entropy_weight * held, d, h

    def answer_weights(self, d: Tensor) -> Tensor | None:
        """Return the weights of the samples' answers, ``[batch]``; ``None`` where all count."""
        if not self._options.gate_answers:
            return None
        return 1.0 - gate(d, self._options, self._delta(d))

    def masked(self, part: StepPart) -> PromptBatch:
        """Return the masked view of a part."""
        return masked_view(part.model, part.batch, part.ids, part.passes, self._options)

    def used(self, labels: Tensor) -> Tensor:
        """Return which answer positions are compared."""
        return used_tokens(labels, self._options.answer_tokens)

    @torch.no_grad()
    def told(
        self, both: _Both, d: Tensor, h: Tensor, part: StepPart, weights: Tensor | None = None
    ) -> dict[str, float]:
        """Return this part's share of the means that curves are drawn of."""
        self.seen.add_divergences(d.tolist())
        means = {
            "divergence": d, "first_token_divergence": first_divergence(both.logs, both.masked),
            "entropy": h,
        }  # fmt: skip
        if weights is not None:
            means["held_back"] = 1.0 - weights
        return {name: float(each.mean()) * part.sample_share for name, each in means.items()}

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return self.seen.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.seen.restore(state)

    def _collects(self, part: StepPart) -> bool:
        return self.compares and self.seen.collects(part.step, self._options.begin * part.steps)

    @torch.no_grad()
    def _look(self, module: Any, part: StepPart) -> dict[str, float]:
        both = self.compare(module, part)
        _forget_casts()
        _, d, h = self.cost(both)
        self.seen.add_entropies(h.tolist())
        return self.told(both, d, h, part)

    def compare(self, module: Any, part: StepPart) -> _Both:
        """Return the outputs of both views, computed together."""
        whole = with_answers(both_views(part.batch, self.masked(part)), part.answers, part.model)
        logs, masked = log_shares(answer_logits(module, whole)).chunk(2)
        return _Both(logs, masked, self.used(whole.labels[: len(logs)]))

    def _delta(self, d: Tensor) -> float:
        return self.seen.low_divergence(self._options.gate_quantile, d.detach().tolist())


def _forget_casts() -> None:
    """Forget half-precision copies of weights that were made without gradients.

    Older versions of PyTorch use such copies again in the pass that trains, which then moves no
    weight.
    """
    torch.clear_autocast_cache()


def _together(
    objective: CrossViewObjective, module: Any, part: StepPart, backward: Backward, ramp: float
) -> dict[str, float]:
    """Compute both views in one pass."""
    batch = both_views(part.batch, objective.masked(part))
    whole = with_answers(batch, part.answers, part.model)
    logits = answer_logits(module, whole)
    labels = whole.labels[: len(part.ids)]
    logs, masked = log_shares(logits).chunk(2)
    both = _Both(logs, masked, objective.used(labels))
    cost, d, h = objective.cost(both)
    weights = objective.answer_weights(d)
    loss = weighed_answer_loss(logits[: len(labels)], labels, weights) * part.token_share
    extra = ramp * cost.mean() * part.sample_share
    backward(loss + extra)
    return {"loss": float(loss.detach()), "regulariser": float(extra.detach()),
            **objective.told(both, d, h, part, weights)}  # fmt: skip


def _sequential(
    objective: CrossViewObjective, module: Any, part: StepPart, backward: Backward, ramp: float
) -> dict[str, float]:
    """Compute one view after the other, with the activations of one at a time.

    The regulariser depends on both outputs, but its gradient is the sum of its gradients with
    either of them held fixed. So the untouched view is computed twice, first without gradients;
    what comes out are the gradients of both views together.
    """
    plain = with_answers(part.batch, part.answers, part.model)
    with torch.no_grad():
        fixed = log_shares(answer_logits(module, plain))
    _forget_casts()
    other = with_answers(objective.masked(part), part.answers, part.model)
    used = objective.used(plain.labels)
    masked = log_shares(answer_logits(module, other))
    cost, _, _ = objective.cost(_Both(fixed, masked, used))
    backward(ramp * cost.mean() * part.sample_share)
    logits = answer_logits(module, plain)
    both = _Both(log_shares(logits), masked.detach(), used)
    cost, d, h = objective.cost(both)
    weights = objective.answer_weights(d)
    loss = weighed_answer_loss(logits, plain.labels, weights) * part.token_share
    extra = ramp * cost.mean() * part.sample_share
    backward(loss + extra)
    return {"loss": float(loss.detach()), "regulariser": float(extra.detach()),
            **objective.told(both, d, h, part, weights)}  # fmt: skip
