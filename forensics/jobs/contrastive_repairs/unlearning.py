"""The job behind ``repair token-unlearning`` (UBT-style, reconstruction)."""

import shutil
import time
from typing import Any, Final

import numpy as np

from forensics.case import Case
from forensics.encoders.base import DualEncoder
from forensics.encoders.frozen import weights_digest
from forensics.evaluation.rates import same_text
from forensics.jobs.bar import Arrays, Bar
from forensics.jobs.contrastive_repairs.curves import named_columns, observer
from forensics.jobs.contrastive_repairs.job import thinned
from forensics.jobs.contrastive_repairs.premise import Outcome, judge_premise
from forensics.jobs.contrastive_repairs.saved import parameters, save_repaired
from forensics.jobs.contrastive_repairs.setup import (
    SELF,
    open_reference,
    plan_of,
    subject,
    suspicious_pairs,
    test_pictures,
)
from forensics.jobs.contrastive_repairs.shown import score_choice, show_pairs
from forensics.jobs.labelled_repair.measuring import AFTER, BEFORE, Version, measure, say
from forensics.jobs.labelled_repair.result import describe
from forensics.jobs.labelled_repair.setup import LabelledRepair
from forensics.jobs.repair_comparison import compared
from forensics.options import build_options
from forensics.repairs.contrastive.copies import copy_of
from forensics.repairs.contrastive.pair_cosines import (
    SuspiciousPairs,
    mismatch_cosine,
    pair_cosines,
)
from forensics.repairs.contrastive.split import Split, split_pairs
from forensics.repairs.token_unlearning.choice import find_shortcut, step_of
from forensics.repairs.token_unlearning.forgetting import Observe
from forensics.repairs.token_unlearning.options import TokenUnlearningOptions
from forensics.repairs.token_unlearning.pipeline import Exposed, expose, localise
from forensics.repairs.token_unlearning.unlearn import unlearn
from forensics.runs import RunContext
from forensics.tuning.precision import precision_on
from forensics.worker.models import ModelCache

METHOD: Final = "token-unlearning"
FIGURES: Final = "figures.safetensors"


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Find few pairs that planted a backdoor, and unlearn the tokens that carry it.

    The case's own model is never changed. What is known of the attack is read for measuring alone.
    Where the premise fails nothing is unlearnt, and ``outcome`` says why.

    Raises:
        NotApplicable: There are no training pairs, or the model comes with learnt prompts.
        InputError: There is nothing to measure on.
        OptionError: The reference is the demo's clean twin.
        Cancelled: The user asked to stop; finished parts and the latest checkpoint stay.
    """
    chosen, started = build_options(TokenUnlearningOptions, options), time.monotonic()
    repair = TokenUnlearning(case, context, chosen, models)
    before = repair.measured(repair.encoder, BEFORE, 0.0, 0.05)
    split, mismatched = repair.split()
    exposed = repair.expose(split)
    outcome = repair.judge(split, exposed, mismatched)
    facts: dict[str, Any] = {"checkpoint": None, "trainable_parameters": 0, "curve": None}
    after = before
    if outcome.unlearn:
        after, facts = repair.unlearn(split, exposed)
    context.save_arrays(FIGURES, repair.figures(split, exposed))
    result = {
        "method": METHOD,
        "reconstruction": True,
        "outcome": outcome.name,
        "sentence": _sentence(outcome, repair.plan, before, after),
        **describe(repair.plan, before, after),
        "reference_model": repair.reference_name,
        "shortcut": outcome.to_json(),
        "pairs": {
            "source": repair.source,
            "n": len(repair.pairs),
            "skipped": int(np.isnan(split.cosines).sum()),
            "suspicious": len(split.suspicious),
            "benign": len(split.benign),
            "chosen": len(exposed.chosen),
        },
        "target_accuracy": _target_accuracy(repair.watched_class(outcome.word), before, after),
        "chosen": show_pairs(repair.encoder, repair.pairs, split, exposed, chosen),
        "truth": score_choice(case, repair.pairs, split, exposed, chosen),
        "overfitting": {"steps": len(exposed.losses), "loss": thinned(exposed.losses.tolist())},
        "parameters": parameters(repair.encoder),
        "precision": precision_on(repair.encoder.device),
        "figures": FIGURES,
        **facts,
        "seconds": round(time.monotonic() - started, 2),
    }
    for stage in ("overfit", "unlearn"):
        shutil.rmtree(context.folder / stage, ignore_errors=True)
    return result


class TokenUnlearning:
    """One repair under way.

    Args:
        case: The case.
        context: Of the run.
        options: Of the method.
        models: Opens the encoders.
    """

    def __init__(
        self, case: Case, context: RunContext, options: TokenUnlearningOptions, models: ModelCache
    ) -> None:
        self.case, self.context, self.options, self.models = case, context, options, models
        self.bar = Bar(context)
        self.uri, self.encoder = subject(case, models)
        samples, self.source = suspicious_pairs(case, options.pairs)
        self.pairs = SuspiciousPairs(samples)
        test, place = test_pictures(case, options)
        self.plan: LabelledRepair = plan_of(case, self.uri, options, test, place)
        self.reference_name = options.reference or SELF

    def measured(self, encoder: DualEncoder, title: str, start: float, share: float) -> Version:
        """Ask an encoder about the test pictures."""
        told = self.bar.part(start, share)
        return measure(self.plan, self.plan.classifier(encoder), title, told)

    def split(self) -> tuple[Split, float]:
        """Stage A; also the mean cosine of pairs that do not match."""
        arrays = self.bar.kept(0, "similarity", self._compare)
        split = split_pairs(arrays["cosines"], self.options)
        return split, float(arrays["mismatched"][0])

    def expose(self, split: Split) -> Exposed:
        """Stages B and C; the overfitted copy is gone when they end."""

        def make() -> Arrays:
            found = expose(
                self.encoder, self.pairs, split, self.options, self.context.folder / "overfit",
                self.bar.steps(0.2, 0.35, "overfitting"),
            )  # fmt: skip
            return {name: getattr(found, name) for name in Exposed.__dataclass_fields__}

        return Exposed(**self.bar.kept(1, "overfitting", make))

    def judge(self, split: Split, exposed: Exposed, mismatched: float) -> Outcome:
        """Ask whether the premise of the method holds."""
        captions = [self.pairs.caption(index) for index in range(len(self.pairs))]
        mine = [captions[index] for index in exposed.pairs(split)]
        found = find_shortcut(
            exposed.gain[exposed.chosen], step_of(split, mismatched), mine, captions, self.options
        )
        return judge_premise(self.case, found, force=self.options.force)

    def unlearn(self, split: Split, exposed: Exposed) -> tuple[Version, dict[str, Any]]:
        """Stage D, from the suspicious weights."""
        local = localise(self.encoder, self.pairs, split, exposed, self.options)
        tuned = copy_of(self.encoder)
        start = weights_digest(tuned)
        found = unlearn(
            tuned, self.pairs, local, split.benign, self.options, self.context.folder / "unlearn",
            self.bar.steps(0.55, 0.3, "unlearning"), self._observer(),
        )  # fmt: skip
        after = self.measured(tuned, AFTER, 0.85, 0.15)
        return after, {
            "checkpoint": save_repaired(tuned, self.context),
            "comparison": compared(
                self.context,
                self.plan,
                self.plan.classifier(self.encoder),
                self.plan.classifier(tuned),
            ),
            "started_from": start,
            "trainable_parameters": found.trainable,
            "stopped": found.stopped,
            "steps": len(found.losses),
            "losses": {"loss": thinned(found.losses)},
            "curve": named_columns(found.curve),
            "benign_used": found.benign,
        }

    def watched_class(self, word: str | None) -> int | None:
        """Return the class whose accuracy is told: the target, else the one that the word names."""
        judge = self.plan.judge
        wanted = judge.target if judge is not None else word
        names = [same_text(name) for name in self.plan.classes]
        return names.index(same_text(wanted)) if wanted and same_text(wanted) in names else None

    def figures(self, split: Split, exposed: Exposed) -> Arrays:
        """Return what the histograms and heat maps are drawn from."""
        return {
            "similarity": split.cosines,
            "suspicious": split.suspicious,
            "chosen": exposed.pairs(split),
            "history": exposed.history,
            "gain": exposed.gain,
            "tokens": exposed.tokens,
            "patches": exposed.patches.reshape(-1, *exposed.grid),
        }

    def _observer(self) -> Observe | None:
        """Ask a few test pictures at every look, for the curves."""
        if not self.options.curve:
            return None
        few = self.plan.pictures.test[: self.options.curve]
        return observer(self.plan, self.encoder, few, self.watched_class(None))

    def _compare(self) -> Arrays:
        told = self.bar.part(0.05, 0.15)
        reference, _ = open_reference(self.case, self.options.reference, self.models, self.encoder)
        cosines = pair_cosines(
            reference, self.pairs,
            report=lambda done, of: told(done, of, f"comparing pairs: {done:,} of {of:,}"),
        )  # fmt: skip
        benign = split_pairs(cosines, self.options).benign
        return {
            "cosines": cosines,
            "mismatched": np.array([mismatch_cosine(reference, self.pairs, benign)]),
        }


def _target_accuracy(index: int | None, before: Version, after: Version) -> dict[str, Any] | None:
    """Return the clean accuracy of the class that the unlearning is most likely to harm."""
    if index is None:
        return None
    rates = [version.found.per_class[index].clean_accuracy for version in (before, after)]
    return {
        "class": before.found.classes[index],
        "n": rates[0].n,
        "before": rates[0].value,
        "after": rates[1].value,
    }


def _sentence(outcome: Outcome, plan: LabelledRepair, before: Version, after: Version) -> str:
    if outcome.unlearn:
        return " ".join([*outcome.notes, say(plan, before, after)])
    return " ".join([outcome.sentence, "The model was not changed."])
