"""Put answers behind prompts: what a step of fine-tuning is computed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from forensics.models.base import GenerativeModel, PromptBatch

IGNORED = -100


@dataclass(frozen=True, slots=True)
class AnswerBatch:
    """Prompts with their answers.

    Attributes:
        inputs: What the model's ``forward`` takes; prompts padded left, answers padded right.
        labels: ``[batch, width]`` token ids of the answers, :data:`IGNORED` after their end. They
            are the last ``width`` positions of the input.
    """

    inputs: dict[str, Tensor]
    labels: Tensor


def append_answers(
    batch: PromptBatch, answers: Sequence[str], model: GenerativeModel
) -> AnswerBatch:
    """Continue every prompt with its answer and the token that ends it.

    Prompts stay exactly what the scan sees, so that tuning and detection read the same tokens.

    Args:
        batch: One left-padded prompt per answer.
        answers: Plain texts.
        model: The one that made the prompts.
    """
    rows = [model.answer_tokens(answer) for answer in answers]
    width = max(len(row) for row in rows)
    labels = torch.full((len(rows), width), IGNORED)
    for index, row in enumerate(rows):
        labels[index, : len(row)] = torch.tensor(row)
    labels = labels.to(batch.inputs["input_ids"].device)
    real = labels != IGNORED
    inputs = dict(batch.inputs)
    tail = labels.masked_fill(~real, int(model.processor.tokenizer.pad_token_id))
    inputs["input_ids"] = torch.cat([inputs["input_ids"], tail], dim=1)
    inputs["attention_mask"] = torch.cat([inputs["attention_mask"], real.long()], dim=1)
    if "mm_token_type_ids" in inputs:
        kinds = inputs["mm_token_type_ids"]
        # 0 is text: Qwen's models lay out positions by it.
        inputs["mm_token_type_ids"] = torch.cat([kinds, torch.zeros_like(labels).to(kinds)], dim=1)
    return AnswerBatch(inputs=inputs, labels=labels)


def answer_loss(module: Any, batch: AnswerBatch) -> Tensor:
    """Compute the mean cross entropy over all answer tokens of a batch."""
    width = batch.labels.shape[1]
    # One more position than labels: the last of the prompt predicts the first answer token.
    output = module(**batch.inputs, use_cache=False, logits_to_keep=width + 1)
    logits = output.logits[:, :-1].float()
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED
    )
