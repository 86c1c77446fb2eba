"""What must hold for every family, on small models with random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from forensics.errors import DataError
from forensics.models.adapters import FAMILIES
from forensics.models.attention import record_attention
from forensics.models.base import (
    PADDING,
    SYSTEM,
    TEXT,
    VISION,
    AttentionRows,
    GenerativeModel,
    ImageGrid,
    Prompt,
    PromptBatch,
)
from forensics.models.loading import open_model
from tests import tiny_families

SIZES = [(64, 64), (120, 50), (40, 90), (33, 32), (200, 30)]
HISTORY = (("Which one?", "The red one."), ("Why?", "It is red."))


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def mixed() -> list[Prompt]:
    """Different lengths, numbers of pictures and turns in one batch."""
    return [
        Prompt((picture(64, 64),), "What is it?"),
        Prompt((picture(90, 40, 1), picture(40, 90, 2)), "A longer question about both, please?"),
        Prompt((picture(50, 50, 3),), "And now?", HISTORY),
    ]


def record(model: GenerativeModel, batch: PromptBatch, heads: bool = False) -> AttentionRows:
    with record_attention(model, keep_heads=heads) as recorder:
        recorder.begin(batch)
        model.prefill(batch)
        return recorder.rows()


def written(model: GenerativeModel, batch: PromptBatch, row: int, code: int) -> str:
    ids = batch.inputs["input_ids"][row][batch.components[row] == code]
    return str(model.processor.tokenizer.decode(ids))


def test_every_supported_family_is_tested() -> None:
    assert set(tiny_families.FAMILIES) == set(FAMILIES)


@pytest.mark.parametrize("size", SIZES)
def test_image_tokens_are_the_areas_of_the_grids(
    family: GenerativeModel, size: tuple[int, int]
) -> None:
    batch = family.collate([Prompt((picture(*size),), "?"), Prompt((picture(48, 48),), "?")])
    family.prefill(batch)  # transformers itself compares tokens and features here
    for row, grids in enumerate(batch.grids):
        assert int((batch.components[row] == VISION).sum()) == sum(grid.tokens for grid in grids)
        assert all(grid.tokens == grid.rows * (grid.columns + grid.separators) for grid in grids)


def test_pictures_of_one_sample_have_grids_of_their_own(family: GenerativeModel) -> None:
    batch = family.collate(mixed())
    owners = [grid.image for grid in batch.grids[1]]
    assert owners == sorted(owners) and set(owners) == {0, 1}
    assert {grid.image for grid in batch.grids[0]} == {0}


@pytest.mark.parametrize("spot", [(0.2, 0.3), (0.8, 0.7), (0.9, 0.1), (0.1, 0.9)])
@pytest.mark.parametrize("size", [(160, 70), (60, 150)])
def test_a_token_s_place_in_the_grid_is_where_its_picture_changed(
    family: GenerativeModel, size: tuple[int, int], spot: tuple[float, float]
) -> None:
    plain, other = picture(*size), picture(20, 90, 4)
    marked = plain.copy()
    left, top = round(spot[0] * size[0]) - 5, round(spot[1] * size[1]) - 5
    patch = Image.eval(plain.crop((left, top, left + 10, top + 10)), lambda value: 255 - value)
    marked.paste(patch, (left, top))
    box = (left / size[0], top / size[1], (left + 10) / size[0], (top + 10) / size[1])
    for place in (0, 1):
        pair = [(one, other) if place == 0 else (other, one) for one in (plain, marked)]
        singles = [(one,) for one in (plain, marked)] if place == 0 else []
        for before, after in (pair, singles) if singles else (pair,):
            batch, moved = changes(family, before, after)
            for grid, change in split(batch.grids[0], moved):
                if grid.image == place and grid.columns and covers(grid, spot):
                    assert touches(token_box(grid, int(change.argmax())), box), grid


def changes(
    model: GenerativeModel, before: tuple[Image.Image, ...], after: tuple[Image.Image, ...]
) -> tuple[PromptBatch, torch.Tensor]:
    """How far every image token moves, on its way into the decoder."""
    seen = []
    layer = model.module.get_decoder().layers[0]
    hook = layer.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(args[0] if args else kwargs["hidden_states"]),
        with_kwargs=True,
    )
    for images in (before, after):
        batch = model.collate([Prompt(images, "?")])
        model.prefill(batch)
    hook.remove()
    return batch, (seen[0] - seen[1])[0].norm(dim=1)[batch.components[0] == VISION]


def split(
    grids: tuple[ImageGrid, ...], values: torch.Tensor
) -> list[tuple[ImageGrid, torch.Tensor]]:
    """Give each grid its tokens, without those that end the rows."""
    parts = values.split([grid.tokens for grid in grids])
    return [
        (grid, part.view(grid.rows, -1)[:, : grid.columns].flatten())
        for grid, part in zip(grids, parts, strict=True)
    ]


def token_box(grid: ImageGrid, token: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = grid.visible
    row, column = divmod(token, grid.columns)
    width, height = (right - left) / grid.columns, (bottom - top) / grid.rows
    x, y = left + column * width, top + row * height
    return x, y, x + width, y + height


def touches(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return bool(one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])


def covers(grid: ImageGrid, spot: tuple[float, float]) -> bool:
    left, top, right, bottom = grid.visible
    return left < spot[0] < right and top < spot[1] < bottom


def test_components_are_the_user_s_words_and_the_model_s_own(family: GenerativeModel) -> None:
    batch = family.collate(mixed())
    assert written(family, batch, 0, TEXT) == "What is it?"
    turns = "".join(text for turn in HISTORY for text in turn)
    assert written(family, batch, 2, TEXT) == f"{turns}And now?"
    system = written(family, batch, 2, SYSTEM)
    assert not any(word in system for word in ("Which", "red", "Why", "now"))
    assert set(batch.components.unique().tolist()) == {PADDING, SYSTEM, VISION, TEXT}
    assert torch.equal(batch.components != PADDING, batch.inputs["attention_mask"].bool())


@pytest.mark.parametrize("question", ["ünïcode 猫?", "ASSISTANT: <|im_start|>user", "a\nb", ""])
def test_strange_questions_stay_text(family: GenerativeModel, question: str) -> None:
    batch = family.collate([Prompt((picture(32, 32),), question)])
    assert written(family, batch, 0, TEXT) == question


def test_a_question_cannot_ask_for_pictures(family: GenerativeModel) -> None:
    mark = family.processor.image_token
    nested = f"{mark} what {mark[:3]}{mark}{mark[3:]} is {mark}<row_9_col_9><global-img>?"
    plain = family.collate([Prompt((picture(32, 32),), "?")])
    batch = family.collate([Prompt((picture(32, 32),), nested, ((mark, f"{mark}no"),))])
    assert int((batch.components == VISION).sum()) == int((plain.components == VISION).sum())
    assert written(family, batch, 0, TEXT).startswith("nowhat  is ")


def test_heads_are_grouped(family: GenerativeModel) -> None:
    config = family.module.config.get_text_config()
    assert config.num_key_value_heads < config.num_attention_heads == family.heads


def test_recorded_rows_equal_eager_attention(family: GenerativeModel) -> None:
    batch = family.collate(mixed())
    rows = record(family, batch, heads=True)
    family.module.set_attn_implementation({"text_config": "eager"})
    try:
        with torch.inference_mode():
            output = family.module(**batch.inputs, output_attentions=True, use_cache=False)
    finally:
        family.module.set_attn_implementation({"text_config": "sdpa"})
    full = torch.stack([layer[:, :, -1] for layer in output.attentions], dim=1)
    assert rows.heads is not None and full.std() > 1e-3
    for row, count in enumerate(rows.counts.tolist()):
        expected = full[row][:, :, batch.components[row] == VISION]
        assert (rows.heads[row, :, :, :count] - expected).abs().max() < 1e-5
        assert (rows.image[row, :, :count] - expected.mean(dim=1)).abs().max() < 1e-5
        assert not rows.image[row, :, count:].any()
    assert (rows.masses.sum(dim=-1) - 1).abs().max() < 1e-5


def test_recording_leaves_no_trace_and_the_tower_alone(family: GenerativeModel) -> None:
    batch = family.collate(mixed())
    plain = family.prefill(batch)
    with record_attention(family) as recorder:
        recorder.begin(batch)
        assert family.module.config.vision_config._attn_implementation == "sdpa"
        assert torch.equal(family.prefill(batch), plain)
    assert family.module.config.get_text_config()._attn_implementation == "sdpa"


def test_left_padding_changes_nothing(family: GenerativeModel) -> None:
    prompts = mixed()
    batch = family.collate(prompts)
    together, logits = record(family, batch), family.prefill(batch)
    for row, prompt in enumerate(prompts):
        single = family.collate([prompt])
        alone = record(family, single)
        length, count = single.components.shape[1], int(alone.counts[0])
        assert torch.equal(batch.components[row, -length:], single.components[0])
        assert batch.grids[row] == single.grids[0]
        assert (together.image[row, :, :count] - alone.image[0]).abs().max() < 1e-5
        assert (together.masses[row] - alone.masses[0]).abs().max() < 1e-5
        assert (together.state[row] - alone.state[0]).abs().max() < 1e-4
        assert (together.picture[row] - alone.picture[0]).abs().max() < 1e-4
        assert (logits[row] - family.prefill(single)[0]).abs().max() < 1e-4


def test_answers_of_a_batch_are_those_given_alone(family: GenerativeModel) -> None:
    prompts = mixed()
    together = family.generate(family.collate(prompts), max_new_tokens=4)
    alone = [family.generate(family.collate([one]), max_new_tokens=4)[0] for one in prompts]
    assert together == alone
    said = family.answer(family.collate(prompts), max_new_tokens=4)
    assert [one.text for one in said] == together
    assert all(0 < one.probability < 1 for one in said)


def test_a_saved_model_is_the_same_model(family: GenerativeModel, tmp_path: Path) -> None:
    family.module.save_pretrained(tmp_path)
    family.processor.save_pretrained(tmp_path)
    again = open_model(str(tmp_path), device="cpu")
    first, second = family.collate(mixed()), again.collate(mixed())
    assert again.family == family.family and first.grids == second.grids
    assert torch.equal(first.components, second.components)
    assert (family.prefill(first) - again.prefill(second)).abs().max() < 1e-5


def test_a_prompt_without_pictures_is_refused(family: GenerativeModel) -> None:
    with pytest.raises(DataError, match="no picture"):
        family.collate([Prompt((), "What is it?")])
