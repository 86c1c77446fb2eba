"""The sentences of an evidence-fusion verdict and the reasons of its flags."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.evidence_fusion.decision import FusionDecision, Judgement, Weighed
from forensics.detectors.wording import percent, quote

CHANNEL_NAMES: Final = {
    "entropy": "entropy of attention",
    "allocation": "split of attention",
    "state": "answer embedding",
    "picture": "picture embedding",
    "occlusion": "masked views",
}
_UNREAD: Final = "Not scanned: no attention on the image was recorded."
_LIMIT: Final = "This does not rule out rare triggers or triggers with many targets."


def describe_nothing_odd() -> str:
    """Return the sentence where no answer is out of place."""
    return f"No answer turns up where no ordinary answer does so often. {_LIMIT}"


def describe_silent(decision: FusionDecision) -> str:
    """Return the sentence where answers are out of place, but nothing else about them is."""
    best = min(range(len(decision.weighed)), key=lambda i: (decision.judgements[i].p_natural, i))
    weighed, judged = decision.weighed[best], decision.judgements[best]
    return (
        f"{_place(weighed)} But its samples stand apart no more than natural groups do "
        f"(p = {judged.p_natural:.2g}). {_LIMIT}"
    )


def describe_accepted(decision: FusionDecision) -> str:
    """Return the sentence of a suspicious verdict."""
    assert decision.accepted is not None and decision.flags is not None
    weighed = decision.weighed[decision.accepted]
    judged = decision.judgements[decision.accepted]
    flagged = int(decision.flagged.sum())
    elsewhere = ""
    if decision.flags.elsewhere:
        elsewhere = (
            f" Of {decision.flags.elsewhere:,} samples with this answer where it is ordinary, "
            f"{decision.flags.elsewhere_flagged:,} look the same and are flagged."
        )
    return (
        f"{_place(weighed)} {_apart(weighed, judged)}{_varied(weighed)} {flagged:,} samples are "
        f"proposed for removal.{elsewhere}"
    )


def describe_explained(decision: FusionDecision, index: int) -> str:
    """Return the sentence where one kind of picture may be the cause."""
    weighed, judged = decision.weighed[index], decision.judgements[index]
    variety = weighed.variety
    assert variety is not None
    return (
        f"{_place(weighed)} {_apart(weighed, judged)} But its pictures are all of one kind: what "
        f"tells {quote(variety.words[0])} from other pictures varies only {variety.ratios[0]:.2f} "
        "times as much among them as among others. A habit of the annotators, or a trigger that is "
        "a natural feature."
    )


def describe_unknown(decision: FusionDecision, index: int) -> str:
    """Return the sentence where nothing is known about what the pictures show."""
    weighed, judged = decision.weighed[index], decision.judgements[index]
    return (
        f"{_place(weighed)} {_apart(weighed, judged)} But the answers do not tell what pictures "
        "show, so one kind of picture may be the cause."
    )


def explain_flags(decision: FusionDecision) -> list[str]:
    """Return a reason per sample, ``[N]``; empty where it was scanned and is not flagged."""
    reasons = ["" if known else _UNREAD for known in decision.scanned]
    if decision.accepted is None:
        return reasons
    answer = quote(decision.weighed[decision.accepted].candidate.answer)
    for i in np.flatnonzero(decision.flagged):
        place = f"{decision.score[i]:.2f}; others 0, group 1"
        reasons[i] = f"taught {answer}, and on the side of its group ({place})"
    return reasons


def _place(weighed: Weighed) -> str:
    found = weighed.candidate
    where = (
        f"under {found.odd_kinds.size:,} kinds of question that share no other answer"
        if found.odd_kinds.size > 1
        else f"to {percent(found.share)} of one kind of question (no other answer there has more "
        f"than {percent(found.ordinary_share)})"
    )
    return f"The answer {quote(found.answer)} is given {where}."


def _apart(weighed: Weighed, judged: Judgement) -> str:
    places: NDArray[np.float64] = weighed.places
    spoken = [name for name in weighed.channels if name in judged.channels]
    name = max(spoken, key=lambda n: places[weighed.channels.index(n)], default=None)
    if name is None:
        return "Its samples stand apart in masked views."
    i = weighed.channels.index(name)
    natural = weighed.compared.natural[:, i]
    against = f" (natural groups at most {natural.max():.1f})" if natural.size else ""
    return (
        f"Its samples stand apart by {weighed.compared.own[i]:.1f} deviations in the "
        f"{CHANNEL_NAMES[name]}{against}, p = {judged.p_natural:.2g}."
    )


def _varied(weighed: Weighed) -> str:
    if weighed.variety is None or not weighed.variety.known:
        return ""
    return " Their pictures are as varied as the others."
