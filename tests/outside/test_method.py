"""A method added from outside appears in command, page and listing without an edit to them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.case import Case
from tests.outside.packages import environment, install
from tests.ui import synthetic


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("outside") / "site")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    def texts(index: int) -> tuple[str, str, str]:
        answer = "a very long answer " * 9 if index == 3 else "a short answer"
        return f"s-{index}", "describe", answer

    return synthetic.make_case(tmp_path / "case", 20, poisoned=0.0, texts=texts)


def forensics(package: Path, *words: str | Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "forensics", *map(str, words)]
    done = subprocess.run(
        command, env=environment(package), check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_lists_it_in_words_and_as_the_documents_do(package: Path) -> None:
    code, listed, _ = forensics(package, "methods", "--json")
    assert code == 0
    assert "long-answers" in [spec["name"] for spec in json.loads(listed)["methods"]]
    code, page, _ = forensics(package, "methods", "--markdown")
    assert code == 0 and "| `long-answers` (`lang`) |" in page and "`--times`" in page
    code, text, _ = forensics(package, "scan", "--help")
    assert code == 0 and "long-answers" in text
    code, text, _ = forensics(package, "scan", "lang", "--help")
    assert code == 0 and "--times" in text and "Times the median length." in text


def test_the_command_runs_it_and_exports_by_it(package: Path, case: Case, tmp_path: Path) -> None:
    place = ("--case", case.folder)
    code, out, errors = forensics(package, "scan", "long-answers", *place, "--times", "5", "--json")
    assert code == 0, errors
    said = json.loads(out)
    assert (said["flagged"], said["n"]) == (1, 20)
    assert Path(said["flagged_ids_file"]).read_text() == "s-3\n"
    code, text, _ = forensics(package, "scan", "lang", *place)
    assert code == 0 and "Flagged 1 of 20 samples by rule length" in text
    to = tmp_path / "flagged.csv"
    code, _, errors = forensics(package, "export", "ids", *place, "--run", said["run"],
                                "--which", "flagged", "--use-flags", "--to", to)  # fmt: skip
    assert code == 0, errors
    assert "s-3" in to.read_text() and "letters" in to.read_text()
    code, _, errors = forensics(package, "scan", "lang", *place, "--times", "0")
    assert code == 2 and "--times must be at least 1" in errors


SERVE = """
import json, sys, time
from pathlib import Path
from fastapi.testclient import TestClient
from forensics.ui.app import build_server
from forensics.ui.context import open_context
from forensics.worker import client as worker

root, folder = map(Path, sys.argv[1:])
context = open_context(root)
name = context.workspace.enter(folder)
with TestClient(build_server(context), base_url="http://127.0.0.1") as http:
    parts = [part["props"] for part in http.get("/config").json()["components"]]
    ids = {props.get("elem_id") for props in parts}
    labels = {str(props.get("label")) for props in parts}
    listed = http.get(f"/api/cases/{name}/methods").json()["methods"]
    line = next(line for line in listed if line["name"] == "long-answers")
    started = http.post(
        f"/api/cases/{name}/methods/long-answers", json={"options": {"times": 5}},
        headers={"x-triggerlens": "1"},
    ).json()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        state = http.get(f"/api/cases/{name}/runs/{started['run']}").json()["status"]
        if not state["active"]:
            break
        time.sleep(0.2)
    agreement = http.get(f"/api/cases/{name}/agreement").json()
    said = next(m for m in http.get(f"/api/cases/{name}/methods").json()["methods"]
                if m["name"] == "long-answers")["said"]
worker.stop_worker(context.case(name))
print(json.dumps({"ids": sorted(filter(None, ids)), "labels": sorted(labels), "line": line,
                  "state": state, "said": said, "agreement": agreement}))
"""


def test_the_page_offers_it_with_a_form_and_runs_it(
    package: Path, case: Case, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path / "root"), str(case.folder)],
        env=environment(package), check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {"run-long-answers", "start-long-answers"} <= set(found["ids"])
    assert any("Times" in label or "times" in label for label in found["labels"])
    assert found["line"]["refused"] is None and found["line"]["title"].startswith("Answers far")
    assert found["state"]["state"] == "finished", found["state"]
    assert found["said"]["verdict"] == "inconclusive" and found["said"]["flagged"] == 1
    assert "Long answers" in json.dumps(found["agreement"])


BROKEN = {
    "gone": "no_such_module:SPEC",
    "odd": "odd_one:NOT_A_SPEC",
    "twice": "odd_one:TWICE",
    "optionless": "odd_one:OPTIONLESS",
    "badly-named": "odd_one:BADLY_NAMED",
    "falls": "falls_over:SPEC",
}
ODD_ONE = """
from dataclasses import replace
from long_answers import SPEC
NOT_A_SPEC = "text"
TWICE = replace(SPEC, name="clusters")
OPTIONLESS = replace(SPEC, name="other", alias="", options="odd_one:nothing")
BADLY_NAMED = replace(SPEC, name="../x", alias="")
"""


def test_broken_packages_are_told_of_and_break_nothing(case: Case, tmp_path: Path) -> None:
    site = install(
        tmp_path / "site",
        {"forensics.methods": BROKEN | {"long-answers": "long_answers:SPEC"}},
        {"odd_one": ODD_ONE, "falls_over": "raise RuntimeError('on purpose\\nsecond line')"},
        name="broken-tools",
    )
    code, out, errors = forensics(site, "methods", "--json")
    assert code == 0
    names = [spec["name"] for spec in json.loads(out)["methods"]]
    assert "long-answers" in names and len(names) == len(set(names))
    for name in BROKEN:
        assert f"The method '{name}' of package broken-tools is left out" in errors
    assert "RuntimeError: on purpose." in errors and "second line" not in errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) == len(BROKEN)
    code, _, _ = forensics(site, "case", "show", case.folder, "--json")
    assert code == 0
