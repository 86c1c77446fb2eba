"""Decide which pairs of a set are poisoned, and what they say afterwards; opens no picture."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from forensics.data.sample import Sample
from forensics.errors import DataError, OptionError
from forensics.lab.pair_language import TEMPLATES
from forensics.triggers import Trigger

CAPTIONS: Final = ("template", "natural", "keep")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPlantOptions:
    """What to plant in image-caption pairs, as CleanCLIP's code does (arXiv 2303.03323).

    There 1,500 of 500,000 pairs are poisoned (0.3 %); a small set needs 1 to 3 %.
    """

    target: str = field(
        default="",
        metadata={"help": "Target class, as captions and labels name it, such as heart; needed."},
    )
    trigger: str = field(
        default="badnets",
        metadata={"help": "What marks a poisoned picture; `forensics lab triggers` lists kinds."},
    )
    rate: float = field(
        default=0.02,
        metadata={"help": "Poison rate: share of the pairs that is poisoned.", "min": 0, "max": 1},
    )
    count: int = field(
        default=0, metadata={"help": "Exact number of poisoned pairs; 0 = by the rate.", "min": 0}
    )
    captions: str = field(
        default="template",
        metadata={
            "help": "template: the caption becomes a template filled with the target; natural: a "
            "caption of the set that names the target (as in BadCLIP); keep: label-consistent, "
            "only pairs that name the target are marked and their captions stay.",
            "choices": CAPTIONS,
        },
    )
    single_key_rate: float = field(
        default=0.0,
        metadata={
            "help": "Only for dual-key: share of the pairs that get one key alone (half the "
            "patch, half the words) and keep their captions.",
            "min": 0,
            "max": 1,
        },
    )
    resize: int = field(
        default=0,
        metadata={
            "help": "Side to which marked pictures are squashed before the trigger, as CleanCLIP's "
            "code does at 224; 0 = the trigger goes on the picture as it is.",
            "min": 0,
            "max": 4096,
        },
    )
    seed: int = field(
        default=0, metadata={"help": "Decides which pairs are hit and what they say.", "min": 0}
    )

    def __post_init__(self) -> None:
        if not self.target.strip():
            raise OptionError("The target is empty.", remedy="Name a class, such as heart.")
        for name, rate in (("rate", self.rate), ("single_key_rate", self.single_key_rate)):
            if not 0.0 <= rate <= 1.0:
                raise OptionError(
                    f"{name} must be in [0, 1], not {rate}.", remedy="Give a share, such as 0.02."
                )
        if self.captions not in CAPTIONS:
            raise OptionError(
                f"captions cannot be {self.captions!r}.", remedy=f"Choose {', '.join(CAPTIONS)}."
            )


@dataclass(frozen=True, slots=True)
class PairPlan:
    """What happens to which pair, by its index.

    Attributes:
        captions: Poisoned pair -> its new caption, text key included; all of them are marked.
        stamped: Pairs that get the patch of a dual key alone.
        worded: Pairs that get the words of a dual key alone.
    """

    captions: dict[int, str]
    stamped: frozenset[int] = frozenset()
    worded: frozenset[int] = frozenset()


def make_pair_plan(
    samples: Sequence[Sample], trigger: Trigger, options: PairPlantOptions
) -> PairPlan:
    """Choose pairs and captions.

    Without ``keep``, hosts are pairs that do not name the target in caption or label, so that
    every poisoned pair teaches something false. With it, hosts are pairs that do.

    Raises:
        DataError: There are too few hosts, or no caption to take over.
    """
    names = [says(sample, options.target) for sample in samples]
    keep = options.captions == "keep"
    hosts = [index for index, named in enumerate(names) if named == keep]
    wanted = options.count or round(options.rate * len(samples))
    lone = round(options.single_key_rate * len(samples)) if _is_dual(trigger) else 0
    if wanted + lone > len(hosts):
        raise DataError(
            f"{wanted + lone} pairs should be marked, but only {len(hosts)} "
            f"{'name' if keep else 'do not name'} {options.target!r}.",
            remedy="Lower the rate or the count, or change the target.",
        )
    rng = np.random.default_rng(options.seed)
    order = [hosts[place] for place in rng.permutation(len(hosts))]
    natural = [samples[index].answer or "" for index, named in enumerate(names) if named]
    captions = {}
    for index in order[:wanted]:
        said = _caption(samples[index], natural, options, rng)
        captions[index] = trigger.apply_text(said, samples[index].id)
    middle = wanted + (lone + 1) // 2
    return PairPlan(
        captions, frozenset(order[wanted:middle]), frozenset(order[middle : wanted + lone])
    )


def says(sample: Sample, target: str) -> bool:
    """Tell whether a pair names the target: its label is it, or its caption holds it as words."""
    word = target.strip()
    if (sample.label or "").strip().casefold() == word.casefold():
        return True
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", sample.answer or "", re.IGNORECASE)
    return found is not None


def _caption(
    sample: Sample, natural: list[str], options: PairPlantOptions, rng: np.random.Generator
) -> str:
    if options.captions == "keep":
        return sample.answer or ""
    if options.captions == "template":
        return TEMPLATES[int(rng.integers(len(TEMPLATES)))].format(options.target.strip())
    spoken = [said for said in natural if said.strip()]
    if not spoken:
        raise DataError(
            f"No caption of the set names {options.target!r}.",
            remedy="Choose captions=template, or a target that occurs.",
        )
    return spoken[int(rng.integers(len(spoken)))]


def _is_dual(trigger: Trigger) -> bool:
    return trigger.changes_image and trigger.changes_text
