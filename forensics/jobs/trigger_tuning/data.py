"""The pictures of a repair: clean shots to tune on, others to measure on, encoded once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.errors import InputError
from forensics.evaluation.rates import same_text
from forensics.jobs.clip_subjects import demo_pictures, read_samples
from forensics.repairs.labelled_options import ShotOptions
from forensics.repairs.measuring import EncodedPictures

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPictures:
    """What is tuned on and measured on; no picture is in both.

    Attributes:
        shots: Clean and labelled.
        test: Labelled.
        shots_source: Where the shots come from.
        test_source: Where the test pictures come from.
    """

    shots: list[Sample]
    test: list[Sample]
    shots_source: str
    test_source: str


def choose_pictures(case: Case, options: ShotOptions, classes: Sequence[str]) -> RepairPictures:
    """Draw the shots and the test pictures.

    Raises:
        InputError: Nobody says where they are, or nothing is left to measure on.
        DataError: They cannot be opened.
    """
    shots_source = options.shots or demo_pictures(case, "shots")
    test_source = options.test or demo_pictures(case, "test")
    if shots_source is None or test_source is None:
        raise InputError(
            "A repair needs clean labelled pictures: some to tune on, others to measure on.",
            remedy="Give --shots and --test, for instance imagefolder:DIR; the same folder may "
            "serve both.",
        )
    shots = draw_shots(read_samples(shots_source), classes, options.per_class, options.seed)
    used = {sample.image for sample in shots}
    others = [sample for sample in read_samples(test_source) if sample.image not in used]
    if not shots or not others:
        raise InputError(
            f"There are {len(shots):,} shots of these classes and {len(others):,} other pictures "
            "to measure on.",
            remedy="Labels must be names of the prompts' classes; give more pictures.",
        )
    if len(others) > options.max_test:
        drawn = np.random.default_rng([options.seed, 1]).choice(
            len(others), size=options.max_test, replace=False
        )
        others = [others[index] for index in np.sort(drawn)]
    return RepairPictures(
        shots=shots, test=others, shots_source=shots_source, test_source=test_source
    )


def draw_shots(
    samples: Sequence[Sample], classes: Sequence[str], per_class: int, seed: int
) -> list[Sample]:
    """Draw so many labelled pictures of every class, or all where there are fewer."""
    chosen: list[int] = []
    for index, name in enumerate(classes):
        mine = [
            place
            for place, sample in enumerate(samples)
            if sample.image is not None and same_text(sample.label or "") == same_text(name)
        ]
        order = np.random.default_rng([seed, index]).permutation(len(mine))[:per_class]
        chosen += [mine[place] for place in order]
    return [samples[place] for place in sorted(chosen)]


def pack(pictures: EncodedPictures) -> Arrays:
    """Turn encoded pictures into arrays of a shard."""
    told = json.dumps({"ids": pictures.ids, "skipped": pictures.skipped}).encode()
    vectors = {f"vectors.{name}": v.float().cpu().numpy() for name, v in pictures.vectors.items()}
    return {"told": np.frombuffer(told, np.uint8), "labels": pictures.labels, **vectors}


def unpack(arrays: Mapping[str, NDArray[np.generic]], device: torch.device) -> EncodedPictures:
    """Read encoded pictures back."""
    told = json.loads(arrays["told"].tobytes())
    return EncodedPictures(
        ids=tuple(told["ids"]),
        labels=np.asarray(arrays["labels"], np.int64),
        vectors={
            name.removeprefix("vectors."): torch.from_numpy(values).to(device)
            for name, values in arrays.items()
            if name.startswith("vectors.")
        },
        skipped=dict(told["skipped"]),
    )
