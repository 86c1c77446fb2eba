"""A tiny CLIP of random weights, and pictures to attack it with."""

from pathlib import Path
from typing import Any

import pytest
import torch

from forensics.encoders.loading import open_encoder
from tests.tiny_encoders import SIDE, save_open_clip, vit_config


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_open_clip(tmp_path_factory.mktemp("clip") / "vit", vit_config())


@pytest.fixture
def encoder(tiny_clip: Path) -> Any:
    return open_encoder(f"openclip:{tiny_clip}", device="cpu")


@pytest.fixture(scope="session")
def pictures() -> torch.Tensor:
    coarse = torch.rand(12, 3, 4, 4, generator=torch.Generator().manual_seed(5))
    return torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE))


@pytest.fixture(scope="session")
def targets() -> torch.Tensor:
    base = torch.tensor([0.9, 0.8, 0.1]).view(1, 3, 1, 1).expand(4, 3, SIDE, SIDE)
    noise = 0.1 * torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(6))
    return (base * 0.9 + noise).clamp(0, 1)
