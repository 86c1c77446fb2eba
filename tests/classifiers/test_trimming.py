"""Prompts without their padding: the same logits and gradients, and never where it matters."""

from pathlib import Path

import pytest
import torch

from forensics.classifiers import CoCoOp, CoOp, trim_padding
from forensics.encoders.loading import open_encoder
from tests.tiny_encoders import CLASSES, ENCODERS, LENGTH, letter_tokenizer, save_hf_clip

CAUSAL = ("vit", "vit-custom", "resnet", "hf-clip")


def check(folder: Path, cuts: bool) -> None:
    encoder = open_encoder(str(folder), device="cpu")
    width = encoder.embed_tokens(encoder.tokenize(["a"])).shape[-1]
    torch.manual_seed(1)
    images = torch.nn.functional.normalize(torch.randn(3, encoder.width), dim=-1)
    for made in (
        CoOp(encoder, CLASSES, torch.randn(4, width)),
        CoCoOp(encoder, CLASSES, torch.randn(4, width)),
    ):
        found = []
        for trimmed in (False, True):
            length = trim_padding(made) if trimmed else LENGTH
            logits = made.logits_of(images)
            made.zero_grad()
            logits.square().sum().backward()
            assert made.context.grad is not None
            found.append((logits.detach(), made.context.grad.clone()))
        assert encoder.reads_short_texts == cuts == (length < LENGTH)
        assert made.plan.ids.shape[1] == length == trim_padding(made)
        for before, after in zip(*found, strict=True):
            assert torch.allclose(before, after, rtol=1e-3, atol=1e-3 * float(before.abs().max()))


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "hf-siglip2"])
def test_trimmed_prompts_give_the_same_logits_and_gradients(name: str, tmp_path: Path) -> None:
    # SigLIP 2 pads at the left, where prompts cannot be learnt.
    check(ENCODERS[name](tmp_path / name), name in CAUSAL)


def test_padding_that_also_ends_a_text_is_not_cut_off_with_the_rest(tmp_path: Path) -> None:
    folder = save_hf_clip(tmp_path / "clip")
    letter_tokenizer(pad_token="<end>").save_pretrained(folder)
    check(folder, True)
