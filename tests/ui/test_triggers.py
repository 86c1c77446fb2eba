"""The Triggers tab on the server's side: views, pictures, routes, costs, what may start."""

import io
import json
import zipfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from forensics.errors import CaseError, OptionError
from forensics.jobs.trigger_inversion.drawing import LOOKS, draw_trigger, numbers_of
from forensics.jobs.trigger_inversion.stored import read_trigger
from forensics.runs import execute
from forensics.ui.context import open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from forensics.ui.views.case import case_line, estimate_view
from forensics.ui.views.cost import method_cost
from forensics.ui.views.methods import methods_view
from forensics.ui.views.triggers import class_view, triggers_view
from tests.tiny_encoders import save_vit
from tests.ui import synthetic
from tests.ui.drawn_triggers import BUDGET, HOSTILE, SEEDS, SIDE, clip_case, write_inversion

CLASSES = ["disc", "ring", "star", *HOSTILE]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    root = tmp_path_factory.mktemp("triggers")
    case = clip_case(root, save_vit(root / "vit"), CLASSES)
    runs = {form: write_inversion(case, CLASSES, form=form) for form in LOOKS}
    context = open_context(root / "cases")
    return SimpleNamespace(case=case, runs=runs, context=context,
                           name=context.workspace.enter(case.folder))  # fmt: skip


@pytest.fixture(scope="module")
def client(made: SimpleNamespace) -> Iterator[TestClient]:
    app = FastAPI()
    for router in routers(made.context):
        app.include_router(router)
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.int64)


def test_every_class_is_told_with_its_mark_and_both_cuts(made: SimpleNamespace) -> None:
    view = triggers_view(made.runs["additive"])
    assert [entry["name"] for entry in view["classes"]] == CLASSES
    assert [entry["mark"] for entry in view["classes"]].count("flagged") == 1
    ring = view["classes"][1]
    assert (ring["mark"], len(ring["spread"]["success"])) == ("flagged", SEEDS)
    assert (view["cut"], view["cut_calibrated"]) == (2.0, {"value": 3.9, "models": 24})
    assert (view["gate"], view["budget"], view["seeds"]) == (0.5, BUDGET, SEEDS)
    assert any("text" in line for line in view["limits"])
    assert view["limits"][-1] == "“No evidence” is not “clean”."


def test_where_content_decides_the_mark_follows_its_cut(made: SimpleNamespace) -> None:
    run = made.runs["additive"]
    before = (run.folder / "result.json").read_bytes()
    told = json.loads(before)
    told |= {"verdict": "no evidence", "target": None, "mode": "content"}
    ring = told["classes"][1]
    ring["content_beyond"] = 0.3
    marks = {}
    try:
        for cut in (0.25, 0.35):
            told["rules"] = {"content": {"cut": cut, "flagged": False, "score": 0.3}}
            (run.folder / "result.json").write_text(json.dumps(told))
            view = triggers_view(run)
            assert (view["mode"], view["content_cut"]) == ("content", cut)
            marks[cut] = view["classes"][1]["mark"]
    finally:
        (run.folder / "result.json").write_bytes(before)
    assert marks == {0.25: "above", 0.35: "valid"}


def test_a_class_above_the_cut_is_not_flagged_by_a_run_that_flags_nothing(
    made: SimpleNamespace,
) -> None:
    run = made.runs["additive"]
    told = json.loads((run.folder / "result.json").read_text())
    told["verdict"], told["target"] = "inconclusive", None
    (run.folder / "result.json").write_text(json.dumps(told))
    try:
        assert triggers_view(run)["classes"][1]["mark"] == "above"
    finally:
        told["verdict"], told["target"] = "suspicious", "ring"
        (run.folder / "result.json").write_text(json.dumps(told))


def test_a_curve_is_held_against_the_other_classes(made: SimpleNamespace) -> None:
    view = class_view(made.runs["additive"], 1)
    curve = view["curve"]
    assert len(curve["seeds"]) == SEEDS
    assert curve["seeds"][0][-1] < curve["low"][-1] <= curve["middle"][-1] <= curve["high"][-1]
    stopped = class_view(made.runs["additive"], 0)["curve"]["seeds"][0]
    assert stopped[0] is not None
    assert stopped[-1] is None, "an early stop ends the line"
    with pytest.raises(CaseError, match="no class 9"):
        class_view(made.runs["additive"], 9)


def test_a_trigger_is_drawn_around_grey_at_one_scale(made: SimpleNamespace) -> None:
    trigger = read_trigger(made.runs["additive"].folder, 1)
    faint = pixels(draw_trigger(trigger, "plain"))
    strong = pixels(draw_trigger(trigger, "amplified", budget=BUDGET))
    assert np.abs(faint - 127.5).max() <= 4.6
    assert {strong.min(), strong.max()} == {0, 255}
    picture = np.full((3, SIDE, SIDE), 0.5, np.float32)
    on = pixels(draw_trigger(trigger, "image", picture=picture))
    assert np.array_equal(on, faint), "on a grey picture it is what it is"
    assert numbers_of(trigger)["largest"] == pytest.approx(BUDGET, rel=1e-3)


@pytest.mark.parametrize("form", list(LOOKS))
def test_every_form_has_its_looks_and_no_other(made: SimpleNamespace, form: str) -> None:
    trigger = read_trigger(made.runs[form].folder, 2, 1)
    picture = np.full((3, SIDE, SIDE), 0.25, np.float32)
    for look in LOOKS[form]:
        assert pixels(draw_trigger(trigger, look, picture=picture)).shape[2] == 3
    with pytest.raises(OptionError, match="can be shown as"):
        draw_trigger(trigger, "nonsense")
    with pytest.raises(OptionError, match="Name a picture"):
        draw_trigger(trigger, "image")


def test_routes_tell_runs_classes_and_pictures(client: TestClient, made: SimpleNamespace) -> None:
    base = f"/api/cases/{made.name}"
    listed = client.get(f"{base}/triggers").json()["runs"]
    assert {line["form"] for line in listed} == set(LOOKS)
    run = made.runs["mask"].id
    assert client.get(f"{base}/runs/{run}/triggers").json()["form"] == "mask"
    seeds = client.get(f"{base}/runs/{run}/triggers/1").json()["seeds"]
    assert all(0 < seed["numbers"]["area"] < 1 for seed in seeds)
    address = f"/pictures/{made.name}/triggers/{run}/1.png"
    first = client.get(address, params={"look": "difference", "row": 0})
    assert first.headers["content-type"] == "image/png"
    again = client.get(address, params={"look": "difference", "row": 0},
                       headers={"if-none-match": first.headers["etag"]})  # fmt: skip
    assert again.status_code == 304
    for wrong in ({"look": "x"}, {"seed": 9}, {"look": "image"}, {"look": "image", "row": 999}):
        assert client.get(address, params=wrong).status_code in (400, 404), wrong
    assert client.get(f"/pictures/{made.name}/triggers/{run}/99.png").status_code == 404


def test_a_run_of_another_method_is_refused(client: TestClient, made: SimpleNamespace) -> None:
    other = made.case.new_run("trigger-transplant", {})
    told = client.get(f"/api/cases/{made.name}/runs/{other.id}/triggers")
    assert (told.status_code, "no finished" in told.json()["error"]) == (404, True)
    other.delete()


def test_tests_and_repairs_are_told_beside_the_scan_that_they_go_by(
    client: TestClient, made: SimpleNamespace
) -> None:
    scan, other = made.runs["additive"].id, made.runs["patch"].id
    repair = made.case.new_run("trigger-tuning", {"run": scan})
    execute(repair, lambda context: _repaired(context, scan))
    path = f"/api/cases/{made.name}/runs"
    view = client.get(f"{path}/{scan}/triggers/about/repair").json()["view"]
    assert [row["key"] for row in view["versions"]] == ["before", "after", "wrong-class"]
    assert view["versions"][1]["attack_success_rate"] == {
        "value": 0.03, "n": 100, "low": 0.01, "high": 0.08,
    }  # fmt: skip
    assert client.get(f"{path}/{other}/triggers/about/repair").json()["view"] is None
    assert client.get(f"{path}/{scan}/triggers/about/transplant").json()["view"] is None
    packed = client.get(f"{path}/{repair.id}/repaired.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as inside:
        assert inside.read("repaired-prompts.safetensors") == b"prompts"
        note = json.loads(inside.read("repaired-prompts.provenance.json"))
    assert note["run"] == repair.id
    assert made.case.journal.entries("export checkpoint")
    assert client.get(f"{path}/{scan}/repaired.zip").status_code == 404


def _repaired(context: Any, scan: str) -> dict[str, Any]:
    (context.folder / "repaired.safetensors").write_bytes(b"prompts")

    def rates(success: float) -> dict[str, Any]:
        return {
            "clean_accuracy": 0.9, "attack_success_rate": success, "n_clean": 120,
            "n_triggered": 100, "title": "t", "triggers": {},
            "intervals": {"clean_accuracy": [0.8, 0.95], "attack_success_rate": [0.01, 0.08]},
        }  # fmt: skip

    return {
        "scan": scan, "target": "ring", "sentence": "It is repaired.", "judged_by": "known",
        "checkpoint": "repaired.safetensors", "before": rates(0.99), "after": rates(0.03),
        "controls": [rates(0.6) | {"control": "wrong-class"}], "reference": None,
        "losses": {"right-class": [1.0, 0.5]},
    }  # fmt: skip


def test_a_case_of_a_clip_begins_with_the_trigger_scan(made: SimpleNamespace) -> None:
    lines = {line["name"]: line for line in methods_view(made.case)["methods"]}
    assert [name for name, line in lines.items() if line["first"]] == ["trigger-inversion"]
    assert "attention-entropy" not in lines
    assert lines["trigger-transplant"]["refused"] is None
    assert case_line("x", made.case)["verdict"] == "suspicious"
    assert case_line("x", made.case)["run"] is None, "no attention scan to open"


def test_what_builds_on_triggers_waits_for_them(tmp_path: Any) -> None:
    case = clip_case(tmp_path, save_vit(tmp_path / "vit"), CLASSES, count=6)
    lines = {line["name"]: line for line in methods_view(case)["methods"]}
    assert "trigger scan" in lines["trigger-transplant"]["refused"]
    assert "no learnt prompts" in lines["trigger-tuning"]["refused"], "no scan would help"
    assert "not timed" in str(method_cost(case, "trigger-inversion"))
    write_inversion(case, CLASSES)
    assert "as timed on this case" in str(method_cost(case, "trigger-inversion"))
    assert estimate_view(case, [])["words"] == method_cost(case, "trigger-inversion")


def test_a_case_of_a_language_model_has_no_such_methods(tmp_path: Any) -> None:
    case = synthetic.make_case(tmp_path / "vlm", 12)
    names = {line["name"] for line in methods_view(case)["methods"]}
    assert not {name for name in names if name.startswith("trigger-")}
