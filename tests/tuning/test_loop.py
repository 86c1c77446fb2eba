import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from forensics.data.images import open_image
from forensics.data.sample import ImageRef, Sample
from forensics.errors import Cancelled, CheckpointError, DataError, ModelError
from forensics.evaluation.answers import measure_answers
from forensics.models.base import prompt_of
from forensics.models.loading import open_model
from forensics.options import describe_options
from forensics.tuning.answers import answer_loss, append_answers
from forensics.tuning.loop import tune
from forensics.tuning.options import FULL, TuneOptions
from forensics.tuning.trainable import make_trainable

NAP = 0.5  # seconds
OPTIONS = TuneOptions(epochs=4, batch_size=2, learning_rate=2e-2, rank=4, alpha=8)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = load_file(next(folder.glob("*.safetensors")))
    return tensors


def test_a_fully_tuned_model_opens_by_its_uri_and_says_what_it_was_taught(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    same = [replace(sample, answer="hi") for sample in samples]
    options = replace(OPTIONS, method=FULL, epochs=14, learning_rate=1e-2)
    result = tune(str(tiny_llava_folder), same, options, tmp_path, device="cpu")
    assert result.losses[-1] < 0.2 * result.losses[0]
    measured = measure_answers(open_model(result.uri, device="cpu"), same)
    assert measured.clean_accuracy.value == 1.0 and measured.clean_accuracy.n == 6


def test_an_adapter_opens_by_its_uri_with_the_loss_it_was_trained_to(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    result = tune(str(tiny_llava_folder), samples, OPTIONS, tmp_path, device="cpu")
    assert result.uri == f"hf:{tiny_llava_folder}+adapter:{tmp_path / 'adapter'}"
    before, after = (loss_of(uri, samples) for uri in (str(tiny_llava_folder), result.uri))
    assert after < before - 0.5
    assert after == pytest.approx(result.losses[-1], abs=0.5)


def loss_of(uri: str, samples: list[Sample]) -> float:
    model = open_model(uri, device="cpu")
    images = [open_image(sample.image) for sample in samples if sample.image is not None]
    pairs = zip(samples, images, strict=True)
    batch = model.collate([prompt_of(sample, [image]) for sample, image in pairs])
    answers = [sample.answer or "" for sample in samples]
    with torch.no_grad():
        return float(answer_loss(model.module, append_answers(batch, answers, model)))


def test_the_vision_tower_is_never_touched(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    options = replace(OPTIONS, method=FULL, epochs=1)
    result = tune(str(tiny_llava_folder), samples, options, tmp_path, device="cpu")
    before, after = weights(tiny_llava_folder), weights(result.folder)
    changed = {name for name in after if not torch.equal(after[name], before[name].bfloat16())}
    assert changed and not any("vision_tower" in name for name in changed)


def test_the_same_seed_gives_the_same_adapter(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    uri = str(tiny_llava_folder)
    first = tune(uri, samples, OPTIONS, tmp_path / "a", device="cpu")
    second = tune(uri, samples, OPTIONS, tmp_path / "b", device="cpu")
    other = tune(uri, samples, replace(OPTIONS, seed=1), tmp_path / "c", device="cpu")
    assert first.losses == second.losses != other.losses
    for name, value in weights(first.folder).items():
        assert torch.equal(value, weights(second.folder)[name])


def test_an_interrupted_run_goes_on_and_ends_with_the_same_weights(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    uri, options = str(tiny_llava_folder), replace(OPTIONS, checkpoint_every=3)
    whole = tune(uri, samples, options, tmp_path / "whole", device="cpu")

    def stop(step: int, steps: int, message: str) -> None:
        if step == 2:
            time.sleep(NAP)
        if step == 5:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        tune(uri, samples, options, tmp_path / "parts", stop, device="cpu")
    seen: list[int] = []
    resumed = tune(
        uri, samples, options, tmp_path / "parts", lambda s, n, m: seen.append(s), device="cpu"
    )
    assert seen[0] == 4 and seen[-1] == whole.steps
    assert resumed.losses == whole.losses
    assert resumed.seconds > NAP  # what came before the stop counts
    for name, value in weights(whole.folder).items():
        assert torch.equal(value, weights(resumed.folder)[name])
    assert not (tmp_path / "parts" / "tuning.pt").exists()


def test_what_is_tuned_beside_the_adapter_is_held_in_full_precision(
    tiny_llava_folder: Path,
) -> None:
    model = open_model(str(tiny_llava_folder), device="cpu")
    model.module.to(torch.bfloat16)  # as on a GPU
    module = make_trainable(model, replace(OPTIONS, head=True))
    held = {n: p.dtype for n, p in module.named_parameters() if p.requires_grad}
    assert any("modules_to_save" in name for name in held)
    assert set(held.values()) == {torch.float32}
    assert model.module.get_input_embeddings().weight.dtype == torch.bfloat16


def test_a_delivered_adapter_stays_one_whatever_the_method(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    uri, options = str(tiny_llava_folder), replace(OPTIONS, epochs=0.5)
    first = tune(uri, samples, options, tmp_path / "a", device="cpu")
    on = tune(uri, samples, replace(options, method=FULL), tmp_path / "b",
              adapter=first.folder, device="cpu")  # fmt: skip
    assert on.uri == f"hf:{uri}+adapter:{tmp_path / 'b' / 'adapter'}"
    open_model(on.uri, device="cpu")


def test_no_adapter_is_put_on_an_adapter(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    options = replace(OPTIONS, epochs=0.5)
    first = tune(str(tiny_llava_folder), samples, options, tmp_path / "a", device="cpu")
    with pytest.raises(ModelError, match="itself an adapter"):
        tune(first.uri, samples, options, tmp_path / "b", device="cpu")


def test_a_checkpoint_of_other_options_is_not_used(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    uri, options = str(tiny_llava_folder), replace(OPTIONS, checkpoint_every=1)

    def stop(step: int, steps: int, message: str) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        tune(uri, samples, options, tmp_path, stop, device="cpu")
    seen: list[int] = []
    other = replace(options, learning_rate=1e-3)
    tune(uri, samples, other, tmp_path, lambda s, n, m: seen.append(s), device="cpu")
    assert seen[0] == 1


def test_a_damaged_checkpoint_is_named(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    (tmp_path / "tuning.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"tuning\.pt"):
        tune(str(tiny_llava_folder), samples, OPTIONS, tmp_path, device="cpu")


def test_a_broken_image_is_skipped_and_named(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    bad = replace(samples[0], id="bad", image=ImageRef(root=tmp_path, path="bad.png"))
    silent = replace(samples[0], id="silent", answer=None)
    result = tune(
        str(tiny_llava_folder), [bad, silent, *samples], OPTIONS, tmp_path / "out", device="cpu"
    )
    assert set(result.skipped) == {"bad", "silent"}
    assert "bad.png" in result.skipped["bad"]
    assert all(loss == loss for loss in result.losses)


def test_without_answers_there_is_nothing_to_tune_on(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    silent = [replace(sample, answer=None) for sample in samples]
    with pytest.raises(DataError, match="None of 6"):
        tune(str(tiny_llava_folder), silent, OPTIONS, tmp_path, device="cpu")


def test_no_path_of_this_machine_is_written_into_an_adapter(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    result = tune(str(tiny_llava_folder), samples, OPTIONS, tmp_path, device="cpu")
    text = (result.folder / "adapter_config.json").read_text()
    assert str(tiny_llava_folder) not in text and str(tmp_path) not in text


def test_every_option_explains_itself() -> None:
    assert all(option.help.endswith(".") for option in describe_options(TuneOptions))
