"""Tune a linear probe on vectors of the frozen encoder, each picture encoded once.

Source: the baseline "Linear Probe" of arXiv 2412.20392 with its optimizer. Differs: nothing is said
there of the start (ours: zeros) nor of the vectors' length (ours: an option).
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from forensics.classifiers.linear import LinearProbe
from forensics.encoders.base import DualEncoder
from forensics.errors import CheckpointError, DataError
from forensics.repairs.linear_probe.options import LinearProbeOptions
from forensics.repairs.shots import in_unit_range
from forensics.tuning.prompts import PromptShots, descend
from forensics.tuning.schedule import samples_of_step

Progress = Callable[[int, int, str], None]

FORMAT: Final = "triggerlens-linear-probe"
PROBE: Final = "linear-probe.safetensors"
_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbeTuning:
    """What was tuned, and how it went.

    Attributes:
        probe: A classifier; its encoder is unchanged.
        losses: ``[steps]`` cross entropy, nats.
        trainable: Numbers that were tuned.
        seconds: Wall time.
    """

    probe: LinearProbe
    losses: NDArray[np.float32]
    trainable: int
    seconds: float


def tune_linear_probe(
    encoder: DualEncoder,
    classes: tuple[str, ...],
    shots: PromptShots,
    options: LinearProbeOptions,
    progress: Progress | None = None,
) -> ProbeTuning:
    """Fit a linear layer to few clean, labelled pictures. Seconds: nothing to resume.

    Args:
        encoder: Frozen.
        classes: Names in the order of the labels.
        shots: Pictures, bytes or in [0, 1].
        options: See :class:`LinearProbeOptions`.
        progress: Called with (step, steps, message) after every step; may raise to stop.

    Raises:
        DataError: There are no pictures.
    """
    started, count = time.monotonic(), len(shots.labels)
    if not count:
        raise DataError("There are no pictures to tune on.")
    vectors, labels = _encoded(encoder, shots.pixels), shots.labels.to(encoder.device)
    nothing = torch.zeros(len(classes), encoder.width)
    probe = LinearProbe(encoder, classes, nothing, nothing[:, 0], scale=options.length)
    optimizer = torch.optim.SGD(probe.parameters(), lr=options.rate, momentum=options.momentum)
    size = min(options.batch_size, count)
    steps, losses = options.epochs * math.ceil(count / size), []
    for step in range(steps):
        chosen = samples_of_step(step, count, batch_size=size, seed=options.seed)
        loss = F.cross_entropy(probe.logits_of(vectors[chosen]), labels[chosen])
        descend(loss, optimizer, options.rate)
        losses.append(float(loss.detach()))
        if progress is not None:
            progress(step + 1, steps, f"loss {losses[-1]:.4f}")
    return ProbeTuning(
        probe=probe.requires_grad_(False),
        losses=np.array(losses, dtype=np.float32),
        trainable=sum(parameter.numel() for parameter in probe.parameters()),
        seconds=time.monotonic() - started,
    )


def save_linear_probe(probe: LinearProbe, path: Path) -> None:
    """Write ``weight`` and ``bias`` as safetensors, with classes and scale in the metadata."""
    facts = {
        "format": FORMAT,
        "version": "1",
        "classes": json.dumps(probe.classes),
        "scale": repr(probe.scale),
    }
    save_file({"weight": probe.weight.cpu(), "bias": probe.bias.cpu()}, path, metadata=facts)


def load_linear_probe(path: Path, encoder: DualEncoder) -> LinearProbe:
    """Read what :func:`save_linear_probe` wrote.

    Raises:
        CheckpointError: The file is damaged, or does not fit the encoder.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = dict(file.metadata() or {})
            weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
        names, scale = json.loads(facts["classes"]), float(facts["scale"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} holds no linear probe: {error}.") from error
    finite = bool(torch.isfinite(weight).all() and torch.isfinite(bias).all())
    if not finite or not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise CheckpointError(f"{path} holds numbers or names that are none.")
    return LinearProbe(encoder, names, weight, bias, scale=scale)


def _encoded(encoder: DualEncoder, pixels: Tensor) -> Tensor:
    with torch.no_grad():
        parts = [
            encoder.encode_image(in_unit_range(part, encoder.device))
            for part in torch.split(pixels, _AT_ONCE)
        ]
    return torch.cat(parts)
