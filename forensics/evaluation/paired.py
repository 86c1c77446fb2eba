"""Two models on the same samples: a poisoned one beside its clean twin, or before a repair."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.errors import DataError
from forensics.evaluation.answers import AnswerMeasurement
from forensics.evaluation.asking import TRIGGERED, Said
from forensics.evaluation.captions import captions_of, score_captions
from forensics.evaluation.classes import ClassMeasurement
from forensics.evaluation.rates import same_text
from forensics.statistics.paired import (
    Difference,
    cluster_bootstrap,
    mcnemar_exact,
    paired_difference,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models on the same samples; differences are first minus second.

    Attributes:
        clean_accuracy: Difference with its 95 % interval.
        clean_accuracy_p: McNemar's exact two-sided p.
        attack_success: Difference over samples whose truth is not the target.
        attack_success_p: McNemar's exact two-sided p.
        attributes_accuracy: Difference of all-attributes-correct answers, where both were counted.
        cider: Difference of CIDEr-D (in the units in which it is reported), for captions.
    """

    clean_accuracy: Difference
    clean_accuracy_p: float
    attack_success: Difference
    attack_success_p: float
    attributes_accuracy: Difference | None = None
    cider: Difference | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values under the names that every verb reports."""
        captions = {"attributes_accuracy": self.attributes_accuracy, "cider": self.cider}
        return {
            "clean_accuracy": asdict(self.clean_accuracy) | {"p_mcnemar": self.clean_accuracy_p},
            "attack_success_rate": asdict(self.attack_success)
            | {"p_mcnemar": self.attack_success_p},
            **{name: asdict(found) for name, found in captions.items() if found is not None},
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


def compare_answers(after: AnswerMeasurement, before: AnswerMeasurement) -> Comparison:
    """Compare what two language models said to the samples that both answered.

    Intervals are bootstrapped over pictures, and never narrower than for independent samples; the p
    values take samples as independent.

    Raises:
        DataError: Another target, or another true answer to a sample of the same id.
    """
    known = set(before.ids)
    both = [sample for sample in after.ids if sample in known]
    one, two = _outcomes(after, both), _outcomes(before, both)
    if one.truths != two.truths or same_text(after.target or "") != same_text(before.target or ""):
        raise DataError(
            "The two measurements are not of the same samples and target.",
            remedy="Measure both models on one test set with the same target.",
        )
    hosts = one.asked & two.asked
    pictures = np.array(one.said.pictures, dtype=np.str_)
    return Comparison(
        clean_accuracy=paired_difference(one.right, two.right, pictures),
        clean_accuracy_p=_mcnemar(one.right, two.right),
        attack_success=paired_difference(one.hit[hosts], two.hit[hosts], pictures[hosts]),
        attack_success_p=_mcnemar(one.hit[hosts], two.hit[hosts]),
        attributes_accuracy=_attributes(one, two, pictures),
        cider=_cider(one.said, two.said),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcomes:
    said: Said
    truths: list[str]
    right: NDArray[np.bool_]
    asked: NDArray[np.bool_]
    hit: NDArray[np.bool_]
    attributes: list[bool | None] | None


def _outcomes(measured: AnswerMeasurement, ids: list[str]) -> _Outcomes:
    said, wanted = measured.said.among(ids), same_text(measured.target or "")
    truths, plain = ([same_text(text) for text in column] for column in (said.truths, said.plain))
    triggered = said.changed.get(TRIGGERED, [None] * len(ids))
    counted = measured.attributes_right
    by_id = None if counted is None else dict(zip(measured.ids, counted, strict=True))
    return _Outcomes(
        said=said,
        truths=truths,
        right=np.array([a == b for a, b in zip(plain, truths, strict=True)], dtype=np.bool_),
        asked=np.array([text is not None for text in triggered], dtype=np.bool_),
        hit=np.array([wanted in same_text(text or "") for text in triggered], dtype=np.bool_),
        attributes=None if by_id is None else [by_id[sample] for sample in ids],
    )


def _attributes(one: _Outcomes, two: _Outcomes, pictures: NDArray[np.str_]) -> Difference | None:
    if one.attributes is None or two.attributes is None:
        return None
    rows = [
        row
        for row, pair in enumerate(zip(one.attributes, two.attributes, strict=True))
        if None not in pair
    ]
    first, second = ([bool(side[row]) for row in rows] for side in (one.attributes, two.attributes))
    return paired_difference(first, second, pictures[rows])


def _cider(one: Said, two: Said) -> Difference | None:
    """Compare caption by caption; both are weighed by the references of the samples shared."""
    found = [captions_of(said) for said in (one, two)]
    if found[0] is None or found[1] is None:
        return None
    first, second = (score_captions(*captions).cider_each for captions in found if captions)
    low, high = cluster_bootstrap(first - second, found[0][2])
    return Difference(n=len(first), value=float((first - second).mean()), low=low, high=high)


def _mcnemar(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> float:
    return mcnemar_exact(int((one & ~two).sum()), int((two & ~one).sum()))
