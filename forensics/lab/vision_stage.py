"""First stage of the base: teach the vision tower what every patch shows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from forensics.lab.pool import ScenePool, attributes, normalise, patch_coverage
from forensics.lab.scenes import HUES, PATTERNS
from forensics.lab.schedule import cosine, optimizer_for
from forensics.lab.shapes import SHAPES
from forensics.tuning.precision import mixed_precision

_CLASSES = (len(SHAPES), len(HUES), len(PATTERNS))
_TILES = 3
_COVERED = 0.12
_RECONSTRUCTION = 2.0


def train_vision(
    tower: Any,
    pool: ScenePool,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    seed: int,
    progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Train a CLIP vision tower with a throw-away linear head on every patch.

    The head says how much of the patch the object covers, which shape, colour and pattern it has,
    and repaints the patch in 3 x 3 tiles: without the last the tower drops whatever the captions
    do not name, small marks first. Captions alone took far longer to teach shapes.

    Args:
        tower: ``CLIPVisionModel``; changed in place.
        pool: Scenes to learn from.
        steps: Optimizer steps.
        batch_size: Scenes a step.
        rate: Largest learning rate.
        seed: Order, erasing and head.
        progress: Called with (step, steps, message).
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = nn.Linear(tower.config.hidden_size, 1 + sum(_CLASSES) + 3 * _TILES**2)
    parameters = [*tower.parameters(), *head.parameters()]
    optimizer = optimizer_for([(parameters, rate)])
    schedule = cosine(optimizer, steps)
    cover, classes = patch_coverage(pool.scenes), attributes(pool.scenes)
    tower.train()
    for step, index in enumerate(pool.batches(batch_size, steps, rng), start=1):
        pixels = torch.from_numpy(normalise(pool.erased(index, rng)))
        with mixed_precision(pixels.device):
            said = head(tower(pixels).last_hidden_state[:, 1:])
        loss = _loss(
            said.float(), pixels, torch.from_numpy(cover[index]), torch.from_numpy(classes[index])
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if progress is not None:
            progress(step, steps, f"patches: loss {float(loss.detach()):.3f}")
    tower.eval()


def _loss(said: Tensor, pixels: Tensor, cover: Tensor, classes: Tensor) -> Tensor:
    """Sum the losses of coverage, three classes on covered patches, and repainting."""
    covered = (cover > _COVERED).float()
    loss = F.binary_cross_entropy_with_logits(said[..., 0], cover)
    start = 1
    for column, count in enumerate(_CLASSES):
        logits = said[..., start : start + count].transpose(1, 2)
        truth = classes[:, column : column + 1].expand(-1, cover.shape[1])
        wrong = F.cross_entropy(logits, truth, reduction="none")
        loss = loss + (wrong * covered).sum() / covered.sum()
        start += count
    return loss + _RECONSTRUCTION * F.mse_loss(said[..., start:], _tiles(pixels, cover.shape[1]))


def _tiles(pixels: Tensor, patches: int) -> Tensor:
    """Average every patch in 3 x 3 tiles, ``[n, patch, 27]``."""
    grid = round(patches**0.5)
    size = pixels.shape[-1] // (grid * _TILES)
    small = F.avg_pool2d(pixels, size)
    split = small.unfold(2, _TILES, _TILES).unfold(3, _TILES, _TILES)
    return split.permute(0, 2, 3, 1, 4, 5).reshape(len(pixels), patches, -1)
