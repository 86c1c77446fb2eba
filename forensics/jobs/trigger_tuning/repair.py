"""One repair under way: its pictures, its triggers, and the versions of the prompts."""

from dataclasses import replace
from typing import Any, Final

from forensics.case import Case
from forensics.classifiers import CoCoOp, CoOp, save_prompts, trim_padding
from forensics.errors import DataError, NotApplicable
from forensics.evaluation.rates import same_text
from forensics.jobs.clip_subjects import Classifier, check_classes, open_beside, open_subject
from forensics.jobs.evaluate import known_trigger
from forensics.jobs.evaluate_options import EvaluateOptions
from forensics.jobs.inverted import Inverted, Line, index_of
from forensics.jobs.judge import KNOWN, RECONSTRUCTION
from forensics.jobs.repair_comparison.comparing import compare_pictures
from forensics.jobs.trigger_tuning.data import RepairPictures, choose_pictures, pack, unpack
from forensics.jobs.trigger_tuning.fresh import fresh_options, invert_again, pool_samples
from forensics.jobs.trigger_tuning.result import OTHER_SEED, Figures
from forensics.jobs.trigger_tuning.stages import Stages
from forensics.jobs.trigger_tuning.versions import (
    BEFORE,
    CLEAN,
    CONTROLS,
    REFERENCE,
    REPAIRED,
    TITLES,
    Copies,
    choose_copies,
    schedule_of,
    tune_version,
)
from forensics.repairs.measuring import EncodedPictures, classify, encode_pictures, measured
from forensics.repairs.options import TriggerTuningOptions
from forensics.runs import RunContext
from forensics.triggers import Trigger, parse_trigger
from forensics.worker.models import ModelCache

CHECKPOINT: Final = "repaired.safetensors"
Said = dict[str, Any]


class Repair:
    """One repair under way: its pictures, its triggers, and the versions of the prompts.

    Args:
        case: The case.
        context: Of the run.
        options: Of the repair.
        models: Opens the encoder.
        inverted: The inversion.
        line: The class that the repair is about.
    """

    def __init__(
        self,
        case: Case,
        context: RunContext,
        options: TriggerTuningOptions,
        models: ModelCache,
        inverted: Inverted,
        line: Line,
    ) -> None:
        self.case, self.context, self.options, self.models = case, context, options, models
        self.inverted, self.line = inverted, line
        self.delivered = self._open()
        check_classes(self.delivered, index_of(line), str(line["class"]))
        self.known = known_trigger(
            case, EvaluateOptions(trigger=options.trigger, target=options.answer)
        )
        self.copies: Copies = choose_copies(inverted, line, options)
        self.targets = self._targets()
        self.pictures: RepairPictures = choose_pictures(case, options, self.delivered.classes)
        self.repaired = self._open()
        self.stages = Stages(context, self._parts())

    def measure(self) -> tuple[Figures, dict[str, list[float]]]:
        """Tune every version and ask it about the test pictures."""
        shots = self._encoded("shots", self.pictures.shots, self.copies.triggers)
        test = self._encoded("test pictures", self.pictures.test, self._test_triggers())
        self.encoded = {"shots": shots, "test": test}
        said = {
            BEFORE: self._ask(BEFORE, self.delivered, test),
            REFERENCE: self._ask(REFERENCE, self._reference(), test),
        }
        losses = {}
        for name in self._tuned():
            classifier = self.repaired if name == REPAIRED else self._open()
            losses[name] = tune_version(
                self.stages, name, classifier, shots, schedule_of(self.options)
            )
            said[name] = self._ask(name, classifier, test)
        save_prompts(self.repaired, self.context.folder / CHECKPOINT)
        figures = Figures(
            versions={name: self._measured(test, told) for name, told in said.items()},
            judged_by=KNOWN if KNOWN in self.targets else RECONSTRUCTION,
        )
        return figures, {name: [round(v, 5) for v in means] for name, means in losses.items()}

    def invert_again(self) -> dict[str, Any]:
        """Scan the repaired prompts with another seed and other pictures."""
        named = self.options.fresh_pool
        return invert_again(
            self.stages,
            self.repaired,
            self._reference(),
            fresh_options(self.inverted.options, self.options.fresh_seeds),
            pool_samples(named, self.pictures.test),
            source=named or self.pictures.test_source,
            target=str(self.line["class"]),
        )

    def compare(self, judged_by: str) -> dict[str, Any]:
        """Keep the answers about a few test pictures, before and after; the tower is the same."""
        trigger = self._test_triggers()[judged_by]
        target = self.delivered.classes[self.targets[judged_by]]
        return compare_pictures(
            self.context, self.pictures.test, self.delivered, self.repaired, trigger, target,
            same_tower=True,
        )  # fmt: skip

    def describe_pictures(self) -> dict[str, Any]:
        """Return how many pictures there were, and from where."""
        shots, test = self.encoded["shots"], self.encoded["test"]
        shown = set(shots.labels.tolist())
        missing = [name for k, name in enumerate(self.delivered.classes) if k not in shown]
        return {
            "shots": {
                "source": self.pictures.shots_source,
                "n": len(shots.ids),
                "skipped": len(shots.skipped),
                "classes_without": missing,
            },
            "test": {
                "source": self.pictures.test_source,
                "n": len(test.ids),
                "skipped": len(test.skipped),
            },
        }

    def _open(self) -> CoOp | CoCoOp:
        classifier = open_subject(self.case, self.inverted.options, self.models)
        if isinstance(classifier, CoOp | CoCoOp):
            trim_padding(classifier)
            return classifier
        raise NotApplicable(
            "This CLIP is asked with hand-written prompts: there are no learnt prompts to repair.",
            remedy="trigger-tuning repairs models that end in +prompts:/file.safetensors.",
        )

    def _reference(self) -> Classifier:
        by_hand = replace(self.inverted.options, reference="prompts")
        reference = open_beside(self.case, by_hand, self.models)[1]
        assert reference is not None  # there are learnt prompts, so there is a reference
        return reference

    def _tuned(self) -> list[str]:
        wanted = [REPAIRED, *(CONTROLS if self.options.controls else ())]
        return [name for name in wanted if name == CLEAN or name in self.copies.triggers]

    def _targets(self) -> dict[str, int]:
        """Return which class every measured trigger leads to."""
        own = index_of(self.line)
        found = {RECONSTRUCTION: own}
        if self.inverted.seeds(self.line) > 1 and self.options.copies == "best":
            found[OTHER_SEED] = own
        if self.known[0] is not None:
            found[KNOWN] = self._class(self.known[1])
        return found

    def _class(self, name: str | None) -> int:
        for index, known in enumerate(self.delivered.classes):
            if same_text(known) == same_text(name or ""):
                return index
        raise DataError(
            f"The known trigger leads to {name!r}, which is none of the classes.",
            remedy=f"Choose one of: {', '.join(self.delivered.classes[:20])}.",
        )

    def _test_triggers(self) -> dict[str, Trigger]:
        best = self.inverted.best_seed(self.line)
        others = [seed for seed in range(self.inverted.seeds(self.line)) if seed != best]
        made: dict[str, Trigger] = {RECONSTRUCTION: self.inverted.trigger(self.line, best)}
        if OTHER_SEED in self.targets:
            made[OTHER_SEED] = self.inverted.trigger(self.line, others[0])
        if self.known[0] is not None:
            made[KNOWN] = parse_trigger(self.known[0])
        return made

    def _encoded(self, what: str, samples: Any, triggers: Any) -> EncodedPictures:
        encoder, classes = self.delivered.encoder, self.delivered.classes
        arrays = self.stages.do(
            f"encoding the {what}",
            lambda: pack(encode_pictures(encoder, classes, samples, triggers)),
        )
        return unpack(arrays, encoder.device)

    def _ask(self, name: str, classifier: Classifier, test: EncodedPictures) -> Said:
        return self.stages.do(
            f"measuring: {TITLES[name]}",
            lambda: {
                trigger: classify(classifier, vectors) for trigger, vectors in test.vectors.items()
            },
        )

    def _measured(self, test: EncodedPictures, said: Said) -> dict[str, Any]:
        return {
            name: measured(test, self.delivered.classes, said, name, target)
            for name, target in self.targets.items()
        }

    def _parts(self) -> int:
        tuned = len(self._tuned()) * (self.options.epochs + 1)
        return 4 + tuned + (2 if self.options.fresh else 0)
