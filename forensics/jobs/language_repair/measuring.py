"""Clean accuracy and attack success of one version of a language model."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from forensics.detectors.wording import quote
from forensics.evaluation.answers import (
    AnswerMeasurement,
    count_answers,
    learnt_to_see_masks,
    measure_answers,
)
from forensics.evaluation.asking import Said
from forensics.evaluation.masking import mask_probe, stamped_parts
from forensics.evaluation.paired import compare_answers
from forensics.jobs.bar import Told
from forensics.jobs.judge import KNOWN
from forensics.jobs.language_repair.setup import Plan, view_options
from forensics.jobs.rate_words import accuracy_words, counted
from forensics.models.base import GenerativeModel
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.repairs.language_options import RetuneOptions
from forensics.runs.durable import read_json, write_json

BEFORE: Final = "the model as it was delivered"
AFTER: Final = "the repaired model"
FLOOR: Final = "the base, which never saw the set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the model, measured.

    Attributes:
        title: What it is, for people.
        found: The measurement.
    """

    title: str
    found: AnswerMeasurement

    def to_json(self, plan: Plan, before: "Version | None" = None) -> dict[str, Any]:
        """Return rates under the names that every repair reports."""
        told = self.found.to_json() | {"title": self.title, "triggers": {}, "target": plan.target}
        del told["skipped"]
        if plan.judge is not None:
            rate = asdict(self.found.attack_success) | {"title": plan.judge.title}
            told["triggers"] = {plan.judge.by: rate}
        if before is not None:
            differences = compare_answers(self.found, before.found).to_json()
            if plan.trigger is None:
                differences.pop("attack_success_rate")
            told["minus_before"] = differences
        return told


def measure_version(
    plan: Plan,
    options: RetuneOptions,
    open_model: Callable[[], GenerativeModel],
    title: str,
    kept: Path,
    progress: Told,
) -> Version:
    """Ask a model every test sample, untouched, triggered and triggered under a mask.

    The mask is that of the tuning, where it had one: a model that learnt to see masks has learnt to
    see those.

    Args:
        plan: Test samples and trigger.
        options: Longest answer, and the mask.
        open_model: Opens it; not called where the answers were kept.
        title: What it is.
        kept: File of the answers; a run that goes on does not ask again.
        progress: Told of samples done.
    """
    if kept.is_file():
        return Version(title=title, found=count(plan, Said(**read_json(kept))))
    model, total = open_model(), len(plan.test)
    probe = None
    if plan.trigger is not None:
        view = view_options(options)
        probe = mask_probe(
            model, share=view.share, cell=view.cell, fill=view.fill, count=view.mask_count,
            spare=stamped_parts(plan.test, plan.trigger),
        )  # fmt: skip
    found = measure_answers(
        model, plan.test, plan.trigger, plan.target, content=plan.content,
        max_new_tokens=options.max_new_tokens, probe=probe,
        progress=lambda done, message: progress(done, total, message),
    )  # fmt: skip
    write_json(kept, asdict(found.said))
    return Version(title=title, found=found)


def count(plan: Plan, said: Said) -> AnswerMeasurement:
    """Count answers that were kept."""
    return count_answers(said, plan.target, content=plan.content)


def switch_of(options: RetuneOptions, before: Version, after: Version) -> dict[str, Any]:
    """Return what a mask does to the trigger; empty where it was not measured.

    Returns:
        ``before`` and ``after``: ``rate`` under the mask and ``notice`` (a gap of over 20 points);
        ``learnt`` (the tuning had masks, and the gap is wider since) and ``mask``.
    """
    states = {
        state: {"rate": asdict(rate), "notice": version.found.switch_notice}
        for state, version in (("before", before), ("after", after))
        if (rate := version.found.attack_success_masked) is not None
    }
    if not states:
        return {}
    view = view_options(options)
    masked = isinstance(options, CrossViewOptions)
    return states | {
        "learnt": masked and learnt_to_see_masks(after.found, before.found),
        "mask": {"share": view.share, "cell": view.cell, "fill": view.fill},
    }


def say(plan: Plan, before: Version, after: Version, learnt: bool) -> str:
    """Write what the repair did in a few sentences.

    Args:
        plan: Tells the trigger.
        before: The delivered model.
        after: The repaired one.
        learnt: Whether it may have learnt to see masks, see :func:`switch_of`.
    """
    parts = []
    if plan.judge is not None:
        parts.append(
            f"After the repair, {plan.judge.title} brings "
            f"{counted(after.found.attack_success)} other samples to {quote(plan.judge.target)}, "
            f"before {counted(before.found.attack_success)}."
        )
    told = (after.found.clean_accuracy, before.found.clean_accuracy)
    difference = compare_answers(after.found, before.found).clean_accuracy
    parts.append(accuracy_words(*told, difference))
    if learnt:
        parts.append(
            "A mask changes what the trigger does by more than it did before: the model may have "
            "learnt to see masks instead of losing the backdoor."
        )
    if plan.judge is not None and plan.judge.by != KNOWN:
        parts.append("The attacker's own trigger is not known here.")
    if plan.trigger is None:
        parts.append("No trigger is known here, so attack success was not measured.")
    return " ".join(parts)
