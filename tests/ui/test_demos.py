"""The demo cards, without weights and without a page."""

from dataclasses import replace
from pathlib import Path

import pytest

from forensics.errors import InputError
from forensics.lab.demos import DEMOS
from forensics.ui import demos
from forensics.ui.workspace import Workspace


def test_an_unknown_demo_is_refused(workspace_root: Path) -> None:
    with pytest.raises(InputError, match="no demo"):
        demos.enter_demo(Workspace(workspace_root), "../../etc")
    assert not workspace_root.exists()


def test_a_changed_recipe_gets_a_case_of_its_own(workspace_root: Path) -> None:
    workspace = Workspace(workspace_root)
    try:
        first = demos._folder(workspace, DEMOS[0])
    except InputError:
        pytest.skip("no assets are installed")
    assert first == demos._folder(workspace, DEMOS[0])
    assert first != demos._folder(workspace, replace(DEMOS[0], seed=DEMOS[0].seed + 1))
    assert first.parent == workspace_root


def test_a_half_drawn_demo_is_not_opened(workspace_root: Path) -> None:
    workspace = Workspace(workspace_root)
    try:
        first = demos._folder(workspace, DEMOS[0])
    except InputError:
        pytest.skip("no assets are installed")
    first.mkdir(parents=True)
    assert demos._folder(workspace, DEMOS[0]) != first
