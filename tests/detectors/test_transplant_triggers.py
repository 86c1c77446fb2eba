"""Hosts, rivals and verdict of the transplant of a reconstructed trigger."""

import numpy as np
import pytest

from forensics.detectors.transplant.arms import (
    CLASSES,
    SCRAMBLED,
    SUSPECTED,
    Arm,
    compare_arms,
    compare_models,
)
from forensics.detectors.transplant.trigger_plan import NONE, assign_classes, choose_hosts
from forensics.detectors.transplant.trigger_verdict import TriggerSubject, judge_trigger
from forensics.detectors.verdict import Verdict

HOSTS = 120
SHOWN = np.arange(HOSTS) % 6


def arm(rate: float, seed: int, asked: int = HOSTS) -> Arm:
    flips = np.zeros(HOSTS, dtype=bool)
    flips[np.random.default_rng(seed).permutation(HOSTS)[: round(rate * HOSTS)]] = True
    there = np.arange(HOSTS) < asked
    return Arm(asked=there, flipped=flips & there, contained=None)


def arms(suspected: float, scrambled: float, classes: float, asked: int = HOSTS) -> dict[str, Arm]:
    return {SUSPECTED: arm(suspected, 1, asked), SCRAMBLED: arm(scrambled, 2, asked),
            CLASSES: arm(classes, 3, asked)}  # fmt: skip


def judge(tuned: dict[str, Arm], reference: dict[str, Arm] | None = None, shown: int = 6,
          fitted: int = 0, forced: bool = False) -> Verdict:  # fmt: skip
    subject = TriggerSubject(
        target="heart", shown=shown, fitted=fitted, forced=forced, reference="hand-written prompts"
    )
    beyond = compare_models(tuned, reference, SHOWN) if reference else None
    return judge_trigger(subject, tuned, compare_arms(tuned, SHOWN), beyond)


def test_hosts_show_another_class_surely_and_classes_take_turns() -> None:
    seen = np.array([0] * 50 + [1] * 5 + [2] * 50 + [NONE] * 5)
    sure = np.full(110, 0.9)
    sure[:10] = 0.4
    found = choose_hosts(seen, sure, target=2, count=14, confidence=0.5, seed=0)
    assert (np.bincount(seen[found]) == [9, 5]).all() and found.min() >= 10
    assert (np.diff(found) > 0).all()
    again = choose_hosts(seen, sure, target=2, count=14, confidence=0.5, seed=0)
    other = choose_hosts(seen, sure, target=2, count=14, confidence=0.5, seed=1)
    assert (found == again).all() and not np.array_equal(found, other)
    assert choose_hosts(seen, sure, target=2, count=9, confidence=0.95, seed=0).size == 0


def test_every_host_gets_a_class_that_it_does_not_show_each_about_as_often() -> None:
    others = np.array([0, 1, 3, 4, 5])
    given = assign_classes(SHOWN, others, seed=0)
    assert (given != SHOWN).all() and set(given.tolist()) == set(others.tolist())
    counts = np.bincount(given)[others]
    assert counts.max() - counts.min() <= 2
    assert (assign_classes(SHOWN, np.array([3]), 0)[SHOWN == 3] == NONE).all()
    assert (assign_classes(SHOWN, np.zeros(0, np.int64), 0) == NONE).all()


def test_a_trigger_that_beats_its_controls_and_the_reference_is_suspicious() -> None:
    found = judge(arms(0.9, 0.1, 0.05), arms(0.05, 0.0, 0.05))
    assert (found.verdict, found.reason) == ("suspicious", "reproduced")
    assert "“heart” is reproduced on 108 of 120 unsuspected images (90 %)" in found.sentence
    assert "perhaps not the attacker's" in found.sentence
    assert "hand-written prompts" in found.sentence
    assert "clean" not in found.sentence


@pytest.mark.parametrize(
    ("rates", "reference", "asked", "shown", "expected"),
    [
        ((0.1, 0.1, 0.1), None, HOSTS, 6, ("no evidence", "not-reproduced")),
        ((0.9, 0.1, 0.1), (0.9, 0.1, 0.1), HOSTS, 6, ("no evidence", "base-flips-too")),
        ((0.9, 0.85, 0.1), None, HOSTS, 6, ("inconclusive", "a-control-flips-too")),
        ((0.9, 0.1, 0.1), (0.9, 0.85, 0.05), HOSTS, 6, ("inconclusive", "partly-beyond-base")),
        ((0.9, 0.1, 0.1), None, 12, 6, ("inconclusive", "too-few-hosts")),
        ((0.9, 0.1, 0.1), None, HOSTS, 1, ("inconclusive", "too-few-classes")),
    ],
)
def test_every_other_outcome_is_named(
    rates: tuple[float, float, float],
    reference: tuple[float, float, float] | None,
    asked: int,
    shown: int,
    expected: tuple[str, str],
) -> None:
    there = arms(*reference) if reference else None
    found = judge(arms(*rates, asked=asked), there, shown=shown)
    assert (found.verdict, found.reason) == expected
    assert found.sentence.endswith(".")


def test_a_control_experiment_and_fitted_pictures_are_said() -> None:
    found = judge(arms(0.9, 0.1, 0.05), forced=True, fitted=17)
    assert found.sentence.startswith("Control experiment: the scan does not point to “heart”.")
    assert "17 of these images" in found.sentence and found.evidence["forced"] == 1


def test_answers_that_are_classes_have_no_share_that_contains() -> None:
    told = arm(0.5, 0).to_dict(SCRAMBLED)
    assert told["rate_contains"] is None and told["rate"] == 0.5
    empty = Arm(asked=np.zeros(3, bool), flipped=np.zeros(3, bool), contained=None)
    assert empty.rate == 0.0 and empty.to_dict(SUSPECTED)["rate"] is None
