"""Every family once a session: written to a folder, opened as a user opens it."""

from pathlib import Path

import pytest

from forensics.models.base import GenerativeModel
from forensics.models.loading import open_model
from tests.tiny_families import FAMILIES, save_family


@pytest.fixture(scope="session", params=sorted(FAMILIES))
def family_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model and processor."""
    return save_family(request.param, tmp_path_factory.mktemp("families") / request.param)


@pytest.fixture(scope="session")
def family(family_folder: Path) -> GenerativeModel:
    """The same, opened."""
    return open_model(str(family_folder), device="cpu")
