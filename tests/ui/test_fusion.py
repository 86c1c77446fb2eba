"""The fusion panel's views and routes, on a drawn scan and the real decision."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.jobs.evidence_fusion.told import LONGEST, fusion_view
from forensics.runs import Run
from forensics.ui.context import open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from tests.drawn_fusion import draw_set
from tests.fusion_case import make_case, run_fusion, scan

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A case with a planted group under a hostile answer, its scan and its fusion run."""
    root = tmp_path_factory.mktemp("cases")
    drawn = draw_set(400, entropy=6)
    case = make_case(root / "planted", drawn, target=HOSTILE)
    earlier = scan(case, drawn)
    run = run_fusion(case)
    context = open_context(root)
    name = context.workspace.enter(case.folder)
    return SimpleNamespace(case=case, scan=earlier, run=run, context=context, name=name)


@pytest.fixture(scope="module")
def client(fused: SimpleNamespace) -> Iterator[TestClient]:
    app = FastAPI()
    for router in routers(fused.context):
        app.include_router(router)
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def result(fused: SimpleNamespace) -> dict[str, Any]:
    run: Run = fused.run
    return copy.deepcopy(run.result())


def test_the_panel_gets_what_the_run_found(client: TestClient, fused: SimpleNamespace) -> None:
    view = client.get(f"/api/cases/{fused.name}/runs/{fused.run.id}/fusion").json()
    assert (view["verdict"], view["flagged"], view["n"]) == ("suspicious", 40, 400)
    assert (view["run"], view["arrays_run"]) == (fused.run.id, fused.scan.id)
    assert view["accepted_answer"] == view["leading_answer"] == HOSTILE  # the page keeps it text
    rows = {row["channel"]: row for row in view["channels"]}
    assert list(rows) == ["entropy", "allocation", "state", "picture", "occlusion"]
    assert (rows["entropy"]["state"], rows["entropy"]["bar"]) == ("spoke", 1.0)
    assert 0 < rows["entropy"]["mark"] < 1
    assert rows["picture"]["mark"] == 1.0 and rows["picture"]["says"] == "does not stand apart"
    assert rows["occlusion"]["bar"] is None and "masked-views" in rows["occlusion"]["says"]
    [candidate] = view["candidates"]
    assert (candidate["count"], candidate["accepted"]) == (40, True)
    assert (candidate["varied"], candidate["outcome"]) == (True, "flagged")
    ratios = [row["ratio"] for row in view["variety"]]
    assert 1 < len(ratios) <= 6 and ratios == sorted(ratios)
    assert sum(view["histogram"]["flagged"]) == 40


def test_what_hangs_on_one_channel_is_marked(result: dict[str, Any]) -> None:
    changes = {row["without"]: row["changes"] for row in fusion_view(result)["drop_one"]}
    assert changes.pop("entropy") and not any(changes.values())


def test_other_runs_have_no_such_figures(client: TestClient, fused: SimpleNamespace) -> None:
    answer = client.get(f"/api/cases/{fused.name}/runs/{fused.scan.id}/fusion")
    assert answer.status_code in (400, 404) and "no finished" in answer.json()["error"]
    assert client.get(f"/api/cases/{fused.name}/runs/..%2f..%2fx/fusion").status_code >= 400


def test_a_held_back_group_says_why_and_shows_its_own_words(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    drawn = draw_set(300, where="star", entropy=6)
    case = make_case(tmp_path_factory.mktemp("habit") / "case", drawn)
    scan(case, drawn)
    view = fusion_view(run_fusion(case).result())
    assert view["accepted_answer"] is None and view["leading_answer"] == "Look here!"
    assert "one kind of picture" in view["candidates"][0]["outcome"]
    assert view["variety"][0]["ratio"] < 0.5 and view["candidates"][0]["varied"] is False
    assert view["histogram"] is None
    assert {row["without"]: row["changes"] for row in view["drop_one"]}["variety"]


def test_without_an_odd_answer_there_are_no_rows(tmp_path: Path) -> None:
    drawn = draw_set(300, rate=0.0)
    case = make_case(tmp_path / "case", drawn)
    scan(case, drawn)
    view = fusion_view(run_fusion(case).result())
    assert view["candidates"] == [] and view["variety"] == []
    assert view["leading_answer"] is None
    assert all(row["bar"] is None for row in view["channels"])
    assert not any(row["changes"] for row in view["drop_one"])


def test_long_answers_are_cut_and_two_with_one_beginning_stay_apart(
    result: dict[str, Any],
) -> None:
    long = "a" * 5000
    result["accepted_answer"] = result["evidence"]["leading_answer"] = long
    result["drop_one"][0] |= {"answer": long + "b", "flagged": result["flagged"]}
    view = fusion_view(result)
    assert len(view["accepted_answer"]) == len(view["leading_answer"]) == LONGEST
    assert view["drop_one"][0]["changes"]
    json.dumps(view, allow_nan=False)
