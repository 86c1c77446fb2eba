"""Perturbation resistivity, layer by layer."""

from typing import Any

import pytest
import torch

from forensics.encoders.loading import open_encoder
from forensics.encoders.prompted import PromptedEncoder, VisualPrompts
from forensics.repairs.resistivity import (
    layer_features,
    perturbations,
    resistivity,
    resistivity_curves,
)
from forensics.triggers import parse_trigger
from tests.tiny_encoders import save_vit

IDS = ("a", "b", "c")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_encoder(str(save_vit(tmp_path_factory.mktemp("vit") / "model")), "cpu")


def pixels() -> torch.Tensor:
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_features_are_what_the_blocks_give(encoder: Any) -> None:
    found: list[torch.Tensor] = []
    handles = [
        block.register_forward_hook(lambda _m, _i, out: found.append(out[:, 0]))
        for block in encoder.module.visual.transformer.resblocks
    ]
    with torch.no_grad():
        encoder.encode_image(pixels())
    for handle in handles:
        handle.remove()
    assert torch.equal(layer_features(encoder, pixels()), torch.stack(found))


def test_prompts_change_layers_from_theirs_on(encoder: Any) -> None:
    vectors = torch.randn(1, 4, 32, generator=torch.Generator().manual_seed(1))
    prompted = PromptedEncoder(encoder, VisualPrompts(vectors=vectors, first=2))
    ours, plain = layer_features(prompted, pixels()), layer_features(encoder, pixels())
    assert ours.shape == plain.shape == (3, 3, 32)
    assert torch.equal(ours[:2], plain[:2]) and not torch.allclose(ours[2], plain[2], atol=1e-2)


def test_a_picture_resists_itself_and_small_changes_more_than_large(encoder: Any) -> None:
    assert torch.allclose(resistivity(encoder, pixels(), pixels()), torch.ones(3, 3), atol=1e-5)
    curves = resistivity_curves(
        encoder, pixels(), IDS, parse_trigger("patch:side=1/4,place=center,color=black")
    )
    assert list(curves) == ["noise", "blur", "colour", "mirror", "trigger"]
    assert all(curve.shape == (3, 3) for curve in curves.values())
    assert all(float(curve.abs().max()) <= 1 + 1e-6 for curve in curves.values())
    assert float(curves["noise"].min()) > 0.99
    assert float(curves["noise"].mean()) > float(curves["trigger"].mean()) + 1e-3


def test_changes_are_drawn_by_their_seed_and_stay_pictures(encoder: Any) -> None:
    for name, change in perturbations().items():
        once = change(pixels())
        assert torch.equal(once, perturbations()[name](pixels()))
        assert float(once.min()) >= 0 and float(once.max()) <= 1
        assert once.shape == pixels().shape and not torch.equal(once, pixels())
    noise = perturbations()["noise"](pixels()) - pixels()
    assert float(noise.std()) == pytest.approx(0.001, rel=0.1)
    assert not torch.equal(perturbations(1)["colour"](pixels()),
                           perturbations(2)["colour"](pixels()))  # fmt: skip
