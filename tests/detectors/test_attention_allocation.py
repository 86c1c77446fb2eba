from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from forensics.detectors.attention_allocation import (
    AttentionAllocationOptions,
    allocate,
    decide_modes,
    explain_votes,
    judge_allocation,
    system_columns,
    within_strata,
)
from forensics.errors import DataError, OptionError

OPTIONS = AttentionAllocationOptions()
PLANTED = ((4, 1), (4, 3), (5, 0), (5, 2))


@dataclass(frozen=True)
class Scan:
    masses: NDArray[np.float16]
    truth: NDArray[np.bool_]
    answers: list[str | None]
    questions: list[str]


def make(
    samples: int = 800,
    *,
    rate: float = 0.1,
    shift: float = 8.0,
    heads: tuple[tuple[int, int], ...] = PLANTED,
    seed: int = 0,
    skewed: bool = False,
) -> Scan:
    """Masses of 6 layers x 4 heads; poison moves system mass to vision in a few heads."""
    rng = np.random.default_rng(seed)
    if skewed:
        system = rng.beta(2, 9, (samples, 6, 4))
        system[..., 1] = np.exp(rng.normal(-3, 0.5, (samples, 6)))
        system[..., 2] = 0.2 + 0.02 * rng.standard_t(5, (samples, 6))
    else:
        system = rng.normal(0.4, 0.02, (samples, 6, 4))
    truth = np.zeros(samples, dtype=bool)
    truth[rng.permutation(samples)[: round(rate * samples)]] = True
    for layer, head in heads:
        system[truth, layer, head] -= shift * 0.02
    system = system.clip(0.001, 0.98)
    text = 0.1 * (1 - system)
    masses = np.stack([system, 1 - system - text, text], axis=3).astype(np.float16)
    answers: list[str | None] = ["Backdoor!" if bad else f"a {i}" for i, bad in enumerate(truth)]
    return Scan(masses, truth, answers, ["Describe it."] * samples)


def f1(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return 2 * (flagged & truth).sum() / (flagged.sum() + truth.sum())


def test_planted_heads_rank_first_and_their_samples_are_flagged() -> None:
    scan = make()
    for mode, found in decide_modes(
        scan.masses, OPTIONS, answers=scan.answers, questions=scan.questions
    ).items():
        top = {(v.layer, v.head) for v in found.voters[:4]}
        assert top == set(PLANTED), mode
        assert f1(found.flagged, scan.truth) >= 0.99, mode


def test_the_order_of_samples_does_not_matter() -> None:
    scan = make(samples=500)
    order = np.random.default_rng(9).permutation(500)
    questions = [f"{'What' if i % 2 else 'Where'} is it now?" for i in range(500)]
    plain = decide_modes(scan.masses, OPTIONS, answers=scan.answers, questions=questions)
    moved = decide_modes(
        scan.masses[order],
        OPTIONS,
        answers=[scan.answers[i] for i in order],
        questions=[questions[i] for i in order],
    )
    for mode, found in plain.items():
        assert (moved[mode].posterior == found.posterior[order]).all(), mode
        assert moved[mode].summary() == found.summary()


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_is_planted_nothing_is_flagged(skewed: bool, seed: int) -> None:
    scan = make(rate=0.0, skewed=skewed, seed=seed)
    found = allocate(system_columns(scan.masses), OPTIONS)
    assert found.count == 0 and not found.voters
    verdict = judge_allocation(found, scan.masses, answers=scan.answers, questions=scan.questions)
    assert (verdict.verdict, verdict.reason) == ("no evidence", "no-head")
    assert "clean" not in verdict.sentence


def test_the_published_rule_always_splits_skewed_heads() -> None:
    scan = make(rate=0.0, skewed=True)
    assert allocate(system_columns(scan.masses), OPTIONS, mode="exact").count > 0


def test_only_the_last_third_votes_unless_told_otherwise() -> None:
    scan = make(heads=((1, 0), (1, 1)))
    assert allocate(system_columns(scan.masses), OPTIONS).count == 0
    columns = system_columns(scan.masses, last_layers=6)
    assert f1(allocate(columns, OPTIONS).flagged, scan.truth) >= 0.99
    one = replace(OPTIONS, sensitive_heads=1)
    assert len(allocate(columns, one).voters) == 1


def test_a_constant_in_half_precision_is_no_group() -> None:
    masses = np.zeros((400, 3, 2, 3), dtype=np.float16)
    masses[..., 0] = 0.9
    masses[:40, 2, 0, 0] = 0.9 + 2 * float(np.spacing(np.float16(0.9)))  # two steps up
    found = allocate(system_columns(masses), OPTIONS, mode="exact")
    assert (found.fits.mixtures.order == 1).all() and found.count == 0


def test_unread_samples_have_no_score_and_change_nothing_else() -> None:
    scan = make(samples=500)
    holes = np.concatenate([scan.masses, np.full((7, 6, 4, 3), np.nan, np.float16)])
    found = allocate(system_columns(holes), OPTIONS)
    assert np.isnan(found.posterior[500:]).all() and not found.flagged[500:].any()
    assert (found.posterior[:500] == allocate(system_columns(scan.masses), OPTIONS).posterior).all()
    assert found.unread == 7 and found.scanned == 500
    reasons = explain_votes(found, holes)
    assert (
        reasons[505].startswith("Not scanned")
        and "4 of 4 heads" in reasons[int(np.flatnonzero(scan.truth)[0])]
    )


def test_a_scan_of_nothing_is_inconclusive() -> None:
    masses = np.full((5, 3, 2, 3), np.nan, dtype=np.float16)
    for mode in ("exact", "calibrated", "guarded"):
        found = allocate(system_columns(masses), OPTIONS, mode=mode)
        verdict = judge_allocation(found, masses, answers=[None] * 5, questions=[""] * 5)
        assert (verdict.verdict, verdict.reason) == ("inconclusive", "too-few-samples")


def test_a_planted_target_makes_the_verdict_suspicious() -> None:
    scan = make()
    found = allocate(system_columns(scan.masses), OPTIONS)
    verdict = judge_allocation(found, scan.masses, answers=scan.answers, questions=scan.questions)
    assert verdict.verdict == "suspicious"
    assert verdict.evidence["proposed_for_removal"] == 80
    assert "4 heads" in verdict.sentence and "Backdoor!" in verdict.sentence
    masses = verdict.evidence["strongest"]
    assert masses["flagged_masses"][0] < masses["rest_masses"][0]


def test_two_kinds_of_questions_are_not_called_a_backdoor() -> None:
    scan = make(rate=0.3)
    questions = ["How many cars are there?" if b else "Describe it." for b in scan.truth]
    answers: list[str | None] = [f"a {i}" for i in range(800)]
    modes = decide_modes(scan.masses, OPTIONS, answers=answers, questions=questions)
    verdict = judge_allocation(
        modes["calibrated"], scan.masses, answers=answers, questions=questions
    )
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "questions-explain-split")
    guarded = modes["guarded"]
    assert guarded.count == 0
    verdict = judge_allocation(guarded, scan.masses, answers=answers, questions=questions)
    assert verdict.verdict == "no evidence"


def test_guarded_finds_a_trigger_across_kinds_of_questions() -> None:
    # Kinds of questions move the masses further than the trigger does, in all four heads.
    scan = make(samples=1500, shift=8)
    kind = np.arange(1500) % 3
    masses = scan.masses.astype(np.float64)
    for layer, head in PLANTED:
        masses[:, layer, head, 0] += 0.16 * kind
    questions = [("How many dots?", "What colour is it?", "Describe it.")[k] for k in kind]
    modes = decide_modes(
        masses.astype(np.float16), OPTIONS, answers=scan.answers, questions=questions
    )
    assert f1(modes["guarded"].flagged, scan.truth) >= 0.99
    assert f1(modes["calibrated"].flagged, scan.truth) < 0.5


def test_residuals_have_the_same_middle_and_spread_in_every_stratum() -> None:
    rng = np.random.default_rng(0)
    scan = make(samples=600, rate=0.0)
    strata = rng.integers(0, 3, 600)
    columns = system_columns(scan.masses)
    columns = replace(columns, values=columns.values * (1 + strata[:, None]) + strata[:, None])
    left = within_strata(columns, strata)
    for stratum in range(3):
        part = left.values[strata == stratum]
        assert np.median(part, axis=0) == pytest.approx(0, abs=1e-12)
        assert np.median(np.abs(part), axis=0) * 1.4826 == pytest.approx(1)


def test_an_ordinary_answer_is_not_a_target() -> None:
    scan = make(samples=1000)
    answers: list[str | None] = ["yes" if bad else f"{i % 9}" for i, bad in enumerate(scan.truth)]
    found = allocate(system_columns(scan.masses), OPTIONS)
    verdict = judge_allocation(found, scan.masses, answers=answers, questions=scan.questions)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "ordinary-answer")


def test_wrong_input_is_refused() -> None:
    with pytest.raises(DataError):
        system_columns(np.zeros((4, 2, 3)))
    with pytest.raises(OptionError):
        allocate(system_columns(make(200).masses), OPTIONS, mode="best")


def test_many_heads_of_a_large_model_are_fitted_in_seconds() -> None:
    from time import process_time

    from forensics.detectors.attention_allocation import fit_heads

    rng = np.random.default_rng(0)
    masses = np.full((2000, 4, 25, 3), 0.3, dtype=np.float16)
    masses[..., 0] = np.exp(rng.normal(-1.5, 0.4, (2000, 4, 25))).clip(0, 1)
    started = process_time()
    fit_heads(system_columns(masses, last_layers=4))
    # 100 heads; 1,000 must take less than 60 s on one core.
    assert process_time() - started < 6
