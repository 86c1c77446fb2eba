from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from forensics.errors import ModelError
from forensics.models.base import GenerativeModel, ImageGrid, Prompt, PromptBatch
from forensics.models.loading import open_model
from forensics.models.masking import (
    cell_grids,
    draw_masks,
    hidden_count,
    mask_prompts,
    repeat_prompt,
)


@pytest.fixture(scope="module")
def model(tiny_llava_folder: Path) -> GenerativeModel:
    return open_model(str(tiny_llava_folder), device="cpu")


@pytest.fixture(scope="module")
def batch(model: GenerativeModel) -> PromptBatch:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 40, 3), dtype=np.uint8)
    return model.collate([Prompt(images=(Image.fromarray(pixels),), question="What is it?")])


def test_cells_scale_with_the_picture_and_hold_whole_tokens() -> None:
    def side(tokens: int, cell: int = 28) -> int:
        return cell_grids([ImageGrid(rows=tokens, columns=tokens)], cell)[0].rows

    assert [side(16), side(24), side(9), side(4)] == [8, 8, 9, 4]  # 224/14, 336/14, 108/12
    assert (side(16, 14), side(16, 56), side(16, 224)) == (16, 4, 1)
    [uneven] = cell_grids([ImageGrid(rows=27, columns=37)])
    assert (uneven.rows, uneven.columns) == (9, 13)
    assert uneven.visible == pytest.approx((0, 0, 39 / 37, 1))


def test_exactly_the_share_is_hidden_and_a_seed_gives_the_same_again() -> None:
    cells = cell_grids([ImageGrid(rows=9, columns=9)])
    first = draw_masks(cells, share=0.25, seed=3, sample="a", views=5)
    assert (first.sum(axis=1) == 20).all() and first.shape == (5, 81)
    assert (first == draw_masks(cells, share=0.25, seed=3, sample="a", views=5)).all()
    assert (first[3:] == draw_masks(cells, share=0.25, seed=3, sample="a", views=2, first=3)).all()
    for other in ({"seed": 4, "sample": "a"}, {"seed": 3, "sample": "b"}):
        assert (first != draw_masks(cells, share=0.25, views=5, **other)).any()
    assert (first[0] != first[1]).any()
    assert [hidden_count(0.3, 10), hidden_count(0.25, 81), hidden_count(1.0, 7)] == [3, 20, 7]


def test_only_hidden_cells_change_and_they_become_the_channel_mean(
    model: GenerativeModel, batch: PromptBatch
) -> None:
    [mask] = draw_masks(cell_grids(batch.grids[0]), share=0.4, seed=0, sample="a", views=1)
    masked = mask_prompts(model, batch, [mask])
    before, after = batch.inputs["pixel_values"], masked.inputs["pixel_values"]
    changed = (before != after).any(dim=1)[0].reshape(4, 8, 4, 8).any(dim=3).any(dim=1)
    assert int(changed.sum()) == int(0.4 * 16) == 6
    assert (changed.numpy().flatten() == mask).all()
    hidden = torch.from_numpy(mask.reshape(4, 4)).repeat_interleave(8, 0).repeat_interleave(8, 1)
    assert (after[0][:, hidden] == 0).all()
    assert (after[0][:, ~hidden] == before[0][:, ~hidden]).all()
    assert masked.inputs["input_ids"] is batch.inputs["input_ids"]


def test_another_fill_stands_in_hidden_places_only(
    model: GenerativeModel, batch: PromptBatch
) -> None:
    [mask] = draw_masks(cell_grids(batch.grids[0]), share=0.5, seed=0, sample="a", views=1)
    nines = torch.full_like(batch.inputs["pixel_values"], 9.0)
    after = mask_prompts(model, batch, [mask], fill=lambda _: nines)
    assert (after.inputs["pixel_values"] == 9.0).float().mean() == pytest.approx(0.5)


def test_a_repeated_prompt_is_the_same_prompt(model: GenerativeModel, batch: PromptBatch) -> None:
    logits = model.prefill(repeat_prompt(batch, 3))
    assert torch.allclose(logits, model.prefill(batch).expand(3, -1), atol=1e-4)
    with pytest.raises(ValueError, match="one prompt"):
        repeat_prompt(repeat_prompt(batch, 2), 2)


def test_tiles_and_their_thumbnail_are_hidden_at_the_same_place(model: GenerativeModel) -> None:
    """A picture of two tiles side by side, then a thumbnail with half as many tokens across."""
    tiles = tuple(
        ImageGrid(rows=8, columns=8, visible=(left, 0.0, left + 0.5, 1.0)) for left in (0.0, 0.5)
    )
    grids = (*tiles, ImageGrid(rows=8, columns=8))
    [cells] = cell_grids(grids)
    assert (cells.rows, cells.columns) == (8, 16)
    batch = PromptBatch(
        inputs={"pixel_values": torch.ones(3, 3, 16, 16)},
        components=torch.zeros(1, 1, dtype=torch.int8),
        grids=(grids,),
    )
    mask = np.zeros((8, 16), dtype=bool)
    mask[2, 9] = mask[2, 8] = True  # the second tile's third row, first two columns
    left, right, thumbnail = mask_prompts(model, batch, [mask.flatten()]).inputs["pixel_values"]
    assert (left == 1).all()
    assert int((right[0] == 0).sum()) == 8 and (right[0, 4:6, 0:4] == 0).all()
    assert int((thumbnail[0] == 0).sum()) == 4 and (thumbnail[0, 4:6, 8:10] == 0).all()


def test_flattened_patches_of_one_token_are_hidden_together(model: GenerativeModel) -> None:
    grids = ((ImageGrid(rows=2, columns=4),), (ImageGrid(rows=2, columns=2),))
    batch = PromptBatch(
        inputs={
            "pixel_values": torch.ones(32 + 16, 6),
            "image_grid_thw": torch.tensor([[1, 4, 8], [1, 4, 4]]),
        },
        components=torch.zeros(2, 1, dtype=torch.int8),
        grids=grids,
    )
    first, second = np.zeros(8, dtype=bool), np.zeros(4, dtype=bool)
    first[5] = second[0] = True
    pixels = mask_prompts(model, batch, [first, second]).inputs["pixel_values"]
    hidden = torch.nonzero((pixels == 0).all(dim=1)).flatten()
    assert hidden.tolist() == [20, 21, 22, 23, 32, 33, 34, 35]


def test_pictures_that_cannot_be_masked_are_refused(
    model: GenerativeModel, batch: PromptBatch
) -> None:
    mask = np.zeros(16, dtype=bool)
    for pixels in (torch.zeros(2, 3, 32, 32), torch.zeros(1, 5), None):
        inputs = {} if pixels is None else {"pixel_values": pixels}
        wrong = PromptBatch(inputs=inputs, components=batch.components, grids=batch.grids)
        with pytest.raises(ModelError, match="cannot be masked") as caught:
            mask_prompts(model, wrong, [mask])
        assert caught.value.remedy


def box_of(grid: ImageGrid, cell: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = grid.visible
    row, column = divmod(cell, grid.columns)
    width, height = (right - left) / grid.columns, (bottom - top) / grid.rows
    x, y = left + column * width, top + row * height
    return x, y, x + width, y + height


@pytest.mark.parametrize("size", [(160, 70), (60, 150)])
@pytest.mark.parametrize("pictures", [1, 2])
def test_what_is_hidden_reaches_no_family_by_any_way(
    family: GenerativeModel, size: tuple[int, int], pictures: int
) -> None:
    """Change the last picture in one spot: under a mask of the cells around it nobody can tell."""
    rng = np.random.default_rng(0)
    others = [Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8))]
    plain = Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))
    marked = plain.copy()
    spot = (0.6 * size[0], 0.3 * size[1])
    left, top = int(spot[0]) - 4, int(spot[1]) - 4
    patch = plain.crop((left, top, left + 8, top + 8))
    marked.paste(Image.eval(patch, lambda value: 255 - value), (left, top))
    batches = [
        family.collate([Prompt(images=(*others[: pictures - 1], last), question="What is it?")])
        for last in (plain, marked)
    ]
    # A wide margin: resizing spreads a change by some pixels, more of them in a thumbnail.
    wide = (left - 24) / size[0], (top - 24) / size[1], (left + 32) / size[0], (top + 32) / size[1]
    cells = cell_grids(batches[0].grids[0])
    mask = np.concatenate([
        [grid.image == pictures - 1 and overlaps(box_of(grid, i), wide) for i in range(grid.tokens)]
        for grid in cells
    ])  # fmt: skip
    assert 0 < mask.sum() < mask.size
    seen = [family.prefill(batch) for batch in batches]
    hidden = [family.prefill(mask_prompts(family, batch, [mask])) for batch in batches]
    assert not torch.allclose(seen[0], seen[1], atol=1e-4)
    assert torch.allclose(hidden[0], hidden[1], atol=1e-5)
    nothing = mask_prompts(family, batches[0], [np.zeros_like(mask)])
    assert torch.equal(
        nothing.inputs["pixel_values"], batches[0].inputs["pixel_values"]
    ) and not torch.allclose(hidden[0], seen[0], atol=1e-4)


def overlaps(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_a_repeated_prompt_of_every_family_is_the_same_prompt(family: GenerativeModel) -> None:
    picture = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (50, 90, 3), dtype=np.uint8)
    )
    batch = family.collate([Prompt(images=(picture, picture), question="What is it?")])
    logits = family.prefill(repeat_prompt(batch, 3))
    assert torch.allclose(logits, family.prefill(batch).expand(3, -1), atol=1e-4)
