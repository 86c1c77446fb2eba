"""The live request of the Triggers tab: one picture with and without a reconstructed trigger."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from forensics.case import Case
from forensics.encoders.base import DualEncoder, PoolingAttention
from forensics.errors import CaseError, NotApplicable
from forensics.jobs.clip_subjects import check_classes, open_subject
from forensics.jobs.inverted import Inverted, index_of, read_inversion
from forensics.jobs.live import encode_halves, pictures_of
from forensics.jobs.trigger_inversion.stored import read_trigger
from forensics.models.attention import image_entropy
from forensics.triggers.stamping import stamp_pixels
from forensics.worker.models import ModelCache

SHOWN = 5


def apply_trigger(case: Case, params: dict[str, Any], models: ModelCache) -> dict[str, Any]:
    """Show one picture to the model with and without a reconstructed trigger.

    Args:
        case: A case about a CLIP with a finished trigger inversion.
        params: ``sample`` (id), ``run``, ``class`` (index), ``seed`` (place, from 0), ``strength``
            (1 is the trigger as it was found).
        models: The worker's models.

    Returns:
        ``target`` (name); ``before`` and ``after``, each with ``top`` (the first classes, ``name``
        and ``probability``), ``target`` (probability of the trigger's class) and ``picture``
        (base64 of a PNG, as the model sees it); ``largest`` (largest change of a pixel in [0, 1]);
        ``attention``: ``None`` with ``attention_problem``, or ``layers``, ``rows``, ``columns``,
        ``pooling``, and per state ``maps`` (base64 of float16 ``[layer, token]``, mean of heads,
        each row summing to 1), ``entropy`` and ``rest`` (per layer).

    Raises:
        CaseError: The run has no such class or seed.
        OptionError: The strength is not between 0 and 4.
    """
    sample, pictures, where = pictures_of(case, params)
    inverted = read_inversion(case, str(params.get("run", "")))
    index, strength = int(params.get("class", -1)), float(params.get("strength", 1.0))
    seed = int(params.get("seed", 0))
    trigger = read_trigger(inverted.run.folder, index, seed).scaled(strength)
    classifier = open_subject(case, inverted.options, models)
    check_classes(classifier, index, _name(inverted, index))
    encoder = classifier.encoder
    clean = encoder.pixels([pictures[where]])
    marked = stamp_pixels(trigger, clean, [sample.id])
    both = torch.cat([clean, marked])
    with torch.no_grad():
        shares = classifier.logits(both).softmax(dim=1)
    seen, problem = _attend(encoder, both)
    before, after = (
        _state(classifier.classes, shares[k], index, both[k], seen, k) for k in range(2)
    )
    return {
        "target": classifier.classes[index],
        "strength": strength,
        "largest": float((marked - clean).abs().max()),
        "before": before,
        "after": after,
        "attention": None if seen is None else {
            "layers": seen.maps.shape[1], "rows": seen.rows, "columns": seen.columns,
            "pooling": seen.pooling,
        },
        "attention_problem": problem,
    }  # fmt: skip


def _name(inverted: Inverted, index: int) -> str:
    """Return what the run called a class."""
    for line in inverted.lines:
        if index_of(line) == index:
            return str(line["class"])
    raise CaseError(f"Run {inverted.run.id} has no trigger for class {index}.")


def _attend(encoder: DualEncoder, pixels: Tensor) -> tuple[PoolingAttention | None, str]:
    """Say where the tower looks; some towers have no place to look from."""
    try:
        return encoder.attend(pixels), ""
    except NotApplicable as error:
        return None, error.message


def _state(
    classes: Sequence[str], shares: Tensor, index: int, pixels: Tensor,
    seen: PoolingAttention | None, k: int,
) -> dict[str, Any]:  # fmt: skip
    order = shares.argsort(descending=True)[:SHOWN].tolist()
    state = {
        "top": [{"name": classes[i][:200], "probability": float(shares[i])} for i in order],
        "target": float(shares[index]),
        "picture": _png(pixels),
    }
    if seen is None:
        return state
    mean = seen.maps[k].mean(dim=1)  # [layer, token]
    counts = torch.tensor([mean.shape[1]], device=mean.device)
    share = (mean / mean.sum(dim=1, keepdim=True)).cpu().numpy().astype(np.float16)
    return state | {
        "maps": encode_halves(share),
        "entropy": image_entropy(mean[None], counts)[0].tolist(),
        "rest": seen.rest[k].mean(dim=1).tolist(),
    }


def _png(pixels: Tensor) -> str:
    whole: NDArray[np.uint8] = (
        (pixels.detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    )
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(whole)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
