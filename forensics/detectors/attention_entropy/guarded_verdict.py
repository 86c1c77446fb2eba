"""The verdict of mode ``guarded``: what the flags within strata prove, and what they do not."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.attention_entropy.decision import Decision
from forensics.detectors.attention_entropy.guarded import SPREADS, GuardedEntropy
from forensics.detectors.attention_entropy.guarded_decision import (
    SMALLEST_PURITY,
    GuardedDecision,
)
from forensics.detectors.attention_entropy.guarded_sentences import (
    describe_guarded,
    describe_guarded_failure,
    describe_guarded_nothing,
)
from forensics.detectors.attention_entropy.guards import (
    GUARDS,
    Guards,
    find_common_answer,
    question_overlap,
)
from forensics.detectors.attention_entropy.verdict import LOOKALIKE, NOT_COVERED
from forensics.detectors.verdict import Conclusion, Verdict, limits
from forensics.statistics.association import codes_of
from forensics.statistics.intervals import wilson

# An explanation in itself: pictures of one class, or one kind of sample, with their usual answer.
_BENIGN: Final = frozenset({"ordinary-answer", "mixed-collapse", "weak-collapse"})


def judge_guarded(
    decision: GuardedDecision,
    beside: Decision,
    guarded: GuardedEntropy,
    *,
    metadata: Mapping[str, Sequence[object]] | None = None,
    guards: Guards = GUARDS,
) -> Verdict:
    """Conclude from a decision within strata.

    Args:
        decision: The one that the verdict is about.
        beside: That of rule ``root``, reported with it.
        guarded: What ``decision`` was made from.
        metadata: Columns that may explain the flags, such as ``source``: name -> ``[samples]``.
            They never clear a sample; they make a suspicious verdict inconclusive.
        guards: Constants.

    Returns:
        ``suspicious`` if flags stand; ``no evidence`` if no layer separates samples by their
        answer, or if that answer is an ordinary one on ordinary pictures; else ``inconclusive``.

    Source: ours (design 3).
    """
    evidence = _measure(decision, beside, guarded, guards)
    unsafe = _unsafe(decision, guarded, guards)
    explained = _explained(decision, guarded.scanned, metadata or {}, guards)
    evidence["explained_by"] = explained
    failed = [
        *unsafe,
        *decision.failed,
        *(f"{name.replace(' ', '-')}-explains-flags" for name in explained[:1]),
    ]
    evidence["failed_guards"] = failed
    if unsafe or explained:
        reason = unsafe[0] if unsafe else failed[-1]
        return _verdict("inconclusive", reason, evidence, decision, beside)
    if decision.suspect is None:
        reason = "two-benign-regimes" if beside.layers else "no-layer"
        return _verdict("no evidence", reason, evidence, decision, beside)
    if not decision.failed:
        evidence["proposed_for_removal"] = decision.count
        return _verdict("suspicious", "collapse-with-one-answer", evidence, decision, beside)
    if "ordinary-answer" in decision.failed and len(_BENIGN & set(decision.failed)) > 1:
        return _verdict("no evidence", "two-benign-regimes", evidence, decision, beside)
    return _verdict("inconclusive", decision.failed[0], evidence, decision, beside)


def _verdict(
    conclusion: Conclusion,
    reason: str,
    evidence: dict[str, Any],
    decision: GuardedDecision,
    beside: Decision,
) -> Verdict:
    if conclusion == "suspicious":
        sentence = describe_guarded(decision, beside, evidence)
    elif conclusion == "no evidence":
        sentence = describe_guarded_nothing(reason, decision, beside, evidence)
    else:
        sentence = describe_guarded_failure(reason, decision, evidence)
    also = (LOOKALIKE,) if conclusion == "suspicious" else ()
    return Verdict(
        verdict=conclusion,
        reason=reason,
        sentence=sentence,
        evidence=evidence,
        not_covered=limits(NOT_COVERED, decision.unread, *also),
    )


def _measure(
    decision: GuardedDecision, beside: Decision, guarded: GuardedEntropy, guards: Guards
) -> dict[str, Any]:
    suspect = decision.suspect
    blind = guarded.fits.strongest("root")
    fits = [] if suspect is None else [(f.separation, i) for i, f in enumerate(suspect.fits) if f]
    strength, layer = max(fits, default=(None, blind))
    common = None
    if suspect is not None:
        common = find_common_answer(
            decision.flagged, guarded.scanned, guarded.table, guarded.strata, guards
        )
    return {
        "n": decision.flagged.size,
        "scanned": decision.scanned,
        "unread": decision.unread,
        "imputed": decision.imputed,
        "mode": "guarded",
        "tau": decision.tau,
        "strata": int(np.unique(guarded.strata[guarded.scanned]).size),
        "strongest_layer": layer,
        "separation": strength,
        "margin": None if strength is None else strength - decision.tau,
        "flagged": decision.count,
        "share": decision.share,
        "share_interval": wilson(decision.count, decision.scanned),
        "cut": decision.cut,
        "manual": decision.manual,
        "unit": SPREADS,
        "answer": suspect.answer if suspect else None,
        "answer_total": int(suspect.with_it.sum()) if suspect else 0,
        "p_value": suspect.p_value if suspect else None,
        "statistic": suspect.statistic if suspect else None,
        "place": asdict(suspect.place) if suspect else None,
        "purity": None if np.isnan(decision.purity) else decision.purity,
        "smallest_purity": SMALLEST_PURITY,
        "review": int(decision.review.sum()),
        "control": int(decision.control.sum()),
        "suspects": [
            {"answer": s.answer, "statistic": s.statistic, "p_value": s.p_value,
             "separation": [None if f is None else f.separation for f in s.fits]}
            for s in guarded.suspects
        ],
        "common_answer": asdict(common) if common else None,
        "guarded": decision.summary(),
        beside.mode: beside.summary(),
        "guards": asdict(guards),
        "proposed_for_removal": 0,
        "failed_guards": [],
    }  # fmt: skip


def _unsafe(decision: GuardedDecision, guarded: GuardedEntropy, guards: Guards) -> list[str]:
    """Return what makes any conclusion from these samples unsafe."""
    failed = []
    if decision.scanned < guards.fewest_samples:
        failed.append("too-few-samples")
    if decision.unread > guards.largest_missing * decision.flagged.size:
        failed.append("unread-samples")
    if decision.imputed > guards.largest_missing * max(1, decision.scanned * guarded.fits.layers):
        failed.append("missing-values")
    if not (guarded.table.codes[guarded.scanned] >= 0).any():
        failed.append("answers-unknown")
    if not guarded.questions_known:
        failed.append("questions-unknown")
    return failed


def _explained(
    decision: GuardedDecision,
    scanned: NDArray[np.bool_],
    metadata: Mapping[str, Sequence[object]],
    guards: Guards,
) -> list[str]:
    """Return the columns of which whole values are, nearly, the flagged samples."""
    if not decision.count:
        return []
    found = []
    for name, column in metadata.items():
        groups = codes_of([str(value) for value in column])
        overlap = question_overlap(decision.flagged, scanned, groups)
        if overlap is not None and overlap >= guards.smallest_agreement:
            found.append(name)
    return found
