"""Success where there is something to override: on pictures that show other classes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST_IMAGES: Final = 20
FEWEST_KINDS: Final = 3.0
"""Bars of a pool with content; ours, by reasoning and one look at object-free pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """In which pictures of a pool the model sees a class with confidence, without a trigger.

    Attributes:
        predicted: ``[n]`` index of the likeliest class of the model.
        sure: ``[n]`` whether its probability reaches the bar.
        fewest: Fewest sure pictures of a class that count.
    """

    predicted: NDArray[np.int64]
    sure: NDArray[np.bool_]
    fewest: int

    @property
    def classes(self) -> NDArray[np.int64]:
        """Classes with enough sure pictures, ascending."""
        found, counts = np.unique(self.predicted[self.sure], return_counts=True)
        return np.asarray(found[counts >= self.fewest])

    @property
    def kinds(self) -> float:
        """How many classes the sure pictures show, as e to the entropy of their shares.

        On pictures without any object a model is often sure as well, but of one or two classes.
        """
        _, counts = np.unique(self.predicted[self.sure], return_counts=True)
        shares = counts / max(1, counts.sum())
        return float(np.exp(-(shares * np.log(shares)).sum())) if counts.size else 0.0

    def shows_too_little(self, classes: int) -> bool:
        """Tell whether nothing can be overridden in a pool, for a model of so many classes."""
        return self.images < FEWEST_IMAGES or self.kinds < min(FEWEST_KINDS, classes / 2)

    @property
    def images(self) -> int:
        """How many pictures are of such a class."""
        return int((self.sure & np.isin(self.predicted, self.classes)).sum())


def content_success(marked: NDArray[np.integer], target: int, content: Content) -> float:
    """Return how often a trigger overrides what pictures show.

    The mean over source classes of the share of their sure pictures that become the target, so
    that a pool in which one class is frequent does not decide. Pictures of the target itself are
    left out. Ours; in no paper cited here.

    Args:
        marked: ``[n]`` predictions under the trigger.
        target: Its class.
        content: Of the same pictures without it.

    Returns:
        A share; NaN where no other class has enough pictures.
    """
    shares = [
        float((marked[content.sure & (content.predicted == source)] == target).mean())
        for source in content.classes
        if source != target
    ]
    return float(np.mean(shares)) if shares else float("nan")


def success(marked: NDArray[np.integer], target: int) -> float:
    """Return the share of all pictures that become the target, as published."""
    return float((marked == target).mean())
