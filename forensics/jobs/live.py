"""Small requests that a warm worker answers: one sample's attention, one answer."""

import base64
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.case import Case
from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError, OptionError
from forensics.jobs.subject import model_under_suspicion
from forensics.models.attention import image_entropy, record_attention
from forensics.models.base import GenerativeModel, PromptBatch, prompt_of
from forensics.worker.models import ModelCache

Box = tuple[float, float, float, float]


def attention(case: Case, params: dict[str, Any], models: ModelCache) -> dict[str, Any]:
    """Map where every head of every layer looks, for one sample.

    Args:
        case: The case.
        params: ``sample`` (id) and optionally ``hide``: boxes as fractions of the picture (left,
            top, right, bottom) that are painted over first, and ``image``: in which of the
            sample's pictures (default 0).
        models: The worker's models.

    Returns:
        ``layers``, ``heads``, ``tokens``, ``grids`` (in token order), ``entropy`` (per
        layer, nats), ``maps``: base64 of float16 ``[layer, head, token]``, each row summing to 1.
    """
    model, batch = _prompt(case, params, models)
    with record_attention(model, keep_heads=True) as recorder:
        recorder.begin(batch)
        model.prefill(batch)
        rows = recorder.rows()
    assert rows.heads is not None
    share = rows.heads[0] / rows.heads[0].sum(dim=2, keepdim=True)
    return {
        "layers": model.layers,
        "heads": model.heads,
        "tokens": int(rows.counts[0]),
        "grids": [asdict(grid) for grid in batch.grids[0]],
        "entropy": image_entropy(rows.image, rows.counts)[0].tolist(),
        "maps": encode_halves(share.float().cpu().numpy().astype(np.float16)),
    }


def answer(case: Case, params: dict[str, Any], models: ModelCache) -> dict[str, Any]:
    """Let the model answer one sample's question.

    Args:
        case: The case.
        params: As for :func:`attention`.
        models: The worker's models.

    Returns:
        ``text`` and ``probability`` (0..1, product over the answer's tokens).
    """
    model, batch = _prompt(case, params, models)
    said = model.answer(batch)[0]
    return {"text": said.text, "probability": said.probability}


def pictures_of(case: Case, params: dict[str, Any]) -> tuple[Sample, list[Image.Image], int]:
    """Open the pictures that a request asks about.

    Args:
        case: The case.
        params: As for :func:`attention`.

    Returns:
        The sample, its pictures with the boxes of ``hide`` painted over, and which one is asked
        about.

    Raises:
        DataError: The sample has no picture, or it cannot be read.
        OptionError: There is no such picture, or a box does not lie inside it.
    """
    sample: Sample = case.catalog.sample(str(params.get("sample", "")))
    if sample.image is None:
        raise DataError(f"Sample {sample.id} has no image.")
    pictures = [open_image(image) for image in sample.images]
    where = params.get("image", 0)
    if not isinstance(where, int) or not 0 <= where < len(pictures):
        raise OptionError(f"The sample has pictures 0 to {len(pictures) - 1}.")
    for box in params.get("hide", ()):
        pictures[where] = paint_over(pictures[where], _box(box))
    return sample, pictures, where


def _prompt(
    case: Case, params: dict[str, Any], models: ModelCache
) -> tuple[GenerativeModel, PromptBatch]:
    sample, pictures, _ = pictures_of(case, params)
    model = models.get(model_under_suspicion(case))
    return model, model.collate([prompt_of(sample, pictures)])


def _box(values: Any) -> Box:
    try:
        left, top, right, bottom = (float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise OptionError(f"A box is four numbers, not {values!r}.") from error
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise OptionError(f"Box {values!r} does not lie inside the picture (0..1).")
    return left, top, right, bottom


def paint_over(picture: Image.Image, box: Box) -> Image.Image:
    """Hide a box under the mean colour of the frame around it.

    The frame is as wide as half the box, so that what is painted resembles the surroundings and
    not the hidden patch.

    Args:
        picture: RGB.
        box: Fractions of the picture (left, top, right, bottom).

    Returns:
        A new picture of the same size.
    """
    pixels = np.asarray(picture, dtype=np.float32).copy()
    height, width = pixels.shape[:2]
    left, right = int(box[0] * width), max(int(box[0] * width) + 1, round(box[2] * width))
    top, bottom = int(box[1] * height), max(int(box[1] * height) + 1, round(box[3] * height))
    margin_x, margin_y = max(1, (right - left) // 2), max(1, (bottom - top) // 2)
    around = np.zeros((height, width), dtype=bool)
    around[
        max(0, top - margin_y) : bottom + margin_y, max(0, left - margin_x) : right + margin_x
    ] = True
    around[top:bottom, left:right] = False
    source = pixels[around] if around.any() else pixels.reshape(-1, 3)
    pixels[top:bottom, left:right] = source.mean(axis=0)
    return Image.fromarray(pixels.round().astype(np.uint8))


def encode_halves(values: NDArray[np.float16]) -> str:
    """Return half-precision numbers as base64 text."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
