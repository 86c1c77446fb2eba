"""The job behind ``scan trigger-inversion``: shards of classes, then the decision."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.trigger_inversion import TriggerInversionOptions
from forensics.detectors.trigger_inversion.content import Content
from forensics.errors import DataError
from forensics.inversion.engine import Inversion, ShardPlan
from forensics.inversion.gather import Gathered, gather
from forensics.inversion.pool import CleanView
from forensics.jobs.trigger_inversion.result import Outcome, choose_side, save_outcome
from forensics.jobs.trigger_inversion.subject import Subject, open_pool, open_subject
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.worker.models import ModelCache

Arrays = dict[str, NDArray[Any]]


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Search a trigger for every class of the case's model, and decide.

    Labels of the pool are never read. Finished shards are kept: a run that was stopped goes on and
    ends with the same numbers.

    Raises:
        DataError: The pool has too few pictures, or shows too little.
        OptionError: Classes are missing or unknown.
        Cancelled: The user asked to stop; finished shards stay.
    """
    chosen = build_options(TriggerInversionOptions, options)
    started = time.monotonic()
    context.progress(0, 1, "opening model and pool")
    subject = open_subject(case, chosen, models)
    pool = open_pool(case, chosen, subject.classifier.encoder)
    inversion = Inversion(subject.classifier, pool, chosen, reference=subject.reference)
    view = inversion.look()
    content = read_content(view, chosen, len(subject.classifier.classes), pool.source)
    plan = inversion.plan(subject.candidates)
    _map(context, inversion, plan)
    sides = [
        gather(
            _shards(context, plan, side),
            steps=inversion.bench.steps, side=side, names=subject.classifier.classes,
            classes=subject.candidates, content=content, options=chosen,
        )
        for side in dict.fromkeys(shard.side for shard in plan)
    ]  # fmt: skip
    found = choose_side(sides, chosen)
    outcome = _outcome(subject, inversion, content, sides, found)
    steps = inversion.bench.steps
    result = save_outcome(context, chosen, outcome, _by_class(context, plan, found.side))
    seconds = time.monotonic() - started
    seen = sum(len(shard.classes) for shard in plan) * steps * inversion.bench.batch
    return result | {
        "seconds": round(seconds, 3),
        "samples_per_second": round(seen / seconds, 2),
    }


def read_content(
    view: CleanView, options: TriggerInversionOptions, classes: int, source: str
) -> Content:
    """Say in which pictures the model sees something.

    Raises:
        DataError: It sees too little, and that was not allowed.
    """
    content = Content(
        predicted=view.predicted,
        sure=view.probability >= options.confidence,
        fewest=options.fewest,
    )
    if options.require_content and content.shows_too_little(classes):
        raise DataError(
            f"The pool ({source}) shows too little: the model is sure of what it sees in "
            f"{content.images:,} of {len(view.predicted):,} pictures, and these look like "
            f"{content.kinds:.1f} different classes to it. On such pictures it can only be "
            "measured how easily a class is drawn, not whether a trigger overrides what is shown.",
            remedy="Give pictures with objects: --pool imagefolder:DIR (or --no-require-content; "
            "nothing is then called suspicious).",
        )
    return content


def _map(context: RunContext, inversion: Inversion, plan: list[ShardPlan]) -> None:
    """Do every shard that is not done yet; each is independent of the others."""
    steps = inversion.bench.steps
    units = [len(shard.classes) * (steps + 1) for shard in plan]
    first, total = 0, sum(units)
    for index, (shard, size) in enumerate(zip(plan, units, strict=True)):
        if index not in context.finished_shards():
            count, begun = len(shard.classes), first

            def report(step: int, begun: int = begun, count: int = count) -> None:
                context.progress(begun + count * step, total, "searching triggers")

            arrays = inversion.invert(shard, report)
            context.commit_shard(index, arrays, start=first, stop=first + size, seed=shard.seed)
        first += size
        context.progress(first, total, "searching triggers")


def _shards(
    context: RunContext, plan: list[ShardPlan], side: float | None
) -> Iterator[tuple[int, Arrays]]:
    for index, shard in enumerate(plan):
        if shard.side == side:
            yield shard.seed, context.load_shard(index)


def _by_class(
    context: RunContext, plan: list[ShardPlan], side: float | None
) -> Iterator[tuple[int, Arrays]]:
    """Yield class after class its triggers of all seeds; only a few classes are in memory."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, shard in enumerate(plan):
        if shard.side == side:
            groups.setdefault(shard.classes, []).append(index)
    for classes, indices in groups.items():
        loaded = [context.load_shard(index) for index in indices]
        names = [name for name in loaded[0] if name.startswith("trigger_")]
        for place, row in enumerate(classes):
            yield (
                row,
                {
                    name.removeprefix("trigger_"): np.stack([one[name][place] for one in loaded])
                    for name in names
                },
            )


def _outcome(
    subject: Subject,
    inversion: Inversion,
    content: Content,
    sides: list[Gathered],
    found: Gathered,
) -> Outcome:
    return Outcome(
        found=found,
        sides=sides,
        classes=subject.candidates,
        content=content,
        reference=subject.reference_name,
        pool_source=inversion.pool.source,
        unread=inversion.pool.unread,
        steps=inversion.bench.steps,
        device=str(inversion.bench.device),
    )
