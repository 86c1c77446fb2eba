"""Which cases a server knows, and by what names."""

from pathlib import Path

import pytest

from forensics.errors import CaseError
from forensics.ui.workspace import CASE_ID, Workspace, case_id
from tests.ui.conftest import Scanned


def test_an_entered_case_is_found_by_its_id_and_after_a_restart(
    scanned: Scanned, workspace_root: Path
) -> None:
    name = Workspace(workspace_root).enter(scanned.case.folder)
    again = Workspace(workspace_root)
    assert again.case(name).folder == scanned.case.folder
    assert [entry for entry, _ in again.recent()] == [name]


@pytest.mark.parametrize("name", ["", "..", "../drawn", "/etc", "drawn", "x" * 200, "a/b"])
def test_names_that_were_never_entered_open_nothing(
    name: str, scanned: Scanned, workspace_root: Path
) -> None:
    workspace = Workspace(workspace_root)
    workspace.enter(scanned.case.folder)
    with pytest.raises(CaseError):
        workspace.case(name)


def test_a_folder_that_is_no_case_is_not_entered(tmp_path: Path) -> None:
    with pytest.raises(CaseError):
        Workspace(tmp_path / "cases").enter(tmp_path)


@pytest.mark.parametrize("name", ["Über große Fälle", "<script>", "${x}", "a" * 300, "日本"])
def test_ids_are_safe_in_an_address_whatever_the_folder_is_called(name: str) -> None:
    assert CASE_ID.fullmatch(case_id(Path("/cases") / name))


def test_equal_names_in_different_places_get_different_ids() -> None:
    assert case_id(Path("/a/case")) != case_id(Path("/b/case"))


def test_a_damaged_list_of_recent_cases_is_begun_anew(
    scanned: Scanned, workspace_root: Path
) -> None:
    workspace_root.mkdir()
    (workspace_root / "recent.json").write_text("{not json")
    workspace = Workspace(workspace_root)
    assert workspace.recent() == []
    workspace.enter(scanned.case.folder)
    assert len(workspace.recent()) == 1


def test_new_folders_do_not_collide(workspace_root: Path) -> None:
    workspace = Workspace(workspace_root)
    first = workspace.new_folder("My case!")
    first.mkdir(parents=True)
    assert first.name == "my-case"
    assert workspace.new_folder("My case!").name == "my-case-2"
    assert workspace.new_folder("../../etc").parent == workspace_root
