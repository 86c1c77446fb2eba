"""What holds for every encoder, whichever library and family it comes from."""

from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from PIL import Image
from transformers import AutoModel, AutoProcessor

from forensics.encoders.loading import open_encoder
from forensics.encoders.openclip import OpenClipEncoder
from forensics.encoders.saving import save_encoder
from forensics.errors import ModelError, NotApplicable
from tests.encoders.reference import reference_rows
from tests.tiny_encoders import save_vit_average

TEXTS = ["a red square", "a blue disc on grass", "x"]


def folder_of(encoder: Any) -> Path:
    return Path(encoder.name.removeprefix("openclip:"))


def library_logits(folder: Path, pictures: list[Image.Image]) -> torch.Tensor:
    """Scaled cosines as the library computes them, from pictures and texts."""
    with torch.no_grad():
        if (folder / "open_clip_config.json").exists():
            name = f"local-dir:{folder}"
            module, fit = open_clip.create_model_from_pretrained(name)
            ids = open_clip.get_tokenizer(name)(TEXTS)
            return module.eval().get_logits(torch.stack([fit(p) for p in pictures]), ids)[0]
        module = AutoModel.from_pretrained(folder).eval()
        processor = AutoProcessor.from_pretrained(folder)
        length = module.config.text_config.max_position_embeddings
        images = processor.image_processor(pictures, return_tensors="pt")
        ids = processor.tokenizer(
            TEXTS, padding="max_length", max_length=length, return_tensors="pt"
        )["input_ids"]
        # No attention mask: SigLIP was trained without, to CLIP it makes no difference.
        return module(input_ids=ids, **images).logits_per_image


def our_logits(encoder: Any, pictures: list[Image.Image]) -> torch.Tensor:
    with torch.no_grad():
        images = encoder.encode_image(encoder.pixels(pictures))
        cosines = images @ encoder.encode_text(TEXTS).T
    return cosines * encoder.logit_scale + encoder.logit_bias


def test_embeddings_are_unit_vectors_in_float32(encoder: Any, pictures: list[Any]) -> None:
    pixels = encoder.pixels(pictures)
    assert pixels.shape == (3, 3, encoder.preprocessing.height, encoder.preprocessing.width)
    assert 0 <= float(pixels.min()) < float(pixels.max()) <= 1
    for vectors in (encoder.encode_image(pixels), encoder.encode_text(TEXTS)):
        assert vectors.shape == (3, encoder.width) and vectors.dtype == torch.float32
        assert torch.allclose(vectors.norm(dim=1), torch.ones(3), atol=1e-5)
        assert float((vectors[0] - vectors[1]).detach().norm()) > 1e-3


def test_the_gradient_in_the_pixels_is_the_slope(encoder: Any, pictures: list[Any]) -> None:
    pixels = encoder.pixels(pictures[:1])
    toward = torch.randn(encoder.width, generator=torch.Generator().manual_seed(0))
    asked = pixels.clone().requires_grad_()
    (encoder.encode_image(asked) @ toward).sum().backward()
    assert asked.grad is not None
    step = asked.grad / asked.grad.norm()
    width = 1e-3
    with torch.no_grad():
        up, down = (encoder.encode_image(pixels + s * step) @ toward for s in (width, -width))
    slope, expected = float((up - down) / (2 * width)), float(asked.grad.norm())
    assert expected > 1e-4
    assert slope == pytest.approx(expected, rel=0.1)


def test_attention_rows_equal_full_maps(encoder: Any, pictures: list[Any]) -> None:
    pixels = encoder.pixels(pictures)
    found = encoder.attend(pixels)
    assert found.maps.shape[-1] == found.rows * found.columns
    assert torch.allclose(found.maps.sum(-1) + found.rest, torch.ones(()), atol=1e-5)
    full = reference_rows(encoder, folder_of(encoder), pixels)
    prefix = full.shape[-1] - found.maps.shape[-1]
    assert torch.allclose(found.maps, full[..., prefix:], atol=1e-5)
    assert torch.allclose(found.rest, full[..., :prefix].sum(-1), atol=1e-5)
    assert float(full.std(dim=-1).max()) > 0.01, "uniform maps would hide a mistake"


def test_looking_changes_nothing(encoder: Any, pictures: list[Any]) -> None:
    pixels = encoder.pixels(pictures)
    before = encoder.encode_image(pixels)
    encoder.attend(pixels)
    assert torch.equal(encoder.encode_image(pixels), before)


def test_preprocessing_is_the_librarys(encoder: Any, pictures: list[Any]) -> None:
    if encoder.name.endswith("siglip2"):
        pytest.skip("pictures are squashed to one size, NaFlex keeps their proportions")
    folder = folder_of(encoder)
    if encoder.library == "open_clip":
        fit = open_clip.create_model_from_pretrained(f"local-dir:{folder}")[1]
        wanted = torch.stack([fit(picture) for picture in pictures])
    else:
        processor = AutoProcessor.from_pretrained(folder).image_processor
        wanted = processor(pictures, return_tensors="pt")["pixel_values"]
    assert torch.allclose(encoder._normalised(encoder.pixels(pictures)), wanted, atol=1e-5)


def test_logits_are_the_librarys_and_survive_saving(
    encoder: Any, pictures: list[Any], tmp_path: Path
) -> None:
    # NaFlex agrees with the square that we make of every picture where it is square already.
    fair = pictures[2:] if encoder.name.endswith("siglip2") else pictures
    ours = our_logits(encoder, fair)
    assert torch.allclose(ours, library_logits(folder_of(encoder), fair), atol=2e-4)
    again = open_encoder(save_encoder(encoder, tmp_path / "saved"), "cpu")
    assert torch.equal(our_logits(again, fair), ours)
    assert again.preprocessing == encoder.preprocessing
    assert torch.allclose(ours, library_logits(tmp_path / "saved", fair), atol=2e-4)
    with pytest.raises(ModelError, match="in use"):
        save_encoder(encoder, tmp_path / "saved")


def test_word_vectors_may_stand_for_tokens(encoder: Any) -> None:
    ids = encoder.tokenize(TEXTS)
    vectors = encoder.embed_tokens(ids).detach().requires_grad_()
    found = encoder.encode_embedded(vectors, ids)
    assert torch.allclose(found, encoder.encode_text(TEXTS), atol=1e-6)
    found[:, 0].sum().backward()
    assert vectors.grad is not None and bool((vectors.grad[:, 1].abs().sum(-1) > 0).all())
    assert torch.allclose(encoder.encode_text(TEXTS), found, atol=1e-6), "the tower is as before"
    with pytest.raises(ValueError):
        encoder.encode_embedded(vectors[:2], ids)


def test_a_text_that_is_too_long_is_cut(encoder: Any) -> None:
    ids = encoder.tokenize(["word " * 200])
    assert ids.shape == encoder.tokenize(["word"]).shape
    assert bool(torch.isfinite(encoder.encode_text(["word " * 200])).all())


def test_pixels_of_another_size_are_refused(encoder: Any) -> None:
    with pytest.raises(ValueError, match="Pixels must be"):
        encoder.encode_image(torch.zeros(1, 3, 8, 8))


def test_a_tower_that_averages_has_no_pooling_token(tmp_path: Path, pictures: list[Any]) -> None:
    encoder = open_encoder(str(save_vit_average(tmp_path / "average")), "cpu")
    with pytest.raises(NotApplicable, match="averages"):
        encoder.attend(encoder.pixels(pictures))


def test_the_real_image_tower_of_vit_b_32(pictures: list[Any]) -> None:
    torch.manual_seed(0)
    config = open_clip.get_model_config("ViT-B-32")
    config["text_cfg"] |= {"width": 64, "heads": 1, "layers": 1}  # half of the time, and no subject
    module = open_clip.create_model("ViT-B-32", text_cfg=config["text_cfg"])
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    encoder = OpenClipEncoder(module, tokenizer, name="ViT-B-32", config=config)
    pixels = encoder.pixels(pictures[:1])
    found = encoder.attend(pixels)
    assert found.maps.shape == (1, 12, 12, 49)
    full = reference_rows(encoder, Path(), pixels)
    assert torch.allclose(found.maps, full[..., 1:], atol=1e-5)
    assert encoder.encode_text(["a dog"]).shape == (1, 512)


def test_half_the_precision_gives_nearly_the_same(encoder: Any, pictures: list[Any]) -> None:
    half = open_encoder(encoder.name, "cpu", precision="bfloat16")
    assert half.dtype == torch.bfloat16
    pixels = encoder.pixels(pictures).requires_grad_()
    with torch.no_grad():
        wanted = (encoder.encode_image(pixels), encoder.encode_text(TEXTS))
    found = (half.encode_image(pixels), half.encode_text(TEXTS))
    for ours, exact in zip(found, wanted, strict=True):
        assert ours.dtype == torch.float32
        assert torch.allclose(ours.norm(dim=1), torch.ones(3), atol=1e-5)
        # These towers have sharp random weights: far worse than a trained one.
        assert float((ours * exact).sum(dim=1).detach().min()) > 0.9
    found[0].sum().backward()
    assert pixels.grad is not None and pixels.grad.dtype == torch.float32
    seen = half.attend(pixels)
    assert seen.maps.dtype == torch.float32
    assert torch.allclose(seen.maps.sum(-1) + seen.rest, torch.ones(()), atol=1e-4)
    ids = half.tokenize(TEXTS)
    assert half.embed_tokens(ids).dtype == torch.float32
    again = half.encode_embedded(half.embed_tokens(ids), ids)
    assert torch.allclose(again, found[1], atol=1e-6)
