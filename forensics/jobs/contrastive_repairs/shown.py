"""The chosen pairs for people, with the weight of their words; and scored where truth is known."""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata

from forensics.case import Case
from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.pair_cosines import SuspiciousPairs
from forensics.repairs.contrastive.split import Split
from forensics.repairs.token_unlearning.captions import read_captions, token_texts
from forensics.repairs.token_unlearning.choice import before_overfitting, top
from forensics.repairs.token_unlearning.importance import keep_top
from forensics.repairs.token_unlearning.options import BOTH, TEXT, TokenUnlearningOptions
from forensics.repairs.token_unlearning.pipeline import Exposed

CHANCE: Final = 0.6  # AUROC below which low similarity does not tell the poison


def show_pairs(
    encoder: DualEncoder,
    pairs: SuspiciousPairs,
    split: Split,
    exposed: Exposed,
    options: TokenUnlearningOptions,
) -> list[dict[str, Any]]:
    """Return the chosen pairs, the most suspicious first.

    Returns:
        For each ``id``, ``caption``, ``similarity`` (under the reference), ``gain`` and ``tokens``:
        text, importance, and whether it is unlearnt. Patches are in the figures, in this order.
    """
    places = exposed.pairs(split)
    captions = read_captions(encoder, [pairs.caption(index) for index in places])
    weights = torch.from_numpy(exposed.tokens).to(captions.ids.device)
    share = options.token_share if options.locality in (TEXT, BOTH) else 1.0
    kept = keep_top(weights, captions.content, share)
    shown = []
    for row, index in enumerate(places):
        mine = captions.content[row]
        told = zip(
            token_texts(encoder, captions, row), weights[row][mine].tolist(),
            kept[row][mine].tolist(), strict=True,
        )  # fmt: skip
        shown.append(
            {
                "id": pairs.samples[index].id,
                "caption": pairs.caption(index),
                "similarity": round(float(split.cosines[index]), 4),
                "gain": round(float(exposed.gain[exposed.chosen[row]]), 4),
                "tokens": [
                    {"text": text, "importance": round(weight, 4), "kept": unlearnt}
                    for text, weight, unlearnt in told
                ],
            }
        )
    return shown


def score_choice(
    case: Case,
    pairs: SuspiciousPairs,
    split: Split,
    exposed: Exposed,
    options: TokenUnlearningOptions,
) -> dict[str, Any] | None:
    """Score the split and the choice where the data says what is poisoned; nothing depends on it.

    Returns:
        ``poisoned`` (n), ``auroc`` of low similarity, ``precision`` of the chosen pairs,
        ``precision_before`` (chosen without overfitting), ``warning`` where low similarity does not
        tell the poison; ``None`` without truth.
    """
    if not case.has_truth:
        return None
    known = case.truth()
    bad = np.array([known.get(sample.id, False) for sample in pairs.samples], dtype=bool)
    told = np.array([sample.id in known for sample in pairs.samples]) & np.isfinite(split.cosines)
    if not bad[told].any() or bad[told].all():
        return None
    area = auroc(-split.cosines[told], bad[told])
    earlier = split.suspicious[top(before_overfitting(exposed.history, split), options.k)]
    warning = (
        "Low similarity does not tell the poison here: it may keep its true captions, or the "
        "reference is no good."
    )
    return {
        "poisoned": int(bad.sum()),
        "suspicious_poisoned": int(bad[split.suspicious].sum()),
        "auroc": round(area, 4),
        "precision": float(bad[exposed.pairs(split)].mean()),
        "precision_before": float(bad[earlier].mean()),
        "warning": warning if area < CHANCE else None,
    }


def auroc(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> float:
    """Compute the area under the ROC curve, with average ranks for ties."""
    ranks = rankdata(scores)
    ones, zeros = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))
