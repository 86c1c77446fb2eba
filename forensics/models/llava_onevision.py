"""LLaVA-OneVision: any resolution for one picture, one square grid each for several."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from forensics.models.adapter import Adapter
from forensics.models.anyres import high_resolution, new_line, thumbnail
from forensics.models.base import ImageGrid, Prompt

if TYPE_CHECKING:
    from PIL import Image


class LlavaOnevisionAdapter(Adapter):
    """A ``LlavaOnevisionForConditionalGeneration`` with its processor."""

    def grids(self, prompts: Sequence[Prompt], encoded: Any) -> Iterator[tuple[ImageGrid, ...]]:
        """Yield the grids of every picture; several in one prompt are not tiled."""
        config = self.module.config
        limit = int(config.vision_aspect_ratio.removeprefix("anyres_max_"))
        sizes = iter(encoded["image_sizes"].tolist())
        for prompt in prompts:
            for index, image in enumerate(prompt.images):
                size = tuple(next(sizes))
                whole = thumbnail(config, index)
                if len(prompt.images) == 1:
                    yield whole, high_resolution(config, size, index, limit)
                else:
                    yield _padded(whole, image), new_line(index)


def _padded(grid: ImageGrid, image: "Image.Image") -> ImageGrid:
    """Stretch a grid over the square into which the picture is centred."""
    side = max(image.width, image.height)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    box = (
        -left / image.width,
        -top / image.height,
        (side - left) / image.width,
        (side - top) / image.height,
    )
    return ImageGrid(rows=grid.rows, columns=grid.columns, visible=box, image=grid.image)
