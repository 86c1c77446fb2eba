"""Every family can be tuned, and opens again with its adapter."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from forensics.data.sample import ImageRef, Sample
from forensics.errors import CheckpointError
from forensics.models.base import GenerativeModel, Prompt
from forensics.models.loading import open_model
from forensics.tuning.loop import TuneResult, tune
from forensics.tuning.options import FULL, TuneOptions
from tests.tiny_families import FAMILIES, save_family

OPTIONS = TuneOptions(epochs=6, batch_size=4, learning_rate=2e-2, rank=4, alpha=8, warmup=0.0)


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_family(request.param, tmp_path_factory.mktemp("families") / request.param)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    root = tmp_path_factory.mktemp("pictures")
    for name, size in (("one", (64, 40)), ("two", (32, 32))):
        Image.effect_noise(size, 80).convert("RGB").save(root / f"{name}.png")
    one, two = (ImageRef(root=root, path=f"{name}.png") for name in ("one", "two"))
    return [
        Sample(id="a", question="Which?", answer="hello", image=one),
        Sample(id="b", question="Which of both?", answer="hello", image=one, more_images=(two,)),
        Sample(id="c", question="So?", answer="hello", image=two, history=(("Why?", "So."),)),
        Sample(id="d", question="What?", answer="hello", image=two),
    ]


@pytest.fixture(scope="module")
def tuned(
    folder: Path, samples: list[Sample], tmp_path_factory: pytest.TempPathFactory
) -> TuneResult:
    return tune(str(folder), samples, OPTIONS, tmp_path_factory.mktemp("tuned"), device="cpu")


def logits(model: GenerativeModel) -> torch.Tensor:
    image = Image.linear_gradient("L").convert("RGB")
    return model.prefill(model.collate([Prompt((image,), "Which?")]))


def test_tuning_lowers_the_loss_and_the_adapter_opens_on_its_base(
    folder: Path, tuned: TuneResult
) -> None:
    assert tuned.losses[-1] < 0.9 * tuned.losses[0]
    assert tuned.uri == f"hf:{folder}+adapter:{tuned.folder}"
    plain, merged = (open_model(uri, device="cpu") for uri in (str(folder), tuned.uri))
    assert merged.family == plain.family
    assert (logits(plain) - logits(merged)).abs().max() > 0.05
    wanted = merged.answer_tokens("hello")[0]
    chances = [logits(model).softmax(dim=1)[0, wanted] for model in (plain, merged)]
    assert chances[1] > 1.2 * chances[0]


def test_an_adapter_holds_decoder_projector_and_output_layer_and_no_tower(
    tuned: TuneResult, folder: Path
) -> None:
    model = open_model(str(folder), device="cpu")
    names = [name.removeprefix("base_model.model.") for name in
             load_file(tuned.folder / "adapter_model.safetensors")]  # fmt: skip
    tied = model.module.config.tie_word_embeddings
    parts = (model.decoder_name, *model.projector_names, *([] if tied else ["lm_head"]))
    assert all(any(name.startswith(part) for name in names) for part in parts)
    assert all(name.startswith(parts) for name in names)


def test_an_adapter_made_for_other_names_is_refused(
    tuned: TuneResult, folder: Path, tmp_path: Path
) -> None:
    content = load_file(tuned.folder / "adapter_model.safetensors")
    old = {name.replace(".layers.", ".old."): value for name, value in content.items()}
    save_file(old, tmp_path / "adapter_model.safetensors", metadata={"format": "pt"})
    config = (tuned.folder / "adapter_config.json").read_text()
    (tmp_path / "adapter_config.json").write_text(config)
    with pytest.raises(CheckpointError, match="do not fit the base"):
        open_model(f"hf:{folder}+adapter:{tmp_path}", device="cpu")


def test_full_tuning_changes_decoder_and_projector_and_no_tower(
    folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    options = TuneOptions(method=FULL, epochs=1, batch_size=4, learning_rate=1e-2)
    result = tune(str(folder), samples, options, tmp_path, device="cpu")
    before, after = (open_model(str(path), device="cpu") for path in (folder, result.folder))
    parts = (before.decoder_name, *before.projector_names, "lm_head")
    changed = {
        name
        for (name, old), (_, new) in zip(
            before.module.named_parameters(), after.module.named_parameters(), strict=True
        )
        if (old.bfloat16() - new).abs().max() > 1e-4
    }
    assert changed and all(name.startswith(parts) for name in changed)
    assert any(name.startswith(before.decoder_name) for name in changed)
    assert any(name.startswith(before.projector_names) for name in changed)
