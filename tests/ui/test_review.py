"""The Review tab without a browser: queue, samples, decisions, batches, blindness, the map."""

import base64
import csv
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from forensics.ui.context import open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from tests.drawn_map import write_map
from tests.triage import review_case as made
from tests.triage.review_case import HOSTILE

KEEP, FLAG, UNSURE, APART, OPEN = range(5)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    root = tmp_path_factory.mktemp("review")
    case, _ = made.make(root / "drawn")
    made.allocation(case, [0, 3])
    drawn = write_map(case)
    context = open_context(root)
    name = context.workspace.enter(case.folder)
    app = FastAPI()
    for router in routers(context):
        app.include_router(router)
    explain_errors(app)

    @app.middleware("http")
    async def log_in(request: Request, call_next: Any) -> Any:
        request.state.user = request.headers.get("x-test-user")  # as the login does
        return await call_next(request)

    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield SimpleNamespace(case=case, client=client, name=name, drawn=drawn,
                              path=f"/api/cases/{name}/review")  # fmt: skip


@pytest.fixture(autouse=True)
def fresh(served: SimpleNamespace) -> None:
    """Take back whatever the test before decided."""
    for who in ("ada", "bob", "grace"):
        while served.case.journal.undo(who):
            pass


def get(served: SimpleNamespace, rest: str = "", **query: Any) -> Any:
    answer = served.client.get(f"{served.path}{rest}", params={"by": "ada"} | query)
    assert answer.status_code == 200, answer.text
    return answer


def post(served: SimpleNamespace, rest: str, body: Any, status: int = 200, **query: Any) -> Any:
    answer = served.client.post(f"{served.path}{rest}", params={"by": "ada"} | query, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def queue(served: SimpleNamespace, rest: str = "/queue", **query: Any) -> tuple[list[int], ...]:
    content = get(served, rest, **query).content
    n = struct.unpack_from("<I", content)[0]
    rows = np.frombuffer(content, "<i4", n, 4).tolist()
    codes = np.frombuffer(content, "u1", n, 4 + 4 * n).tolist()
    return rows, codes, np.frombuffer(content, "u1", n, 4 + 5 * n).tolist()


def test_the_queue_holds_what_checks_flag_with_what_holds_of_each(served):
    rows, codes, flags = queue(served)
    assert rows[0] == 0 and flags[0] == 2 and len(rows) == 25 and set(codes) == {OPEN}
    told = get(served).json()
    assert told["counts"]["suspected"] == 25 and told["by"] == "ada" and not told["login"]
    entropy = next(one for one in told["channels"] if one["key"] == "attention-entropy")
    assert sum(entropy["histogram"]) == 240 and entropy["low"] < entropy["cut"] < entropy["high"]
    items = get(served, "/items", rows=",".join(map(str, rows[:3]))).json()["items"]
    assert items[0]["by"] == ["attention-entropy", "attention-allocation"]


def test_a_sample_has_reason_scores_heat_and_neighbours_and_hostile_text_stays_text(served):
    card = get(served, "/samples/0").json()
    assert card["reason"].startswith("Flagged by 2 of 2 checks") and len(card["neighbours"]) == 3
    score = {one["key"]: one for one in card["scores"]}["attention-entropy"]
    assert score["flagged"] and score["margin"] > 0
    assert card["heat"]["mark"] == 28 and len(card["heat"]["values"]) == 64
    assert get(served, "/samples/1").json()["answer"] == HOSTILE
    assert served.client.get(f"{served.path}/samples/240").status_code == 400
    assert served.client.get(f"{served.path}/items", params={"rows": "1,-1"}).status_code == 400


def test_decisions_notes_and_undo(served):
    told = post(served, "/decide", {"rows": [0], "verdict": "flag"})
    assert told["counts"]["flag"] == 1 and queue(served)[1][0] == FLAG
    post(served, "/decide", {"rows": [0], "verdict": None, "note": HOSTILE})
    card = get(served, "/samples/0").json()
    assert card["mine"]["verdict"] == "flag" and card["mine"]["note"] == HOSTILE
    assert post(served, "/undo", {})["undone"] == 1
    assert get(served, "/samples/0").json()["mine"]["note"] == ""
    assert post(served, "/undo", {}) | {"counts": 0} == {
        "rows": [0], "undone": 1, "verdict": OPEN, "counts": 0}  # fmt: skip
    assert post(served, "/undo", {})["undone"] == 0
    post(served, "/decide", {"rows": [0], "verdict": "evil"}, status=404)
    post(served, "/decide", {"rows": [9999], "verdict": "flag"}, status=400)
    post(served, "/decide", {"rows": [0], "note": "x" * 4001}, status=400)


def test_a_filter_is_decided_at_once_if_it_still_holds_what_was_seen(served):
    wrong = {"verdict": "flag", "shown": "suspected", "expected": 3}
    assert "There are now 25" in post(served, "/decide-all", wrong, status=400)["error"]
    assert post(served, "/decide-all", wrong | {"expected": 25})["counts"]["flag"] == 25
    detail = served.case.journal.entries("decide")[-1].detail
    assert detail["chosen"] == "filter" and detail["n"] == 25
    assert post(served, "/undo", {})["undone"] == 25 and set(queue(served)[1]) == {OPEN}


def test_a_blind_reviewer_sees_nothing_of_others_until_comparing(served):
    post(served, "/decide", {"rows": [0, 3], "verdict": "flag", "note": "a square"})
    post(served, "/decide", {"rows": [3], "verdict": "keep"}, by="bob", blind=True)
    card = get(served, "/samples/3", by="bob", blind=True).json()
    assert [one["by"] for one in card["opinions"]] == ["bob"] and "a square" not in str(card)
    assert queue(served, by="bob", blind=True, shown="decided")[0] == [3]
    assert get(served, by="bob", blind=True).json()["counts"]["flag"] == 0
    view = post(served, "/compare", {}, by="bob")
    assert view["pairs"][0]["n"] == 1 and view["pairs"][0]["kappa"] == 0.0
    assert view["disagreements"] == [
        {"row": 3, "id": "s-00003", "said": {"ada": "flag", "bob": "keep"}}]  # fmt: skip
    assert queue(served, shown="disagreement") == ([3], [APART], [1])
    assert served.case.journal.entries("compare verdicts")[-1].who == "bob"


def test_a_selection_on_the_map_is_decided_about_and_colours_it(served):
    clusters = f"/api/cases/{served.name}/runs/{served.drawn.id}/clusters"
    mask = np.zeros(served.drawn.result()["n"], dtype=bool)
    mask[:4] = True
    bits = base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()
    key = served.client.post(f"{clusters}/selections", json={"bits": bits}).json()["selection"]
    chosen = {"run": served.drawn.id, "key": key}
    rows = queue(served, "/selection", **chosen)[0]
    assert len(rows) == 4
    post(served, "/decide-all", {"verdict": "flag", "expected": 4, "selection": chosen})
    told = get(served, "/map", run=served.drawn.id).json()
    assert told["codes"][:5] == [FLAG] * 4 + [255]
    assert [line["count"] for line in told["legend"]][:2] == [0, 4]
    assert served.case.journal.entries("decide")[-1].detail["selection"] == chosen


def test_who_logged_in_decides_under_that_name_and_no_other(served):
    answer = served.client.post(
        f"{served.path}/decide", params={"by": "ada"}, json={"rows": [0], "verdict": "keep"},
        headers={"x-test-user": "grace"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert served.case.journal.every_decision()[-1].by == "grace"
    post(served, "/decide", {"rows": [0], "verdict": "keep"}, status=400, by="a\u202eb")
    post(served, "/decide", {"rows": [0], "verdict": "keep"}, status=400, by="x" * 61)


def test_exports_write_notes_that_no_spreadsheet_runs(served, tmp_path):
    from forensics.export.decided import export_decided_ids

    post(served, "/decide", {"rows": [0], "verdict": "flag", "note": made.FORMULA}, by="=ada")
    export_decided_ids(served.case, tmp_path / "ids.csv", which="flagged")
    lines = (tmp_path / "ids.csv").read_text(encoding="utf-8-sig").splitlines()
    (line,) = csv.DictReader(lines)
    assert line["id"] == "s-00000" and line["reason"].startswith("flag; =ada: flag (=HYPER")
    served.case.journal.undo("=ada")
