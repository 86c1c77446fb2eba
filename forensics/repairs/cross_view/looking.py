"""How far two views of training samples lie apart under a model that is not being tuned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.models.accepting import collate_accepted
from forensics.models.base import GenerativeModel, prompt_of
from forensics.repairs.cross_view.losses import (
    divergence,
    entropy,
    first_divergence,
    log_shares,
    used_tokens,
)
from forensics.repairs.cross_view.options import CLIPPED, CrossViewOptions
from forensics.repairs.cross_view.views import (
    answer_logits,
    both_views,
    masked_view,
    with_answers,
)

if TYPE_CHECKING:
    from PIL import Image

Values = NDArray[np.float32]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoViews:
    """What one masked view of every sample changes, teacher forced on the sample's own answer.

    Attributes:
        ids: Of the samples whose pictures could be read and are accepted by the processor.
        divergence: ``[n]`` nats a token, KL(P || P masked).
        first: ``[n]`` nats, the same of the first answer token alone.
        entropy: ``[n]`` nats a token, mean of both views.
    """

    ids: tuple[str, ...]
    divergence: Values
    first: Values
    entropy: Values


@torch.inference_mode()
def look_at_views(
    model: GenerativeModel,
    samples: Sequence[Sample],
    options: CrossViewOptions,
    *,
    batch_size: int = 32,
    progress: Progress | None = None,
) -> TwoViews:
    """Compare the two views of samples, in evaluation mode.

    Args:
        model: Opened.
        samples: With answers and pictures.
        options: Share, cell, fill, seed and tokens of the comparison.
        batch_size: Samples at once.
        progress: Called with samples done; may raise to stop.

    Raises:
        ModelError: The family's pictures cannot be masked.
    """
    ids: list[str] = []
    found: list[list[float]] = [[], [], []]
    for start in range(0, len(samples), batch_size):
        readable = _readable(samples[start : start + batch_size])
        prompts = [prompt_of(sample, images) for sample, images in readable]
        batch, kept, _ = collate_accepted(model, prompts)  # the tuning counts what is refused
        rows = [readable[place] for place in kept]
        if batch is not None:
            names = [sample.id for sample, _ in rows]
            masked = masked_view(model, batch, names, [0] * len(names), options)
            answers = [sample.answer or "" for sample, _ in rows]
            whole = with_answers(both_views(batch, masked), answers, model)
            logs, other = log_shares(answer_logits(model.module, whole)).chunk(2)
            used = used_tokens(whole.labels[: len(names)], options.answer_tokens)
            h = (entropy(logs, used) + entropy(other, used)) / 2
            parts = (divergence(logs, other, used), first_divergence(logs, other), h)
            for values, part in zip(found, parts, strict=True):
                values += part.tolist()
            ids += names
        if progress is not None:
            progress(min(start + batch_size, len(samples)))
    arrays = [np.asarray(values, np.float32) for values in found]
    return TwoViews(ids=tuple(ids), divergence=arrays[0], first=arrays[1], entropy=arrays[2])


def needs_gamma(options: CrossViewOptions) -> bool:
    """Tell whether the loss asks for gamma, and it was not given."""
    margin = options.weight > 0 and options.separation != CLIPPED
    return margin and options.gamma is None


def calibration_samples(rows: Sequence[Sample], options: CrossViewOptions) -> list[Sample]:
    """Draw the samples that gamma is measured on; the same seed draws the same."""
    usable = [row for row in rows if row.answer and row.image is not None]
    count = min(options.calibration or len(usable), len(usable))
    places = np.random.default_rng([options.seed, 7]).choice(len(usable), count, replace=False)
    return [usable[place] for place in np.sort(places)]


def ordinary_divergence(views: TwoViews) -> float:
    """Return gamma: the median divergence under a model tuned without regularisation.

    The median belongs to the clean majority.

    Raises:
        DataError: Nothing could be read.
    """
    if not len(views.divergence):
        raise DataError("No sample has a readable picture, so gamma cannot be measured.")
    return float(np.median(views.divergence))


def _readable(samples: Sequence[Sample]) -> "list[tuple[Sample, list[Image.Image]]]":
    rows = []
    for sample in samples:
        if not sample.answer or sample.image is None:
            continue
        try:
            rows.append((sample, [open_image(image) for image in sample.images]))
        except DataError:
            continue  # the tuning itself counts and names them
    return rows
