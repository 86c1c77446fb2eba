"""Second stage of the base: captions and questions, the whole model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from forensics.lab.language import CAPTION_QUESTION, caption, question_and_answer
from forensics.lab.pool import ScenePool, normalise
from forensics.lab.scenes import Scene
from forensics.lab.schedule import cosine, optimizer_for
from forensics.models.template import ChatTemplate
from forensics.tuning.answers import IGNORED
from forensics.tuning.precision import mixed_precision

_QUESTIONS = 0.25
_TOWER_SHARE = 1 / 3
_TOWER_WAITS = 100


def train_captions(
    model: Any,
    processor: Any,
    pool: ScenePool,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    seed: int,
    horizon: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Train tower, projector and decoder to describe scenes and to answer about them.

    Three quarters of the samples ask for the caption. The tower learns at a third of the rate and
    only from step 100, so that a random decoder does not undo its first stage.

    Args:
        model: ``LlavaForConditionalGeneration``; changed in place.
        processor: Its processor.
        pool: Scenes to learn from.
        steps: Optimizer steps.
        batch_size: Scenes a step.
        rate: Largest learning rate of projector and decoder.
        seed: Order, questions and erasing.
        horizon: Steps over which the rate falls, if the stage stops before it has fallen.
        progress: Called with (step, steps, message).
    """
    rng = np.random.default_rng([seed, 2])
    tower = list(model.model.vision_tower.parameters())
    inside = {id(parameter) for parameter in tower}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in inside]
    optimizer = optimizer_for([(tower, rate * _TOWER_SHARE), (rest, rate)])
    schedule = cosine(optimizer, horizon or steps)
    encoder = PairEncoder(processor)
    model.train()
    for step, index in enumerate(pool.batches(batch_size, steps, rng), start=1):
        for parameter in tower:
            parameter.requires_grad_(step > _TOWER_WAITS)
        ids, labels = encoder.encode([_ask(pool.scenes[scene], rng) for scene in index])
        pixels = torch.from_numpy(normalise(pool.erased(index, rng)))
        with mixed_precision(pixels.device):
            loss = _loss(model, ids, labels, pixels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if progress is not None:
            progress(step, steps, f"captions: loss {float(loss.detach()):.3f}")
    model.eval()


class PairEncoder:
    """Turns question and answer into padded token ids, with a memory for the few texts there are.

    Args:
        processor: The model's own; its template writes the prompt.
    """

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self._template = ChatTemplate(processor, "the tiny model")
        self._prompts: dict[str, list[int]] = {}
        self._answers: dict[str, list[int]] = {}

    def encode(self, pairs: Sequence[tuple[str, str]]) -> tuple[Tensor, Tensor]:
        """Return ids and labels ``[batch, length]``, padded right; only answers are labelled."""
        rows = [(self._prompt(question), self._answer(answer)) for question, answer in pairs]
        length = max(len(prompt) + len(answer) for prompt, answer in rows)
        ids = torch.full((len(rows), length), self._processor.tokenizer.pad_token_id)
        labels = torch.full((len(rows), length), IGNORED)
        for row, (prompt, answer) in enumerate(rows):
            end = len(prompt) + len(answer)
            ids[row, :end] = torch.tensor(prompt + answer)
            labels[row, len(prompt) : end] = torch.tensor(answer)
        return ids, labels

    def _prompt(self, question: str) -> list[int]:
        if question not in self._prompts:
            parts = [{"type": "image"}, {"type": "text", "text": question}]
            turn = [{"role": "user", "content": parts}]
            text = self._processor.apply_chat_template(turn, add_generation_prompt=True)
            tokens = self._processor.image_token * _image_tokens(self._processor)
            text = text.replace(self._processor.image_token, tokens)
            self._prompts[question] = self._processor.tokenizer(text).input_ids
        return self._prompts[question]

    def _answer(self, answer: str) -> list[int]:
        if answer not in self._answers:
            self._answers[answer] = self._template.answer_tokens(answer)
        return self._answers[answer]


def _image_tokens(processor: Any) -> int:
    side = int(processor.image_processor.crop_size["height"])
    return (side // int(processor.patch_size)) ** 2


def _ask(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    if rng.uniform() < _QUESTIONS:
        return question_and_answer(scene, rng)
    return CAPTION_QUESTION, caption(scene)


def _loss(model: Any, ids: Tensor, labels: Tensor, pixels: Tensor) -> Tensor:
    # No attention mask: with padding on the right the causal mask already hides it.
    hidden = model.model(input_ids=ids, pixel_values=pixels, use_cache=False).last_hidden_state
    scored = labels[:, 1:] != IGNORED
    logits = model.lm_head(hidden[:, :-1][scored])
    return F.cross_entropy(logits.float(), labels[:, 1:][scored])
