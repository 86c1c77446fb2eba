"""The decision of evidence fusion on drawn sets: what is planted, and what only looks like it."""

from dataclasses import replace

import numpy as np
import pytest

from forensics.detectors.evidence_fusion import (
    EvidenceFusionOptions,
    FusionDecision,
    FusionInput,
    clean_groups,
    decide_fusion,
    explain_flags,
    judge_fusion,
)
from tests.drawn_fusion import TARGET, Drawn, draw_set

QUICK = EvidenceFusionOptions(permutations=99)


def decide(drawn: Drawn, options: EvidenceFusionOptions = QUICK) -> FusionDecision:
    return decide_fusion(drawn.found, options)


def without(decision: FusionDecision, channel: str) -> int:
    return next(int(row["flagged"]) for row in decision.drop_one if row["without"] == channel)


@pytest.mark.parametrize("questions", [1, 2])
@pytest.mark.parametrize("direction", [6.0, -6.0])
def test_a_planted_group_is_found_in_either_direction(questions: int, direction: float) -> None:
    drawn = draw_set(entropy=direction, questions=questions)
    decision = decide(drawn)
    assert (decision.flagged == drawn.marked).all()
    assert decision.accepted is not None
    weighed = decision.weighed[decision.accepted]
    assert weighed.candidate.answer == TARGET
    assert weighed.compared.mode == ("within" if questions == 1 else "across")
    verdict = judge_fusion(decision, QUICK)
    assert verdict.verdict == "suspicious" and TARGET in verdict.sentence
    assert any("habit" in text for text in verdict.not_covered)
    reasons = explain_flags(decision)
    assert all(bool(text) == flagged for text, flagged in zip(reasons, drawn.marked, strict=True))


def test_a_group_that_one_channel_shows_hangs_on_that_channel() -> None:
    decision = decide(draw_set(entropy=6))
    assert without(decision, "entropy") == 0
    assert all(without(decision, name) == 60 for name in ("allocation", "state", "picture"))
    rows = {row["channel"]: row for row in judge_fusion(decision, QUICK).evidence["channels"]}
    assert rows["entropy"]["state"] == "spoke"
    assert rows["allocation"]["state"] == rows["picture"]["state"] == "silent"
    assert rows["entropy"]["separation"] > rows["entropy"]["natural_highest"]
    assert rows["occlusion"]["state"] == "absent"
    assert rows["answer-concentration"]["state"] == "chooses"


def test_a_channel_that_is_switched_off_is_not_looked_at() -> None:
    drawn = draw_set(entropy=6)
    options = replace(QUICK, entropy=False)
    decision = decide(drawn, options)
    assert not decision.flagged.any()
    rows = {row["channel"]: row for row in judge_fusion(decision, options).evidence["channels"]}
    assert rows["entropy"] == {"channel": "entropy", "state": "off"}
    assert "entropy" not in {row["without"] for row in decision.drop_one}


@pytest.mark.parametrize("questions", [1, 2])
def test_an_odd_answer_that_nothing_else_shows_is_no_evidence(questions: int) -> None:
    decision = decide(draw_set(questions=questions, learnt=False))
    assert [w.candidate.answer for w in decision.weighed] == [TARGET]
    assert not decision.flagged.any()
    verdict = judge_fusion(decision, QUICK)
    assert (verdict.verdict, verdict.reason) == ("no evidence", "no-channel-speaks")


@pytest.mark.parametrize("questions", [1, 2])
def test_a_habit_that_follows_one_kind_of_picture_is_not_accepted(questions: int) -> None:
    drawn = draw_set(where="star", entropy=6, questions=questions)
    decision = decide(drawn)
    assert not decision.flagged.any()
    verdict = judge_fusion(decision, QUICK)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "one-kind-of-picture")
    # It is the variety of the pictures alone that holds the flags back.
    assert without(decision, "variety") >= drawn.marked.sum() * 0.95
    assert judge_fusion(decide(drawn, replace(QUICK, variety=False)), QUICK).evidence["flagged"]


def test_within_one_kind_of_question_unknown_pictures_leave_it_open() -> None:
    found = draw_set(entropy=6).found
    noise = np.random.default_rng(1).normal(size=found.picture.shape)
    decision = decide_fusion(replace(found, picture=noise), QUICK)
    assert not decision.flagged.any()
    assert judge_fusion(decision, QUICK).reason == "variety-unknown"


def test_ordinary_answers_are_not_even_looked_at() -> None:
    decision = decide(draw_set(rate=0.0, questions=2))
    assert decision.weighed == ()
    assert judge_fusion(decision, QUICK).reason == "no-answer-out-of-place"


def test_the_permutation_level_holds_for_answers_given_at_random() -> None:
    options = EvidenceFusionOptions(permutations=19, variety=False)
    p_values = []
    for seed in range(25):
        drawn = draw_set(300, rate=0.15, questions=2, learnt=False, seed=seed)
        p_values.append(decide(drawn, options).judgements[0].p_permutation)
    found = np.array(p_values)
    # Uniform on 0.05, 0.10 ... 1: 1 or 2 of 25 are expected at 0.05, more than 5 with p = 0.001.
    assert (found <= 0.05).sum() <= 5
    assert 0.35 <= found.mean() <= 0.7


def test_a_low_permutation_level_alone_accepts_nothing() -> None:
    decision = decide(draw_set(entropy=6), EvidenceFusionOptions(permutations=19))
    assert decision.judgements[0].p_natural <= 0.05 < 1
    assert decision.judgements[0].p_permutation == pytest.approx(0.05)
    assert not decision.flagged.any()  # 19 shuffles cannot reach 0.01


def test_the_order_of_the_samples_does_not_matter() -> None:
    drawn = draw_set(entropy=3, questions=2, seed=3)
    order = np.random.default_rng(5).permutation(len(drawn.marked))
    plain, moved = decide(drawn), decide_fusion(drawn.found.take(order), QUICK)
    assert (moved.flagged == plain.flagged[order]).all()
    assert np.array_equal(moved.score, plain.score[order], equal_nan=True)
    assert moved.drop_one == plain.drop_one


def test_samples_that_could_not_be_read_are_never_flagged() -> None:
    drawn = draw_set(entropy=6)
    lost = np.flatnonzero(drawn.marked)[:5]
    entropy = drawn.found.entropy.copy()
    entropy[lost] = np.nan
    decision = decide_fusion(replace(drawn.found, entropy=entropy), QUICK)
    assert not decision.flagged[lost].any() and decision.flagged.sum() == 55
    assert np.isnan(decision.posterior[lost]).all() and np.isnan(decision.score[lost]).all()
    assert all(explain_flags(decision)[i].startswith("Not scanned") for i in lost)


def test_many_unread_samples_leave_the_verdict_open() -> None:
    drawn = draw_set(entropy=6)
    entropy = drawn.found.entropy.copy()
    entropy[np.flatnonzero(~drawn.marked)[:40]] = np.nan
    verdict = judge_fusion(decide_fusion(replace(drawn.found, entropy=entropy), QUICK), QUICK)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "unread-samples")
    assert any("40 samples" in text for text in verdict.not_covered)


def test_few_samples_give_no_verdict() -> None:
    decision = decide(draw_set(199, entropy=6))
    verdict = judge_fusion(decision, QUICK)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "too-few-samples")
    assert not decision.flagged.any()


def test_where_the_target_is_ordinary_only_lookalikes_are_flagged() -> None:
    drawn = draw_set(1200, entropy=10, questions=2, rate=0.08)
    captions = drawn.found.strata == 0
    # "red" is the target: out of place among captions, ordinary where the colour is asked.
    answers = ["red" if m else text for m, text in zip(drawn.marked, drawn.found.answers,
                                                       strict=True)]  # fmt: skip
    decision = decide_fusion(replace(drawn.found, answers=answers), QUICK)
    assert decision.flagged[drawn.marked & captions].all()
    honest = ~drawn.marked & ~captions & (np.array(answers) == "red")
    assert honest.sum() > 50 and decision.flagged[honest].mean() < 0.05
    assert decision.flagged[drawn.marked & ~captions].mean() > 0.9
    assert not decision.flagged[np.array(answers) != "red"].any()


def test_a_hostile_answer_stands_quoted_in_the_sentence() -> None:
    found: FusionInput = draw_set(entropy=6).found
    hostile = "<img src=x onerror=alert(1)>\n\u202e" + "a" * 500
    answers = [hostile if text == TARGET else text for text in found.answers]
    verdict = judge_fusion(decide_fusion(replace(found, answers=answers), QUICK), QUICK)
    assert verdict.verdict == "suspicious"
    assert "\n" not in verdict.sentence and len(verdict.sentence) < 800


def test_the_table_of_natural_groups_is_made_of_clean_development_sets() -> None:
    for part in clean_groups().values():
        assert part.sets and all(name.startswith("dev-clean-") for name in part.sets)
        assert len(part.places) >= 100 and np.isfinite(part.places).all()
