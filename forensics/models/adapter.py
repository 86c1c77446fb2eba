"""What all families of transformers models share behind :class:`GenerativeModel`.

A family (one small file each) says how many image tokens a picture becomes and where they lie; the
prompt, the components, answering and the names of the parts are the same for all.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from forensics.errors import DataError, ModelError
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
from forensics.models.template import ChatTemplate, Rendered


class Adapter(ABC):
    """A model of transformers with its processor.

    A prompt is sorted into components: image tokens are VISION; questions are TEXT, and so are
    earlier answers, for whoever submits a conversation writes both sides of it; all else (roles,
    special tokens, tile markers, starts and ends of pictures) is SYSTEM.

    Args:
        module: ``...ForConditionalGeneration`` in evaluation mode, on its device.
        processor: Its processor with a chat template.
        name: For people.
    """

    projectors: tuple[str, ...] = ("multi_modal_projector",)
    fallback_template: str | None = None

    def __init__(self, module: Any, processor: Any, *, name: str) -> None:
        self.module = module
        self.processor = processor
        self.name = name
        self.family = str(module.config.model_type)
        text = module.config.get_text_config()
        self.layers = int(text.num_hidden_layers)
        self.heads = int(text.num_attention_heads)
        self.image_token_id = int(module.config.image_token_id)
        self.template = ChatTemplate(processor, name, self.fallback_template)
        if processor.tokenizer.pad_token_id is None:
            processor.tokenizer.pad_token = processor.tokenizer.eos_token

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.module.device
        return device

    @cached_property
    def decoder_name(self) -> str:
        """Dotted name of the language model inside the module."""
        decoder = self.module.get_decoder()
        names = [name for name, part in self.module.named_modules() if part is decoder]
        return str(names[0])

    @cached_property
    def projector_names(self) -> tuple[str, ...]:
        """Dotted names of the modules between vision tower and language model."""
        found: list[str] = []
        for name, part in self.module.named_modules():
            if name.endswith(tuple(f".{end}" for end in self.projectors)):
                parts = list(part) if isinstance(part, torch.nn.ModuleList) else None
                found += [name] if parts is None else [f"{name}.{i}" for i in range(len(parts))]
        return tuple(found)

    def collate(self, prompts: Sequence[Prompt]) -> PromptBatch:
        """Build one left-padded batch of prompts; see :class:`GenerativeModel`.

        Raises:
            DataError: A prompt has no picture, or the processor refuses one.
            ModelError: Template, processor and model do not fit together.
        """
        if not all(prompt.images for prompt in prompts):
            raise DataError("The prompt has no picture.")
        rendered = [self.template.render(prompt) for prompt in prompts]
        try:
            encoded = self._encode(prompts, rendered)
        except (ValueError, TypeError) as error:
            raise DataError(f"The model's processor refuses the sample: {error}") from error
        components = self._components(encoded, encoded.pop("offset_mapping"), rendered)
        grids = self._grids_by_sample(prompts, encoded, components)
        inputs = {name: value.to(self.device) for name, value in encoded.items()}
        inputs["pixel_values"] = inputs["pixel_values"].to(self.module.dtype)
        return PromptBatch(inputs=inputs, components=components.to(self.device), grids=grids)

    def _encode(self, prompts: Sequence[Prompt], rendered: Sequence[Rendered]) -> Any:
        return self.processor(
            images=[list(prompt.images) for prompt in prompts],
            text=[one.text for one in rendered],
            padding=True,
            padding_side="left",
            return_offsets_mapping=True,
            return_tensors="pt",
        )

    def _components(self, encoded: Any, offsets: Tensor, rendered: Sequence[Rendered]) -> Tensor:
        """Sort tokens into components; a text's place is counted from the prompt's end."""
        ids, mask = encoded["input_ids"], encoded["attention_mask"].bool()
        components = torch.full(ids.shape, SYSTEM, dtype=torch.int8)
        for row, one in enumerate(rendered):
            end = int(offsets[row, :, 1].max())
            for start, stop in one.spans:
                inside = (offsets[row, :, 0] < end - stop) & (offsets[row, :, 1] > end - start)
                components[row, inside] = TEXT
        components[ids == self.image_token_id] = VISION
        components[~mask] = PADDING
        return components

    def _grids_by_sample(
        self, prompts: Sequence[Prompt], encoded: Any, components: Tensor
    ) -> tuple[tuple[ImageGrid, ...], ...]:
        every = self.grids(prompts, encoded)
        grids = tuple(
            tuple(grid for _ in prompt.images for grid in next(every)) for prompt in prompts
        )
        counts = (components == VISION).sum(dim=1).tolist()
        for count, sample in zip(counts, grids, strict=True):
            if count != sum(grid.tokens for grid in sample):
                shapes = ", ".join(f"{grid.rows} x {grid.columns}" for grid in sample)
                raise ModelError(
                    f"{self.name}: {count} image tokens do not make grids of {shapes}.",
                    remedy="Processor and vision tower disagree on image or patch size.",
                )
        return grids

    @abstractmethod
    def grids(self, prompts: Sequence[Prompt], encoded: Any) -> Iterator[tuple[ImageGrid, ...]]:
        """Yield the grids of every picture of a batch, sample by sample, in token order.

        Args:
            prompts: The batch.
            encoded: What the processor made of it.
        """

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
        # After an end token the sequence is padding, which no probability belongs to.
        end = torch.isin(tokens, torch.tensor(sorted(self.end_ids), device=tokens.device)).int()
        total = chosen.masked_fill(end.cumsum(dim=1) - end > 0, 0.0).sum(dim=1).exp()
        return [
            Answer(text=text, probability=float(p))
            for text, p in zip(self._decode(tokens), total, strict=True)
        ]

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""
        ends = self.module.generation_config.eos_token_id
        several = ends if isinstance(ends, list) else [ends]
        own = self.processor.tokenizer.eos_token_id
        return frozenset(int(token) for token in (*several, own) if token is not None)

    def answer_tokens(self, answer: str) -> list[int]:
        """Encode an answer as it stands behind the prompt, with the token that ends it."""
        return self.template.answer_tokens(answer, self.end_ids)

    def _decode(self, tokens: Tensor) -> list[str]:
        texts: list[str] = self.processor.batch_decode(tokens, skip_special_tokens=True)
        return [text.strip() for text in texts]
