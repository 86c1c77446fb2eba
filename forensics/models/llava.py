"""LLaVA-1.5 class models of transformers behind the :class:`GenerativeModel` protocol."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from forensics.errors import ModelError
from forensics.models.base import (
    PADDING,
    SYSTEM,
    TEXT,
    VISION,
    Answer,
    ImageGrid,
    Prompt,
    PromptBatch,
)

if TYPE_CHECKING:
    from PIL import Image

# Stands in for the question while the template is taken apart; no template writes it itself.
_SENTINEL = "\u2060question\u2060"


class LlavaAdapter:
    """A LLaVA model with its processor.

    Args:
        module: ``LlavaForConditionalGeneration`` in evaluation mode, on its device.
        processor: ``LlavaProcessor`` with a chat template.
        name: For people.
    """

    family = "llava"

    def __init__(self, module: Any, processor: Any, *, name: str) -> None:
        self.module = module
        self.processor = processor
        self.name = name
        text = module.config.get_text_config()
        self.layers = int(text.num_hidden_layers)
        self.heads = int(text.num_attention_heads)
        self.image_token_id = int(module.config.image_token_id)
        if processor.tokenizer.pad_token_id is None:
            processor.tokenizer.pad_token = processor.tokenizer.eos_token

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.module.device
        return device

    @cached_property
    def template(self) -> tuple[str, str]:
        """What the chat template writes before and after the question."""
        rendered = self._render(_SENTINEL)
        before, found, after = rendered.partition(_SENTINEL)
        if not found or self.processor.image_token not in rendered:
            raise ModelError(
                f"{self.name}: the chat template does not write question and image.",
                remedy="Save a processor whose chat template holds both.",
            )
        return before, after

    def _render(self, question: str) -> str:
        if self.processor.chat_template is None:
            # The template of the original LLaVA-1.5 release, which older exports left out.
            return f"USER: {self.processor.image_token}\n{question} ASSISTANT:"
        turn = {
            "role": "user",
            "content": [{"type": "image"}, {"type": "text", "text": question}],
        }
        text: str = self.processor.apply_chat_template([turn], add_generation_prompt=True)
        return text

    def prompt(self, question: str) -> str:
        """Write the whole prompt of one question, image placeholder included."""
        before, after = self.template
        return f"{before}{self.clean_question(question)}{after}"

    def clean_question(self, question: str) -> str:
        """Drop image placeholders from a question: only the template may ask for an image."""
        return question.replace(self.processor.image_token, "").strip()

    def collate(self, prompts: Sequence[Prompt]) -> PromptBatch:
        """Build one left-padded batch of prompts; see :class:`GenerativeModel`."""
        questions = [prompt.question for prompt in prompts]
        encoded = self.processor(
            images=[list(prompt.images) for prompt in prompts],
            text=[self.prompt(question) for question in questions],
            padding=True,
            padding_side="left",
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets = encoded.pop("offset_mapping")
        components = self._components(encoded, offsets, questions)
        inputs = {name: value.to(self.device) for name, value in encoded.items()}
        inputs["pixel_values"] = inputs["pixel_values"].to(self.module.dtype)
        images = [prompt.images[0] for prompt in prompts]
        grids = self._grids(images, inputs["pixel_values"], components)
        return PromptBatch(inputs=inputs, components=components.to(self.device), grids=grids)

    def _components(self, encoded: Any, offsets: Tensor, questions: Sequence[str]) -> Tensor:
        """Sort tokens into components; the question's place is counted from the prompt's end."""
        ids, mask = encoded["input_ids"], encoded["attention_mask"].bool()
        components = torch.full(ids.shape, SYSTEM, dtype=torch.int8)
        components[~mask] = PADDING
        after = len(self.template[1])
        for row, question in enumerate(questions):
            stop = int(offsets[row, :, 1].max()) - after
            start = stop - len(self.clean_question(question))
            inside = (offsets[row, :, 0] < stop) & (offsets[row, :, 1] > start)
            components[row, inside & mask[row]] = TEXT
        components[ids == self.image_token_id] = VISION
        return components

    def _grids(
        self, images: "Sequence[Image.Image]", pixels: Tensor, components: Tensor
    ) -> tuple[tuple[ImageGrid, ...], ...]:
        patch = int(self.module.config.vision_config.patch_size)
        rows, columns = pixels.shape[-2] // patch, pixels.shape[-1] // patch
        counts = (components == VISION).sum(dim=1)
        if not bool((counts == rows * columns).all()):
            raise ModelError(
                f"{self.name}: {counts.tolist()} image tokens do not make a {rows} x {columns} "
                "grid.",
                remedy="Processor and vision tower disagree on image or patch size.",
            )
        size = pixels.shape[-2], pixels.shape[-1]
        return tuple(
            (ImageGrid(rows=rows, columns=columns, visible=self._visible(image, size)),)
            for image in images
        )

    def _visible(
        self, image: "Image.Image", size: tuple[int, int]
    ) -> tuple[float, float, float, float]:
        """Work out which part of the picture reaches the model after resize and centre crop."""
        options = self.processor.image_processor
        shortest = getattr(options.size, "shortest_edge", None) or (
            options.size.get("shortest_edge") if isinstance(options.size, dict) else None
        )
        if not options.do_resize or shortest is None:
            return (0.0, 0.0, 1.0, 1.0)
        scale = shortest / min(image.width, image.height)
        height = size[0] / (image.height * scale)
        width = size[1] / (image.width * scale)
        return (0.5 - width / 2, 0.5 - height / 2, 0.5 + width / 2, 0.5 + height / 2)

    @torch.inference_mode()
    def prefill(self, batch: PromptBatch) -> Tensor:
        """Run the prompt once; return the first answer token's logits, ``[batch, vocab]``."""
        output = self.module(**batch.inputs, use_cache=False, logits_to_keep=1)
        logits: Tensor = output.logits[:, -1]
        return logits

    @torch.inference_mode()
    def generate(self, batch: PromptBatch, *, max_new_tokens: int = 32) -> list[str]:
        """Answer greedily; special tokens and outer space removed."""
        output = self.module.generate(
            **batch.inputs, max_new_tokens=max_new_tokens, do_sample=False
        )
        return self._decode(output[:, batch.inputs["input_ids"].shape[1] :])

    @torch.inference_mode()
    def answer(self, batch: PromptBatch, *, max_new_tokens: int = 32) -> list[Answer]:
        """Answer greedily and say how sure the model was."""
        output = self.module.generate(
            **batch.inputs,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
        )
        tokens = output.sequences[:, batch.inputs["input_ids"].shape[1] :]
        logits = torch.stack(output.logits, dim=1).float()
        chosen = logits.log_softmax(dim=2).gather(2, tokens[:, :, None]).squeeze(2)
        # After the end token the sequence is padding, which no probability belongs to.
        end = self.processor.tokenizer.eos_token_id
        ended = (tokens == end).int().cumsum(dim=1) - (tokens == end).int() > 0
        total = chosen.masked_fill(ended, 0.0).sum(dim=1).exp()
        return [
            Answer(text=text, probability=float(p))
            for text, p in zip(self._decode(tokens), total, strict=True)
        ]

    def _decode(self, tokens: Tensor) -> list[str]:
        texts: list[str] = self.processor.batch_decode(tokens, skip_special_tokens=True)
        return [text.strip() for text in texts]
