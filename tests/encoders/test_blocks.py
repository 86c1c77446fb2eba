"""Image towers opened into blocks give what the libraries give."""

from pathlib import Path
from typing import Any

import pytest
import torch

from forensics.encoders.blocks import open_tower
from forensics.encoders.loading import open_encoder
from forensics.encoders.pixels import normalised
from forensics.errors import NotApplicable
from tests.encoders.towers import TOWERS, WITH_CLASS_TOKEN, WITHOUT_CLASS_TOKEN
from tests.tiny_encoders import save_hf_siglip2, save_open_clip, save_resnet, vit_config


@pytest.mark.parametrize("name", TOWERS)
def test_the_parts_give_what_the_tower_gives(name: str, tower_folders: dict[str, Path]) -> None:
    encoder = open_encoder(str(tower_folders[name]), "cpu")
    tower = open_tower(encoder)
    pixels = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        states = tower.embed(normalised(encoder, pixels))
        apart = tower.run(states)
        whole = states
        for block in tower.blocks:
            whole = block.plain(whole)
        features = encoder._image_features(normalised(encoder, pixels))
        assert torch.allclose(apart, whole, atol=3e-5 * float(whole.std()))
        assert torch.allclose(tower.finish(apart), features, atol=1e-5)
        alone = tower.blocks[-1](states, wanted=1)
        assert torch.allclose(alone, tower.blocks[-1].plain(states)[:, :1], atol=3e-5)
    assert float(states.std()) > 0.1 and float((whole - states).std()) > 0.1
    assert tower.class_token == (name in WITH_CLASS_TOKEN)
    assert states.shape == (3, 16 + tower.prefix, tower.width)


@pytest.mark.parametrize("name", WITH_CLASS_TOKEN)
def test_a_class_token_is_all_that_the_end_needs(name: str, tower_folders: Any) -> None:
    encoder = open_encoder(str(tower_folders[name]), "cpu")
    tower = open_tower(encoder)
    draw = torch.Generator().manual_seed(2)
    states = torch.randn(2, 16 + tower.prefix, tower.width, generator=draw)
    with torch.no_grad():
        assert torch.allclose(tower.finish(states), tower.finish(states[:, :1]), atol=1e-6)


@pytest.mark.parametrize("name", WITHOUT_CLASS_TOKEN)
def test_patches_stand_in_for_a_class_token(name: str, tower_folders: Any) -> None:
    tower = open_tower(open_encoder(str(tower_folders[name]), "cpu"))
    states = torch.randn(2, 16 + tower.prefix, tower.width)
    assert torch.allclose(tower.feature(states), states[:, tower.prefix :].mean(1))


@pytest.mark.parametrize("save", [save_resnet, save_hf_siglip2])
def test_other_towers_are_refused_with_a_remedy(save: Any, tmp_path: Path) -> None:
    encoder = open_encoder(str(save(tmp_path / "model")), "cpu")
    with pytest.raises(NotApplicable) as caught:
        open_tower(encoder)
    assert "vision transformer" in caught.value.remedy


def test_a_tower_of_another_build_is_refused(tmp_path: Path) -> None:
    encoder: Any = open_encoder(str(save_open_clip(tmp_path / "vit", vit_config())), "cpu")
    block = encoder.module.visual.transformer.resblocks[1]
    block.ln_2.register_forward_hook(lambda *_: None)  # harmless: the parts still agree
    open_tower(encoder)
    plain = block.forward
    block.forward = lambda states, **given: plain(states, **given) + 0.1 * states
    with pytest.raises(NotApplicable, match="not the sum of the parts"):
        open_tower(encoder)
