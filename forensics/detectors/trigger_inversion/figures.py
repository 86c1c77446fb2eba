"""What a scan measured of every class, as the decision reads it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """Measurements of every scanned class and seed.

    Attributes:
        names: ``[C]`` scanned classes.
        statistic: ``[C, S]`` what classes are compared by, low for a class that is easily reached:
            the loss, or the mask's size (Neural Cleanse). All values of a column are from the same
            step.
        success: ``[C, S]`` share of the pool that the model gives to the class under its trigger.
        content: ``[C, S]`` the same among pictures that the model gives with confidence to other
            classes, averaged over those classes; NaN where there are too few.
        reference: ``[C, S]`` the same of the reference classifier on the same pictures; NaN
            without one.
        not_scanned: Classes of the model that were left out.
        content_images: Pictures in which the model sees a class with confidence.
        content_classes: Classes that it sees in enough of them.
        pool: Pictures in all.
    """

    names: tuple[str, ...]
    statistic: Array
    success: Array
    content: Array
    reference: Array
    not_scanned: tuple[str, ...]
    content_images: int
    content_classes: int
    pool: int

    def __post_init__(self) -> None:
        shape = (len(self.names), self.statistic.shape[1] if self.statistic.ndim == 2 else -1)
        for name in ("statistic", "success", "content", "reference"):
            if getattr(self, name).shape != shape or 0 in shape:
                raise ValueError(f"{name} is {getattr(self, name).shape}, not {shape}")
