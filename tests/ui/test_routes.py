"""The app's own addresses, asked without a browser."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.errors import CaseError
from forensics.ui.context import open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from tests.ui import synthetic
from tests.ui.conftest import COUNT, Scanned

POISONED = COUNT // 10


@pytest.fixture(scope="module")
def client(scanned: Scanned) -> Iterator[TestClient]:
    app = FastAPI()
    for router in routers(scanned.context):
        app.include_router(router)
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def test_the_case_is_described_with_hashes_and_runs(client: TestClient, scanned: Scanned) -> None:
    view = client.get(f"/api/cases/{scanned.name}").json()
    assert view["samples"] == COUNT
    assert view["latest_run"] == scanned.run.id
    assert view["runs"][0]["verdict"] == "suspicious"
    assert {entry["what"] for entry in view["hashes"]} >= {"data", "model"}
    assert client.get("/api/cases").json()["cases"][0]["case"] == scanned.name


def test_the_estimate_comes_from_a_timed_scan(client: TestClient, scanned: Scanned) -> None:
    view = client.get(f"/api/cases/{scanned.name}/estimate").json()
    assert view["seconds"] == pytest.approx(1.0)
    assert "this case" in view["basis"]
    assert view["bytes"] > 0


def test_nothing_is_estimated_where_nothing_was_timed(tmp_path: Path) -> None:
    from forensics.ui.views.case import estimate_view

    case = synthetic.make_case(tmp_path / "fresh", 12)
    view = estimate_view(case, [])
    assert view["seconds"] is None
    assert "first batch" in view["hint"]


def test_the_preview_shows_samples_and_row_errors(client: TestClient, scanned: Scanned) -> None:
    view = client.get(f"/api/cases/{scanned.name}/preview").json()
    assert len(view["items"]) == 12
    assert view["items"][0]["answer"] == synthetic.TARGET
    assert view["error_total"] == 0


def test_no_view_gives_the_ground_truth_away(client: TestClient, scanned: Scanned) -> None:
    for path in ("attention", "scores", "layers/1", "gallery?rows=0,1", "samples/0"):
        assert "poisoned" not in client.get(f"{scanned.path}/{path}").text
    assert "poisoned" not in client.get(f"/api/cases/{scanned.name}/preview").text


def test_reveal_is_recorded(client: TestClient, scanned: Scanned) -> None:
    before = len(scanned.case.journal.entries("reveal"))
    view = client.get(f"{scanned.path}/truth").json()
    assert len(view["poisoned_rows"]) == POISONED
    assert len(scanned.case.journal.entries("reveal")) == before + 1


def test_arrays_agree_with_the_run_folder(client: TestClient, scanned: Scanned) -> None:
    data = client.get(f"{scanned.path}/arrays/entropy").content
    stored = scanned.run.arrays("attention.safetensors")["entropy"]
    sent = np.frombuffer(data, "<f4", stored.size, offset=8 + 4 * COUNT)
    np.testing.assert_array_equal(sent, stored.ravel())
    scores = client.get(f"{scanned.path}/arrays/scores?rule=code").content
    assert np.frombuffer(scores, "u1", COUNT, offset=8 + 4 * COUNT).sum() == POISONED


def test_a_map_sums_to_one_in_every_layer(client: TestClient, scanned: Scanned) -> None:
    sent = client.get(f"{scanned.path}/samples/0").json()["map"]
    maps = np.frombuffer(base64.b64decode(sent), "<f2").reshape(synthetic.LAYERS, -1)
    np.testing.assert_allclose(maps.astype(float).sum(axis=1), 1.0, atol=2e-3)
    assert maps[1].argmax() == synthetic.PEAK


def test_the_inspector_names_the_peak_and_the_box_to_hide(
    client: TestClient, scanned: Scanned
) -> None:
    view = client.get(f"{scanned.path}/samples/0").json()
    assert view["peaks"][1]["token"] == synthetic.PEAK
    assert view["hide"][1] == {"image": 0, "box": [0.5, 0.375, 0.625, 0.5]}
    assert view["peaks"][1]["view"] == 0 and view["peaks"][1]["cell"] == synthetic.PEAK
    assert "of the attention on 2 of 64 patches" in view["reason"]


def test_pictures_are_re_encoded_and_tagged_by_content(
    client: TestClient, scanned: Scanned
) -> None:
    for kind in ("thumb", "view"):
        picture = client.get(f"/pictures/{scanned.name}/{kind}/0")
        assert picture.headers["content-type"] == "image/png"
        kept = scanned.case.folder / f"{kind}s" / f"{picture.headers['etag'].strip(chr(34))}.png"
        assert picture.content == kept.read_bytes()


@pytest.mark.parametrize("path", [
    "thumb/../../case.json", "thumb/case.json", "runs/0", "thumb/99999", "thumb/-1", "view/0x0",
])  # fmt: skip
def test_nothing_but_pictures_of_rows_is_served(
    path: str, client: TestClient, scanned: Scanned
) -> None:
    answer = client.get(f"/pictures/{scanned.name}/{path}")
    assert answer.status_code in (400, 404, 422)
    assert "schema" not in answer.text


def test_a_link_in_the_place_of_a_picture_is_not_served(
    client: TestClient, scanned: Scanned
) -> None:
    tag = client.get(f"/pictures/{scanned.name}/thumb/3").headers["etag"].strip(chr(34))
    kept = scanned.case.folder / "thumbs" / f"{tag}.png"
    kept.unlink()
    kept.symlink_to(scanned.case.folder / "case.json")
    answer = client.get(f"/pictures/{scanned.name}/thumb/3")
    assert b"schema" not in answer.content


@pytest.mark.parametrize("query", [
    "attention?rule=clever", "attention?tau=nan", "attention?tau=-1", "layers/99", "layers/-1",
    "gallery?rows=", "gallery?rows=a", "gallery?rows=" + ",".join(["1"] * 97), "samples/99999",
])  # fmt: skip
def test_senseless_questions_get_a_message(
    query: str, client: TestClient, scanned: Scanned
) -> None:
    answer = client.get(f"{scanned.path}/{query}")
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


@pytest.mark.parametrize("name", ["nothing", "..x", "drawn", "a b"])
def test_unknown_cases_and_runs_are_not_found(
    name: str, client: TestClient, scanned: Scanned
) -> None:
    assert client.get(f"/api/cases/{name}").status_code == 404
    assert client.get(f"/api/cases/{scanned.name}/runs/{name}").status_code == 404


def test_a_moved_cut_is_recorded_with_its_counts(client: TestClient, scanned: Scanned) -> None:
    body = {"rule": "root", "tau": 2.0, "cut": 3.6}
    counts = client.post(f"{scanned.path}/cut", json=body).json()
    assert counts["flagged"] > POISONED
    assert counts["flagged"] + counts["kept"] == COUNT
    assert client.get(f"{scanned.path}/cut?rule=root&tau=2.0").json()["cut"] == 3.6
    assert client.get(f"{scanned.path}/cut?rule=code&tau=2.0").json()["cut"] is None
    entry = scanned.case.journal.entries("move-cut")[-1]
    assert entry.detail["manual"] is True
    client.post(f"{scanned.path}/cut", json=body | {"cut": None})
    assert client.get(f"{scanned.path}/cut?rule=root&tau=2.0").json()["cut"] is None


def test_a_cut_that_is_no_number_is_refused(client: TestClient, scanned: Scanned) -> None:
    body = b'{"rule": "root", "tau": 2.0, "cut": NaN}'
    answer = client.post(f"{scanned.path}/cut", content=body)
    assert answer.status_code >= 400


def test_kept_and_flagged_ids_together_are_the_data_set(
    client: TestClient, scanned: Scanned
) -> None:
    kept = _ids(client.get(f"{scanned.path}/export/kept.csv").text)
    flagged = _ids(client.get(f"{scanned.path}/export/flagged.csv").text)
    assert len(flagged) == POISONED
    assert sorted(kept + flagged) == sorted(scanned.case.catalog.ids)


def test_kept_holds_everybody_where_the_verdict_is_not_suspicious_unless_one_asks(
    tmp_path: Path,
) -> None:
    # Under 200 samples the rule flags as ever, but no verdict rests on so few.
    case = synthetic.make_case(tmp_path / "few", 100)
    run = synthetic.scan(case)
    context = open_context(tmp_path)
    app = FastAPI()
    for router in routers(context):
        app.include_router(router)
    client = TestClient(app, base_url="http://127.0.0.1")
    path = f"/api/cases/{context.workspace.enter(case.folder)}/runs/{run.id}"
    assert client.get(f"{path}/attention").json()["verdict"]["kind"] == "inconclusive"
    flagged = _ids(client.get(f"{path}/export/flagged.csv").text)
    assert len(flagged) == 10
    answer = client.get(f"{path}/export/kept.csv")
    assert sorted(_ids(answer.text)) == sorted(case.catalog.ids)
    assert "all-kept" in answer.headers["content-disposition"]
    assert case.journal.entries("export")[-1].detail["nothing_removed"] is True
    asked = _ids(client.get(f"{path}/export/kept.csv?use_flags=true").text)
    assert sorted(asked + flagged) == sorted(case.catalog.ids)


def test_exports_come_in_three_formats_and_say_that_a_cut_was_moved(
    client: TestClient, scanned: Scanned
) -> None:
    answer = client.get(f"{scanned.path}/export/flagged.jsonl?cut=3.6")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) > POISONED
    assert all(line["decision"] == "flag" for line in lines)
    assert "by-hand" in answer.headers["content-disposition"]
    table = client.get(f"{scanned.path}/export/kept.parquet").content
    assert pq.read_table(io.BytesIO(table)).num_rows == COUNT - POISONED
    assert client.get(f"{scanned.path}/export/secrets.csv").status_code == 400
    assert client.get(f"{scanned.path}/export/kept.exe").status_code == 400


def test_a_live_question_that_makes_no_sense_never_reaches_the_worker(
    client: TestClient, scanned: Scanned
) -> None:
    path = f"/api/cases/{scanned.name}/live"
    assert client.post(f"{path}/delete", json={"row": 0}).status_code == 400
    assert client.post(f"{path}/answer", json={"row": 99999}).status_code == 404
    many = [[0, 0, 1, 1]] * 9
    assert client.post(f"{path}/answer", json={"row": 0, "hide": many}).status_code == 400
    assert client.get(path).json() == {"warm": False}


def test_a_finished_run_reports_its_end(client: TestClient, scanned: Scanned) -> None:
    view = client.get(scanned.path).json()
    assert view["status"]["state"] == "finished"
    assert view["status"]["done"] == view["status"]["total"] == COUNT
    assert view["progress"]["ended"]


def test_a_deleted_scan_is_gone_and_its_deletion_noted(
    client: TestClient, scanned: Scanned
) -> None:
    run = synthetic.scan(scanned.case)
    path = f"/api/cases/{scanned.name}/runs/{run.id}"
    assert client.get(f"{path}/attention").status_code == 200
    assert client.post(f"{path}/delete").json()["freed"] > 1000
    assert not run.folder.exists()
    assert client.get(path).status_code == 404
    assert scanned.case.journal.entries("delete-run")[-1].detail["run"] == run.id


def test_demos_tell_what_was_planted_only_under_spoiler(client: TestClient) -> None:
    for demo in client.get("/api/demos").json()["demos"]:
        outside = {key: value for key, value in demo.items() if key != "spoiler"}
        assert "attack" not in json.dumps(outside)


def _ids(text: str) -> list[str]:
    return [row["id"] for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.parametrize("row", [COUNT, 10**30, -(10**30)])
def test_a_row_that_no_case_has_is_told(client: TestClient, scanned: Scanned, row: int) -> None:
    with pytest.raises(CaseError, match=f"rows 0 to {COUNT - 1}"):
        scanned.case.catalog.select([row])
    review = f"/api/cases/{scanned.name}/review"
    for path in (f"/pictures/{scanned.name}/thumb", f"{review}/samples", f"{scanned.path}/samples"):
        assert client.get(f"{path}/{row}").status_code in (400, 404), path
