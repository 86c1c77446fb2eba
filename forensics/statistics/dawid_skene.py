"""What is true when several imperfect annotators say yes or no: Dawid and Skene's EM."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOLERANCE: Final = 1e-6
MAX_ITERATIONS: Final = 200
# Added to every count of a confusion matrix and of the labels, so that an annotator that was never
# wrong cannot veto all the others (ours; the paper has plain proportions, whose logarithm may be
# minus infinity).
SMOOTHING: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """The labels that explain the votes best.

    Attributes:
        posterior: ``[samples]`` probability that the label is yes; higher = more surely yes.
        prior: Share of samples with the label yes.
        confusion: ``[annotators, label, vote]`` probability of a vote given the label, index 0 =
            no, 1 = yes; rows sum to 1.
        log_likelihood: Mean per sample, in nats.
        iterations: EM steps taken.
        converged: False where the last step still moved the likelihood by more than the tolerance.
    """

    posterior: Array
    prior: float
    confusion: Array
    log_likelihood: float
    iterations: int
    converged: bool


def agree(
    votes: NDArray[np.bool_],
    *,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
    smoothing: float = SMOOTHING,
) -> Consensus:
    """Estimate labels and annotators together.

    EM starts from the share of yes votes of each sample and stops when the mean log likelihood
    changes by less than ``tolerance``. Equal rows of votes are counted once, so that neither the
    order of the samples nor their number moves a bit or costs time. Nothing is random.

    Args:
        votes: ``[samples, annotators]``, at least one of each.
        tolerance: When to stop, in nats per sample.
        max_iterations: When to stop in any case.
        smoothing: Added to every count.

    Returns:
        The consensus. The label yes is the one that the start gave to samples with more yes votes.

    Source: Dawid and Skene 1979, Appl. Statist. 28, with two labels; used so by 2601.21692.
    """
    patterns, member, counts = np.unique(votes, axis=0, return_inverse=True, return_counts=True)
    said = np.stack([~patterns, patterns], axis=2).astype(np.float64)  # [pattern, annotator, vote]
    frequency = counts.astype(np.float64)
    yes = patterns.mean(axis=1)
    previous, converged, step = -np.inf, False, 0
    while not converged and step < max_iterations:
        step += 1
        prior, confusion = _maximise(yes, said, frequency, smoothing)
        yes, likelihood = _expect(prior, confusion, said, frequency)
        converged = abs(likelihood - previous) < tolerance
        previous = likelihood
    return Consensus(
        posterior=yes[member.reshape(-1)],
        prior=float(prior[1]),
        confusion=confusion,
        log_likelihood=previous,
        iterations=step,
        converged=converged,
    )


def _maximise(yes: Array, said: Array, frequency: Array, smoothing: float) -> tuple[Array, Array]:
    """Return the prior ``[label]`` and the confusion ``[annotator, label, vote]``."""
    label = np.stack([1.0 - yes, yes], axis=1) * frequency[:, None]
    prior = label.sum(axis=0) + smoothing
    counts = np.einsum("pl,pav->alv", label, said) + smoothing
    return prior / prior.sum(), counts / counts.sum(axis=2, keepdims=True)


def _expect(prior: Array, confusion: Array, said: Array, frequency: Array) -> tuple[Array, float]:
    """Return the probability of yes per pattern and the mean log likelihood."""
    log = np.einsum("pav,alv->pl", said, np.log(confusion)) + np.log(prior)
    whole = np.logaddexp(log[:, 0], log[:, 1])
    return np.exp(log[:, 1] - whole), float((whole * frequency).sum() / frequency.sum())
