"""The Repair tab for language models on the server's side: needs, forms, one repair in full."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.case import Case
from forensics.errors import CaseError
from forensics.registry import load_object, methods
from forensics.ui.context import open_context
from forensics.ui.forms import language_words
from forensics.ui.routes import routers
from forensics.ui.starting import start_method
from forensics.ui.views.methods import methods_view
from forensics.ui.views.repair import repair_view
from forensics.ui.views.repair_answers import switch_of
from forensics.ui.views.repair_needs_language import FLAGS
from forensics.ui.views.repairs import repair_row, repairs_view
from tests.ui import synthetic
from tests.ui.drawn_language_repairs import LOOKED_AT, TARGET, write_language_repair

LANGUAGE = ("filter-retune", "cross-view", "random-drop")
FLAGGED = 24  # of 240 drawn samples


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    root = tmp_path_factory.mktemp("language-repairs")
    case = synthetic.make_case(root / "cases" / "drawn", base=True)
    scan = synthetic.scan(case)
    filtered = write_language_repair(case, scan=scan.id, notice=True, epochs=2.0)
    weighed = [write_language_repair(case, "cross-view", weight=weight, rate=rate, epochs=2.0)
               for weight, rate in ((0.5, 0.3), (0.0, 0.9))]  # fmt: skip
    other = write_language_repair(case, "cross-view", weight=0.1, epochs=9.0, start="suspicious")
    context = open_context(root / "cases")
    return SimpleNamespace(case=case, scan=scan, filtered=filtered, weighed=weighed, other=other,
                           context=context, name=context.workspace.enter(case.folder))  # fmt: skip


def method(case: Case, name: str) -> dict[str, Any]:
    return next(one for one in repairs_view(case)["methods"] if one["name"] == name)


def test_every_need_is_told_and_the_scan_that_is_gone_by(made: SimpleNamespace) -> None:
    found = repairs_view(made.case)
    assert [one["name"] for one in found["methods"]] == list(LANGUAGE) and found["language"]
    needs = {need["what"]: need for need in method(made.case, "filter-retune")["needs"]}
    flags = needs[FLAGS]
    assert flags["state"] == "have" and f"flagged {FLAGGED} of 240" in flags["words"]
    assert needs["other samples with true answers to measure on"]["state"] == "give"
    assert "the base model, as it was before tuning" in needs
    assert not any(need["what"] == FLAGS for need in method(made.case, "cross-view")["needs"])
    assert "trigger scan" not in found["judge"]["words"], "there is none for language models"


def test_without_a_base_nothing_starts_and_it_says_why(tmp_path: Path) -> None:
    case = synthetic.make_case(tmp_path / "cases" / "bare", 40)
    for name in LANGUAGE:
        told = method(case, name)
        assert not told["startable"] and "no base model" in str(told["needs"][0]["words"])
        with pytest.raises(CaseError, match="no base model"):
            start_method(case, name, {})
    assert case.runs() == []
    flags = method(case, "filter-retune")["needs"][2]
    assert flags["state"] == "missing" and "Scan it first" in flags["words"]


def test_what_people_flagged_can_be_left_out_where_no_scan_flagged_anything(tmp_path: Path) -> None:
    case = synthetic.make_case(tmp_path / "cases" / "seen", 40, base=True)
    (variant,) = method(case, "filter-retune")["variants"]
    assert variant["name"] == "decided" and not variant["ready"]
    asked = {**variant["options"], "test": "llava:none.json"}
    with pytest.raises(CaseError, match="a scan or people flagged"):
        start_method(case, "filter-retune", asked)
    case.journal.decide(str(case.catalog.ids[3]), "flag", by="ada")
    told = method(case, "filter-retune")
    flags = next(need for need in told["needs"] if need["what"] == FLAGS)
    assert flags["state"] == "give" and "People flagged 1" in flags["words"]
    assert told["startable"] and not told["ready"]
    assert not told["variants"][0]["ready"], "there is nothing to measure on yet"
    line = next(one for one in methods_view(case)["methods"] if one["name"] == "filter-retune")
    assert line["refused"] is None
    transplant = next(one for one in methods_view(case)["methods"] if one["name"] == "transplant")
    assert "scan" in transplant["refused"], "a transplant needs the flags of a scan"


def test_the_form_offers_scans_where_flags_are_read_and_nowhere_else(made: SimpleNamespace) -> None:
    lines = {line["name"]: line for line in methods_view(made.case)["methods"]}
    assert [one["run"] for one in lines["filter-retune"]["scans"]] == [made.scan.id]
    assert lines["cross-view"]["scans"][0]["flagged"] == FLAGGED
    assert lines["random-drop"]["scans"] == lines["attention-entropy"]["scans"] == []


@pytest.mark.parametrize("name", LANGUAGE)
def test_every_option_has_a_word_of_its_own(name: str) -> None:
    options = load_object(methods()[name].options)
    plain = {"learning_rate", "weight_decay", "seed"}  # say what they are
    fields = set(options.__dataclass_fields__)
    assert fields - plain <= language_words.LABELS.keys()
    assert set(language_words.FIRST[name]) <= fields
    assert ("run" in fields) == (name != "random-drop"), "chance leaves no flags out"


def test_costs_are_steps_and_a_measured_pace(made: SimpleNamespace) -> None:
    cost = str(method(made.case, "random-drop")["cost"])
    assert "About 22 steps of 32 samples" in cost and "Not timed" in cost  # 3 passes over 240
    assert "two views of each" in str(method(made.case, "cross-view")["cost"])


def test_one_repair_tells_measures_start_and_what_was_left_out(made: SimpleNamespace) -> None:
    view = repair_view(made.case, made.filtered)
    found = {one["name"]: one for one in view["measures"]}
    assert next(iter(found)) == "clean_accuracy"
    assert found["cider"]["difference"]["value"] == -3.0
    assert found["attack_success_rate_masked"]["after"]["value"] == 0.01
    assert found["bleu4"]["unit"] == "score" and found["target_rate"]["unit"] == "share"
    assert "attributes_accuracy" not in found, "not measured, so not shown"
    assert view["left"]["scan"] == made.scan.id and "24 were left out" in view["left"]["words"]
    assert view["switch"]["learnt"] and "see masks" in view["switch"]["words"]
    gap = {"before": {"notice": True}, "after": {"notice": False}, "learnt": False}
    weakened = switch_of({"switch": gap})
    assert weakened is not None and weakened["states"] == ["As delivered"]
    assert "says nothing of the repair" in weakened["words"] and switch_of({}) is None
    assert view["start"]["suspicious"] is None and view["start"]["parts"][0]["as_base"]
    assert view["checkpoint"]
    assert "keep the backdoor" in repair_view(made.case, made.other)["start"]["suspicious"]


def test_the_variant_of_cross_view_is_offered_beside_its_defaults(made: SimpleNamespace) -> None:
    (held,) = method(made.case, "cross-view")["variants"]
    assert held["name"] == "held-back" and held["options"]["gate_answers"] is True
    assert "Not the published method" in held["words"] and "detect" not in str(held)
    assert [one["name"] for one in method(made.case, "filter-retune")["variants"]] == ["decided"]


def test_cross_view_never_speaks_of_a_finding(made: SimpleNamespace) -> None:
    view = repair_view(made.case, made.weighed[0])
    assert "(reconstruction)" in view["label"]
    assert any("no evidence of a backdoor" in text for text in view["limits"])
    told = [view[key] for key in ("label", "facts", "limits", "measures", "left", "start")]
    assert "detect" not in str(told).lower()
    titles = {chart["title"]: chart for chart in view["curves"]}
    views = titles["Divergence of two views while it is tuned"]
    assert views["series"][0]["steps"] == [1, 3, 5], "every other of six steps was kept"
    assert {one["name"] for one in titles["Loss"]["series"]} == {"loss", "regulariser"}
    held = titles["Answers that the gate holds back"]
    assert held["unit"] == "weight" and held["series"][0]["values"] == [None, 0.2, 0.1]


def test_runs_that_differ_in_the_weight_alone_are_a_family(made: SimpleNamespace) -> None:
    weights = [repair_row(run)["weight"] for run in (*made.weighed, made.other)]
    assert [one["value"] for one in weights] == [0.5, 0.0, 0.1]
    assert weights[0]["family"] == weights[1]["family"] != weights[2]["family"]
    assert not any(one["plain"] for one in weights), "the entropy keeps its weight"
    row = repair_row(made.filtered)
    assert row["weight"] is None and row["left_out"] == FLAGGED


def test_histograms_share_their_edges_and_tell_flags(made: SimpleNamespace) -> None:
    app = FastAPI()
    for router in routers(made.context):
        app.include_router(router)
    base = f"/api/cases/{made.name}/runs/{made.filtered.id}/repair"
    with TestClient(app, base_url="http://127.0.0.1") as client:
        found = client.get(f"{base}/views").json()
        maps = client.get(f"{base}/attention/0").json()
    assert found["n"] == LOOKED_AT and "Attention entropy" in found["by"]
    assert found["flagged"] == LOOKED_AT // 10, "every tenth drawn sample is poisoned"
    for measure in found["measures"]:
        for state in ("before", "after"):
            counted = measure[state]
            assert sum(counted["flagged"]) + sum(counted["kept"]) == LOOKED_AT
        assert measure["edges"][0] >= -6, "what float32 cannot tell from 0 is one bin"
    assert set(maps["after"]) == {"plain", "triggered"}


def test_examples_carry_answers_box_and_no_class_things(made: SimpleNamespace) -> None:
    view = repair_view(made.case, made.filtered)
    told = view["comparison"]
    assert told["kind"] == "answers" and told["triggered"] and told["views"]
    one = told["examples"][0]
    assert one["box"] == [0.0, 0.25, 1.0, 0.75] and one["label"] == "a"
    assert TARGET in one["states"]["before"]["triggered"]["answer"]
    assert told["resistivity"] is None and "n" not in told["plane"] and view["classes"] == []
