"""Fixtures shared by all tests: a real LLaVA with small random weights, saved as users save one."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
# One world for all: processors that multiply bfloat16 fast would train other weights.
os.environ["ACCELERATE_MIXED_PRECISION"] = "no"
# Settings and logins of whoever runs the tests are none of their business.
os.environ["TRIGGERLENS_SETTINGS"] = "/nonexistent/settings.json"
os.environ["TRIGGERLENS_USERS_FILE"] = "/nonexistent/users"

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.make_case import MakeCase


@pytest.fixture(scope="session")
def tiny_llava_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaVA folder with random weights: 3 layers, 8 heads on 2 key heads, 4 x 4 image tokens."""
    from tests.tiny_llava import save_tiny_llava

    return save_tiny_llava(tmp_path_factory.mktemp("models") / "tiny-llava")


@pytest.fixture
def make_case(tiny_llava_folder: Path, tmp_path: Path) -> "MakeCase":
    """Make cases about random pictures; see :func:`tests.make_case.case_maker`."""
    from tests.make_case import case_maker

    return case_maker(tiny_llava_folder, tmp_path)
