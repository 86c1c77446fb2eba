"""One folder and one opened encoder of every kind, made once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.encoders.loading import open_encoder
from tests.encoders.towers import TOWERS
from tests.tiny_encoders import ENCODERS


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of all encoders, as their libraries save them."""
    place = tmp_path_factory.mktemp("encoders")
    return {name: save(place / name) for name, save in ENCODERS.items()}


@pytest.fixture(scope="session", params=ENCODERS)
def encoder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Any:
    """Each encoder in turn."""
    return open_encoder(str(folders[request.param]), "cpu")


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Three pictures of different proportions, with smooth and sharp parts."""
    draw = np.random.default_rng(0)
    made = []
    for height, width in ((61, 90), (90, 61), (70, 70)):
        coarse = draw.integers(0, 256, (5, 7, 3), dtype=np.uint8)
        made.append(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))
        made[-1].paste((255, 0, 0), (3, 5, 20, 25))
    return made


@pytest.fixture(scope="session")
def tower_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of encoders whose image towers open into blocks."""
    place = tmp_path_factory.mktemp("towers")
    return {name: save(place / name) for name, save in TOWERS.items()}
