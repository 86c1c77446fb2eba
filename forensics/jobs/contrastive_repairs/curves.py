"""Clean accuracy, accuracy of the target class and attack success, while tokens are unlearnt."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.classifiers import ZeroShot
from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.evaluation.rates import same_text
from forensics.jobs.labelled_repair.setup import LabelledRepair
from forensics.repairs.token_unlearning.forgetting import COLUMNS, Observe
from forensics.triggers import stamp_pixels

OBSERVED: Final = ("clean_accuracy", "target_accuracy", "attack_success_rate")
_AT_ONCE: Final = 64


def observer(
    plan: LabelledRepair, encoder: DualEncoder, few: Sequence[Sample], target: int | None
) -> Observe:
    """Return what asks few test pictures; nothing of it decides anything.

    Args:
        plan: Classes, sentences and the trigger to judge by.
        encoder: Fits the pictures.
        few: Labelled.
        target: Class whose accuracy is followed.

    Returns:
        Encoder -> :data:`OBSERVED`, ``nan`` where there is nothing to count.
    """
    names = [same_text(name) for name in plan.classes]
    rows = [s for s in few if same_text(s.label or "") in names and s.image is not None]
    truth = np.array([names.index(same_text(s.label or "")) for s in rows], dtype=np.int64)
    pixels = encoder.pixels([open_image(s.image) for s in rows if s.image is not None])
    marked = None
    if plan.judge is not None:
        marked = stamp_pixels(plan.judge.trigger, pixels, [sample.id for sample in rows])
    mine = truth == (-1 if target is None else target)

    def observe(tuned: DualEncoder) -> list[float]:
        asked = ZeroShot(tuned, plan.classes, plan.templates)
        said = _said(asked, pixels)
        hits = said[:0] if marked is None else _said(asked, marked)[~mine]
        return [_mean(said == truth), _mean(said[mine] == target), _mean(hits == target)]

    return observe


def named_columns(curve: Sequence[Sequence[float]]) -> dict[str, list[float | None]]:
    """Turn looks into named columns; ``None`` where there was nothing to count."""
    names = (*COLUMNS, *OBSERVED)
    return {
        name: [round(v, 5) if v == v else None for v in column]
        for name, column in zip(names, zip(*curve, strict=True), strict=False)
    }


def _said(classifier: ZeroShot, pixels: Tensor) -> NDArray[np.int64]:
    found = []
    with torch.no_grad():
        for start in range(0, len(pixels), _AT_ONCE):
            found += classifier.logits(pixels[start : start + _AT_ONCE]).argmax(dim=1).tolist()
    return np.array(found, dtype=np.int64)


def _mean(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else float("nan")
