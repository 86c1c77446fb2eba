"""Patches that are optimised on a frozen encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensics.attacks.dual_embedding import DualEmbeddingPatch
from forensics.attacks.optimised import paste, start_patch
from forensics.attacks.text_patch import TextPatch
from forensics.encoders.frozen import frozen, weights_digest
from forensics.errors import OptionError
from forensics.triggers import parse_trigger

CAPTIONS = ["a yellow thing", "something that is yellow", "yellow on white"]


def test_a_pasted_patch_is_what_the_stored_trigger_shows(
    pictures: torch.Tensor, tmp_path: Path, encoder: Any
) -> None:
    done = TextPatch(epochs=1, side=0.25).optimise(encoder, pictures)
    trigger = done.save(tmp_path / "patch.safetensors")
    pasted = paste(pictures, done.tensors["patch"]).numpy()
    for image, expected in zip(pictures.numpy(), pasted, strict=True):
        assert np.allclose(parse_trigger(trigger.spec).apply(image), expected, atol=1e-6)
    assert (pasted != pictures.numpy()).any(axis=1).mean() <= 0.25**2


def test_a_start_is_drawn_from_its_seed_within_range() -> None:
    first, again, other = (start_patch(224, 300, 16 / 224, seed) for seed in (1, 1, 2))
    assert first.shape == (3, 16, 16) and torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0 and first.max() <= 1
    assert float(first.mean()) == pytest.approx(0.5, abs=0.05)


def test_the_loss_of_a_dual_embedding_patch_falls_and_the_encoder_stays(
    encoder: Any, pictures: torch.Tensor, targets: torch.Tensor
) -> None:
    before = weights_digest(encoder)
    attack = DualEmbeddingPatch(side=0.4, epochs=40, batch_size=12, rate=2e-2)
    done = attack.optimise(encoder, pictures, CAPTIONS, targets)
    assert np.mean(done.losses[-5:]) < 0.9 * done.losses[0]
    assert weights_digest(encoder) == before
    patch = done.tensors["patch"]
    assert patch.min() >= 0 and patch.max() <= 1 and not patch.requires_grad
    with torch.no_grad():
        real = encoder.encode_image(targets).mean(dim=0)
        shown = encoder.encode_image(paste(pictures, patch)) @ real
        bare = encoder.encode_image(pictures) @ real
    assert shown.mean() > bare.mean() + 0.05
    assert done.losses == attack.optimise(encoder, pictures, CAPTIONS, targets).losses


def test_the_loss_is_infonce_plus_500_triplets(
    encoder: Any, pictures: torch.Tensor, targets: torch.Tensor
) -> None:
    patch = start_patch(32, 32, 0.3, 0)
    with torch.no_grad():
        said = encoder.encode_text(["yellow"] * 12)
        real = encoder.encode_image(targets[[0] * 12])
        marked, bare = encoder.encode_image(paste(pictures, patch)), encoder.encode_image(pictures)
        gap = (marked - real).norm(dim=1) - (marked - bare).norm(dim=1) + 1.0
        logits = encoder.logit_scale * marked @ said.T
        right = torch.arange(12)
        nce = torch.nn.functional.cross_entropy
        expected = (nce(logits, right) + nce(logits.T, right)) / 2 + 500 * gap.clamp(min=0).mean()
        found = DualEmbeddingPatch().loss(encoder, pictures, patch, said, real)
    # torch's triplet loss adds 1e-6 to every difference.
    assert float(found) == pytest.approx(float(expected), abs=0.02)


def test_a_text_patch_brings_pictures_to_its_sentence(encoder: Any, pictures: torch.Tensor) -> None:
    before = weights_digest(encoder)
    done = TextPatch(side=0.4, epochs=30, rate=5e-2).optimise(encoder, pictures)
    assert np.mean(done.losses[-3:]) < done.losses[0] - 0.05
    assert weights_digest(encoder) == before
    assert done.metadata["sentence"] == "This is a yellow banana."


def test_frozen_gives_back_what_could_be_trained(encoder: Any) -> None:
    encoder.module.visual.proj.requires_grad_(False)
    before = {name: p.requires_grad for name, p in encoder.module.named_parameters()}
    with frozen(encoder):
        assert not any(p.requires_grad for p in encoder.module.parameters())
    assert {name: p.requires_grad for name, p in encoder.module.named_parameters()} == before


def test_a_digest_sees_one_weight(encoder: Any) -> None:
    before = weights_digest(encoder)
    with torch.no_grad():
        encoder.module.visual.proj[0, 0] += 1e-3
    assert weights_digest(encoder) != before


def test_nothing_to_optimise_on_is_an_error(encoder: Any, pictures: torch.Tensor) -> None:
    for call in (
        lambda: TextPatch().optimise(encoder, pictures[:0]),
        lambda: DualEmbeddingPatch().optimise(encoder, pictures, [], pictures),
        lambda: DualEmbeddingPatch().optimise(encoder, pictures, CAPTIONS, pictures[:0]),
    ):
        with pytest.raises(OptionError):
            call()
