"""Prompts enter an image tower as keys and values, and change nothing before them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from forensics.classifiers import ZeroShot
from forensics.encoders.frozen import weights_digest
from forensics.encoders.loading import open_encoder
from forensics.encoders.pixels import normalised
from forensics.encoders.prompted import (
    PromptedEncoder,
    VisualPrompts,
    prefix_states,
    prompted_states,
)
from forensics.encoders.saving import save_encoder
from forensics.errors import CheckpointError, ModelError
from tests.encoders.towers import TOWERS

FIRST, COUNT = 1, 5


@pytest.fixture(scope="module", params=TOWERS)
def prompted(request: pytest.FixtureRequest, tower_folders: dict[str, Path]) -> Any:
    encoder = open_encoder(str(tower_folders[request.param]), "cpu")
    blocks = 2 if request.param.startswith("vit") or request.param.startswith("hf") else 1
    return PromptedEncoder(encoder, drawn(blocks))


def drawn(blocks: int, width: int = 32) -> VisualPrompts:
    draw = torch.Generator().manual_seed(3)
    return VisualPrompts(vectors=torch.randn(blocks, COUNT, width, generator=draw), first=FIRST)


def seen_pixels() -> torch.Tensor:
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(4))


def in_sequence(encoder: PromptedEncoder, pixels: torch.Tensor) -> torch.Tensor:
    """The published forward: prompts stand in the sequence, and their outputs are thrown away."""
    tower, prompts = encoder.tower, encoder.prompts
    states = prefix_states(tower, normalised(encoder, pixels), prompts.first)
    tokens = states.shape[1]
    for block, own in zip(tower.blocks[prompts.first :], prompts.vectors, strict=True):
        if block.turn is not None:
            pytest.skip(
                "the library's block takes no tokens without a place; see the loader's test"
            )
        together = torch.cat([states, own.expand(len(states), -1, -1)], dim=1)
        states = block.plain(together)[:, :tokens]
    return torch.nn.functional.normalize(tower.finish(states), dim=-1)


def test_keys_and_values_are_all_that_prompts_need(prompted: PromptedEncoder) -> None:
    pixels = seen_pixels()
    with torch.no_grad():
        found = prompted.encode_image(pixels)
        assert torch.allclose(found, in_sequence(prompted, pixels), atol=1e-5)
        assert float((found - prompted.encoder.encode_image(pixels)).abs().max()) > 0.01


def test_nothing_changes_before_the_first_prompt(prompted: PromptedEncoder) -> None:
    """Spec, test 2: class tokens up to depth D equal the frozen encoder's bit for bit."""
    tower = prompted.tower
    found: list[torch.Tensor] = []
    handles = [
        block.register_forward_hook(lambda _m, _i, out: found.append(tower.feature(out)))
        for block in library_blocks(prompted.module)
    ]
    with torch.no_grad():
        prompted.encoder.encode_image(seen_pixels())
        plain, found[:] = list(found), []
        states = prefix_states(tower, normalised(prompted, seen_pixels()), FIRST)
        assert torch.equal(tower.feature(states), plain[FIRST - 1])
        for handle in handles:
            handle.remove()
        _, features = prompted_states(tower, prompted.prompts, states)
    assert len(features) == len(tower.blocks) - FIRST
    for ours, theirs in zip(features, plain[FIRST:], strict=True):
        cosine = torch.cosine_similarity(ours, theirs)
        assert float(cosine.mean()) < 0.9999


def library_blocks(module: Any) -> Any:
    if hasattr(module, "vision_model"):
        return module.vision_model.encoder.layers
    trunk = getattr(module.visual, "trunk", None)
    return module.visual.transformer.resblocks if trunk is None else trunk.blocks


def test_masked_prompts_change_nothing(prompted: PromptedEncoder) -> None:
    """Spec, test 3: with the prompts masked out of attention the outputs are the original's."""
    hidden = torch.zeros(COUNT, dtype=torch.bool)
    pixels = normalised(prompted, seen_pixels())
    with torch.no_grad():
        states = prefix_states(prompted.tower, pixels, FIRST)
        ends = [
            prompted.tower.finish(prompted_states(prompted.tower, prompted.prompts, states,
                                                  seen=seen)[0])
            for seen in (hidden, ~hidden, None)
        ]  # fmt: skip
        plain = prompted.encoder._image_features(pixels)  # type: ignore[attr-defined]
    assert torch.allclose(ends[0], plain, atol=1e-5)
    assert torch.allclose(ends[1], ends[2], atol=1e-5)
    assert not torch.allclose(ends[0], ends[1], atol=1e-2)


def test_gradients_reach_prompts_and_pixels_and_no_weight(prompted: PromptedEncoder) -> None:
    before = weights_digest(prompted)
    pixels = seen_pixels().requires_grad_()
    toward = torch.randn(prompted.width, generator=torch.Generator().manual_seed(5))
    (prompted.encode_image(pixels) @ toward).sum().backward()
    assert pixels.grad is not None and float(pixels.grad.abs().max()) > 1e-5
    assert weights_digest(prompted) == before


def test_attention_on_prompts_is_told_as_rest(prompted: PromptedEncoder) -> None:
    if prompted.name.endswith("vit-average"):
        with pytest.raises(ModelError, match="averages"):
            prompted.attend(seen_pixels())
        return
    found, plain = prompted.attend(seen_pixels()), prompted.encoder.attend(seen_pixels())
    assert found.maps.shape == plain.maps.shape and found.rest.shape == plain.rest.shape
    assert torch.allclose(found.maps.sum(-1) + found.rest, torch.ones(()), atol=1e-5)
    if found.pooling == "class token":
        assert torch.allclose(found.maps[:, 0], plain.maps[:, 0])
        assert float((found.maps[:, -1] - plain.maps[:, -1]).abs().max()) > 1e-3


def test_it_is_an_encoder_like_others(prompted: PromptedEncoder, pictures: list[Any]) -> None:
    classifier = ZeroShot(prompted, ("red square", "blue disc"))
    plain = ZeroShot(prompted.encoder, ("red square", "blue disc"))
    assert torch.equal(classifier.vectors, plain.vectors)
    pixels = prompted.pixels(pictures)
    with torch.no_grad():
        assert classifier.logits(pixels).shape == (3, 2)
        assert not torch.allclose(classifier.logits(pixels), plain.logits(pixels))


def test_it_is_not_saved_as_plain_weights(prompted: PromptedEncoder, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="more than the weights"):
        save_encoder(prompted, tmp_path / "out")


@pytest.mark.parametrize("shape", [(1, COUNT, 32), (2, COUNT, 16), (3, COUNT, 32)])
def test_prompts_of_another_tower_are_refused(
    tower_folders: dict[str, Path], shape: tuple[int, int, int]
) -> None:
    encoder = open_encoder(str(tower_folders["vit"]), "cpu")
    with pytest.raises(CheckpointError, match="do not fit"):
        PromptedEncoder(encoder, VisualPrompts(vectors=torch.zeros(shape), first=FIRST))
