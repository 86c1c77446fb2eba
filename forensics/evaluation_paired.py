"""Two classifiers on the same pictures: a poisoned model beside its clean twin."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import DataError
from forensics.evaluation_classes import ClassMeasurement
from forensics.statistics.paired import Difference, mcnemar_exact, paired_difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two classifiers on the same pictures; differences are first minus second.

    Attributes:
        clean_accuracy: Difference with its 95 % interval.
        clean_accuracy_p: McNemar's exact two-sided p.
        attack_success: Difference over pictures that do not truly show the target.
        attack_success_p: McNemar's exact two-sided p.
    """

    clean_accuracy: Difference
    clean_accuracy_p: float
    attack_success: Difference
    attack_success_p: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values under the names that every verb reports."""
        return {
            "clean_accuracy": asdict(self.clean_accuracy) | {"p_mcnemar": self.clean_accuracy_p},
            "attack_success_rate": asdict(self.attack_success)
            | {"p_mcnemar": self.attack_success_p},
        }


def compare(first: ClassMeasurement, second: ClassMeasurement) -> Comparison:
    """Compare two classifiers that were measured on the same pictures.

    A poisoned model against its clean twin: the CA difference is what the backdoor cost, the ASR
    difference is what the trigger does beyond the floor that a clean model shows.

    Raises:
        DataError: The samples or classes differ.
    """
    if first.ids != second.ids or first.classes != second.classes or first.target != second.target:
        raise DataError(
            "The two measurements are not of the same pictures, classes and target.",
            remedy="Measure both models on one test set with the same class names.",
        )
    right = [m.predicted == m.truth for m in (first, second)]
    hosts = first.truth != (-1 if first.target is None else first.target)
    hit = [(m.triggered == m.target)[hosts] for m in (first, second)]
    return Comparison(
        clean_accuracy=paired_difference(*right),
        clean_accuracy_p=_mcnemar(*right),
        attack_success=paired_difference(*hit),
        attack_success_p=_mcnemar(*hit),
    )


def _mcnemar(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> float:
    return mcnemar_exact(int((one & ~two).sum()), int((two & ~one).sum()))
