"""The Clusters tab without a browser: points, colours, selections, exports, samples put aside."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.case import Case
from forensics.errors import OptionError
from forensics.jobs.clusters.exclusion import read_exclusion
from forensics.ui.context import open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from forensics.ui.sample_map import SampleMap, TextColumn, unpack_selection
from forensics.ui.views.clusters import map_view
from forensics.ui.views.map_colours import MOST, NOTHING, OTHER, cluster_codes, text_codes
from forensics.worker import client as worker
from tests.drawn_map import write_map
from tests.ui import synthetic

COUNT = 240
POISONED = COUNT // 10
EXCLUDED = (7, 13)
POINTS = COUNT - len(EXCLUDED)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A case with a scan and a map, and a client of its server."""
    root = tmp_path_factory.mktemp("clusters")
    case = synthetic.make_case(root / "drawn", COUNT)
    scan = synthetic.scan(case)
    run = write_map(case, excluded=EXCLUDED)
    context = open_context(root)
    name = context.workspace.enter(case.folder)
    app = FastAPI()
    for router in routers(context):
        app.include_router(router)
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        path = f"/api/cases/{name}/runs/{run.id}/clusters"
        yield SimpleNamespace(case=case, scan=scan, run=run, client=client, path=path, name=name,
                              arrays=run.arrays("clusters.safetensors"))  # fmt: skip


def bits(mask: np.ndarray) -> str:
    return base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()


def poisoned(shown: SimpleNamespace) -> np.ndarray:
    truth = shown.case.truth()
    return np.array([truth[name] for name in shown.case.catalog.ids[shown.arrays["rows"]]])


def select(shown: SimpleNamespace, mask: np.ndarray) -> dict[str, Any]:
    answer = shown.client.post(f"{shown.path}/selections", json={"bits": bits(mask)})
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


def test_the_summary_names_what_can_colour_the_points(shown: SimpleNamespace) -> None:
    listed = shown.client.get(f"/api/cases/{shown.name}/clusters").json()["maps"]
    assert [(line["run"], line["n"], line["excluded"]) for line in listed] == [
        (shown.run.id, POINTS, 2)]  # fmt: skip
    view = shown.client.get(shown.path).json()
    assert (view["n"], view["excluded"], view["has_truth"]) == (POINTS, 2, True)
    assert [score["name"] for score in view["scores"]] == ["k_distance", "density_ratio"]
    assert set(view["categories"]) == {"cluster", "answer"}  # one source file, no labels
    assert view["categories"]["answer"][0]["label"] == synthetic.TARGET
    flags = {line["code"]: line["count"] for line in view["flags"][0]["legend"]}
    assert (view["flags"][0]["run"], flags) == (shown.scan.id, {1: POISONED, 0: POINTS - POISONED})
    assert not {"poisoned", "auc_of_poisoned", "poisoned_cluster"} & view.keys()


def test_points_come_as_one_binary_file(shown: SimpleNamespace) -> None:
    content = shown.client.get(f"{shown.path}/points").content
    n, scores = np.frombuffer(content, "<u4", 2)
    assert (n, scores, len(content)) == (POINTS, 2, 8 + 4 * POINTS * (4 + 2))
    x = np.frombuffer(content, "<f4", POINTS, 8 + 4 * POINTS)
    assert (x == shown.arrays["xy"][:, 0]).all()
    k = np.frombuffer(content, "<f4", POINTS, 8 + 4 * POINTS * 4)
    np.testing.assert_array_equal(k, shown.arrays["k_distance"])


def test_codes_say_flags_groups_answers_and_truth(shown: SimpleNamespace) -> None:
    def codes(what: str) -> np.ndarray:
        content = shown.client.get(f"{shown.path}/codes/{what}").content
        assert np.frombuffer(content, "<u4", 1)[0] == POINTS
        return np.frombuffer(content, "u1", POINTS, 4)

    assert ((codes(shown.scan.id) == 1) == poisoned(shown)).all()
    assert ((codes("truth") == 1) == poisoned(shown)).all()
    assert (codes("cluster") == np.where(shown.arrays["cluster"] < 0, 255,
                                         shown.arrays["cluster"])).all()  # fmt: skip
    assert ((codes("answer") == 0) == poisoned(shown)).all()
    assert shown.client.get(f"{shown.path}/codes/{shown.run.id}").status_code == 400
    assert shown.client.get(f"{shown.path}/codes/nothing").status_code == 404


def test_a_selection_says_what_it_holds_and_how_it_differs(shown: SimpleNamespace) -> None:
    view = select(shown, poisoned(shown))
    assert (view["n"], view["total"]) == (POISONED, POINTS)
    assert view["answers"] == [
        {"text": synthetic.TARGET, "count": POISONED, "share": 1.0, "elsewhere": 0.0}]  # fmt: skip
    assert view["groups"][0]["text"] == "group 4" and view["labels"] == []
    near = next(score for score in view["scores"] if score["name"] == "k_distance")
    assert near["inside"] < near["elsewhere"]
    assert select(shown, poisoned(shown))["selection"] == view["selection"]
    assert select(shown, ~poisoned(shown))["selection"] != view["selection"]


def test_pages_hold_exactly_the_selected_in_the_order_asked_for(shown: SimpleNamespace) -> None:
    mask = np.zeros(POINTS, dtype=bool)
    mask[[0, 3, 50, 99]] = True
    key = select(shown, mask)["selection"]
    rows = shown.arrays["rows"][mask]

    def page(query: str) -> dict[str, Any]:
        answer: dict[str, Any] = shown.client.get(
            f"{shown.path}/selections/{key}/page?{query}"
        ).json()
        return answer

    whole = page("")
    assert whole["total"] == 4 and [item["row"] for item in whole["items"]] == rows.tolist()
    assert whole["items"][1]["picture"] == f"/pictures/{shown.name}/thumb/{rows[1]}"
    distance = shown.arrays["k_distance"][mask]
    down = [item["row"] for item in page("order=k_distance&down=true")["items"]]
    assert down == [int(rows[i]) for i in [*np.argsort(-distance[1:]) + 1, 0]]  # NaN comes last
    assert [item["row"] for item in page("start=1&count=2")["items"]] == rows[1:3].tolist()
    everything = shown.client.get(f"{shown.path}/selections/all/page").json()
    assert everything["total"] == POINTS and len(everything["items"]) == 24
    for wrong in ("count=1000", "start=-1", "order=nothing"):
        address = f"{shown.path}/selections/{key}/page?{wrong}"
        assert shown.client.get(address).status_code == 400


def test_a_point_is_told_of_by_its_row(shown: SimpleNamespace) -> None:
    item = shown.client.get(f"{shown.path}/samples/10").json()
    assert (item["id"], item["answer"]) == ("s-00010", synthetic.TARGET)
    assert shown.client.get(f"{shown.path}/samples/{EXCLUDED[0]}").status_code == 400


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_an_export_holds_exactly_what_is_selected(shown: SimpleNamespace, suffix: str) -> None:
    key = select(shown, poisoned(shown))["selection"]
    answer = shown.client.get(f"{shown.path}/selections/{key}/export.{suffix}")
    assert f"-selected-{POISONED}.{suffix}" in answer.headers["content-disposition"]
    if suffix == "csv":
        lines: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(answer.text)))
    elif suffix == "jsonl":
        lines = [json.loads(line) for line in answer.text.splitlines()]
    else:
        lines = pq.read_table(io.BytesIO(answer.content)).to_pylist()
    truth = shown.case.truth()
    assert {line["id"] for line in lines} == {name for name, bad in truth.items() if bad}
    assert {str(line["cluster"]) for line in lines} == {"4"}
    entry = shown.case.journal.entries("export")[-1].detail
    assert (entry["rows"], entry["selection"], entry["format"]) == (POISONED, key, suffix)


def test_bad_selections_and_forgotten_ones_are_refused(shown: SimpleNamespace) -> None:
    post = shown.client.post
    for wrong in ("", "not base64!", base64.b64encode(b"x" * 9999).decode()):
        assert post(f"{shown.path}/selections", json={"bits": wrong}).status_code == 400
    get = shown.client.get
    assert get(f"{shown.path}/selections/{'0' * 16}/page").status_code == 404
    assert get(f"{shown.path}/selections/all/export.exe").status_code == 400
    everything = select(shown, np.ones(POINTS, dtype=bool))["selection"]
    address = f"{shown.path}/selections/{everything}/quarantine"
    assert post(address, json={}).status_code == 400
    with pytest.raises(OptionError):
        unpack_selection(b"", 3)
    assert unpack_selection(b"\x05", 3).tolist() == [True, False, True]


def test_the_truth_is_told_when_asked_for_and_noted(shown: SimpleNamespace) -> None:
    before = len(shown.case.journal.entries("reveal"))
    told = shown.client.get(f"{shown.path}/truth").json()
    assert told["poisoned"] == POISONED
    assert told["auc_of_poisoned"]["k_distance"]["auc"] < 0.05
    assert told["poisoned_cluster"] == {
        "cluster": 4, "size": POISONED, "precision": 1.0, "recall": 1.0}  # fmt: skip
    assert len(shown.case.journal.entries("reveal")) == before + 1


def test_putting_samples_aside_starts_a_run_with_all_that_were_put_aside(
    shown: SimpleNamespace,
) -> None:
    key = select(shown, poisoned(shown))["selection"]
    try:
        answer = shown.client.post(f"{shown.path}/selections/{key}/quarantine", json={})
        assert answer.status_code == 200, answer.text
    finally:
        worker.stop_worker(shown.case)
    started = shown.case.run(answer.json()["run"])
    aside = read_exclusion(shown.case, started.options["exclude"])
    marked = shown.arrays["rows"][poisoned(shown)]
    assert aside.tolist() == sorted({*EXCLUDED, *marked.tolist()})
    assert (started.options["features"], started.options["neighbours"]) == ("state", 15)
    entry = shown.case.journal.entries("quarantine")[-1].detail
    assert (entry["samples"], entry["all"], entry["run"]) == (POISONED, aside.size, shown.run.id)


def test_damaged_arrays_are_refused(shown: SimpleNamespace) -> None:
    from safetensors.numpy import save_file

    run = write_map(shown.case)
    arrays = run.arrays("clusters.safetensors")
    for change in ({"xy": arrays["xy"][:-1]}, {"rows": arrays["rows"] + 5}):
        save_file(arrays | change, run.folder / "clusters.safetensors")
        answer = shown.client.get(f"/api/cases/{shown.name}/runs/{run.id}/clusters")
        assert answer.status_code == 404 and "damaged" in answer.json()["error"]
    run.delete()


def test_rare_kinds_share_a_code_and_missing_values_have_none() -> None:
    names = np.array([None, *(f"kind {i}" for i in range(MOST + 3)), "kind 0"], dtype=object)
    codes, legend = text_codes(TextColumn.of(names), "none")
    assert codes[0] == NOTHING and codes[1] == codes[-1] == 0
    assert (codes == OTHER).sum() == 3 and sum(line["count"] for line in legend) == names.size
    assert legend[-2]["label"] == "3 more" and legend[-1]["label"] == "none"
    many, told = cluster_codes(np.arange(-1, MOST + 2, dtype=np.int32))
    assert many[0] == NOTHING and (many == OTHER).sum() == 2 and told[-2]["label"] == "2 more"


def test_the_texts_of_a_clip_are_captions(tmp_path: Path) -> None:
    made = synthetic.make_case(tmp_path / "drawn", 40)
    record = json.loads((made.folder / "case.json").read_text())
    (made.folder / "case.json").write_text(json.dumps(record | {"kind": "clip"}))
    for folder, one in ((made, "answer"), (Case.open(made.folder), "caption")):
        view = map_view(SampleMap(folder, write_map(folder)), [])
        assert view["said"] == one
        untold = [line["label"] for line in view["categories"]["answer"] if line["code"] == NOTHING]
        assert untold in ([], [f"no {one}"])
