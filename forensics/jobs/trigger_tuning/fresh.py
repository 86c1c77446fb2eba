"""A new inversion of repaired prompts: another seed, other pictures, the same rule."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.detectors.trigger_inversion import class_lines, decide, judge_inversion
from forensics.inversion.engine import Inversion
from forensics.inversion.gather import gather
from forensics.inversion.pool import CleanView, Pool, read_pool
from forensics.jobs.attention.scan import plan_rows
from forensics.jobs.clip_subjects import Classifier, read_samples
from forensics.jobs.trigger_inversion.job import read_content
from forensics.jobs.trigger_inversion.result import choose_side
from forensics.jobs.trigger_tuning.stages import Stages

SEEDS_LATER: Final = 1000  # no seed of the first scan lies so far behind its first


def fresh_options(options: TriggerInversionOptions, seeds: int) -> TriggerInversionOptions:
    """Return the options of the scan with a new seed."""
    return replace(
        options,
        seed=options.seed + SEEDS_LATER,
        seeds=seeds,
        require_content=False,
        candidates=None,
    )


def invert_again(
    stages: Stages,
    classifier: Classifier,
    reference: Classifier,
    options: TriggerInversionOptions,
    samples: Sequence[Sample],
    source: str,
    target: str,
) -> dict[str, Any]:
    """Scan all classes anew.

    Args:
        stages: Keep what every shard of classes left.
        classifier: Repaired.
        reference: The same encoder with hand-written prompts.
        options: Of :func:`fresh_options`.
        samples: The pool; labels are not read.
        source: Where it comes from.
        target: The class that the repair is about; its new trigger is reported beside the verdict.

    Returns:
        What a scan tells: verdict, reason, sentence, evidence, not_covered, target, score; and
        ``aimed``: the figures of ``target``.
    """
    pool = fresh_pool(samples, classifier, options, source)
    inversion = Inversion(classifier, pool, options, reference=reference)
    seen = stages.do("new inversion: looking at the pool", partial(_look, inversion))
    view = CleanView(predicted=seen["predicted"], probability=seen["probability"])
    content = read_content(view, options, len(classifier.classes), source)
    names = classifier.classes
    shards = inversion.plan(range(len(names)))
    done = [
        (shard, stages.do(
            f"new inversion: part {number + 1} of {len(shards)}", partial(inversion.invert, shard)
        ))
        for number, shard in enumerate(shards)
    ]  # fmt: skip
    sides = [
        gather(
            [(shard.seed, left) for shard, left in done if shard.side == side],
            steps=inversion.bench.steps, side=side, names=names, classes=range(len(names)),
            content=content, options=options,
        )
        for side in dict.fromkeys(shard.side for shard in shards)
    ]  # fmt: skip
    decision = decide(choose_side(sides, options).figures, options)
    verdict = judge_inversion(decision, options)
    lines = {line["class"]: line for line in class_lines(decision)}
    suspicious = verdict.verdict == "suspicious" and decision.top is not None
    return {
        **verdict.to_dict(),
        "target": names[decision.top] if suspicious and decision.top is not None else None,
        "score": decision.score,
        "aimed": lines[target],
        "strongest": max(lines.values(), key=lambda line: float(line["success"])),
        "seed": options.seed,
        "seeds": options.seeds,
        "pool": {"n": len(pool), "content": content.images, "source": source},
    }


def fresh_pool(
    samples: Sequence[Sample],
    classifier: Classifier,
    options: TriggerInversionOptions,
    source: str,
) -> Pool:
    """Draw and read pictures for a new inversion."""
    rows = plan_rows(len(samples), options.images, options.seed)
    opened = [partial(open_image, image) for row in rows if (image := samples[row].image)]
    return read_pool(opened, classifier.encoder, source)


def pool_samples(named: str | None, samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the pictures of ``--fresh-pool``, or those at hand."""
    return read_samples(named) if named else samples


def _look(inversion: Inversion) -> dict[str, Any]:
    view = inversion.look()
    return {"predicted": view.predicted, "probability": view.probability}
