"""Flagged samples: a few to look at, and what they are taught beside the rest."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from forensics.report.blocks import Block, Column, Gallery, Rate, Shown, Table
from forensics.report.reading import short
from forensics.report.sections.context import Source
from forensics.report.sections.scores import Scores
from forensics.statistics.intervals import wilson

MOST_SHOWN = 24
MOST_ANSWERS = 8
LONGEST_ANSWER = 120

Reason = Callable[[int], str]


def flagged_blocks(source: Source, scores: Scores, reason: Reason | None = None) -> list[Block]:
    """Return the gallery and the answers; nothing where nothing is flagged.

    Args:
        source: Of the section.
        scores: Of the run.
        reason: Why a sample is suspected, by its place in the scores; ``None`` if not known.
    """
    if not scores.flagged.any():
        return []
    return [answer_table(source, scores), gallery(source, scores, reason)]


def answer_table(source: Source, scores: Scores) -> Table:
    """Compare what flagged samples and the rest are taught: answers, or labels of a CLIP."""
    catalog = source.case.catalog
    texts = catalog.answers[scores.rows]
    what = "answer"
    if all(text is None for text in texts):
        texts, what = catalog.labels[scores.rows], "label"
    marked = Counter(text for text in texts[scores.flagged] if text is not None)
    rest = Counter(text for text in texts[~scores.flagged] if text is not None)
    n, others = int(scores.flagged.sum()), int((~scores.flagged).sum())
    common = sorted(marked, key=lambda text: (-marked[text], str(text)))[:MOST_ANSWERS]
    rows = [
        (short(text, LONGEST_ANSWER), share(marked[text], n), share(rest[text], others))
        for text in common
    ]
    return Table(
        key="answers", title=f"Most frequent {what}s among the flagged",
        columns=(
            Column(key="answer", title=what.capitalize()),
            Column(key="flagged", title=f"Of {n:,} flagged", kind="rate"),
            Column(key="rest", title=f"Of {others:,} others", kind="rate"),
        ),
        rows=tuple(rows),
        note="" if len(marked) <= MOST_ANSWERS
        else f"The {MOST_ANSWERS} most frequent of {len(marked):,} different {what}s.",
    )  # fmt: skip


def share(successes: int, n: int) -> Rate:
    """Return a share with Wilson's interval; not measured where there are no samples."""
    if not n:
        return Rate(value=None, n=0)
    low, high = wilson(successes, n)
    return Rate(value=successes / n, n=n, low=low, high=high)


def gallery(source: Source, scores: Scores, reason: Reason | None) -> Gallery:
    """Show the most suspicious of the flagged samples."""
    places = scores.order[:MOST_SHOWN]
    samples = source.case.catalog.select(scores.rows[places])
    items = []
    for place, sample in zip(places, samples, strict=True):
        score = scores.scores[place]
        facts = [
            ("answer" if sample.label is None else "label", short(sample.answer or sample.label)),
            ("score", f"{score:.4g}" if np.isfinite(score) else "none"),
        ]
        if reason is not None:
            facts.append(("why", short(reason(int(place)), 400)))
        items.append(Shown(name=short(sample.id, 80), pictures=(source.pictures.sample(sample),),
                           facts=tuple(facts)))  # fmt: skip
    total = int(scores.flagged.sum())
    return Gallery(
        key="flagged", title="Flagged samples", items=tuple(items),
        note=f"All {total:,} flagged samples." if total == len(items)
        else f"The {len(items)} most suspicious of {total:,}; the command “forensics export ids” "
        "lists all.",
    )  # fmt: skip
