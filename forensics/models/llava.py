"""LLaVA-1.5: one picture, one square grid."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from forensics.models.adapter import Adapter
from forensics.models.base import ImageGrid, Prompt

if TYPE_CHECKING:
    from PIL import Image


class LlavaAdapter(Adapter):
    """A ``LlavaForConditionalGeneration`` with its processor."""

    # The template of the original LLaVA-1.5 release, which older exports left out.
    fallback_template = (
        "{% for message in messages %}"
        "{% if message['role'] == 'user' %}USER: {% else %} ASSISTANT: {% endif %}"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}"
        "{% endfor %}{% if message['role'] == 'assistant' %}</s>{% endif %}"
        "{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}"
    )

    def grids(self, prompts: Sequence[Prompt], encoded: Any) -> Iterator[tuple[ImageGrid, ...]]:
        """Yield one grid per picture."""
        patch = int(self.module.config.vision_config.patch_size)
        height, width = encoded["pixel_values"].shape[-2:]
        for prompt in prompts:
            for index, image in enumerate(prompt.images):
                yield (
                    ImageGrid(
                        rows=height // patch,
                        columns=width // patch,
                        visible=self._visible(image, height, width),
                        image=index,
                    ),
                )

    def _visible(
        self, image: "Image.Image", height: int, width: int
    ) -> tuple[float, float, float, float]:
        """Work out which part of the picture reaches the model after resize and centre crop."""
        options = self.processor.image_processor
        shortest = getattr(options.size, "shortest_edge", None) or (
            options.size.get("shortest_edge") if isinstance(options.size, dict) else None
        )
        if not options.do_resize or shortest is None:
            return (0.0, 0.0, 1.0, 1.0)
        scale = shortest / min(image.width, image.height)
        down, across = height / (image.height * scale) / 2, width / (image.width * scale) / 2
        return (0.5 - across, 0.5 - down, 0.5 + across, 0.5 + down)
