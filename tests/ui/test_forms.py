"""What the forms do, called as functions."""

from pathlib import Path

import pytest

from forensics.detectors.options.attention_entropy import AttentionEntropyOptions
from forensics.options import build_options, describe_options
from forensics.ui.context import open_context
from forensics.ui.forms.actions import create_case, open_folder, start_from_form
from forensics.ui.forms.controls import option_control, read_values
from forensics.ui.forms.panels import panel
from tests.ui.conftest import Scanned

pytest.importorskip("gradio")

METHOD = "attention-entropy"


def test_every_option_of_the_method_has_a_control_and_defaults_survive() -> None:
    # Without the layout: leaving a Blocks opens an event loop that Gradio never closes.
    described = describe_options(AttentionEntropyOptions)
    given = tuple(option_control(field, "attention-entropy").value for field in described)
    values = read_values([field.name for field in described], given)
    assert build_options(AttentionEntropyOptions, values) == AttentionEntropyOptions()


def test_an_emptied_field_means_the_default() -> None:
    assert read_values(["a", "b", "c"], (None, "", 3)) == {"c": 3}


def test_templates_hold_no_values() -> None:
    part = panel("attention/tab.js", elem_id="attention", tab="attention")
    assert "{" not in part.html_template
    with pytest.raises(ValueError, match="template"):
        panel("x.js", elem_id='"><img src=x onerror=alert(1)>')


def test_an_own_case_is_made_and_opened(scanned: Scanned, workspace_root: Path) -> None:
    manifest = scanned.case.manifest
    context = open_context(workspace_root)
    said = create_case(context, "", manifest.model, manifest.data, "")
    assert "error" not in said
    assert context.case(said["case"]).manifest.samples == manifest.samples


@pytest.mark.parametrize("model, data", [("", "x"), ("x", ""), ("/nowhere", "/nowhere.json")])
def test_a_case_that_cannot_be_made_says_why_and_leaves_nothing(
    model: str, data: str, workspace_root: Path
) -> None:
    said = create_case(open_context(workspace_root), "mine", model, data, "")
    assert said["error"]
    assert not (workspace_root / "mine").exists()


def test_a_folder_that_is_no_case_says_so(workspace_root: Path, tmp_path: Path) -> None:
    assert "is not a case" in open_folder(open_context(workspace_root), str(tmp_path))["error"]
    assert "say where" in open_folder(open_context(workspace_root), " ")["error"]


def test_a_scan_with_a_wrong_option_does_not_start(scanned: Scanned) -> None:
    before = len(scanned.case.runs())
    refused = start_from_form(scanned.context, scanned.name, METHOD, {"tau": -1.0})
    assert "at least" in refused["error"]
    assert "No case" in start_from_form(scanned.context, "", METHOD, {})["error"]
    assert len(scanned.case.runs()) == before


def test_a_second_scan_beside_a_working_one_does_not_start(scanned: Scanned) -> None:
    waiting = scanned.case.new_run("attention-entropy", {}, worker=True)
    try:
        assert "under way" in start_from_form(scanned.context, scanned.name, METHOD, {})["error"]
    finally:
        waiting.delete()


def test_two_equal_messages_are_two_events(workspace_root: Path) -> None:
    context = open_context(workspace_root)
    assert open_folder(context, "")["version"] != open_folder(context, "")["version"]
