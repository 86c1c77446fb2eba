"""A step that is cut into parts, or computed with less memory, is the same step."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from forensics.data.sample import ImageRef, Sample
from forensics.models.loading import open_model
from forensics.tuning.loop import tune
from forensics.tuning.objective import AnswerObjective
from forensics.tuning.options import TuneOptions
from forensics.tuning.parts import Parts
from forensics.tuning.trainable import make_trainable

OPTIONS = TuneOptions(epochs=3, batch_size=4, learning_rate=1e-2, rank=4, alpha=8)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    root = tmp_path_factory.mktemp("pictures")
    answers = ["b", "a longer answer", "c", "hello there"] * 2
    rows = []
    for index, answer in enumerate(answers):
        Image.effect_noise((32, 32), 20 + 9 * index).convert("RGB").save(root / f"{index}.png")
        image = ImageRef(root=root, path=f"{index}.png")
        rows.append(Sample(id=str(index), question="Which?", answer=answer, image=image))
    return rows


def tuned(
    uri: Path, samples: list[Sample], options: TuneOptions, out: Path
) -> tuple[tuple[float, ...], dict[str, torch.Tensor]]:
    result = tune(str(uri), samples, options, out, device="cpu")
    return result.losses, load_file(result.folder / "adapter_model.safetensors")


def gradients(
    uri: Path, samples: list[Sample], options: TuneOptions
) -> tuple[float, dict[str, torch.Tensor]]:
    model = open_model(str(uri), device="cpu")
    module = make_trainable(model, options)
    objective, loss = AnswerObjective(), 0.0
    for part in Parts(model, samples, options, {}).of_step(0):
        loss += objective.differentiate(module, part, lambda value: value.backward())["loss"]
    named = module.named_parameters()
    return loss, {name: value.grad for name, value in named if value.grad is not None}


@pytest.mark.parametrize("part_size", [1, 3])
def test_gradients_of_parts_add_up_to_those_of_the_step(
    tiny_llava_folder: Path, samples: list[Sample], part_size: int
) -> None:
    loss, whole = gradients(tiny_llava_folder, samples, OPTIONS)
    options = replace(OPTIONS, part_size=part_size)
    again, parts = gradients(tiny_llava_folder, samples, options)
    # Answers differ in length: a mean of the parts' means would be another loss.
    assert again == pytest.approx(loss, abs=1e-5)
    largest = max(float(value.abs().max()) for value in whole.values())
    assert largest > 1e-3 and set(parts) == set(whole)
    for name, value in whole.items():
        assert torch.allclose(value, parts[name], atol=1e-4 * largest)


def test_saving_memory_changes_no_loss(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    losses, _ = tuned(tiny_llava_folder, samples, OPTIONS, tmp_path / "plain")
    options = replace(OPTIONS, save_memory=True)
    again, _ = tuned(tiny_llava_folder, samples, options, tmp_path / "saving")
    assert again == pytest.approx(losses, abs=1e-3)
