"""What the forms do, called as functions."""

from dataclasses import replace
from pathlib import Path

import pytest

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.options import build_options, describe_options
from forensics.registry import MethodSpec, load_object
from forensics.ui.context import open_context
from forensics.ui.forms.actions import create_case, open_folder, start_from_form
from forensics.ui.forms.controls import option_control, read_values
from forensics.ui.forms.panels import panel
from forensics.ui.views.methods import methods_view, startable
from tests.ui.conftest import Scanned

pytest.importorskip("gradio")

METHOD = "attention-entropy"


@pytest.mark.parametrize("spec", startable(), ids=lambda spec: spec.name)
def test_every_option_has_a_control_and_defaults_survive(spec: MethodSpec) -> None:
    # Without the layout: leaving a Blocks opens an event loop that Gradio never closes.
    options = load_object(spec.options)
    described = describe_options(options)
    given = tuple(option_control(field, spec.name).value for field in described)
    values = read_values([field.name for field in described], given)
    assert build_options(options, values) == options()


def test_a_change_of_a_pixel_is_written_and_read_as_the_field_does() -> None:
    described = {field.name: field for field in describe_options(TriggerInversionOptions)}
    shown = option_control(described["budget"], "trigger-inversion").value
    assert shown == "4/255"
    assert read_values(["budget"], (shown,)) == {"budget": TriggerInversionOptions().budget}
    assert read_values(["budget"], ("8 / 255",)) == {"budget": 8 / 255}
    assert read_values(["pool"], ("imagefolder:/4/255",)) == {"pool": "imagefolder:/4/255"}


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


def test_what_a_case_suggests_stands_for_fields_left_as_they_were(
    scanned: Scanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A suggestion that cannot be used shows by its error that it was; nothing starts.
    manifest = replace(scanned.case.manifest, suggested={METHOD: {"tau": -1.0}})
    case = scanned.context.case(scanned.name)
    monkeypatch.setattr(case, "manifest", manifest)
    assert case is scanned.context.case(scanned.name)
    left = start_from_form(scanned.context, scanned.name, METHOD, {"tau": 2.0, "seed": 0})
    assert "tau" in left["error"] and "at least" in left["error"]
    changed = start_from_form(scanned.context, scanned.name, METHOD, {"tau": 2.5, "seed": -1})
    assert "seed" in changed["error"]
    line = next(one for one in methods_view(case)["methods"] if one["name"] == METHOD)
    assert line["suggested"] == "tau -1"


def test_a_second_scan_beside_a_working_one_does_not_start(scanned: Scanned) -> None:
    waiting = scanned.case.new_run("attention-entropy", {}, worker=True)
    try:
        assert "under way" in start_from_form(scanned.context, scanned.name, METHOD, {})["error"]
    finally:
        waiting.delete()


def test_two_equal_messages_are_two_events(workspace_root: Path) -> None:
    context = open_context(workspace_root)
    assert open_folder(context, "")["version"] != open_folder(context, "")["version"]
