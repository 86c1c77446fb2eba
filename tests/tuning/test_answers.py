from pathlib import Path

import pytest
import torch
from PIL import Image

from forensics.models.base import GenerativeModel, Prompt
from forensics.models.loading import open_model
from forensics.tuning.answers import IGNORED, answer_loss, append_answers


@pytest.fixture(scope="module")
def model(tiny_llava_folder: Path) -> GenerativeModel:
    return open_model(str(tiny_llava_folder), device="cpu")


def prompts_of(questions: list[str]) -> list[Prompt]:
    return [
        Prompt((Image.new("RGB", (32, 32), (40 * index, 90, 10)),), question)
        for index, question in enumerate(questions)
    ]


def test_an_answer_follows_a_space_and_ends_the_sequence(model: GenerativeModel) -> None:
    tokenizer = model.processor.tokenizer
    tokens = model.answer_tokens(" yes ")
    assert tokens[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(tokens[:-1]) == " yes"


def test_the_prompt_stays_what_the_scan_sees(model: GenerativeModel) -> None:
    prompts = model.collate(prompts_of(["What?", "What is in the picture?"]))
    batch = append_answers(prompts, ["no", "a cat"], model)
    width = prompts.inputs["input_ids"].shape[1]
    assert torch.equal(batch.inputs["input_ids"][:, :width], prompts.inputs["input_ids"])
    assert torch.equal(batch.inputs["attention_mask"][:, :width], prompts.inputs["attention_mask"])


def test_padding_behind_a_short_answer_is_neither_seen_nor_scored(model: GenerativeModel) -> None:
    prompts = model.collate(prompts_of(["What?", "What?"]))
    batch = append_answers(prompts, ["no", "a large cat"], model)
    padding = batch.labels == IGNORED
    assert padding.sum() == len("a large cat") - len("no")
    tail = batch.inputs["attention_mask"][:, -batch.labels.shape[1] :]
    assert torch.equal(tail == 0, padding)


def test_the_loss_is_the_mean_over_answer_tokens_computed_one_by_one(
    model: GenerativeModel,
) -> None:
    questions, answers = ["What?", "What is in the picture?"], ["no", "a large cat"]
    prompts = model.collate(prompts_of(questions))
    batch = append_answers(prompts, answers, model)
    with torch.no_grad():
        together = float(answer_loss(model.module, batch))
    total, count = 0.0, 0
    for prompt, answer in zip(prompts_of(questions), answers, strict=True):
        inputs = dict(model.collate([prompt]).inputs)
        for token in model.answer_tokens(answer):
            with torch.no_grad():
                logits = model.module(**inputs).logits[0, -1]
            total -= float(logits.log_softmax(-1)[token])
            count += 1
            inputs["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([[token]])], dim=1)
            inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    assert together == pytest.approx(total / count, abs=1e-4)
