"""A case that one process wrote opens in a fresh one, moved meanwhile: every tab is filled.

Nothing runs again: no run is added or changed, no worker starts, and torch is not even imported.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forensics.case import Case
from tests.ui.full_cases import encoder_case, language_case
from tests.ui.serving import REPOSITORY

LOOK = """
import json, sys
from pathlib import Path
from fastapi.testclient import TestClient
from forensics.ui.app import build_server
from forensics.ui.context import open_context

root, wanted = Path(sys.argv[1]), json.loads(sys.argv[2])
context = open_context(root)
found = {}
with TestClient(build_server(context), base_url="http://127.0.0.1") as http:
    for folder, addresses in wanted.items():
        name = context.workspace.enter(root / folder)
        case = context.case(name)
        runs = {}
        for run in case.runs():
            runs.setdefault(run.method.replace("-", "_"), run.id)
        for address in addresses:
            path = address.format(case=name, **runs)
            answer = http.get(path)
            is_json = answer.headers["content-type"].startswith("application/json")
            found[address] = [answer.status_code, answer.json() if is_json else len(answer.content)]
print(json.dumps({"found": found, "torch": "torch" in sys.modules,
                  "workers": [str(path) for path in root.rglob("worker*")]}))
"""
SCAN = "/api/cases/{case}/runs/{attention_entropy}"
LANGUAGE = (
    "/api/cases/{case}", "/api/cases/{case}/preview", "/api/cases/{case}/estimate",
    "/api/cases/{case}/methods", "/api/cases/{case}/agreement", "/pictures/{case}/thumb/0",
    f"{SCAN}/attention", f"{SCAN}/scores", f"{SCAN}/layers/1", f"{SCAN}/gallery?rows=0,1,2",
    f"{SCAN}/samples/1", f"{SCAN}/arrays/entropy",
    "/api/cases/{case}/runs/{attention_allocation}/allocation",
    "/api/cases/{case}/runs/{evidence_fusion}/fusion",
    "/api/cases/{case}/clusters", "/api/cases/{case}/runs/{clusters}/clusters",
    "/api/cases/{case}/runs/{clusters}/clusters/points",
    "/api/cases/{case}/review", "/api/cases/{case}/review/queue",
    "/api/cases/{case}/report.json",
)  # fmt: skip
HOME = ("/api/home/cases", "/api/home/runs", "/api/cases/{case}/history", "/api/cases/{case}/disk")
LAB = ("/api/lab", "/api/walkthroughs")
ENCODER = (
    "/api/cases/{case}/triggers", "/api/cases/{case}/runs/{trigger_inversion}/triggers",
    "/api/cases/{case}/runs/{trigger_inversion}/triggers/0", "/api/cases/{case}/repairs",
)  # fmt: skip


def run_files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "runs").rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Both cases, moved, and what a fresh process sees of them."""
    written, moved = (tmp_path_factory.mktemp(name) for name in ("written", "moved"))
    places: Any = SimpleNamespace(cases=written)
    made = {"full-language": language_case(places)[1], "full-clip": encoder_case(places)[1]}
    repair = next(run for run in made["full-language"].runs() if run.method in REPAIRS).id
    cases = {}
    for name, case in made.items():
        cases[name] = Path(shutil.move(case.folder, moved / name))
    before = {name: run_files(folder) for name, folder in cases.items()}
    of_repair = f"/api/cases/{{case}}/runs/{repair}/repair"
    wanted = {"full-language": (*HOME, *LAB, *LANGUAGE, "/api/cases/{case}/repairs?x", of_repair),
              "full-clip": ENCODER}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(moved), json.dumps(wanted)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "TRIGGERLENS_CASES": str(moved)},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return SimpleNamespace(cases=cases, before=before, repair=of_repair, **told)


REPAIRS = ("filter-retune", "cross-view", "random-drop")


def test_every_address_of_every_tab_answers(seen: SimpleNamespace) -> None:
    assert {address: status for address, (status, _) in seen.found.items() if status != 200} == {}


def test_every_tab_has_something_to_show(seen: SimpleNamespace) -> None:
    def view(address: str) -> Any:
        return seen.found[address][1]

    assert view("/api/cases/{case}")["samples"] == 240 and view("/api/cases/{case}")["runs"]
    assert len(view("/api/cases/{case}/preview")["items"]) == 12
    said = [line["name"] for line in view("/api/cases/{case}/methods")["methods"] if line["said"]]
    assert {"attention-entropy", "attention-allocation", "evidence-fusion", "clusters"} <= set(said)
    assert view(f"{SCAN}/attention")["verdict"] and view(f"{SCAN}/samples/1")["reason"]
    assert view(f"{SCAN}/arrays/entropy") > 240 * 4
    assert view("/api/cases/{case}/runs/{clusters}/clusters/points") > 240 * 8
    assert view("/pictures/{case}/thumb/0") > 100
    home = view("/api/home/cases")
    assert "full-language" in json.dumps(home), home
    runs = Case.open(seen.cases["full-language"]).runs()
    assert all(run.id in json.dumps(view("/api/cases/{case}/history")) for run in runs)
    assert view("/api/cases/{case}/disk") and view("/api/home/runs")
    assert view("/api/lab") and view("/api/walkthroughs")
    assert view("/api/cases/{case}/triggers") and view(seen.repair)
    assert view("/api/cases/{case}/repairs") and view("/api/cases/{case}/repairs?x")
    assert view("/api/cases/{case}/review") and view("/api/cases/{case}/review/queue")


def test_nothing_ran_again(seen: SimpleNamespace) -> None:
    assert not seen.torch and seen.workers == []
    for name, folder in seen.cases.items():
        assert run_files(folder) == seen.before[name]
        assert all(run.status().state == "finished" for run in Case.open(folder).runs())
