"""A few pictures as the model sees them, with and without the trigger."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder, ImageClassifier
from forensics.errors import NotApplicable
from forensics.evaluation.rates import same_text

SHOWN: Final = 8
TOP: Final = 3
LONGEST: Final = 200


def choose_examples(
    samples: Sequence[Sample], classes: Sequence[str], target: str | None, most: int = SHOWN
) -> list[int]:
    """Choose pictures of different classes; the target's comes last.

    Args:
        samples: Labelled.
        classes: Names in the order of the logits.
        target: Class that the trigger leads to.
        most: How many.

    Returns:
        Places among the samples.
    """
    by_class: dict[str, list[int]] = {same_text(name): [] for name in classes}
    for place, sample in enumerate(samples):
        by_class.get(same_text(sample.label or ""), []).append(place)
    aim = same_text(target or "")
    names = sorted(by_class, key=lambda name: name == aim)
    turns = max(map(len, by_class.values()), default=0)
    rounds = ([by_class[name][k] for name in names if k < len(by_class[name])]
              for k in range(turns))  # fmt: skip
    return [place for some in rounds for place in some][:most]


def answers(classifier: ImageClassifier, pixels: Tensor, target: int | None) -> list[Any]:
    """Say what a classifier makes of pictures.

    Returns:
        For each picture ``top`` (the first classes: ``name`` and ``probability``) and ``target``
        (probability of the trigger's class, ``None`` without one).
    """
    with torch.no_grad():
        shares = classifier.logits(pixels).softmax(dim=1).cpu()
    told = []
    for share in shares:
        order = share.argsort(descending=True)[:TOP].tolist()
        told.append({
            "top": [{"name": classifier.classes[i][:LONGEST], "probability": float(share[i])}
                    for i in order],
            "target": None if target is None else float(share[target]),
        })  # fmt: skip
    return told


def attended(encoder: DualEncoder, pixels: Tensor) -> tuple[NDArray[np.float16], dict[str, Any]]:
    """Say where the image tower looks, mean of heads.

    Returns:
        ``[picture, layer, patch]``, each row summing to 1, and ``layers``, ``rows``, ``columns``
        and ``pooling``. Without layers, and with the ``problem``, where no token looks.
    """
    try:
        seen = encoder.attend(pixels)
    except NotApplicable as error:
        return np.zeros((len(pixels), 0, 0), np.float16), {"problem": error.message}
    mean = seen.maps.mean(dim=2)
    share = (mean / mean.sum(dim=2, keepdim=True).clamp_min(1e-12)).cpu().numpy()
    facts = {"layers": share.shape[1], "rows": seen.rows, "columns": seen.columns,
             "pooling": seen.pooling, "problem": None}  # fmt: skip
    return share.astype(np.float16), facts
