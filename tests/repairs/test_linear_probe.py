"""The linear probe: a layer on frozen vectors."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from forensics.encoders.frozen import weights_digest
from forensics.encoders.loading import open_encoder
from forensics.errors import Cancelled, CheckpointError, DataError
from forensics.repairs.linear_probe.options import LinearProbeOptions
from forensics.repairs.linear_probe.tuning import (
    load_linear_probe,
    save_linear_probe,
    tune_linear_probe,
)
from forensics.tuning.prompts import PromptShots
from tests.tiny_encoders import CLASSES, save_vit

COLOURS = torch.tensor([[200, 30, 30], [30, 30, 200], [30, 200, 30]], dtype=torch.float32)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_encoder(str(save_vit(tmp_path_factory.mktemp("vit") / "model")), "cpu")


def coloured(count: int, seed: int) -> PromptShots:
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % len(CLASSES)
    noise = torch.randn(count, 3, 32, 32, generator=draw) * 30
    pixels = (COLOURS[labels][:, :, None, None] + noise).clamp(0, 255).to(torch.uint8)
    return PromptShots(pixels=pixels, labels=labels, ids=tuple(map(str, range(count))))


def test_it_learns_classes_and_leaves_the_towers(encoder: Any, tmp_path: Path) -> None:
    before = weights_digest(encoder)
    found = tune_linear_probe(encoder, CLASSES, coloured(30, 0), LinearProbeOptions())
    assert weights_digest(encoder) == before
    assert found.losses[0] == pytest.approx(np.log(3), abs=1e-4) and found.losses[-1] < 0.3
    assert found.trainable == 3 * encoder.width + 3
    fresh = coloured(30, 1)
    with torch.no_grad():
        logits = found.probe.logits(fresh.pixels / 255.0)
    assert float((logits.argmax(1) == fresh.labels).float().mean()) > 0.9
    save_linear_probe(found.probe, tmp_path / "probe.safetensors")
    again = load_linear_probe(tmp_path / "probe.safetensors", encoder)
    with torch.no_grad():
        assert torch.equal(again.logits(fresh.pixels / 255.0), logits)
    assert again.classes == CLASSES and again.kind == "linear-probe"


def test_it_can_be_stopped_and_needs_pictures(encoder: Any) -> None:
    def halt(step: int, steps: int, message: str) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        tune_linear_probe(encoder, CLASSES, coloured(6, 0), LinearProbeOptions(), halt)
    with pytest.raises(DataError):
        tune_linear_probe(encoder, CLASSES, coloured(0, 0), LinearProbeOptions())


@pytest.mark.parametrize(
    ("weight", "facts"),
    [
        (torch.zeros(3, 32), {"classes": "[]"}),
        (torch.zeros(3, 32), {"classes": "[1, 2, 3]", "scale": "1"}),
        (torch.full((3, 32), torch.inf), {"classes": '["a", "b", "c"]', "scale": "1"}),
        (torch.zeros(3, 31), {"classes": '["a", "b", "c"]', "scale": "1"}),
    ],
)
def test_what_is_no_probe_is_refused(
    weight: torch.Tensor, facts: dict[str, str], encoder: Any, tmp_path: Path
) -> None:
    path = tmp_path / "probe.safetensors"
    save_file({"weight": weight, "bias": torch.zeros(3)}, path, metadata=facts)
    with pytest.raises(CheckpointError):
        load_linear_probe(path, encoder)
