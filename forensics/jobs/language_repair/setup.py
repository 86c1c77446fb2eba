"""What a repair of a language model begins with: base, delivered model, samples, a trigger."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.errors import CaseError, InputError
from forensics.evaluation.answers import Content
from forensics.jobs.evaluate import held_out, known_judge
from forensics.jobs.evaluate_options import EvaluateOptions
from forensics.jobs.judge import Judge
from forensics.jobs.subject import model_under_suspicion
from forensics.jobs.transplant.proved import settle_proved
from forensics.lab.language import attribute_words
from forensics.models.uri import split_adapter
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.repairs.language_options import SUSPICIOUS, RetuneOptions
from forensics.runs import RunContext
from forensics.triggers import Trigger
from forensics.tuning.options import LORA
from forensics.tuning.trainable import refuse_adapter
from forensics.worker.models import ModelCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is tuned from where, and what it is measured on.

    Attributes:
        delivered: URI of the model under suspicion.
        base: URI of what it was tuned from; ``None`` where the case names none.
        start: URI of what is tuned.
        adapter: The delivered adapter, where it is to go on; else ``None``: a fresh one.
        rows: All samples of the case.
        test: With true answers, none of them of the case.
        test_source: Where these come from.
        judge: What attack success is measured with; ``None`` where no trigger is known.
        content: Finds the words of an answer that carry its content; only for demos.
    """

    delivered: str
    base: str | None
    start: str
    adapter: Path | None
    rows: Sequence[Sample]
    test: Sequence[Sample]
    test_source: str
    judge: Judge | None
    content: Content | None

    @property
    def trigger(self) -> Trigger | None:
        """What is put into pictures and questions."""
        return None if self.judge is None else self.judge.trigger

    @property
    def target(self) -> str | None:
        """The answer that it leads to."""
        return None if self.judge is None else self.judge.target


def plan_of(case: Case, options: RetuneOptions, context: RunContext, models: ModelCache) -> Plan:
    """Choose everything that does not depend on the method.

    Where nobody knows the trigger, the patch that a transplant test proved is what attack success
    is measured with.

    Raises:
        CaseError: The case names no base, and it was not asked to go on with what was delivered.
        InputError: There is nothing to measure on.
        OptionError: A trigger without its answer.
    """
    delivered = model_under_suspicion(case)
    asked = EvaluateOptions(
        trigger=options.trigger, target=options.answer, data=options.test,
        max_samples=options.max_test, seed=options.seed,
    )  # fmt: skip
    source = options.test or case.known().get("test")
    if source is None:
        raise InputError(
            "A repair is measured on samples that no model was trained on; this case has none.",
            remedy="Give --test, for instance llava:FILE.",
        )
    start, adapter = _start(case, options, delivered)
    own = bool(case.known().get("demo")) and options.test is None
    test = held_out(case, asked)
    judge = known_judge(case, asked) or settle_proved(
        case, context, test, lambda: models.get(delivered)
    )
    return Plan(
        delivered=delivered,
        base=case.manifest.base,
        start=start,
        adapter=adapter,
        rows=list(case.catalog),
        test=test,
        test_source=str(source),
        judge=judge,
        content=attribute_words if own else None,
    )


def view_options(options: RetuneOptions) -> CrossViewOptions:
    """Return how views are masked: as the method does it, else by the defaults."""
    return options if isinstance(options, CrossViewOptions) else CrossViewOptions()


def _start(case: Case, options: RetuneOptions, delivered: str) -> tuple[str, Path | None]:
    if options.start == SUSPICIOUS:
        return split_adapter(delivered)
    if case.manifest.base is None:
        raise CaseError(
            "The case names no base model. Tuning what was delivered any further would keep the "
            "backdoor in every weight that clean samples do not move.",
            remedy="Make the case with --base URI; --start suspicious goes on all the same.",
        )
    if options.method == LORA:
        refuse_adapter(case.manifest.base)  # before minutes of measuring
    return case.manifest.base, None
