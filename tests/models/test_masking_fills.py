"""What stands in hidden cells, for every family."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from forensics.errors import OptionError
from forensics.models.base import GenerativeModel, Prompt, PromptBatch
from forensics.models.loading import open_model
from forensics.models.masking import cell_grids, draw_masks, mask_prompts
from forensics.models.masking_fills import FILLS, fill_named
from tests.tiny_families import FAMILIES, save_family


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def family(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> GenerativeModel:
    folder = save_family(request.param, tmp_path_factory.mktemp("fills") / request.param)
    return open_model(str(folder), device="cpu")


def batch_of(model: GenerativeModel) -> PromptBatch:
    pictures = [Image.effect_noise(size, 80).convert("RGB") for size in ((64, 40), (40, 64))]
    return model.collate([Prompt((picture,), "Which?") for picture in pictures])


@pytest.mark.parametrize("name", FILLS)
def test_a_fill_changes_hidden_places_alone_and_is_the_same_for_a_seed(
    family: GenerativeModel, name: str
) -> None:
    batch = batch_of(family)
    masks = [draw_masks(cell_grids(grids, 112), share=0.5, seed=1, sample="a", views=1)[0]
             for grids in batch.grids]  # fmt: skip
    before = batch.inputs["pixel_values"]
    zeros, one, again = (
        mask_prompts(family, batch, masks, cell=112, fill=fill).inputs["pixel_values"]
        for fill in (lambda b: torch.full_like(b.inputs["pixel_values"], 77.0),
                     fill_named(name, family, 3), fill_named(name, family, 3))
    )  # fmt: skip
    hidden = zeros == 77.0
    assert hidden.any() and not hidden.all()
    assert torch.equal(one, again) and torch.isfinite(one).all()
    assert torch.equal(one[~hidden], before[~hidden])
    assert not torch.equal(one[hidden], before[hidden])


def test_another_seed_gives_other_noise_and_another_order(family: GenerativeModel) -> None:
    batch = batch_of(family)
    for name in ("noise", "shuffle"):
        one, other = (fill_named(name, family, seed)(batch) for seed in (1, 2))
        assert one.shape == batch.inputs["pixel_values"].shape and not torch.equal(one, other)


def test_shuffled_patches_come_from_the_same_picture(family: GenerativeModel) -> None:
    batch = batch_of(family)
    pixels, other = batch.inputs["pixel_values"], fill_named("shuffle", family, 1)(batch)
    if pixels.ndim == 2:
        first = int(batch.inputs["image_grid_thw"][0].prod())
        pieces = [(pixels[:first], other[:first]), (pixels[first:], other[first:])]
        for own, found in pieces:
            assert torch.allclose(own.sum(0), found.sum(0), atol=1e-2)
    else:
        stated = family.module.config.vision_config.patch_size
        side = stated[0] if isinstance(stated, list) else stated
        height, width = (length // side * side for length in pixels.shape[-2:])
        sums = [value[..., :height, :width].sum(dim=(-1, -2)) for value in (pixels, other)]
        assert torch.allclose(*sums, atol=1e-2)


def test_blurred_patches_keep_their_mean_colour(family: GenerativeModel) -> None:
    batch = batch_of(family)
    pixels, blurred = batch.inputs["pixel_values"], fill_named("blur", family, 0)(batch)
    assert float(blurred.var()) < float(pixels.var())
    if pixels.ndim == 2:
        assert torch.allclose(pixels.mean(dim=1), blurred.mean(dim=1), atol=1e-4)


def test_an_unknown_fill_names_those_that_are_known(tmp_path: Path) -> None:
    model = open_model(str(save_family("llava", tmp_path / "llava")), device="cpu")
    with pytest.raises(OptionError, match="glitter") as caught:
        fill_named("glitter", model, 0)
    assert "shuffle" in caught.value.remedy
