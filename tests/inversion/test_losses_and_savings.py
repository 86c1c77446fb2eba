"""Losses on tables written by hand; every exact saving against the straightforward computation."""

from pathlib import Path
from typing import Any

import pytest
import torch

from forensics.encoders.loading import open_encoder
from forensics.errors import OptionError
from forensics.inversion.image_tower import image_encoder
from forensics.inversion.losses import losses_of, resistance, rivals
from forensics.inversion.scorer import Scorer
from forensics.inversion.shortcuts import EXACT, NONE, Shortcuts, choose_shortcuts
from forensics.inversion.text_tower import shared_prefix
from tests.inversion.conftest import NAMES, head
from tests.tiny_encoders import (
    SIDE,
    save_hf_clip,
    save_hf_siglip,
    save_timm_siglip,
    save_vit_average,
    save_vit_custom,
)

LOGITS = torch.tensor([[1.0, 4.0, 2.0], [7.0, 0.0, 3.0], [2.0, 1.0, 2.5]])
TARGETS = torch.tensor([1, 2, 0])


def test_the_margin_is_the_best_other_logit_minus_the_own() -> None:
    found = losses_of("margin", LOGITS, TARGETS)
    assert found.tolist() == [-2.0, 4.0, 0.5]
    assert rivals(LOGITS, TARGETS).tolist() == [2, 0, 2]
    assert ((found < 0) == (LOGITS.argmax(1) == TARGETS)).all()
    torch.testing.assert_close(losses_of("margin", LOGITS + 9, TARGETS), found)
    assert losses_of("logit", LOGITS, TARGETS).tolist() == [-4.0, -3.0, -2.0]
    wanted = -LOGITS.log_softmax(1)[range(3), TARGETS]
    torch.testing.assert_close(losses_of("ce", LOGITS, TARGETS), wanted)
    with pytest.raises(OptionError):
        losses_of("hinge", LOGITS, TARGETS)


def test_a_reference_that_stays_by_far_enough_costs_nothing() -> None:
    found = resistance(LOGITS, TARGETS)
    assert found.tolist() == [3.0, 0.0, 0.5]  # it follows; it stays by 4; it stays by 0.5
    torch.testing.assert_close(resistance(LOGITS - 7, TARGETS), found)


def gradient(scorer: Scorer, kind: str, vectors: torch.Tensor) -> tuple[Any, Any, Any]:
    leaf = vectors.clone().requires_grad_(True)
    targets = torch.arange(len(leaf)) % len(NAMES)
    loss, won = scorer.losses(kind, leaf, targets)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    return loss.detach(), won, leaf.grad


def vectors_of(encoder: Any, count: int = 9) -> torch.Tensor:
    draw = torch.randn(count, encoder.width, generator=torch.Generator().manual_seed(2))
    return torch.nn.functional.normalize(draw, dim=1)


@pytest.mark.parametrize("kind", ["zero-shot", "coop", "cocoop"])
@pytest.mark.parametrize("loss", ["margin", "ce", "logit"])
def test_savings_give_the_same_losses_and_gradients(encoder: Any, kind: str, loss: str) -> None:
    model, vectors = head(encoder, kind), vectors_of(encoder)
    plain = gradient(Scorer(model, NONE), loss, vectors)
    for shortcuts in (EXACT, Shortcuts(short_texts=False), Shortcuts(two_prompts=False)):
        for got, wanted in zip(gradient(Scorer(model, shortcuts), loss, vectors), plain,
                               strict=True):  # fmt: skip
            torch.testing.assert_close(got, wanted, atol=2e-4, rtol=1e-3)
    logits = Scorer(model, EXACT).logits(vectors)
    torch.testing.assert_close(logits, model.logits_of(vectors), atol=2e-4, rtol=1e-4)


def test_the_shared_beginning_is_computed_once_for_all_classes(encoder: Any) -> None:
    found = shared_prefix(head(encoder, "cocoop"))
    assert found is not None and found.begin == 1 + len(found.places)
    assert found.begin + found.tails.shape[1] < 24  # no padding
    assert Scorer(head(encoder, "cocoop"), NONE).prefix is None


def test_narrowed_rivals_are_a_lower_bound_and_exact_where_they_hold_the_best(encoder: Any) -> None:
    model, vectors = head(encoder, "cocoop"), vectors_of(encoder)
    scorer, targets = Scorer(model, EXACT), torch.zeros(len(vectors), dtype=torch.int64)
    whole, _ = scorer.losses("margin", vectors, targets)
    best = rivals(model.logits_of(vectors), targets)
    with_best = torch.stack([best, (best % 5) + 1], dim=1)
    near, _ = scorer.losses("margin", vectors, targets, with_best)
    torch.testing.assert_close(near, whole, atol=2e-4, rtol=1e-4)
    fixed = torch.tensor([1, 2]).expand(len(vectors), 2)
    assert (scorer.losses("margin", vectors, targets, fixed)[0] <= whole + 1e-4).all()


@pytest.mark.parametrize(
    "make",
    [save_hf_clip, save_hf_siglip, save_timm_siglip, save_vit_average, save_vit_custom],
)
def test_other_towers_are_computed_in_full(make: Any, tmp_path: Path) -> None:
    encoder = open_encoder(str(make(tmp_path / "model")), "cpu")
    pixels = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    short = image_encoder(encoder, pooled_only=True)
    torch.testing.assert_close(short(pixels), encoder.encode_image(pixels), atol=1e-4, rtol=1e-4)
    model, vectors = head(encoder, "cocoop"), vectors_of(encoder, 3)
    torch.testing.assert_close(
        Scorer(model, EXACT).logits(vectors), model.logits_of(vectors), atol=3e-4, rtol=1e-3
    )


def test_the_last_block_for_the_class_token_alone_is_the_same_tower(encoder: Any) -> None:
    short = image_encoder(encoder, pooled_only=True)
    assert short != encoder.encode_image and image_encoder(encoder, False) == encoder.encode_image
    pixels = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    found, wanted = (pixels.clone().requires_grad_(True) for _ in range(2))
    short(found)[:, 0].sum().backward()  # type: ignore[no-untyped-call]
    encoder.encode_image(wanted)[:, 0].sum().backward()
    torch.testing.assert_close(found.grad, wanted.grad, atol=1e-5, rtol=1e-3)


def test_names_of_savings() -> None:
    assert choose_shortcuts("none", "cpu", 50) == NONE
    assert choose_shortcuts("exact", "cuda", 50) == EXACT
    everything = choose_shortcuts("all", "cuda", 50)
    assert everything.half and everything.narrow and everything.stop_early
    assert not choose_shortcuts("all", "cpu", 8).half
