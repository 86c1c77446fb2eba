"""Small summaries of what a model makes of a sample: of its picture, and before it answers.

Detectors that look for crowded or split groups of samples need a vector per sample, not thousands
of numbers. A seeded random projection keeps distances (Johnson and Lindenstrauss 1984) and bounds
what a scan of 100,000 samples leaves behind: 64 numbers each.
"""

from functools import cache
from typing import Any, Final

import torch
from torch import Tensor

from forensics.models.base import VISION, PromptBatch

SIZE: Final = 64
_SEED: Final = 20260


class EmbeddingTap:
    """Reads two places of a forward pass through hooks that change nothing.

    Args:
        module: A transformers model with a decoder and an output layer.
    """

    def __init__(self, module: Any) -> None:
        self._module = module
        self._handles: list[Any] = []
        self._vision: Tensor | None = None
        self.state: Tensor | None = None
        self.picture: Tensor | None = None

    def begin(self, batch: PromptBatch) -> None:
        """Forget the last batch; know where the pictures of the next one are."""
        self._vision = batch.components == VISION
        self.state = self.picture = None

    def __enter__(self) -> "EmbeddingTap":
        first = self._module.get_decoder().layers[0]
        last = self._module.get_output_embeddings()
        self._handles = [
            first.register_forward_pre_hook(self._see_picture, with_kwargs=True),
            last.register_forward_pre_hook(self._see_state, with_kwargs=True),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _see_picture(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden = args[0] if args else kwargs["hidden_states"]
        # A decoding step after the prefill has one position and no picture in it.
        if self._vision is None or hidden.shape[1] != self._vision.shape[1]:
            return
        weight = self._vision.to(hidden.device, torch.float32)
        total = torch.einsum("bsd,bs->bd", hidden.float(), weight)
        self.picture = project(total / weight.sum(dim=1, keepdim=True).clamp(min=1))

    def _see_state(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden = args[0] if args else kwargs["input"]
        if self.state is None and self._vision is not None:
            self.state = project(hidden[:, -1].float())


def project(vectors: Tensor) -> Tensor:
    """Project ``[batch, width]`` to ``[batch, 64]`` by a fixed random matrix."""
    return vectors @ _matrix(vectors.shape[1]).to(vectors.device)


@cache
def _matrix(width: int) -> Tensor:
    generator = torch.Generator().manual_seed(_SEED)
    scale: float = SIZE**0.5
    return torch.randn(width, SIZE, generator=generator) / scale
