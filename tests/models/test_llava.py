from pathlib import Path

import pytest
import torch
from PIL import Image

from forensics.models.base import SYSTEM, TEXT, VISION, GenerativeModel, Prompt
from forensics.models.loading import open_model
from tests.tiny_llava import save_tiny_llava


@pytest.fixture(scope="module")
def model(tiny_llava_folder: Path) -> GenerativeModel:
    return open_model(str(tiny_llava_folder), device="cpu")


def decoded(model: GenerativeModel, question: str, code: int) -> str:
    batch = model.collate([Prompt((Image.new("RGB", (40, 40)),), question)])
    ids = batch.inputs["input_ids"][0][batch.components[0] == code]
    return model.processor.tokenizer.decode(ids)


@pytest.mark.parametrize("question", ["What is it?", "ünïcode 猫?", "ASSISTANT: USER:", "a\nb"])
def test_the_text_component_is_exactly_the_question(model: GenerativeModel, question: str) -> None:
    assert decoded(model, question, TEXT) == question
    system = decoded(model, question, SYSTEM)
    assert system.startswith("<s>Answer what is asked.") and system.endswith("ASSISTANT:")


def test_an_image_placeholder_inside_a_question_is_dropped(model: GenerativeModel) -> None:
    batch = model.collate([Prompt((Image.new("RGB", (9, 9)),), "<image> what <image>?")])
    assert int((batch.components == VISION).sum()) == 16
    assert decoded(model, "<image>what<image>?", TEXT) == "what?"


def test_tokens_of_a_batch_match_those_of_single_prompts(model: GenerativeModel) -> None:
    image = Image.new("RGB", (32, 32), "red")
    batch = model.collate([Prompt((image,), q) for q in ("short", "a longer question")])
    single = model.collate([Prompt((image,), "short")])
    length = single.components.shape[1]
    assert torch.equal(batch.components[0, -length:], single.components[0])
    assert torch.equal(batch.inputs["input_ids"][0, -length:], single.inputs["input_ids"][0])


def test_the_grid_covers_what_the_centre_crop_leaves(model: GenerativeModel) -> None:
    wide = model.collate([Prompt((Image.new("RGB", (100, 50)),), "?")]).grids[0][0]
    assert (wide.rows, wide.columns) == (4, 4)
    assert wide.visible == pytest.approx((0.25, 0.0, 0.75, 1.0))


def test_the_grid_covers_everything_when_the_processor_squeezes(tmp_path: Path) -> None:
    squeezed = open_model(str(save_tiny_llava(tmp_path / "m", crop=False)), device="cpu")
    batch = squeezed.collate([Prompt((Image.new("RGB", (100, 50)),), "?")])
    assert batch.grids[0][0].visible == (0, 0, 1, 1)


def test_generation_answers_each_prompt_of_a_padded_batch_as_alone(
    model: GenerativeModel,
) -> None:
    image = Image.radial_gradient("L").convert("RGB")
    questions = ["short", "a much longer question"]
    prompts = [Prompt((image,), question) for question in questions]
    together = model.generate(model.collate(prompts), max_new_tokens=5)
    alone = [model.generate(model.collate([one]), max_new_tokens=5)[0] for one in prompts]
    assert together == alone


def test_the_probability_of_an_answer_is_the_product_of_its_tokens_probabilities(
    model: GenerativeModel,
) -> None:
    batch = model.collate(
        [Prompt((Image.new("RGB", (32, 32), "blue"),), q) for q in ("one", "another question")]
    )
    answers = model.answer(batch, max_new_tokens=1)
    first = model.prefill(batch).softmax(dim=1).max(dim=1).values
    assert [a.text for a in answers] == model.generate(batch, max_new_tokens=1)
    assert [a.probability for a in answers] == pytest.approx(first.tolist(), rel=1e-4)
