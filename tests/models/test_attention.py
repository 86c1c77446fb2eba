import math
from pathlib import Path

import pytest
import torch
from PIL import Image

from forensics.errors import ModelError
from forensics.models.attention import image_entropy, record_attention
from forensics.models.base import (
    PADDING,
    SYSTEM,
    TEXT,
    VISION,
    GenerativeModel,
    Prompt,
    PromptBatch,
)
from forensics.models.embedding import project
from forensics.models.loading import open_model

QUESTIONS = ["What is it?", "A much longer question about the colour of the object, please?", "?"]


@pytest.fixture(scope="module")
def model(tiny_llava_folder: Path) -> GenerativeModel:
    return open_model(str(tiny_llava_folder), device="cpu")


@pytest.fixture(scope="module")
def batch(model: GenerativeModel) -> PromptBatch:
    noise = torch.randint(0, 255, (3, 40, 56, 3), generator=torch.Generator().manual_seed(1))
    images = [Image.fromarray(pixels.to(torch.uint8).numpy()) for pixels in noise]
    return model.collate([Prompt((i,), q) for i, q in zip(images, QUESTIONS, strict=True)])


def eager_rows(model: GenerativeModel, batch: PromptBatch) -> torch.Tensor:
    model.module.set_attn_implementation({"text_config": "eager"})
    try:
        with torch.inference_mode():
            output = model.module(**batch.inputs, output_attentions=True)
    finally:
        model.module.set_attn_implementation({"text_config": "sdpa"})
    return torch.stack([layer[:, :, -1] for layer in output.attentions], dim=1)


def test_the_recorded_rows_equal_eager_attention_with_grouped_heads_and_left_padding(
    model: GenerativeModel, batch: PromptBatch
) -> None:
    with record_attention(model, keep_heads=True) as recorder:
        recorder.begin(batch)
        model.prefill(batch)
        rows = recorder.rows()
    full = eager_rows(model, batch)
    vision = batch.components == VISION
    expected = torch.stack([full[i][:, :, vision[i]] for i in range(len(vision))])
    assert rows.heads is not None
    assert (rows.heads - expected).abs().max() < 1e-5
    assert (rows.image - expected.mean(dim=2)).abs().max() < 1e-5
    assert expected.std() > 1e-3, "the rows would agree by being uniform"
    for index, code in enumerate((SYSTEM, VISION, TEXT)):
        mass = (full * (batch.components == code)[:, None, None]).sum(dim=-1)
        assert (rows.masses[..., index] - mass).abs().max() < 1e-5


def test_the_three_masses_sum_to_one_and_padding_gets_none(
    model: GenerativeModel, batch: PromptBatch
) -> None:
    assert (batch.components == PADDING).any()
    with record_attention(model) as recorder:
        recorder.begin(batch)
        model.prefill(batch)
        masses = recorder.rows().masses
    assert (masses.sum(dim=-1) - 1).abs().max() < 1e-5


def test_recording_changes_no_logit_and_leaves_the_model_as_it_was(
    model: GenerativeModel, batch: PromptBatch
) -> None:
    plain = model.prefill(batch)
    with record_attention(model) as recorder:
        recorder.begin(batch)
        recorded = model.prefill(batch)
    assert torch.equal(plain, recorded)
    assert model.module.config.get_text_config()._attn_implementation == "sdpa"


def test_decoding_steps_are_not_recorded(model: GenerativeModel, batch: PromptBatch) -> None:
    with record_attention(model) as recorder:
        recorder.begin(batch)
        model.prefill(batch)
        before = recorder.rows().image
        model.generate(batch, max_new_tokens=3)
        after = recorder.rows().image
    assert (before - after).abs().max() < 1e-6


def test_the_model_is_restored_after_an_error(model: GenerativeModel, batch: PromptBatch) -> None:
    with pytest.raises(RuntimeError), record_attention(model) as recorder:
        recorder.begin(batch)
        raise RuntimeError("stop")
    assert model.module.config.get_text_config()._attn_implementation == "sdpa"


def test_asking_for_rows_before_a_forward_pass_is_an_error(model: GenerativeModel) -> None:
    with pytest.raises(ModelError, match="No attention was seen"), record_attention(model) as seen:
        seen.rows()


def test_embeddings_are_the_projected_last_state_and_mean_picture(
    model: GenerativeModel, batch: PromptBatch
) -> None:
    with record_attention(model) as recorder:
        recorder.begin(batch)
        model.prefill(batch)
        rows = recorder.rows()
    with torch.no_grad():
        hidden = model.module(**batch.inputs, output_hidden_states=True).hidden_states
    assert torch.allclose(rows.state, project(hidden[-1][:, -1].float()), atol=1e-5)
    shown = batch.components[0] == VISION
    assert torch.allclose(rows.picture[0], project(hidden[0][:1, shown].mean(dim=1))[0], atol=1e-5)


def test_the_projection_keeps_distances() -> None:
    vectors = torch.randn(40, 512, generator=torch.Generator().manual_seed(1))
    ratio = torch.pdist(project(vectors)) / torch.pdist(vectors)
    assert abs(ratio.mean().item() - 1) < 0.05
    assert ratio.std().item() < 0.15


def test_a_sample_s_rows_do_not_depend_on_the_batch_it_is_in(model: GenerativeModel) -> None:
    image = Image.linear_gradient("L").convert("RGB")
    single = model.collate([Prompt((image,), QUESTIONS[0])])
    both = model.collate([Prompt((image,), question) for question in QUESTIONS[:2]])
    rows = []
    for batch in (single, both):
        with record_attention(model) as recorder:
            recorder.begin(batch)
            model.prefill(batch)
            rows.append(recorder.rows().image[0])
    assert (rows[0] - rows[1]).abs().max() < 1e-5


@pytest.mark.parametrize("tokens", [576, 256])
def test_entropy_of_a_uniform_row_is_the_logarithm_of_its_tokens(tokens: int) -> None:
    image = torch.full((1, 1, tokens), 0.3 / tokens)
    entropy = image_entropy(image, torch.tensor([tokens]))
    assert entropy.item() == pytest.approx(math.log(tokens), abs=1e-3)


def test_entropy_of_one_token_is_zero_and_scale_does_not_matter() -> None:
    image = torch.zeros(1, 1, 64)
    image[..., 5] = 0.7
    assert abs(image_entropy(image, torch.tensor([64])).item()) < 1e-6
    noise = torch.rand(1, 1, 64)
    scaled = image_entropy(noise * 0.01, torch.tensor([64]))
    assert scaled.item() == pytest.approx(image_entropy(noise, torch.tensor([64])).item(), abs=1e-5)


def test_entropy_ignores_padding_tokens_and_is_nan_without_image_attention() -> None:
    image = torch.tensor([[[0.5, 0.5, 0.0]], [[0.0, 0.0, 0.0]]])
    entropy = image_entropy(image, torch.tensor([2, 3]))
    assert entropy[0].item() == pytest.approx(math.log(2), abs=1e-5)
    assert entropy[1].isnan()
