"""The few clean pictures of a repair, fitted once and kept as bytes."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.errors import DataError
from forensics.evaluation.classes import batches_of, read_labelled
from forensics.evaluation.rates import same_text
from forensics.tuning.prompts import PromptShots

_AT_ONCE = 64


def read_shots(
    encoder: DualEncoder,
    classes: Sequence[str],
    samples: Iterable[Sample],
    skipped: dict[str, str],
) -> PromptShots:
    """Fit labelled pictures to an encoder.

    Args:
        encoder: Whose preprocessing holds.
        classes: Names in the order of the logits; labels are compared after trimming and case
            folding.
        samples: With labels.
        skipped: Gets id -> reason for samples without a known label or a readable picture.

    Returns:
        Pixels ``[n, 3, height, width]`` uint8, labels and ids.

    Raises:
        DataError: None can be used.
    """
    names = {same_text(name): index for index, name in enumerate(classes)}
    pixels: list[Tensor] = []
    labels: list[int] = []
    ids: list[str] = []
    for batch in batches_of(samples, _AT_ONCE):
        rows = read_labelled(batch, names, skipped)
        if not rows:
            continue
        fitted = encoder.pixels([image for _, _, image in rows])
        pixels.append((fitted * 255.0).round().to("cpu", torch.uint8))
        labels += [label for _, label, _ in rows]
        ids += [sample.id for sample, _, _ in rows]
    if not ids:
        raise DataError(
            f"None of {len(skipped):,} shots has a label that is one of the {len(classes)} classes "
            "and can be read.",
            remedy="Labels must be the names of the classes.",
        )
    return PromptShots(pixels=torch.cat(pixels), labels=torch.tensor(labels), ids=tuple(ids))


def in_unit_range(pixels: Tensor, device: torch.device) -> Tensor:
    """Return pixels as float32 in [0, 1], also where they are kept as bytes."""
    moved = pixels.to(device)
    return moved.float() / 255.0 if moved.dtype == torch.uint8 else moved.float()
