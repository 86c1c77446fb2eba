"""Qwen2-VL, Qwen2.5-VL, Qwen3-VL: one grid per picture, in the picture's own proportions."""

from collections.abc import Iterator, Sequence
from typing import Any

from forensics.models.adapter import Adapter
from forensics.models.base import ImageGrid, Prompt


class QwenVLAdapter(Adapter):
    """A Qwen vision-language model with its processor."""

    projectors = ("visual.merger", "visual.deepstack_merger_list")

    def grids(self, prompts: Sequence[Prompt], encoded: Any) -> Iterator[tuple[ImageGrid, ...]]:
        """Yield one grid per picture: its patches, merged in blocks."""
        merge = int(self.module.config.vision_config.spatial_merge_size)
        shapes = iter(encoded["image_grid_thw"].tolist())
        for prompt in prompts:
            for index, (_, rows, columns) in zip(range(len(prompt.images)), shapes, strict=False):
                yield (ImageGrid(rows=rows // merge, columns=columns // merge, image=index),)
