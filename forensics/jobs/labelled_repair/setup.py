"""What such a repair begins with: classes, clean shots, test pictures, a trigger to judge by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from forensics.case import Case
from forensics.classifiers import TEMPLATES, open_classifier
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.errors import CaseError, InputError
from forensics.jobs.clip_subjects import Classifier, demo_pictures, read_samples
from forensics.jobs.evaluate import known_judge
from forensics.jobs.evaluate_options import EvaluateOptions
from forensics.jobs.inverted import read_inversion, split_names
from forensics.jobs.judge import RECONSTRUCTION, Judge
from forensics.jobs.subject import model_under_suspicion
from forensics.jobs.trigger_tuning.data import RepairPictures, choose_pictures
from forensics.models.uri import parse_model_uri
from forensics.repairs.labelled_options import LabelledRepairOptions

INVERTED: Final = "the trigger that the latest inversion reconstructed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRepair:
    """A repair before it begins.

    Attributes:
        uri: The model under suspicion.
        classes: Names in the order of the logits.
        templates: Sentences, where no prompts were learnt.
        pictures: Shots and test pictures; none is in both.
        judge: ``None`` where no trigger is known: then only clean accuracy is measured.
    """

    uri: str
    classes: tuple[str, ...]
    templates: tuple[str, ...]
    pictures: RepairPictures
    judge: Judge | None

    def classifier(self, encoder: DualEncoder) -> Classifier:
        """Ask an encoder as the model under suspicion is asked: by sentences or learnt prompts."""
        return open_classifier(encoder, self.uri, classes=self.classes, templates=self.templates)

    @property
    def learnt(self) -> bool:
        """Whether the model comes with learnt prompts."""
        return parse_model_uri(self.uri).prompts is not None


def prepare(case: Case, options: LabelledRepairOptions, encoder: DualEncoder) -> LabelledRepair:
    """Choose classes, pictures and the trigger to judge by.

    A demo without shots of its own has them drawn from its test pictures, and is measured on the
    rest.

    Raises:
        InputError: Nobody says where clean pictures are.
        OptionError: A trigger was given without its class.
    """
    uri = model_under_suspicion(case)
    shots = options.shots or demo_pictures(case, "shots") or demo_pictures(case, "test")
    if shots is None:
        raise InputError(
            "This repair needs few clean labelled pictures.",
            remedy="Give --shots and --test, for instance imagefolder:DIR; the same folder may "
            "serve both.",
        )
    test = options.test or demo_pictures(case, "test") or shots
    templates = split_names(options.templates) or tuple(case.known().get("templates") or TEMPLATES)
    named = class_names(options.classes) or _labels(read_samples(shots))
    classes = open_classifier(encoder, uri, classes=named, templates=templates).classes
    return LabelledRepair(
        uri=uri,
        classes=classes,
        templates=templates,
        pictures=choose_pictures(case, replace(options, shots=shots, test=test), classes),
        judge=find_judge(case, options),
    )


def class_names(text: str | None) -> tuple[str, ...]:
    """Take the names of an option apart: ``a|b|c``; without a ``|`` a comma stands between two.

    Runs of earlier versions spell them with commas; a single class would be nothing to choose from.
    """
    names = split_names(text)
    if len(names) != 1:
        return names
    return tuple(part.strip() for part in names[0].split(",") if part.strip())


def find_judge(case: Case, options: LabelledRepairOptions) -> Judge | None:
    """Choose the trigger to judge by: the one that is given or known, else a reconstructed one.

    Raises:
        OptionError: A trigger was given without its class.
    """
    known = known_judge(case, EvaluateOptions(trigger=options.trigger, target=options.answer))
    if known is not None:
        return known
    try:
        inverted = read_inversion(case, None)
    except CaseError:
        return None  # nothing was reconstructed either
    if inverted.target is None:
        return None
    line = inverted.line(inverted.target)
    return Judge(
        by=RECONSTRUCTION,
        trigger=inverted.trigger(line, inverted.best_seed(line)),
        spec=None,
        target=inverted.target,
        title=INVERTED,
        run=inverted.run.id,
    )


def _labels(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(sorted({sample.label for sample in samples if sample.label}))
