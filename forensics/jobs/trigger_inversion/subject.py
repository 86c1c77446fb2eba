"""What an inversion is about: the classifier under suspicion, its reference, and the pool."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from forensics.case import Case
from forensics.classifiers.opening import open_classifier
from forensics.classifiers.zero_shot import TEMPLATES
from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import ImageRef, Sample
from forensics.detectors.options.trigger_inversion import BETWEEN, TriggerInversionOptions
from forensics.encoders.base import DualEncoder
from forensics.errors import DataError, OptionError
from forensics.inversion.pool import Pool, read_pool
from forensics.inversion.scorer import VectorClassifier
from forensics.jobs.attention.scan import plan_rows
from forensics.jobs.subject import model_under_suspicion
from forensics.models.kinds import model_kind
from forensics.models.uri import encoder_uri, parse_model_uri
from forensics.worker.models import ModelCache

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model, and what it is compared with.

    Attributes:
        classifier: Under suspicion.
        reference: The same triggers are shown to it; ``None`` without one.
        reference_name: ``prompts``, ``base`` or ``none``.
        candidates: Indices of the classes to scan.
    """

    classifier: VectorClassifier
    reference: VectorClassifier | None
    reference_name: str
    candidates: tuple[int, ...]


def open_subject(case: Case, options: TriggerInversionOptions, models: ModelCache) -> Subject:
    """Open the case's model as a classifier.

    Raises:
        OptionError: Classes are missing, or a candidate is none of them.
        ModelError: The model cannot be opened.
    """
    uri = model_under_suspicion(case)
    templates = _listed(options.templates) or TEMPLATES
    name = _reference_name(case, uri, options)
    # The base first: a cache keeps only the latest, and later requests are about the model.
    base = models.encoder(str(case.manifest.base)) if name == "base" else None
    encoder: DualEncoder = models.encoder(uri)
    learnt = parse_model_uri(uri).prompts is not None
    named = _listed(options.classes) or (() if learnt else _labels(case))
    classifier = open_classifier(encoder, uri, classes=named, templates=templates)
    reference: VectorClassifier | None = None
    if name == "prompts":
        reference = open_classifier(
            encoder, encoder_uri(uri), classes=classifier.classes, templates=templates
        )
    elif base is not None:
        reference = open_classifier(
            base, encoder_uri(str(case.manifest.base)), classes=classifier.classes,
            templates=templates,
        )  # fmt: skip
    return Subject(
        classifier=classifier,
        reference=reference,
        reference_name=name,
        candidates=_candidates(classifier.classes, options.candidates),
    )


def open_pool(case: Case, options: TriggerInversionOptions, encoder: DualEncoder) -> Pool:
    """Read the pool: the case's pictures or those of ``--pool``; nothing else of a row is used.

    Raises:
        DataError: It cannot be opened, or has too few readable pictures.
    """
    if options.pool is None:
        rows = plan_rows(len(case.catalog), options.images, options.seed)
        refs, source = [one.image for one in case.catalog.select(rows)], "the case's own data"
    else:
        listed = [row.image for row in open_dataset(options.pool) if isinstance(row, Sample)]
        chosen = plan_rows(len(listed), options.images, options.seed)
        refs, source = [listed[int(row)] for row in chosen], options.pool
    opened = [partial(_open, ref) for ref in refs if ref is not None]
    return read_pool(opened, encoder, source)


def _open(ref: ImageRef) -> "Image.Image":
    return open_image(ref)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(BETWEEN) if part.strip())


def _labels(case: Case) -> tuple[str, ...]:
    """Name the classes that the data's labels have; which picture has which is not used."""
    names = tuple(sorted({sample.label for sample in case.catalog if sample.label}))
    if not names:
        raise OptionError(
            "Neither the model nor the case's data names classes.",
            remedy="Name them: --classes 'circle|square|star'",
        )
    return names


def _reference_name(case: Case, uri: str, options: TriggerInversionOptions) -> str:
    base = case.manifest.base
    has_base = base is not None and base != uri and model_kind(base) == "clip"
    learnt = parse_model_uri(uri).prompts is not None
    if options.reference == "auto":
        return "prompts" if learnt else "base" if has_base else "none"
    if options.reference == "base" and not has_base:
        raise OptionError("The case has no base CLIP to compare with.", remedy="--reference auto")
    if options.reference == "prompts" and not learnt:
        raise OptionError(
            "The model has hand-written prompts already: it would be compared with itself.",
            remedy="--reference base or none",
        )
    return options.reference


def _candidates(classes: Sequence[str], text: str | None) -> tuple[int, ...]:
    wanted = _listed(text)
    unknown = [name for name in wanted if name not in classes]
    if unknown:
        raise OptionError(
            f"The model has no class {unknown[0][:80]!r}.",
            remedy=f"Name some of {', '.join(classes[:20])}.",
        )
    chosen = [index for index, name in enumerate(classes) if not wanted or name in wanted]
    if not chosen:
        raise DataError("The model has no class to scan.")
    return tuple(chosen)
