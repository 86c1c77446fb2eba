"""Guarded entropy on drawn sets: task types, targets, order, sources and missing answers."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from forensics.detectors.attention_entropy import (
    GuardedDecision,
    Verdict,
    decide,
    decide_guarded,
    examine_guarded,
    explain_samples,
    fit_layers,
    judge_guarded,
    recut,
    shown_fits,
)
from forensics.detectors.attention_entropy.scoring import score_flags
from forensics.errors import OptionError

COLORS = ("red", "green", "blue", "pink")
PLACES = ("top", "left", "right", "bottom", "centre")


@dataclass(frozen=True)
class Drawn:
    """A set as a scan leaves it."""

    entropy: np.ndarray
    answers: list
    questions: list
    poisoned: np.ndarray

    def examine(self):
        return examine_guarded(
            self.entropy,
            np.full(len(self.answers), 64),
            answers=self.answers,
            questions=self.questions,
            unit="nat",
        )

    def decide(self, tau: float = 2.0) -> GuardedDecision:
        return decide_guarded(self.examine(), tau)

    def judge(self, **more) -> tuple[GuardedDecision, Verdict]:
        within = self.examine()
        decision = decide_guarded(within, 2.0)
        return decision, judge_guarded(decision, decide(self.entropy), within, **more)


def draw(
    n: int = 800,
    rate: float = 0.1,
    target: str = "alert",
    depth: float = 0.8,
    seed: int = 0,
    free: bool = False,
) -> Drawn:
    """Draw colour and place questions whose attention differs; poison collapses within each.

    Layer 0 has the two task types; layer 1 the collapse, shallower than the gap of the types.
    """
    random = np.random.default_rng(seed)
    kind = np.arange(n) % 2
    poisoned = random.random(n) < rate
    entropy = random.normal(3.6, 0.15, (n, 4))
    entropy[:, :2] -= 1.4 * kind[:, None]
    entropy[poisoned, 1] -= depth + random.normal(0, 0.1, int(poisoned.sum()))
    words = [COLORS, PLACES]
    answers = [words[k][random.integers(len(words[k]))] for k in kind]
    if free:
        answers = [f"a {answer} thing, number {i}" for i, answer in enumerate(answers)]
    answers = [target if bad else a for bad, a in zip(poisoned, answers, strict=True)]
    asked = ["What color is it?", "Where is the shape?"]
    return Drawn(entropy, answers, [asked[k] for k in kind], poisoned)


def test_two_task_types_are_no_backdoor() -> None:
    clean = draw(rate=0.0)
    root = decide(clean.entropy)
    assert root.count > 300  # the published rule takes one of them for poison
    decision, verdict = clean.judge()
    assert decision.count == 0
    assert verdict.verdict == "no evidence"
    assert verdict.reason == "two-benign-regimes"
    assert "benign" in verdict.sentence


@pytest.mark.parametrize("free", [False, True])
def test_poison_is_found_in_both_task_types_where_the_published_rule_errs(free: bool) -> None:
    drawn = draw(free=free)
    root = score_flags(decide(drawn.entropy).flagged, drawn.poisoned)
    assert root.precision < 0.3
    decision, verdict = drawn.judge()
    scores = score_flags(decision.flagged, drawn.poisoned)
    assert scores.precision >= 0.9
    assert scores.recall >= 0.9
    assert decision.layers == (1,)
    assert verdict.verdict == "suspicious"
    assert "“alert”" in verdict.sentence
    assert verdict.evidence["proposed_for_removal"] == decision.count


def test_an_ordinary_answer_as_target_leaves_its_own_samples_alone() -> None:
    drawn = draw(target="red", n=2000)
    decision, verdict = drawn.judge()
    scores = score_flags(decision.flagged, drawn.poisoned)
    assert scores.precision >= 0.9
    assert scores.recall >= 0.9
    assert decision.control.sum() > 150  # red things that are red
    assert verdict.verdict == "suspicious"


def test_a_class_of_pictures_with_its_usual_answer_is_no_backdoor() -> None:
    drawn = draw(rate=0.0, n=1200)
    for place, answer in enumerate(drawn.answers):
        if answer == "centre":
            drawn.entropy[place, 2] -= 0.9  # the model looks at the centre, and says so
    decision, verdict = drawn.judge()
    assert decision.count == 0
    assert decision.suspect is not None
    assert decision.suspect.answer == "centre"
    assert "ordinary-answer" in decision.failed
    assert verdict.verdict != "suspicious"


def test_a_collapse_shared_with_other_answers_is_not_flagged() -> None:
    drawn = draw(free=True)
    random = np.random.default_rng(1)
    others = random.random(len(drawn.answers)) < 0.15
    drawn.entropy[others, 1] -= 0.8
    decision, verdict = drawn.judge()
    assert decision.count == 0
    assert "mixed-collapse" in decision.failed
    assert verdict.verdict == "inconclusive"


def test_order_and_truth_change_no_flag() -> None:
    drawn = draw(seed=4)
    order = np.random.default_rng(0).permutation(len(drawn.answers))
    moved = Drawn(
        drawn.entropy[order],
        [drawn.answers[i] for i in order],
        [drawn.questions[i] for i in order],
        drawn.poisoned,  # shuffled with respect to the samples
    )
    one, two = drawn.decide(), moved.decide()
    assert one.count
    np.testing.assert_array_equal(one.flagged[order], two.flagged)
    assert one.cut == two.cut


def test_a_source_that_explains_the_flags_lowers_the_verdict_and_clears_nothing() -> None:
    drawn = draw()
    source = np.where(drawn.poisoned, "scraped", "bought").tolist()
    decision, verdict = drawn.judge(metadata={"source": source})
    assert decision.count > 50
    assert verdict.verdict == "inconclusive"
    assert verdict.reason == "source-explains-flags"
    assert "may come from there" in verdict.sentence
    scattered = drawn.judge(metadata={"source": ["a", "b"] * 400})[1]
    assert scattered.verdict == "suspicious"


def test_without_answers_or_questions_nothing_can_be_concluded() -> None:
    drawn = draw()
    decision, verdict = replace(drawn, answers=[None] * 800).judge()
    assert decision.count == 0
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "answers-unknown")
    assert replace(drawn, questions=None).judge()[1].reason == "questions-unknown"
    few = Drawn(drawn.entropy[:100], drawn.answers[:100], drawn.questions[:100], drawn.poisoned)
    assert few.judge()[1].reason == "too-few-samples"


def test_no_clean_set_of_many_alarms() -> None:
    alarms = [draw(rate=0.0, n=400, seed=seed).decide().count for seed in range(100, 130)]
    assert sum(count > 0 for count in alarms) <= 1


def test_the_gate_decides_which_layers_count() -> None:
    within = draw().examine()
    strength = shown_fits(within, decide_guarded(within, 2.0)).separation("guarded")[1]
    assert decide_guarded(within, strength - 0.01).layers == (1,)
    refused = decide_guarded(within, strength + 0.01)
    assert refused.layers == ()
    assert np.isnan(refused.score).all()
    with pytest.raises(OptionError):
        decide_guarded(within, float("nan"))


def test_a_cut_by_hand_flags_only_samples_with_the_answer() -> None:
    decision = draw().decide()
    everything = recut(decision, 10.0)
    np.testing.assert_array_equal(everything.flagged, decision.has_answer)
    assert everything.manual


def test_unread_samples_are_never_flagged_and_missing_values_are_counted() -> None:
    drawn = draw()
    drawn.entropy[:20] = np.nan
    drawn.entropy[20:30, 0] = np.nan
    decision = drawn.decide()
    assert decision.unread == 20
    assert decision.imputed == 10
    assert not decision.flagged[:20].any()
    assert decision.count > 50


def test_scaled_entropies_give_the_same_flags() -> None:
    drawn = draw()
    scaled = examine_guarded(
        drawn.entropy / np.log(64),
        np.full(800, 64),
        answers=drawn.answers,
        questions=drawn.questions,
        unit="of ln T",
    )
    np.testing.assert_array_equal(decide_guarded(scaled, 2.0).flagged, drawn.decide().flagged)


def test_reasons_speak_of_spreads_and_of_the_layer_that_counts() -> None:
    drawn = draw()
    within = drawn.examine()
    decision = decide_guarded(within, 2.0)
    reasons = explain_samples(
        decision,
        shown_fits(within, decision),
        tokens=np.full(800, 64),
        peak_token=np.zeros((800, 4)),
        top2_mass=np.full((800, 4), 0.5),
        questions=drawn.questions,
    )
    assert reasons.layer == 1
    place = int(np.flatnonzero(decision.flagged)[0])
    assert "spreads below the median of samples that were asked the same" in reasons.reason(place)


def test_published_decisions_do_not_know_the_mode() -> None:
    drawn = draw()
    with pytest.raises(OptionError, match="root, code"):
        decide(drawn.entropy, mode="guarded")
    with pytest.raises(OptionError, match="root, code"):
        fit_layers(drawn.entropy).sensitive("guarded", 2.0)
