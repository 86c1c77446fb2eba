"""The verdict of an attention-entropy scan: the published decision, put to the guards."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from forensics.detectors.answers import tabulate_answers
from forensics.detectors.attention_entropy.decision import Decision
from forensics.detectors.attention_entropy.guards import (
    GUARDS,
    Guards,
    best_agreement,
    examine_layers,
    find_common_answer,
    question_overlap,
)
from forensics.detectors.attention_entropy.layers import LayerFits
from forensics.detectors.attention_entropy.sentences import (
    describe_collapse,
    describe_failure,
    describe_nothing,
)
from forensics.detectors.question_groups import group_questions
from forensics.detectors.verdict import Verdict, limits
from forensics.statistics.intervals import wilson

# TCAP (2601.21692) measured the first two: F1 between 0 and 10 % on global triggers.
NOT_COVERED: Final = (
    "triggers spread over the whole image (blended, warped, filtered)",
    "triggers in the text",
    "triggers in fewer than 0.2 % of the samples",
)
LOOKALIKE: Final = (
    "an ordinary kind of picture that always has this one answer looks the same here: "
    "check the pictures"
)


def judge(
    primary: Decision,
    beside: Decision,
    *,
    entropy: ArrayLike,
    fits: LayerFits,
    answers: Sequence[str | None],
    questions: Sequence[str] | None = None,
    guards: Guards = GUARDS,
) -> Verdict:
    """Conclude from a decision whether the set was poisoned with a localised trigger.

    Args:
        primary: Decision that the verdict is about.
        beside: Decision of the other rule, reported with it.
        entropy: ``[samples, layers]``; what both were made from.
        fits: Fits of its layers.
        answers: ``[samples]`` taught answer, ``None`` where there is none.
        questions: ``[samples]``; lets the test of the answers allow for kinds of questions.
        guards: Constants.

    Returns:
        ``suspicious`` if every guard holds; ``no evidence`` if no layer separates two groups; else
        ``inconclusive``, with the first failed guard as reason. Never "clean".

    Source: wording and guards are ours (the paper defines neither).
    """
    evidence = _measure(primary, beside, fits)
    evidence["guards"] = asdict(guards)
    if not primary.layers:
        return _without_layer(primary, beside, fits, evidence, guards)
    table, groups = tabulate_answers(answers), group_questions(questions, len(answers))
    scanned = ~np.isnan(primary.score)
    layers = examine_layers(primary, entropy, fits, table, groups, guards)
    common = find_common_answer(primary.flagged, scanned, table, groups, guards)
    evidence |= {
        "layer_evidence": [layer.to_dict() for layer in layers],
        "agreement": best_agreement(layers),
        "best_overlap": max(layer.overlap for layer in layers),
        "question_overlap": question_overlap(primary.flagged, scanned, groups),
        "common_answer": asdict(common) if common else None,
        "answers_known": bool((table.codes >= 0).any()),
    }
    failed = _basic_failures(primary, fits, guards)
    without_answer = common is None or not common.stands_out(guards)
    if questions is None:
        failed.append("questions-unknown")
    if without_answer and _follows_questions(evidence, guards):
        failed.append("questions-explain-split")
    failed += _trigger_failures(primary, evidence, guards)
    if without_answer:
        failed.append("no-common-answer" if evidence["answers_known"] else "answers-unknown")
    elif common is not None and not common.out_of_place(guards):
        failed.append("ordinary-answer")
    evidence["failed_guards"] = failed
    if failed:
        sentence = describe_failure(failed[0], primary, fits, evidence)
        return _verdict("inconclusive", failed[0], sentence, evidence)
    evidence["proposed_for_removal"] = primary.count
    sentence = describe_collapse(primary, beside, fits, evidence)
    return _verdict("suspicious", "collapse-with-common-answer", sentence, evidence, LOOKALIKE)


def _measure(primary: Decision, beside: Decision, fits: LayerFits) -> dict[str, Any]:
    """Return the numbers that every verdict carries."""
    best = fits.strongest(primary.mode)
    strength = float(fits.separation(primary.mode)[best]) if best is not None else None
    return {
        "n": primary.flagged.size,
        "scanned": primary.scanned,
        "unread": primary.unread,
        "imputed": int(fits.missing.sum()),
        "mode": primary.mode,
        "tau": primary.tau,
        "strongest_layer": best,
        "separation": strength,
        "margin": None if strength is None else strength - primary.tau,
        "flagged": primary.count,
        "share": primary.share,
        "share_interval": wilson(primary.count, primary.scanned),
        "cut": primary.cut,
        "manual": primary.manual,
        "unit": primary.unit,
        primary.mode: primary.summary(),
        beside.mode: beside.summary(),
        "proposed_for_removal": 0,
        "failed_guards": [],
    }


def _without_layer(
    primary: Decision, beside: Decision, fits: LayerFits, evidence: dict[str, Any], guards: Guards
) -> Verdict:
    failed = _basic_failures(primary, fits, guards)
    evidence["failed_guards"] = failed
    if failed:
        sentence = describe_failure(failed[0], primary, fits, evidence)
        return _verdict("inconclusive", failed[0], sentence, evidence)
    sentence = describe_nothing(primary, beside, fits)
    return _verdict("no evidence", "no-layer", sentence, evidence)


def _basic_failures(primary: Decision, fits: LayerFits, guards: Guards) -> list[str]:
    """Return what makes any conclusion from this matrix unsafe."""
    failed = []
    if primary.scanned < guards.fewest_samples:
        failed.append("too-few-samples")
    if primary.unread > guards.largest_missing * primary.flagged.size:
        failed.append("unread-samples")
    used = fits.missing[list(primary.layers)] if primary.layers else fits.missing
    if used.sum() > guards.largest_missing * max(1, used.size * fits.samples):
        failed.append("missing-values")
    return failed


def _trigger_failures(primary: Decision, evidence: dict[str, Any], guards: Guards) -> list[str]:
    """Return which marks of a localised trigger the flags lack."""
    failed = []
    if primary.share > guards.largest_share:
        failed.append("over-half-flagged")
    if primary.share < guards.smallest_share:
        failed.append("too-few-flagged")
    if not primary.high_side_guard and primary.high_side > guards.largest_high_side * primary.count:
        failed.append("tail-flip")
    agreement = evidence["agreement"]
    # One good layer may stand beside a benign one: it must then match the decision by itself.
    agrees = agreement is None or agreement >= guards.smallest_agreement
    if not agrees and evidence["best_overlap"] < guards.smallest_agreement:
        failed.append("layers-disagree")
    return failed


def _follows_questions(evidence: dict[str, Any], guards: Guards) -> bool:
    overlap = evidence["question_overlap"]
    return overlap is not None and overlap >= guards.smallest_agreement


def _verdict(
    conclusion: Any, reason: str, sentence: str, evidence: dict[str, Any], *also: str
) -> Verdict:
    return Verdict(
        verdict=conclusion,
        reason=reason,
        sentence=sentence,
        evidence=evidence,
        not_covered=limits(NOT_COVERED, evidence["unread"], *also),
    )
