"""The classifier of a case under suspicion, its reference, and pictures at hand."""

from collections.abc import Sequence
from dataclasses import replace

from forensics.case import Case
from forensics.case.manifest import HERE
from forensics.classifiers import CoCoOp, CoOp, ZeroShot
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.errors import CaseError
from forensics.inversion.scorer import VectorClassifier
from forensics.jobs.trigger_inversion import subject
from forensics.worker.models import ModelCache

Classifier = ZeroShot | CoOp | CoCoOp
REFERENCES = {
    "prompts": "the same encoder with hand-written prompts",
    "base": "the base model",
}


def open_subject(case: Case, options: TriggerInversionOptions, models: ModelCache) -> Classifier:
    """Open the classifier that an inversion examined.

    Args:
        case: Of kind ``clip``.
        options: Of the inversion: ``classes`` and ``templates`` of a CLIP without learnt prompts.
        models: Opens the encoder.
    """
    alone = replace(options, reference="none")
    return _whole(subject.open_subject(case, alone, models).classifier)


def open_beside(
    case: Case, options: TriggerInversionOptions, models: ModelCache
) -> tuple[Classifier, Classifier | None, str]:
    """Open the classifier and its reference.

    Args:
        case: Of kind ``clip``.
        options: Of the inversion; ``reference`` says what is compared.
        models: Opens the encoders.

    Returns:
        The classifier, its reference (``None`` without one), and what that is, for people.
    """
    found = subject.open_subject(case, options, models)
    reference = None if found.reference is None else _whole(found.reference)
    return _whole(found.classifier), reference, REFERENCES.get(found.reference_name, "")


def _whole(found: VectorClassifier) -> Classifier:
    """Tell the type checker what :func:`forensics.classifiers.open_classifier` made."""
    assert isinstance(found, ZeroShot | CoOp | CoCoOp)
    return found


def check_classes(classifier: Classifier, index: int, name: str) -> None:
    """Check that a class of an inversion is where the model has it.

    Raises:
        CaseError: The model's classes are others by now.
    """
    classes: Sequence[str] = classifier.classes
    if not 0 <= index < len(classes) or classes[index] != name:
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
