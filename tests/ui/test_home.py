"""Home: cards, run history, comparisons, deletion, and what is damaged."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.case import Case
from forensics.errors import CaseError
from forensics.runs import Run
from forensics.runs.damage import damaged_runs
from forensics.runs.references import builds_on, check_deletable
from forensics.ui.context import Context, open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from tests.ui import home_cases, synthetic


class Home:
    """A server's routes, a case with a scan, and its id."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.case = synthetic.make_case(root / "drawn", 240, title="Drawn <b>case</b>")
        self.scan = synthetic.scan(self.case)
        self.context: Context = open_context(root)
        self.name = self.context.workspace.enter(self.case.folder)
        app = FastAPI()
        for router in routers(self.context):
            app.include_router(router)
        explain_errors(app)
        self.client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)

    def get(self, path: str, **query: str) -> Any:
        answer = self.client.get(f"/api{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def key(self, run: Run) -> str:
        return f"{self.name}.{run.id}"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "cases")
    with made.client:
        yield made


def test_a_card_tells_what_a_case_is_and_what_was_said(home: Home) -> None:
    home_cases.allocation_on(home.case, home.scan)
    home.case.journal.decide("s-00001", "flag", by="ana")
    home.case.journal.decide("s-00002", "keep", by="ana")
    (card,) = home.get("/home/cases")["cases"]
    assert card["title"] == "Drawn <b>case</b>"
    assert (card["kind"], card["samples"], card["runs"]) == ("multimodal-llm", 240, 2)
    assert card["decisions"] == 2
    said = {line["method"]: line["verdict"] for line in card["said"]}
    assert said == {"attention-entropy": "suspicious", "attention-allocation": "no evidence"}
    assert card["changed"] >= home.case.journal.every_decision()[-1].at
    disk = home.get(f"/cases/{home.name}/disk")
    assert disk["total"] == home.case.disk_use()["total"] > disk["runs"] > 0


def test_a_case_that_cannot_be_opened_says_why_and_the_others_still_show(home: Home) -> None:
    lost = synthetic.make_case(home.root / "lost", 12)
    gone = synthetic.make_case(home.root / "gone", 12)
    lost_name, gone_name = (home.context.workspace.enter(c.folder) for c in (lost, gone))
    home_cases.damage_case(lost)
    shutil.rmtree(gone.folder)
    cards = {card["case"]: card for card in home.get("/home/cases")["cases"]}
    assert len(cards) == 3
    assert cards[home.name]["problem"] is None
    assert "999" in cards[lost_name]["problem"]
    assert not cards[lost_name]["gone"]
    assert cards[gone_name]["gone"]


def test_forgetting_deletes_nothing(home: Home) -> None:
    before = home_cases.listing(home.case.folder)
    assert home.client.post(f"/api/cases/{home.name}/forget").status_code == 200
    assert home.get("/home/cases")["cases"] == []
    assert home.client.get(f"/api/cases/{home.name}").status_code == 404
    assert home_cases.listing(home.case.folder) == before
    assert home.context.workspace.enter(home.case.folder) == home.name
    assert home.get(f"/cases/{home.name}")["case"] == home.name


def test_the_history_tells_options_off_the_default_time_and_size(home: Home) -> None:
    second = home_cases.second_scan(home.case, home.scan)
    rows = {row["run"]: row for row in home.get(f"/cases/{home.name}/history")["runs"]}
    assert rows[home.scan.id]["changed"] == []
    assert rows[second.id]["changed"] == [{"name": "tau", "value": "2.5", "default": "2"}]
    row = rows[second.id]
    assert (row["state"], row["verdict"], row["seconds"]) == ("finished", "suspicious", 1.0)
    assert row["bytes"] == second.disk_use()
    other = synthetic.make_case(home.root / "other", 24)
    synthetic.scan(other)
    home.context.workspace.enter(other.folder)
    everywhere = home.get("/home/runs")["runs"]
    assert len(everywhere) == 3
    assert [row["created"] for row in everywhere] == sorted(
        (row["created"] for row in everywhere), reverse=True
    )


def test_two_scans_are_compared_sample_by_sample(home: Home) -> None:
    second = home_cases.second_scan(home.case, home.scan)
    found = home.get("/home/compare", a=home.key(home.scan), b=home.key(second))
    assert found["options"] == [{"name": "tau", "a": "2", "b": "2.5"}]
    overlap, parts = found["overlap"], found["overlap"]["parts"]
    assert parts["only_a"]["n"] == home_cases.FEWER
    assert parts["only_b"]["n"] == home_cases.OTHERS
    both = 24 - home_cases.FEWER
    assert parts["both"]["n"] == both
    assert overlap["jaccard"] == pytest.approx(both / (24 + home_cases.OTHERS))
    for part in parts.values():
        rows = [one["row"] for one in part["samples"]]
        assert [s.id for s in home.case.catalog.select(rows)] == [s["id"] for s in part["samples"]]
    entropy = found["entropy"]
    assert sum(entropy["a"]) == pytest.approx(1)
    assert len(entropy["edges"]) == len(entropy["b"]) + 1
    assert found["rates"] is None


def test_two_repairs_are_compared_by_what_was_measured(home: Home) -> None:
    runs = [home_cases.repair(home.case, rate) for rate in (0.4, 0.05)]
    found = home.get("/home/compare", a=home.key(runs[0]), b=home.key(runs[1]))
    after = [side["after"] for side in found["rates"]["sides"]]
    assert [one["attack_success_rate"] for one in after] == [0.4, 0.05]
    assert after[0]["n_triggered"] == 250
    assert len(after[0]["intervals"]["clean_accuracy"]) == 2
    assert "flags no samples" in found["overlap"]["reason"]
    assert found["entropy"] is None


def test_two_cases_are_compared_by_what_they_are_and_what_was_said(home: Home) -> None:
    other = synthetic.make_case(home.root / "other", 24)
    name = home.context.workspace.enter(other.folder)
    found = home.get("/home/compare", a=home.name, b=name)
    facts = {line["name"]: line for line in found["facts"]}
    assert (facts["Samples"]["a"], facts["Samples"]["b"]) == ("240", "24")
    assert facts["Model"]["same"] is True
    assert facts["Data"]["same"] is False
    (line,) = found["methods"]
    assert line["a"]["verdict"] == "suspicious"
    assert line["b"] is None


@pytest.mark.parametrize(("a", "b", "code"), [
    ("{name}", "{name}.{run}", 400), ("{name}.{run}", "nobody.{run}", 404),
    ("{name}.{run}", "{name}.../../etc", 404), ("", "", 404),
])  # fmt: skip
def test_what_cannot_be_compared_says_so(home: Home, a: str, b: str, code: int) -> None:
    query = {k: v.format(name=home.name, run=home.scan.id) for k, v in {"a": a, "b": b}.items()}
    answer = home.client.get("/api/home/compare", params=query)
    assert answer.status_code == code
    assert answer.json()["error"]


def test_a_run_that_others_build_on_stays_until_they_are_gone(home: Home) -> None:
    above = home_cases.allocation_on(home.case, home.scan)
    assert builds_on(above) == {home.scan.id}
    rows = {row["run"]: row for row in home.get(f"/cases/{home.name}/history")["runs"]}
    assert rows[home.scan.id]["built_on_by"] == [above.id]
    path = f"/api/cases/{home.name}/runs"
    refused = home.client.post(f"{path}/{home.scan.id}/delete")
    assert refused.status_code == 404
    assert above.id in refused.json()["error"]
    assert home.scan.folder.is_dir()
    for run in (above, home.scan):
        freed = run.disk_use()
        assert home.client.post(f"{path}/{run.id}/delete").json() == {"freed": freed}
        assert not run.folder.exists()
    assert [e.detail["run"] for e in home.case.journal.entries("delete-run")] == [
        above.id, home.scan.id]  # fmt: skip


def test_a_run_under_way_is_not_deleted(home: Home) -> None:
    waiting = home.case.new_run("attention-entropy", {})
    with pytest.raises(CaseError, match="under way"):
        check_deletable(waiting, home.case.runs())
    assert home.client.post(f"/api/cases/{home.name}/runs/{waiting.id}/delete").status_code == 404
    assert waiting.folder.is_dir()


@pytest.mark.parametrize(
    "damage",
    [home_cases.damage_result, home_cases.damage_options, home_cases.damage_arrays],
)
def test_a_damaged_run_closes_nothing_and_can_be_cleared_away(home: Home, damage: Any) -> None:
    second = synthetic.scan(home.case)
    damage(second)
    assert [run.id for run in home.case.runs()] == [home.scan.id]
    (lost,) = damaged_runs(home.case.runs_dir)
    assert lost.id == second.id
    assert lost.reason
    for path in ("", "/methods", "/history", "/estimate", "/agreement", "/clusters"):
        assert home.client.get(f"/api/cases/{home.name}{path}").status_code == 200, path
    row = next(r for r in home.get("/home/runs")["runs"] if r["state"] == "damaged")
    assert (row["run"], row["method"]) == (second.id, "attention-entropy")
    assert row["problem"] == lost.reason
    (card,) = home.get("/home/cases")["cases"]
    assert card["damaged"] == 1
    gone = home.client.post(f"/api/cases/{home.name}/runs/{second.id}/delete")
    assert gone.status_code == 200
    assert damaged_runs(home.case.runs_dir) == []
    assert not second.folder.exists()


def test_every_method_that_can_start_says_what_it_takes_or_that_it_is_unknown(home: Home) -> None:
    for case in (home.case, home_cases.make_clip_case(home.root / "clip")):
        name = home.context.workspace.enter(case.folder)
        lines = home.get(f"/cases/{name}/methods")["methods"]
        assert len(lines) > 3
        for line in lines:
            words = line["cost"] or line["timed"]
            assert "took" in words or "unknown" in words or "timed" in words, (line["name"], words)
    scan = next(x for x in home.get(f"/cases/{home.name}/methods")["methods"] if x["base"])
    assert scan["timed"] == "The last one took 1 s."


def test_a_mended_run_is_seen_again(home: Home) -> None:
    path = home.scan.folder / "result.json"
    whole = path.read_text()
    home_cases.damage_result(home.scan)
    assert home.case.runs() == []
    path.write_text(whole)
    assert [run.id for run in home.case.runs()] == [home.scan.id]


def test_settings_are_shown_changed_and_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGERLENS_SETTINGS", str(tmp_path / "settings.json"))
    monkeypatch.setenv("TRIGGERLENS_DEVICE", "cpu")
    found = {line["name"]: line for line in home.get("/settings")["settings"]}
    assert found["device"]["source"] == "environment"
    assert found["megapixels"]["value"] == 64

    def change(**values: Any) -> Any:
        return home.client.post("/api/settings", json={"values": values})

    changed = change(megapixels=12, reviewer="Ana")
    assert changed.status_code == 200
    assert home.get("/account") == {"name": "Ana", "login": False}
    for values in ({"megapixels": -1}, {"device": "cuda"}, {"roots": ["/no/such"]}, {"x": 1}):
        refused = change(**values)
        assert refused.status_code == 400
        assert refused.json()["error"]


def test_a_case_of_a_clip_has_its_card(home: Home) -> None:
    clip = home_cases.make_clip_case(home.root / "clip")
    home.context.workspace.enter(clip.folder)
    card = home.get("/home/cases")["cases"][0]
    assert (card["kind"], card["said"]) == ("clip", [])
    assert isinstance(Case.open(clip.folder), Case)
