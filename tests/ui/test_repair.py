"""The Repair tab on the server's side: needs, costs, rows, one repair, its figures, its export."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from forensics.case import Case
from forensics.errors import CaseError
from forensics.registry import methods
from forensics.ui.context import open_context
from forensics.ui.forms import repair_words
from forensics.ui.problems import explain_errors
from forensics.ui.repair_export import zip_repair
from forensics.ui.routes import routers
from forensics.ui.views.job import job_view
from forensics.ui.views.repair import NOT_BEGUN, live_view, repair_view
from forensics.ui.views.repair_needs import judge_of, needs_of, why_not
from forensics.ui.views.repairs import repair_methods, repair_row, repairs_view
from tests.tiny_encoders import save_vit
from tests.ui.drawn_repairs import EXAMPLES, GRID, LAYERS, PLACED, SIDE, write_repair
from tests.ui.drawn_triggers import HOSTILE, clip_case, write_inversion

CLASSES = ["disc", "ring", "star", *HOSTILE]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    root = tmp_path_factory.mktemp("repairs")
    case = clip_case(root, save_vit(root / "vit"), CLASSES)
    weak = write_repair(case, CLASSES, rate=0.4, accuracy=0.93, epochs=3, shots="imagefolder:/a/b")
    strong = write_repair(case, CLASSES, "token-unlearning", rate=0.02, accuracy=0.92)
    refused = write_repair(case, CLASSES, "token-unlearning", refused=True)
    unjudged = write_repair(case, CLASSES, "linear-probe", judged_by=None)
    context = open_context(root / "cases")
    return SimpleNamespace(
        case=case, context=context, name=context.workspace.enter(case.folder), weak=weak,
        strong=strong, refused=refused, unjudged=unjudged,
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(made: SimpleNamespace) -> Iterator[TestClient]:
    app = FastAPI()
    for router in routers(made.context):
        app.include_router(router)
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def bare(tmp_path: Path) -> Case:
    return clip_case(tmp_path, save_vit(tmp_path / "vit"), ["disc", "ring"])


def method(case: Case, name: str) -> dict[str, Any]:
    return next(one for one in repairs_view(case)["methods"] if one["name"] == name)


def test_every_repair_of_the_registry_is_offered_baselines_last() -> None:
    found = [spec.name for spec in repair_methods()]
    assert set(found) == {spec.name for spec in methods().values() if spec.kind == "repair"}
    assert found.index("token-unlearning") < found.index("fine-tuning")


def test_a_case_with_nothing_but_pictures_is_told_what_each_repair_lacks(bare: Case) -> None:
    prompts = method(bare, "repulsive-prompts")
    assert [need["state"] for need in prompts["needs"]] == ["give", "give"]
    assert (prompts["startable"], prompts["ready"]) == (True, False)
    assert "no learnt prompts" in str(method(bare, "trigger-tuning")["why_not"])
    assert method(bare, "discard-tune")["ready"] is False
    pairs = needs_of(bare, methods()["token-unlearning"])[0]
    assert pairs["state"] == "give", "labels are no captions"
    judge = judge_of(bare)
    assert judge["state"] == "give" and "attack success is not" in judge["words"]
    write_inversion(bare, ["disc", "ring"])
    assert "reconstructed" in judge_of(bare)["words"]


def as_if(model: str, preprocessing: dict[str, object]) -> Any:
    """Return what is asked of a case to tell whether a repair applies."""
    return SimpleNamespace(manifest=SimpleNamespace(model=model, preprocessing=preprocessing))


def test_prompts_have_no_place_in_a_resnet_and_other_weights_none_for_prompts(
    bare: Case, tmp_path: Path
) -> None:
    stated = {"open_clip_config": {"model_cfg": {"vision_cfg": {"layers": [3, 4, 6, 3]}}}}
    tower = as_if(bare.manifest.model, stated)
    assert "ResNet" in str(why_not(tower, methods()["repulsive-prompts"]))
    assert why_not(tower, methods()["linear-probe"]) is None
    (tmp_path / "p.safetensors").write_bytes(b"x")
    learnt = as_if(f"{bare.manifest.model}+prompts:{tmp_path / 'p.safetensors'}", {})
    assert "learnt prompts" in str(why_not(learnt, methods()["clean-clip"]))
    assert why_not(learnt, methods()["trigger-tuning"]) is None


def test_a_cost_is_work_and_only_a_measured_time(made: SimpleNamespace, bare: Case) -> None:
    assert "Not timed" in str(method(bare, "repulsive-prompts")["cost"])
    cost = str(method(made.case, "repulsive-prompts")["cost"])
    assert "took 12 s (epochs 3)" in cost
    assert "16 pictures a class" in cost


def test_a_row_tells_rates_difference_target_and_differing_options(made: SimpleNamespace) -> None:
    row = repair_row(made.weak)
    assert row["options"] == [{"name": "shots", "value": "b"}, {"name": "epochs", "value": "3"}]
    after = row["after"]
    assert after["attack_success_rate"]["value"] == 0.4
    assert (
        after["difference"]["clean_accuracy"]["low"] < after["difference"]["clean_accuracy"]["high"]
    )
    assert row["target"]["class"] == "ring"
    assert row["judged"]["label"] == "known trigger"
    assert repair_row(made.strong)["target"]["after"] == 0.85
    assert repair_row(made.refused)["changed"] is False
    lone = repair_row(made.unjudged)
    assert lone["after"]["attack_success_rate"]["value"] is None
    assert "not measured" in lone["judged"]["words"]


def test_what_was_delivered_stands_once_for_each_set_of_pictures(made: SimpleNamespace) -> None:
    delivered = repairs_view(made.case)["delivered"]
    assert sorted(len(one["runs"]) for one in delivered) == [1, 3]


def test_one_repair_tells_versions_classes_curves_and_limits(made: SimpleNamespace) -> None:
    view = repair_view(made.case, made.strong)
    assert [one["key"] for one in view["versions"]] == ["before", "after"]
    assert [one["name"] for one in view["classes"] if one["target"]] == ["ring"]
    titles = {chart["title"]: chart for chart in view["curves"]}
    shares = titles["A few test pictures while it unlearns"]
    assert {one["name"] for one in shares["series"]} >= {"clean_accuracy", "attack_success_rate"}
    assert shares["series"][0]["steps"] == [0, 10]
    assert any("another one may still work" in text for text in view["limits"])
    assert "A backdoor may be there" in repair_view(made.case, made.unjudged)["limits"][0]
    assert repair_view(made.case, made.refused)["comparison"] is None


def test_an_unlearning_that_never_began_says_what_to_set(bare: Case) -> None:
    run = write_repair(bare, ["disc", "ring"], "token-unlearning")
    result = run.result()
    for stopped, steps, words in (("forgotten", 0, "“When to stop” to “margin”"),
                                  ("margin", 0, "“Similarity to stop at” lower")):  # fmt: skip
        told = result | {"stopped": stopped, "steps": steps}
        (run.folder / "result.json").write_text(json.dumps(told))
        assert any(words in fact for fact in repair_view(bare, run)["facts"])
        (run.folder / "result.json").write_text(json.dumps(told | {"steps": 5}))
        assert not any("nothing was unlearnt" in fact for fact in repair_view(bare, run)["facts"])


def test_words_of_the_form_are_those_that_the_page_names() -> None:
    words = [repair_words.label("token-unlearning", name) for name in ("until", "margin")]
    told = " ".join(NOT_BEGUN.values())
    assert all(f"“{word}”" in told for word in words)
    assert "margin" not in repair_words.choices("token-unlearning"), "called by its own name"
    assert repair_words.choices("cross-view", "gradient")["both"] == "both views"
    assert "views" not in repair_words.choices("filter-retune", "flags")["both"]


def test_a_repair_that_does_not_fit_is_refused_before_it_is_queued(
    client: TestClient, made: SimpleNamespace
) -> None:
    before = len(made.case.runs())
    answer = client.post(f"/api/cases/{made.name}/methods/trigger-tuning", json={"options": {}})
    assert answer.status_code == 400 and "no learnt prompts" in answer.json()["error"]
    assert len(made.case.runs()) == before
    lines = client.get(f"/api/cases/{made.name}/methods").json()["methods"]
    line = next(line for line in lines if line["name"] == "trigger-tuning")
    assert line["unfit"] and "no learnt prompts" in line["refused"]
    other = next(line for line in lines if line["name"] == "clean-clip")
    assert not other["unfit"] and other["refused"] is None


def test_a_repair_that_left_the_tower_alone_keeps_answers_and_no_empty_card(bare: Case) -> None:
    run = write_repair(bare, ["disc", "ring"], "trigger-tuning")
    told = run.result()
    told["comparison"] |= dict.fromkeys(("attention", "resistivity", "plane"))
    (run.folder / "result.json").write_text(json.dumps(told))
    view = repair_view(bare, run)["comparison"]
    assert len(view["examples"]) == EXAMPLES and view["triggered"]
    assert view["attention"] is view["resistivity"] is None and "n" not in view["plane"]


def test_routes_give_figures_of_finished_repairs_alone(
    client: TestClient, made: SimpleNamespace
) -> None:
    base = f"/api/cases/{made.name}/runs/{made.strong.id}/repair"
    assert client.get(f"/api/cases/{made.name}/repairs").json()["rows"][0]["run"]
    assert client.get(base).json()["run"] == made.strong.id
    found = client.get(f"{base}/resistivity").json()
    assert found["layers"] == LAYERS
    line = found["changes"][-1]["after"]
    assert line["low"][0] <= line["mean"][0] <= line["high"][0] <= 1
    plane = client.get(f"{base}/plane").json()
    assert np.shape(plane["after"]["triggered"]) == (PLACED, 2)
    maps = client.get(f"{base}/attention/0").json()["before"]["plain"]
    halves = np.frombuffer(base64.b64decode(maps), "<f2")
    assert halves.reshape(LAYERS, GRID**2).sum(axis=1) == pytest.approx(1, abs=0.01)
    write = write_inversion(made.case, CLASSES)
    other = client.get(f"/api/cases/{made.name}/runs/{write.id}/repair")
    assert other.status_code == 404 and "no finished repair" in other.json()["error"]
    refused = client.get(f"/api/cases/{made.name}/runs/{made.refused.id}/repair/plane")
    assert "kept no pictures" in refused.json()["error"]


def test_examples_are_drawn_by_us_and_none_is_made_up(
    client: TestClient, made: SimpleNamespace
) -> None:
    base = f"/pictures/{made.name}/repairs/{made.weak.id}"
    answer = client.get(f"{base}/0/triggered.png")
    assert Image.open(io.BytesIO(answer.content)).size == (SIDE, SIDE)
    tag = {"If-None-Match": answer.headers["etag"]}
    assert client.get(f"{base}/0/triggered.png", headers=tag).status_code == 304
    assert client.get(f"{base}/{EXAMPLES}/plain.png").status_code == 404
    assert client.get(f"{base}/0/other.png").status_code == 400
    unmarked = client.get(f"/pictures/{made.name}/repairs/{made.unjudged.id}/0/triggered.png")
    assert unmarked.status_code == 404


def test_words_and_patches_of_the_chosen_pairs(client: TestClient, made: SimpleNamespace) -> None:
    base = f"/api/cases/{made.name}/runs/{made.strong.id}/repair/tokens"
    found = client.get(base).json()
    assert (found["total"], found["largest"]) == (2, 0.4)
    first, second = found["pairs"]
    assert first["patches"] == {"rows": 2, "columns": 2, "values": [1, 1, 1, 1]}
    assert second["patches"] is None
    assert second["picture"] is None, "a pair from elsewhere has no picture here"
    assert first["tokens"][0]["text"] == HOSTILE[-1], "text stays text"


def test_progress_of_a_repair_is_a_share_and_no_number_of_samples(made: SimpleNamespace) -> None:
    assert job_view(made.weak)["unit"] is None


def test_an_export_without_a_model_is_refused(client: TestClient, made: SimpleNamespace) -> None:
    with pytest.raises(CaseError, match="left no checkpoint"):
        zip_repair(made.case, made.refused.id)
    answer = client.get(f"/api/cases/{made.name}/runs/{made.refused.id}/repaired.zip")
    assert "left no checkpoint" in answer.json()["error"]


def test_a_whole_model_is_packed_with_its_provenance(made: SimpleNamespace) -> None:
    run = write_repair(made.case, CLASSES, "fine-tuning")
    folder = run.folder / "repaired"
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"w")
    (folder / "link").symlink_to("/etc/passwd")
    told = json.loads((run.folder / "result.json").read_text())
    (run.folder / "result.json").write_text(json.dumps(told | {"checkpoint": "repaired"}))
    path = zip_repair(made.case, run.id)
    try:
        with zipfile.ZipFile(path) as packed:
            names = set(packed.namelist())
            note = json.loads(packed.read("repaired/provenance.json"))
    finally:
        path.unlink()
    assert names == {"repaired/weights.safetensors", "repaired/provenance.json"}
    assert note["command"].startswith("forensics repair fine-tuning")
    assert note["hashes"]["model"]["sha256"]
    assert note["measured"]["after"]["clean_accuracy"] == 0.9


def test_a_damaged_result_hides_no_other_repair(bare: Case) -> None:
    sound = write_repair(bare, ["disc", "ring"])
    damaged = write_repair(bare, ["disc", "ring"], "linear-probe")
    (damaged.folder / "result.json").write_text('{"before": 3}')
    (sound.folder / "losses.jsonl").write_text(
        '{"stage": "step", "step": 1, "of": 2, "loss": NaN}\n'
    )
    rows = {row["run"]: row for row in repairs_view(bare)["rows"]}
    assert rows[damaged.id]["state"] == "damaged"
    assert rows[sound.id]["state"] == "finished"
    assert live_view(sound)["stages"][0]["loss"] == [None]
