"""Cases of other families, from the command line to what the inspector is sent."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from forensics.case import Case
from forensics.cli.entry import run
from forensics.jobs import live
from forensics.jobs.attention.arrays import load_arrays, load_maps
from forensics.jobs.attention.layouts import load_layouts
from forensics.runs import Run
from forensics.ui.context import open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from forensics.worker.models import ModelCache
from tests.tiny_families import save_family

SIZES = [(64, 64), (120, 50), (40, 90)]
ROWS = 18


@dataclass(frozen=True)
class Scanned:
    """A case scanned through the command line, and a client of the app that shows it."""

    case: Case
    run: Run
    client: TestClient
    name: str

    def sample(self, row: int) -> Any:
        return self.client.get(f"/api/cases/{self.name}/runs/{self.run.id}/samples/{row}").json()


def write_set(folder: Path) -> Path:
    """Every third row has two pictures, every second one a second turn."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        for index, (width, height) in enumerate(SIZES):
            pixels = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{name}{index}.png")
    rows = []
    for i in range(ROWS):
        files = [f"a{i % 3}.png", *([f"b{i // 3 % 3}.png"] if i % 3 == 0 else [])]
        turns = [("What is it?", f"thing {i % 2}"), ("And why?", "because")][: 1 + i % 2]
        said = [
            part
            for asked, told in turns
            for part in ({"from": "human", "value": asked}, {"from": "gpt", "value": told})
        ]
        said[0]["value"] = "<image>\n" * len(files) + said[0]["value"]
        rows.append({"id": f"s{i}", "image": files, "conversations": said})
    (folder / "set.json").write_text(json.dumps(rows))
    return folder / "set.json"


@pytest.fixture(scope="module", params=["internvl", "llava_onevision", "qwen2_5_vl"])
def scanned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp(request.param)
    model = save_family(request.param, root / "model")
    (root / "data").mkdir()
    data, folder = write_set(root / "data"), root / "cases" / "one"
    made = ["case", "new", str(folder), "--model", str(model), "--data", f"llava:{data}"]
    assert run([*made, "--turns", "each"]) == 0
    assert run(["scan", "attention-entropy", "--case", str(folder), "--batch-size", "4"]) == 0
    case, context = Case.open(folder), open_context(root / "cases")
    app = FastAPI()
    for router in routers(context):
        app.include_router(router)
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        name = context.workspace.enter(folder)
        yield Scanned(case, case.runs("attention-entropy")[0], client, name)


def test_the_arrays_are_complete(scanned: Scanned) -> None:
    arrays, maps = load_arrays(scanned.run.folder), load_maps(scanned.run.folder)
    result = scanned.run.result()
    assert len(arrays.rows) == ROWS + ROWS // 2 and result["failed"] == 0
    assert np.isfinite(arrays.entropy).all() and np.isfinite(arrays.masses).all()
    assert np.allclose(arrays.masses.astype(float).sum(axis=3), 1, atol=5e-3)
    layouts = load_layouts(scanned.run.folder, arrays.layout)
    assert len(layouts.layouts) == 5  # two shapes alone, one with each of three
    for place, count in enumerate(arrays.tokens):
        assert sum(grid.tokens for grid in layouts.grids(place)) == count
        shares = maps.maps[maps.rows == arrays.rows[place]][0].astype(float)
        assert np.allclose(shares[:, :count].sum(axis=1), 1, atol=1e-2)
        assert not shares[:, count:].any()
        assert (arrays.peak_token[place] == shares.argmax(axis=1)).all()


def test_the_inspector_gets_grids_views_and_every_picture(scanned: Scanned) -> None:
    view = scanned.sample(0)
    assert {grid["image"] for grid in view["grids"]} == {0, 1}
    assert {one["image"] for one in view["views"]} == {0, 1}
    tokens = sum(grid["rows"] * (grid["columns"] + grid["separators"]) for grid in view["grids"])
    for one in view["views"]:
        assert len(one["cells"]) == one["rows"] * one["columns"]
        assert set(one["cells"]) <= set(range(tokens))
    maps = np.frombuffer(base64.b64decode(view["map"]), "<f2").reshape(3, -1)
    assert maps.shape[1] >= tokens
    for peak, hide in zip(view["peaks"], view["hide"], strict=True):
        if peak["view"] is not None:
            shown = view["views"][peak["view"]]
            assert shown["cells"][peak["cell"]] == peak["token"]
            assert hide is None or hide["image"] == shown["image"]
    for image in (0, 1):
        address = f"/pictures/{scanned.name}/view/0?image={image}"
        assert scanned.client.get(address).status_code == 200
    assert scanned.client.get(f"/pictures/{scanned.name}/view/0?image=2").status_code == 400


def test_the_model_answers_live_with_a_patch_hidden_in_the_second_picture(
    scanned: Scanned,
) -> None:
    models, sample = ModelCache(), scanned.sample(0)
    plain = live.attention(scanned.case, {"sample": sample["id"]}, models)
    assert [grid["rows"] for grid in plain["grids"]] == [g["rows"] for g in sample["grids"]]
    values = np.frombuffer(base64.b64decode(plain["maps"]), np.float16)
    assert values.size == plain["layers"] * plain["heads"] * plain["tokens"]
    hide = {"sample": sample["id"], "hide": [[0.0, 0.0, 0.5, 0.5]]}
    entropies = [live.attention(scanned.case, hide | {"image": image}, models)["entropy"]
                 for image in (0, 1)]  # fmt: skip
    assert not np.allclose(entropies[0], plain["entropy"], atol=1e-6)
    assert not np.allclose(entropies[0], entropies[1], atol=1e-6)


def test_evaluation_and_the_estimate_of_cost_work(
    scanned: Scanned, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["evaluate", "--case", str(scanned.case.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_clean"] == ROWS + ROWS // 2
    estimate = scanned.client.get(f"/api/cases/{scanned.name}/estimate").json()
    assert estimate["seconds"] > 0 and estimate["bytes"] > 0
    page = scanned.client.get(f"/api/cases/{scanned.name}/runs/{scanned.run.id}/gallery?rows=0,1")
    assert len(page.json()["items"]) == 2
