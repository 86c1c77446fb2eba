"""Heads on tiny encoders of random weights, and a pool of coloured pictures."""

from pathlib import Path
from typing import Any

import pytest
import torch

from forensics.classifiers import CoCoOp, CoOp, ZeroShot, first_context
from forensics.encoders.loading import open_encoder
from forensics.inversion.pool import Pool
from tests.tiny_encoders import SIDE, save_open_clip, vit_config

NAMES = ("red", "green", "blue", "yellow", "old teal", "pink")


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save_open_clip(tmp_path_factory.mktemp("clip") / "vit", vit_config())
    return open_encoder(f"openclip:{folder}", device="cpu")


def head(encoder: Any, kind: str, names: tuple[str, ...] = NAMES) -> Any:
    if kind == "zero-shot":
        return ZeroShot(encoder, names)
    torch.manual_seed(1)
    context = first_context(encoder, words="a photo of a")
    return CoOp(encoder, names, context) if kind == "coop" else CoCoOp(encoder, names, context)


@pytest.fixture(scope="session")
def pool() -> Pool:
    draw = torch.Generator().manual_seed(7)
    coarse = torch.rand(20, 3, 4, 4, generator=draw)
    pixels = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE))
    return Pool(pixels=(pixels * 255).round().to(torch.uint8), unread=0, source="drawn")


def folder_of(make: Any, root: Path) -> str:
    return str(make(root / "model"))
