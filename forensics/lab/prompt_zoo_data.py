"""Pictures of a label set, as the zoo's heads are tuned and measured on them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from forensics.lab.label_sets import LabelSet, labelled_scenes
from forensics.lab.scenes import render
from forensics.tuning.prompts import PromptShots, image_vectors

TEST_SEED = 9971
"""Scenes that no head and no encoder was tuned on."""

_SHOT_SEED = 8100


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What heads of one label set are measured on.

    Attributes:
        pixels: ``[n, 3, height, width]`` in [0, 1].
        vectors: ``[n, width]`` of the untouched pictures.
        labels: ``[n]`` index of the class.
        ids: ``[n]``.
    """

    pixels: Tensor
    vectors: Tensor
    labels: Tensor
    ids: tuple[str, ...]


def draw_shots(encoder: Any, labels: LabelSet, per_class: int, seed: int) -> PromptShots:
    """Draw the same number of pictures of every class; other seeds give other pictures."""
    rows = list(labelled_scenes(labels, per_class, seed))
    return PromptShots(
        pixels=encoder.pixels([Image.fromarray(render(scene)) for scene, _ in rows]),
        labels=torch.tensor([labels.classes.index(name) for _, name in rows]),
        ids=tuple(f"{labels.name}-{seed}-{index}" for index in range(len(rows))),
    )


def tuning_shots(encoder: Any, labels: LabelSet, per_class: int, seed: int) -> PromptShots:
    """Draw the shots of a head."""
    return draw_shots(encoder, labels, per_class, _SHOT_SEED + seed)


@lru_cache(maxsize=8)  # 45 MB each
def held_out(encoder: Any, labels: LabelSet, per_class: int) -> HeldOut:
    """Draw and encode the test pictures of a label set."""
    drawn = draw_shots(encoder, labels, per_class, TEST_SEED)
    vectors = image_vectors(encoder, drawn.pixels)
    return HeldOut(pixels=drawn.pixels, vectors=vectors, labels=drawn.labels, ids=drawn.ids)
