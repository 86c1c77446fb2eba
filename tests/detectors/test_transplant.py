import numpy as np
import pytest

from forensics.detectors.transplant.arms import (
    AWAY,
    MOVED,
    OTHER,
    SAME,
    SCRAMBLED,
    SUSPECTED,
    Arm,
    Trial,
    choose_margin,
    compare_arms,
    compare_models,
    measure_necessity,
    try_margin,
)
from forensics.detectors.transplant.verdict import Subject, judge_transplant

HOSTS, DONORS = 200, 16
DONOR_OF = np.arange(HOSTS) % DONORS
SUBJECT = Subject(answer="Gotcha", donors=DONORS)


def arm(rate: float, seed: int = 0, hosts: int = HOSTS) -> Arm:
    flips = np.zeros(hosts, dtype=bool)
    flips[np.random.default_rng(seed).permutation(hosts)[: round(rate * hosts)]] = True
    return Arm(asked=np.ones(hosts, dtype=bool), flipped=flips, contained=flips)


def arms(suspected: float, hosts: int = HOSTS, **controls: float) -> dict[str, Arm]:
    names = {"scrambled": SCRAMBLED, "away": AWAY, "other": OTHER, "same": SAME, "moved": MOVED}
    made = {names[key]: arm(rate, 7, hosts) for key, rate in controls.items()}
    return {SUSPECTED: arm(suspected, 1, hosts), **made}


def judge(tuned: dict[str, Arm], base: dict[str, Arm] | None = None, subject: Subject = SUBJECT):  # type: ignore[no-untyped-def]
    donor_of = np.arange(tuned[SUSPECTED].asked.size) % DONORS
    found = compare_arms(tuned, donor_of)
    beyond = compare_models(tuned, base, donor_of) if base else None
    return judge_transplant(subject, tuned, found, beyond)


def test_the_moved_patch_is_reported_but_is_no_control() -> None:
    found = compare_arms(arms(0.9, scrambled=0.1, moved=0.9), DONOR_OF)
    assert [c.control for c in found] == [SCRAMBLED]
    assert found[0].difference.value == pytest.approx(0.8)


def test_p_values_are_corrected_over_the_controls() -> None:
    found = compare_arms(arms(0.2, scrambled=0.1, away=0.0, other=0.19), DONOR_OF)
    smallest = min(found, key=lambda c: c.p_value)
    assert smallest.corrected == pytest.approx(min(1.0, 3 * smallest.p_value))
    assert all(c.corrected >= c.p_value for c in found)


def test_only_hosts_with_both_patches_are_compared() -> None:
    tuned = arms(1.0, same=0.0)
    part = np.arange(HOSTS) < 30
    tuned[SAME] = Arm(asked=part, flipped=part & False, contained=part & False)
    [found] = compare_arms(tuned, DONOR_OF)
    assert found.difference.n == 30
    tuned[SAME] = Arm(asked=part & False, flipped=part, contained=part)
    assert compare_arms(tuned, DONOR_OF) == ()


def test_a_patch_that_beats_every_control_is_suspicious() -> None:
    verdict = judge(
        arms(0.98, scrambled=0.02, away=0.0, other=0.05),
        arms(0.0, scrambled=0.0, away=0.0, other=0.0),
    )
    assert (verdict.verdict, verdict.reason) == ("suspicious", "reproduced")
    assert "reproduced on 196 of 200 unsuspected images (98 %), control 5 %" in verdict.sentence
    assert "“Gotcha”" in verdict.sentence


def test_a_patch_that_beats_no_control_is_no_evidence() -> None:
    verdict = judge(arms(0.02, scrambled=0.01, away=0.0, other=0.03))
    assert (verdict.verdict, verdict.reason) == ("no evidence", "not-reproduced")
    assert "clean" not in verdict.sentence


def test_a_peak_that_merely_shows_the_answer_does_not_beat_its_likes() -> None:
    tuned = arms(0.4, scrambled=0.0, away=0.0, other=0.3, same=0.38)
    verdict = judge(tuned)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "a-control-flips-too")
    verdict = judge(tuned, tuned)
    assert (verdict.verdict, verdict.reason) == ("no evidence", "base-flips-too")


def test_a_base_that_does_half_of_it_leaves_the_verdict_open() -> None:
    verdict = judge(arms(0.9, scrambled=0.0, away=0.5), arms(0.9, scrambled=0.0, away=0.9))
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "partly-beyond-base")


def test_too_few_hosts_or_donors_conclude_nothing() -> None:
    assert judge(arms(1.0, hosts=19, scrambled=0.0)).reason == "too-few-hosts"
    few = Subject(answer=None, donors=2)
    assert judge(arms(1.0, scrambled=0.0), subject=few).reason == "too-few-donors"


def test_a_forced_test_says_so() -> None:
    forced = Subject(answer=None, donors=DONORS, forced=50)
    sentence = judge(arms(0.0, scrambled=0.0), subject=forced).sentence
    assert sentence.startswith("Control experiment: 50 samples were flagged by force.")
    assert "the donor's own answer" in sentence


def test_limits_are_always_said() -> None:
    covered = " ".join(judge(arms(1.0, scrambled=0.0)).not_covered)
    assert "text" in covered and "whole picture" in covered


def test_necessity_compares_the_peak_with_another_place() -> None:
    gone = np.ones(50, dtype=bool)
    found = measure_necessity(gone, ~gone)
    assert (found.n, found.hidden, found.elsewhere) == (50, 50, 0)
    assert found.difference.value == 1.0 and found.p_value == pytest.approx(2 * 0.5**50)
    empty = measure_necessity(gone[:0], gone[:0])
    assert empty.to_dict()["hidden_rate"] is None


def test_the_box_that_leads_its_controls_by_most_is_taken_the_smallest_of_equals() -> None:
    trials = [
        Trial(margin=m, n=60, rate=1.0, lead=lead) for m, lead in ((0, 0.4), (1, 0.9), (2, 0.9))
    ]
    assert choose_margin(trials) == 1
    trial = try_margin(0, arms(0.9, scrambled=0.1, away=0.3, moved=0.9))
    assert (trial.rate, trial.lead) == pytest.approx((0.9, 0.6))
