"""LLaVA-NeXT: a small view and the tiles' common map."""

from collections.abc import Iterator, Sequence
from typing import Any

from forensics.models.adapter import Adapter
from forensics.models.anyres import high_resolution, thumbnail
from forensics.models.base import ImageGrid, Prompt


class LlavaNextAdapter(Adapter):
    """A ``LlavaNextForConditionalGeneration`` with its processor."""

    def grids(self, prompts: Sequence[Prompt], encoded: Any) -> Iterator[tuple[ImageGrid, ...]]:
        """Yield two grids per picture."""
        config, sizes = self.module.config, iter(encoded["image_sizes"].tolist())
        for prompt in prompts:
            for index, size in zip(range(len(prompt.images)), sizes, strict=False):
                yield thumbnail(config, index), high_resolution(config, tuple(size), index)
