"""One rule says what gradients are computed in, and one variable overrules it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from forensics.data.sample import Sample
from forensics.errors import Cancelled, OptionError
from forensics.tuning.compute import accelerator_for
from forensics.tuning.loop import tune
from forensics.tuning.options import TuneOptions
from forensics.tuning.precision import VARIABLE, mixed_precision, precision_on

CPU = torch.device("cpu")
OPTIONS = TuneOptions(
    epochs=4, batch_size=2, learning_rate=2e-2, rank=4, alpha=8, checkpoint_every=2
)


@pytest.mark.parametrize(("said", "precision"), [("no", "float32"), ("bf16", "bfloat16")])
def test_every_loop_computes_as_the_variable_says(
    monkeypatch: pytest.MonkeyPatch, said: str, precision: str
) -> None:
    monkeypatch.setenv(VARIABLE, said)
    assert precision_on(CPU) == precision
    matrix = torch.ones(2, 2)
    for context in (mixed_precision(CPU), accelerator_for(CPU).autocast()):
        with context:
            assert (matrix @ matrix).dtype == getattr(torch, precision)


@pytest.mark.parametrize(("fast", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_the_hardware_decides_where_nobody_does(
    monkeypatch: pytest.MonkeyPatch, fast: bool, precision: str
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    assert precision_on(CPU) == precision
    assert precision_on(torch.device("cuda")) == "bfloat16"


def test_a_precision_that_nobody_trains_in_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "fp8")
    with pytest.raises(OptionError, match="'fp8'"):
        precision_on(CPU)


def test_tuning_in_bfloat16_learns_and_goes_on_with_the_same_weights(
    monkeypatch: pytest.MonkeyPatch, tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "bf16")
    uri = str(tiny_llava_folder)
    whole = tune(uri, samples, OPTIONS, tmp_path / "whole", device="cpu")
    assert whole.precision == "bfloat16" and whole.losses[-1] < whole.losses[0]

    def stop(step: int, steps: int, message: str) -> None:
        if step == 5:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        tune(uri, samples, OPTIONS, tmp_path / "parts", stop, device="cpu")
    resumed = tune(uri, samples, OPTIONS, tmp_path / "parts", device="cpu")
    assert resumed.losses == whole.losses
    told = load_file(whole.folder / "adapter_model.safetensors")
    again = load_file(resumed.folder / "adapter_model.safetensors")
    assert all(torch.equal(value, again[name]) for name, value in told.items())
    monkeypatch.setenv(VARIABLE, "no")
    precise = tune(uri, samples, replace(OPTIONS, epochs=1), tmp_path / "precise", device="cpu")
    assert precise.precision == "float32" and precise.losses != whole.losses[: precise.steps]
