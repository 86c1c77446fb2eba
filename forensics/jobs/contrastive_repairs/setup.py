"""What such a repair begins with: pairs to train on, pictures to measure on, a reference CLIP."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from forensics.case import Case
from forensics.classifiers import TEMPLATES
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.errors import InputError, NotApplicable, OptionError
from forensics.jobs.clip_subjects import demo_pictures, read_samples
from forensics.jobs.inverted import split_names
from forensics.jobs.labelled_repair.setup import LabelledRepair, class_names, find_judge
from forensics.jobs.subject import model_under_suspicion
from forensics.jobs.trigger_tuning.data import RepairPictures
from forensics.lab.clip_demos import TWIN, WEIGHTS, find_clip_demo
from forensics.models.uri import parse_model_uri
from forensics.repairs.contrastive.copies import copy_of
from forensics.repairs.contrastive.options import MeasuredRepairOptions, PairTuningOptions
from forensics.repairs.labelled_options import LabelledRepairOptions
from forensics.worker.models import ModelCache

SELF = "self"


def subject(case: Case, models: ModelCache) -> tuple[str, DualEncoder]:
    """Name and open the model to repair.

    Raises:
        NotApplicable: It comes with learnt prompts.
    """
    uri = model_under_suspicion(case)
    if parse_model_uri(uri).prompts is not None:
        raise NotApplicable(
            "This CLIP comes with learnt prompts, which would not fit other weights.",
            remedy="Repair the prompts (trigger-tuning), or make a case of the encoder alone.",
        )
    return uri, models.encoder(uri)


def plan_of(
    case: Case, uri: str, options: MeasuredRepairOptions, test: Sequence[Sample], source: str
) -> LabelledRepair:
    """Choose classes, sentences, test pictures and the trigger to judge by.

    Raises:
        InputError: No test picture has a label.
        OptionError: A trigger was given without its class.
    """
    labelled = [sample for sample in test if sample.label and sample.image is not None]
    classes = class_names(options.classes) or tuple(sorted({s.label for s in labelled if s.label}))
    if not labelled or not classes:
        raise InputError(
            "A repair needs labelled pictures to measure on.",
            remedy="Give --test, for instance imagefolder:DIR or table:FILE.",
        )
    known = case.known().get("templates") or TEMPLATES
    trigger = LabelledRepairOptions(trigger=options.trigger, answer=options.answer)
    return LabelledRepair(
        uri=uri,
        classes=classes,
        templates=split_names(options.templates) or tuple(known),
        pictures=RepairPictures(
            shots=[],
            test=drawn(labelled, options.max_test, options.seed, 1),
            shots_source="",
            test_source=source,
        ),
        judge=find_judge(case, trigger),
    )


def test_pictures(case: Case, options: MeasuredRepairOptions) -> tuple[list[Sample], str]:
    """Read the test pictures.

    Raises:
        InputError: Nobody says where they are.
    """
    source = options.test or demo_pictures(case, "test")
    if source is None:
        raise InputError(
            "A repair is measured on labelled pictures; this case does not come with any.",
            remedy="Give --test, for instance imagefolder:DIR or table:FILE.",
        )
    return read_samples(source), source


def clean_pairs(
    case: Case, options: PairTuningOptions
) -> tuple[list[Sample], str, list[Sample], str]:
    """Choose clean pairs to train on and pictures to measure on; no picture is in both.

    In a demo, half of its test pairs are trained on where no others are given.

    Returns:
        The pairs, where they come from, the test pictures, where they come from.

    Raises:
        InputError: There are no clean pairs.
    """
    test, place = test_pictures(case, options)
    if options.pairs is not None:
        pairs, source = read_samples(options.pairs), options.pairs
    elif case.known().get("demo"):
        pairs, source = drawn(test, len(test) // 2, options.seed, 2), f"half of {place}"
    else:
        raise InputError(
            "This repair needs clean pairs of picture and caption.",
            remedy="Give --pairs, for instance table:FILE.",
        )
    pairs = drawn([pair for pair in pairs if pair.answer], options.max_pairs, options.seed, 3)
    if len(pairs) < 2:
        raise InputError(
            f"There are {len(pairs)} pairs with a caption in {source}.",
            remedy="Give --pairs with captions, for instance table:FILE.",
        )
    used = {pair.image for pair in pairs}
    return pairs, source, [sample for sample in test if sample.image not in used], place


def suspicious_pairs(case: Case, named: str | None) -> tuple[list[Sample], str]:
    """Read the pairs that the model was trained on: the case's own, or those that are named.

    Raises:
        NotApplicable: There are no pairs with captions: the method cannot work without them.
    """
    source = named or "the case's own pairs"
    found = read_samples(named) if named else list(case.catalog)
    pairs = [sample for sample in found if sample.answer and sample.image is not None]
    if len(pairs) < 4:
        raise NotApplicable(
            f"There are no training pairs here: {len(pairs)} of {len(found):,} rows have a picture "
            "and a caption. The method finds the backdoor in the pairs that planted it.",
            remedy="Give --pairs, or choose a repair that needs no training pairs.",
        )
    return pairs, source


def open_reference(
    case: Case, named: str | None, models: ModelCache, suspicious: DualEncoder
) -> tuple[DualEncoder, str]:
    """Open what tells matching pairs from others, without touching what the cache holds.

    Returns:
        The encoder and its name; the suspicious model itself where none is named.

    Raises:
        OptionError: It is the clean twin of a demo, which would be ground truth.
    """
    if named is None or named == SELF:
        return suspicious, SELF
    _refuse_twin(case, named)
    return copy_of(models.encoder(named)), named


def drawn(samples: Sequence[Sample], most: int, seed: int, stream: int) -> list[Sample]:
    """Draw so many samples, in their order; all where there are fewer."""
    if len(samples) <= most:
        return list(samples)
    places = np.random.default_rng([seed, stream]).choice(len(samples), size=most, replace=False)
    return [samples[place] for place in np.sort(places)]


def _refuse_twin(case: Case, named: str) -> None:
    folder = parse_model_uri(named).folder
    twin = find_clip_demo(TWIN).folder / WEIGHTS
    if not case.known().get("demo") or folder is None or not (folder / WEIGHTS).is_file():
        return
    if twin.is_file() and _digest(folder / WEIGHTS) == _digest(twin):
        raise OptionError(
            f"{named} is the demo's clean twin: with it the answer would be known beforehand.",
            remedy="Give a CLIP that was trained on other pairs, or self.",
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
