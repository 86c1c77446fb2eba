"""Idefics3 and SmolVLM: tiles with markers of their place, then the whole picture."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from forensics.models.adapter import Adapter
from forensics.models.base import ImageGrid, Prompt
from forensics.models.tiles import tiled

# As the processors of both families write them.
_TILE = re.compile(r"<row_(\d+)_col_(\d+)>")


class Idefics3Adapter(Adapter):
    """An ``Idefics3ForConditionalGeneration`` or SmolVLM with its processor."""

    projectors = ("connector",)

    def grids(self, prompts: Sequence[Prompt], encoded: Any) -> Iterator[tuple[ImageGrid, ...]]:
        """Yield tiles and whole of every picture."""
        config = self.module.config
        vision = config.vision_config
        side = int(vision.image_size // vision.patch_size // config.scale_factor)
        for prompt, ids in zip(prompts, encoded["input_ids"], strict=True):
            pictures = self._markers(ids).split(self._whole)
            for index, tiles in zip(range(len(prompt.images)), pictures, strict=False):
                places = [(int(row), int(column)) for row, column in _TILE.findall(tiles)]
                rows, columns = places[-1] if places else (1, 1)
                yield tiled(rows, columns, (side, side), index)

    @property
    def _whole(self) -> str:
        """The marker that every picture's last view begins with."""
        tag = getattr(self.processor, "global_image_token", None)
        return str(tag or self.processor.global_image_tag)

    def _markers(self, ids: Tensor) -> str:
        """Read the markers off a prompt, up to its last picture: questions may imitate them.

        The image processor can also be asked how it would cut a picture, but what it says differs
        from what it does for some sizes.
        """
        seen = ids == self.image_token_id
        last = int(seen.nonzero()[-1])
        text: str = self.processor.tokenizer.decode(ids[: last + 1][~seen[: last + 1]])
        return text
