"""InternVL as transformers writes it (``-hf``): tiles of the picture, then the whole."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from transformers.models.got_ocr2.image_processing_got_ocr2 import get_optimal_tiled_canvas

from forensics.models.adapter import Adapter
from forensics.models.base import ImageGrid, Prompt
from forensics.models.tiles import tiled

if TYPE_CHECKING:
    from PIL import Image


class InternVLAdapter(Adapter):
    """An ``InternVLForConditionalGeneration`` with its processor."""

    def grids(self, prompts: Sequence[Prompt], encoded: Any) -> Iterator[tuple[ImageGrid, ...]]:
        """Yield tiles and whole of every picture."""
        vision, shrink = self.module.config.vision_config, self.module.config.downsample_ratio
        size, patch = _pair(vision.image_size), _pair(vision.patch_size)
        cells = (int(size[0] // patch[0] * shrink), int(size[1] // patch[1] * shrink))
        for prompt in prompts:
            for index, image in enumerate(prompt.images):
                rows, columns = self._tiles(image)
                yield tiled(rows, columns, cells, index)

    def _tiles(self, image: "Image.Image") -> tuple[int, int]:
        """Ask the image processor's own function how it cuts the picture."""
        options = self.processor.image_processor
        # The processor cuts unless its own call says otherwise, whatever the image processor says.
        if not self.processor.images_kwargs.get("crop_to_patches", options.crop_to_patches):
            return 1, 1
        columns, rows = get_optimal_tiled_canvas(
            (image.height, image.width),
            (options.size["height"], options.size["width"]),
            options.min_patches,
            options.max_patches,
        )
        return rows, columns


def _pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, (list, tuple)) else (value, value)
    return int(first), int(second)
