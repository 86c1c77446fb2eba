"""The classifier of a case under suspicion, its reference, and pictures that come with a demo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forensics.case import Case
from forensics.case.manifest import HERE
from forensics.classifiers import TEMPLATES, CoCoOp, CoOp, ZeroShot, open_classifier
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.errors import CaseError
from forensics.jobs.inverted import split_names
from forensics.jobs.subject import model_under_suspicion
from forensics.models.kinds import model_kind
from forensics.models.uri import encoder_uri, parse_model_uri
from forensics.worker.models import ModelCache

Classifier = ZeroShot | CoOp | CoCoOp


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A classifier that never saw the trigger.

    Attributes:
        model: Its name.
        title: What it is, for people.
        open: Opens it.
    """

    model: str
    title: str
    open: Callable[[], Classifier]


def open_subject(case: Case, options: TriggerInversionOptions, models: ModelCache) -> Classifier:
    """Open the classifier that an inversion examined.

    Args:
        case: Of kind ``clip``.
        options: Of the inversion: ``classes`` and ``templates`` of a CLIP without learnt prompts.
        models: Opens the encoder.
    """
    uri = model_under_suspicion(case)
    return open_classifier(
        models.encoder(uri), uri, classes=_classes(case, options), templates=_templates(options)
    )


def find_reference(
    case: Case, options: TriggerInversionOptions, models: ModelCache, classes: Sequence[str]
) -> Reference | None:
    """Choose what the same triggers are shown to for comparison, as the inversion does.

    Args:
        case: Of kind ``clip``.
        options: Of the inversion; ``reference`` decides.
        models: Opens the encoder.
        classes: Names in the order of the subject's logits.

    Returns:
        The same encoder with hand-written prompts where prompts were learnt, else the case's base;
        ``None`` where there is neither.
    """
    uri, base = model_under_suspicion(case), case.manifest.base
    learnt = parse_model_uri(uri).prompts is not None
    wanted = options.reference
    if wanted == "auto":
        wanted = "prompts" if learnt else "base"
    if wanted == "prompts" and learnt:
        name, title = encoder_uri(uri), "the same encoder with hand-written prompts"
    elif wanted == "base" and base is not None and base != uri and model_kind(base) == "clip":
        name, title = base, "the base model"
    else:
        return None
    return Reference(
        model=name,
        title=title,
        open=lambda: open_classifier(
            models.encoder(name), name, classes=classes, templates=_templates(options)
        ),
    )


def check_classes(classifier: Classifier, index: int, name: str) -> None:
    """Check that a class of an inversion is where the model has it.

    Raises:
        CaseError: The model's classes are others by now.
    """
    if not 0 <= index < len(classifier.classes) or classifier.classes[index] != name:
        raise CaseError(
            f"The model has no class {name[:80]!r} at place {index}: it is not what was scanned.",
            remedy="Scan it again.",
        )


def demo_pictures(case: Case, part: str) -> str | None:
    """Name pictures that come with a demo: ``test`` or ``shots``; ``None`` in other cases.

    They lie in the case folder, wherever that is now. Nothing else that the demo's maker knows is
    read here.
    """
    source = case.known().get(part)
    return str(source).replace(HERE, str(case.folder)) if isinstance(source, str) else None


def read_samples(uri: str) -> list[Sample]:
    """Read the usable rows of a data set."""
    return [item for item in open_dataset(uri) if isinstance(item, Sample)]


def _classes(case: Case, options: TriggerInversionOptions) -> tuple[str, ...]:
    named = split_names(options.classes)
    return named or tuple(sorted({str(label) for label in case.catalog.labels if label}))


def _templates(options: TriggerInversionOptions) -> tuple[str, ...]:
    return split_names(options.templates) or TEMPLATES
