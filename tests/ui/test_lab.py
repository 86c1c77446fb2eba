"""The addresses of the Lab tab, asked without a browser."""

import base64
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from forensics.case import Case
from forensics.runs import execute
from forensics.teaching.lessons import make_lesson
from forensics.teaching.plans import LessonPlan
from forensics.ui.context import Context, open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes.lab import lab_routes
from tests.teaching.conftest import draw_scan

HOSTILE = "<img src=x onerror=alert(1)>"
PLAN: dict[str, Any] = {"kind": "language", "samples": 60, "seed": 5}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return open_context(tmp_path / "cases")


@pytest.fixture
def client(context: Context) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(lab_routes(context))
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A lesson whose model counts as trained, scanned and measured."""
    case = make_lesson(tmp_path_factory.mktemp("lessons") / "one", LessonPlan(samples=60, seed=5))
    draw_scan(case)
    for method in ("tune", "evaluate"):
        result = {"clean_accuracy": 0.9, "n_clean": 150, "attack_success_rate": 0.8,
                  "n_triggered": 150, "intervals": {}}  # fmt: skip
        execute(case.new_run(method, {}), lambda _context, kept=result: kept)
    return case


@pytest.fixture
def played(context: Context, whole: Case) -> tuple[str, Case]:
    """A copy of it that a server knows."""
    context.workspace.root.mkdir()
    case = Case.open(shutil.copytree(whole.folder, context.workspace.root / "one"))
    return context.workspace.enter(case.folder), case


def test_the_card_lists_what_can_be_planted(client: TestClient) -> None:
    view = client.get("/api/lab").json()
    assert {one["kind"] for one in view["families"]} >= {"patch", "blended", "text"}
    assert view["kinds"]["language"]["samples"] > 0 and "heart" in view["classes"]
    assert len(client.get("/api/walkthroughs").json()["walkthroughs"]) >= 3


def test_a_preview_has_reencoded_pictures_and_the_text_of_the_rows(client: TestClient) -> None:
    wish = PLAN | {"family": "patch", "settings": {"place": "corner"}, "target": HOSTILE}
    found = client.post("/api/lab/preview", json={"plan": wish}).json()
    assert "place=corner" in found["trigger"] and found["poisoned"] == 12
    shown = found["shown"][0]
    assert ["answer", shown["row"][1][1], HOSTILE] == shown["row"][1]
    for name in ("original", "planted"):
        head, _, body = shown[name].partition(",")
        assert head == "data:image/png;base64"
        assert Image.open(BytesIO(base64.b64decode(body))).size == (108, 108)
    assert shown["original"] != shown["planted"]


@pytest.mark.parametrize(
    "wish",
    [{"family": "tensor"}, {"settings": {"file": "/etc/passwd"}}, {"settings": [1]},
     {"samples": 10**9}, {"rate": 2}, {"seed": -1}, {"kind": "audio"}, {"target": "a\nb"}],
    ids=str,
)  # fmt: skip
def test_a_wrong_wish_is_refused_with_a_remedy(client: TestClient, wish: dict[str, Any]) -> None:
    answer = client.post("/api/lab/preview", json={"plan": PLAN | wish})
    assert answer.status_code == 400 and answer.json()["error"]


def test_nothing_gives_the_truth_away_before_reveal(
    client: TestClient, played: tuple[str, Case]
) -> None:
    name, case = played
    path = f"/api/cases/{name}/lab"
    view = client.get(path).json()
    assert view["ready"] and not view["revealed"]
    told = client.get(path).text + client.get(f"{path}/evidence").text
    assert "attack" not in told and case.known()["trigger"] not in told
    assert not {"truth", "scores", "measured", "repaired"} & view.keys()
    guess = {"player": HOSTILE, "poisoned": True, "target": "backdoor attack!", "where": "spot",
             "x": 0.5, "y": 0.5, "samples": []}  # fmt: skip
    view = client.post(f"{path}/predictions", json={"prediction": guess}).json()
    assert view["players"] == [HOSTILE]
    view = client.post(f"{path}/reveal").json()
    assert view["truth"]["target"] == "Backdoor Attack!"
    assert view["scores"][0]["total"] == 3.0 and view["measured"]["attack_success_rate"] == 0.8
    late = client.post(f"{path}/predictions", json={"prediction": guess | {"player": "Late"}})
    assert late.status_code == 404 and "revealed already" in late.json()["error"]
    assert case.journal.entries("predict")[0].who == HOSTILE


@pytest.mark.parametrize("guess", [{}, {"player": "Bo", "where": "spot", "x": "a", "y": 1},
                                   {"player": "Bo", "where": "words", "samples": ["none"]}],
                         ids=str)  # fmt: skip
def test_no_prediction_is_refused(
    client: TestClient, played: tuple[str, Case], guess: dict[str, Any]
) -> None:
    answer = client.post(
        f"/api/cases/{played[0]}/lab/predictions", json={"prediction": guess | {"poisoned": True}}
    )
    assert answer.status_code == 400


def test_worksheets_are_only_saved(client: TestClient, played: tuple[str, Case]) -> None:
    for sheet, answers in (("worksheet", False), ("worksheet-with-answers", True)):
        answer = client.get(f"/api/cases/{played[0]}/lab/{sheet}.html")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert ("Answer." in answer.text) == answers
    assert client.get(f"/api/cases/{played[0]}/lab/other.html").status_code == 422
    assert len(played[1].journal.entries("print-answers")) == 1


def test_a_case_without_a_known_truth_is_no_lesson(
    client: TestClient, played: tuple[str, Case]
) -> None:
    name, case = played
    for part in ("known.json", "lesson.json"):
        (case.folder / part).unlink()
    assert client.get(f"/api/cases/{name}/lab").json() == {"lesson": None}
    assert client.post(f"/api/cases/{name}/lab/reveal").status_code == 404
    assert case.journal.entries("reveal") == []
