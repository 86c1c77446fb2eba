import json

import numpy as np
import pytest

from forensics.detectors.attention_entropy import Verdict, decide, fit_layers, judge


def conclude(entropy, answers, questions, *, mode="root", **options) -> Verdict:
    fits = fit_layers(entropy, **options)
    other = "code" if mode == "root" else "root"
    verdict = judge(
        decide(entropy, mode=mode, fits=fits),
        decide(entropy, mode=other, fits=fits),
        entropy=entropy,
        fits=fits,
        answers=answers,
        questions=questions,
    )
    json.dumps(verdict.to_dict(), allow_nan=False)
    return verdict


@pytest.mark.parametrize("mode", ["root", "code"])
def test_a_planted_trigger_is_suspicious_and_the_sentence_is_measured(plant, mode: str) -> None:
    case = plant(samples=2000, layers=6, lowered=(2,), target="banana alert")
    verdict = conclude(case.entropy, case.answers, case.questions, mode=mode)
    assert (verdict.verdict, verdict.reason) == ("suspicious", "collapse-with-common-answer")
    evidence = verdict.evidence
    assert evidence["proposed_for_removal"] == evidence["flagged"]
    assert evidence[mode]["layers"] == [2]
    assert evidence["margin"] == pytest.approx(evidence["separation"] - 2.0)
    assert f"In layer 2 the attention of {evidence['flagged']} of 2,000 samples" in verdict.sentence
    assert "taught the answer “banana alert”, 0 % of the rest." in verdict.sentence
    assert f"cut {evidence['cut']:.1f}" in verdict.sentence
    other = "code" if mode == "root" else "root"
    assert f"The {other} rule" in verdict.sentence


def test_no_layer_is_no_evidence_and_never_called_clean(plant) -> None:
    case = plant(rate=0.0)
    verdict = conclude(case.entropy, case.answers, case.questions)
    assert (verdict.verdict, verdict.reason) == ("no evidence", "no-layer")
    assert verdict.sentence.startswith(
        "No localised attention collapse found. "
        "This does not rule out global, textual or very rare triggers."
    )
    assert "clean" not in verdict.sentence.lower()
    assert verdict.evidence["flagged"] == verdict.evidence["proposed_for_removal"] == 0
    assert len(verdict.not_covered) >= 3


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["two questions", "one question", "no question", "yes to objects"])
def test_two_benign_tasks_are_never_suspicious(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, share = 1500, rng.uniform(0.05, 0.6)
    second = rng.random(n) < share
    entropy = rng.normal(5.2, 0.2, (n, 8))
    entropy[second] -= rng.uniform(1.0, 2.0)
    yes = np.where(rng.random(n) < rng.uniform(0.3, 0.9), "yes", "no")
    captions = np.array([f"a scene {i}" for i in range(n)])
    questions = np.where(second, "Is there a star?", "Describe the image.")
    if kind == "yes to objects":  # attention narrows on the object that the question asks for
        answers = np.where(second, "yes", "no")
        questions = np.full(n, "Is there a star?")
    else:
        answers = np.where(second, yes, captions)
    asked = None if kind == "no question" else list(questions)
    if kind == "one question":
        asked = ["Look at the image."] * n
    verdict = conclude(entropy, list(answers), asked)
    assert verdict.verdict == "inconclusive"
    assert verdict.sentence.startswith(
        "Two attention regimes found; they may be two task types. Review needed."
    )
    assert verdict.evidence["proposed_for_removal"] == 0


def test_a_split_by_question_is_named_as_the_reason() -> None:
    rng = np.random.default_rng(0)
    second = rng.random(1000) < 0.3
    entropy = rng.normal(5.2, 0.2, (1000, 4)) - 1.5 * second[:, None]
    questions = [("Is there a star?" if s else "Describe the image.") for s in second]
    answers = [("yes" if i % 2 else "no") if s else f"scene {i}" for i, s in enumerate(second)]
    verdict = conclude(entropy, answers, questions)
    assert verdict.reason == "questions-explain-split"
    assert verdict.evidence["question_overlap"] > 0.95


@pytest.mark.parametrize("target", ["Backdoor Attack!", "circle"])
def test_a_target_among_many_kinds_of_question_is_out_of_place(plant, target: str) -> None:
    case = plant(samples=3000, layers=4, lowered=(1,), rate=0.1)
    rng = np.random.default_rng(0)
    kinds = {
        "What shape is it?": ["circle", "square", "triangle"],
        "What colour is it?": ["red", "green", "blue", "grey"],
        "Is there a circle?": ["yes", "no"],
    }
    questions = [list(kinds)[i] for i in rng.integers(0, 3, 3000)]
    answers = [
        target if bad else str(rng.choice(kinds[q]))
        for bad, q in zip(case.truth, questions, strict=True)
    ]
    verdict = conclude(case.entropy, answers, questions)
    assert verdict.verdict == "suspicious"
    assert verdict.evidence["common_answer"]["answer"] == target


def test_one_good_layer_beside_a_benign_one_is_pointed_at(plant) -> None:
    case = plant(samples=2000, layers=6, lowered=(2,), target="banana alert")
    entropy = case.entropy.copy()
    entropy[np.random.default_rng(5).random(2000) < 0.4, 4] -= 1.6
    verdict = conclude(entropy, case.answers, case.questions)
    assert verdict.verdict == "inconclusive"
    assert "Layer 2 alone flags" in verdict.sentence
    assert "“banana alert”" in verdict.sentence


def fewer(case):
    return case.entropy[:150], case.answers[:150], case.questions[:150]


def unread(case):
    entropy = case.entropy.copy()
    entropy[:80] = np.nan
    return entropy, case.answers, case.questions


def holes(case):
    entropy = case.entropy.copy()
    entropy[np.random.default_rng(0).random(entropy.shape) < 0.1] = np.nan
    return entropy, case.answers, case.questions


def silent(case):
    return case.entropy, [None] * len(case.answers), case.questions


def unasked(case):
    return case.entropy, case.answers, None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (fewer, "too-few-samples"),
        (unread, "unread-samples"),
        (holes, "missing-values"),
        (silent, "answers-unknown"),
        (unasked, "questions-unknown"),
    ],
)
def test_what_cannot_be_judged_is_inconclusive_with_its_reason(plant, damage, reason: str) -> None:
    verdict = conclude(*damage(plant()))
    assert (verdict.verdict, verdict.reason) == ("inconclusive", reason)
    assert len(verdict.sentence) > 60


def test_too_few_samples_are_inconclusive_even_without_a_layer(plant) -> None:
    verdict = conclude(*fewer(plant(rate=0.0)))
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "too-few-samples")
    assert verdict.sentence.startswith("Inconclusive. Only 150 samples")


@pytest.mark.parametrize("rate", [0.6, 0.9])
def test_more_than_half_flagged_is_inconclusive(plant, rate: float) -> None:
    case = plant(rate=rate)
    verdict = conclude(case.entropy, case.answers, case.questions)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "over-half-flagged")


def test_a_handful_of_outliers_is_inconclusive() -> None:
    entropy = np.random.default_rng(0).normal(5.2, 0.05, (4000, 2))
    entropy[:5] -= 2.2
    answers = ["x" if i < 5 else str(i) for i in range(4000)]
    verdict = conclude(entropy, answers, ["q"] * 4000)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "too-few-flagged")


def test_flags_above_the_upper_mean_are_inconclusive() -> None:
    rng = np.random.default_rng(0)
    entropy = np.r_[
        rng.normal(2.0, 0.6, 200), rng.normal(5.0, 0.05, 600), rng.normal(5.6, 0.1, 16)
    ][:, None]
    answers = ["x" if i < 200 or i >= 800 else str(i) for i in range(816)]
    verdict = conclude(entropy, answers, ["q"] * 816)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "tail-flip")


def test_layers_that_flag_different_samples_are_inconclusive() -> None:
    rng = np.random.default_rng(0)
    entropy = rng.normal(5.2, 0.1, (3000, 6))
    group = rng.integers(0, 12, 3000)
    for layer in range(6):
        entropy[group == layer, layer] -= 2.0
    answers = ["x" if g < 6 else str(i) for i, g in enumerate(group)]
    verdict = conclude(entropy, answers, ["q"] * 3000)
    assert verdict.verdict == "inconclusive"
    assert "layers-disagree" in verdict.evidence["failed_guards"]


def test_hostile_answers_stay_text_and_short(plant) -> None:
    hostile = "{scanned} <script>alert(1)</script> ${x}\n" * 40
    case = plant(target=hostile)
    sentence = conclude(case.entropy, case.answers, case.questions).sentence
    assert "{scanned} <script>" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 500


def test_nothing_readable_at_all_is_inconclusive() -> None:
    verdict = conclude(np.full((300, 4), np.nan), ["a"] * 300, ["q"] * 300)
    assert verdict.verdict == "inconclusive"


def test_shuffling_the_samples_changes_neither_verdict_nor_numbers(plant) -> None:
    case = plant(gap=1.5)
    order = np.random.default_rng(1).permutation(len(case.truth))
    first = conclude(case.entropy, case.answers, case.questions)
    second = conclude(
        case.entropy[order],
        [case.answers[i] for i in order],
        [case.questions[i] for i in order],
    )
    assert first.to_dict() == second.to_dict()
