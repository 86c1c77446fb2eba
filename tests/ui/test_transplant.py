"""The transplant panel's views and routes, on a drawn test; the start is tried in the browser."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from forensics.case import Case
from forensics.detectors.transplant.arms import (
    MOVED,
    PATCH_CONTROLS,
    SAME,
    SUSPECTED,
    Arm,
    compare_arms,
    compare_models,
    measure_necessity,
)
from forensics.detectors.transplant.verdict import Subject, judge_transplant
from forensics.jobs.transplant.options import TransplantOptions
from forensics.options import options_to_dict
from forensics.runs import Run, RunContext, execute
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from forensics.ui.views.transplant import find_transplant, transplant_view
from tests.ui.conftest import Scanned

HOSTS = 40
HEADERS = {"X-TriggerLens": "1", "Host": "127.0.0.1"}


def arm(flips: int) -> Arm:
    flipped = np.arange(HOSTS) < flips
    return Arm(asked=np.ones(HOSTS, dtype=bool), flipped=flipped, contained=flipped)


def drawn_result(case: Case, scan: Run) -> dict[str, Any]:
    """Decide over drawn flips with the detectors' own functions."""
    donor_of = np.arange(HOSTS) % 4
    controls = [name for name in PATCH_CONTROLS if name != SAME]
    tuned = {SUSPECTED: arm(39), **{name: arm(1) for name in controls}, MOVED: arm(5)}
    base = {SUSPECTED: arm(0), **{name: arm(0) for name in controls}}
    found, beyond = compare_arms(tuned, donor_of), compare_models(tuned, base, donor_of)
    verdict = judge_transplant(Subject(answer="<b>x</b>", donors=4), tuned, found, beyond)
    gone = np.ones(10, dtype=bool)
    picture = case.pictures.keep(Image.new("RGB", (64, 64), "red"))
    example = {
        "host": "s-00001", "host_row": 1, "donor": "s-00000", "donor_row": 0, "picture": picture,
        "patch": picture, "before": "a red circle", "after": "<b>x</b>", "flipped": True,
        "controls": {},
    }  # fmt: skip
    return {
        "method": "transplant",
        **verdict.to_dict(),
        "scan": scan.id, "forced": 0, "suspected_answer": "<b>x</b>", "layer": 2, "tokens": 3,
        "donors": ["a", "b", "c", "d"], "hosts": HOSTS, "dev_hosts": 8,
        "arms": [one.to_dict(name) for name, one in tuned.items()],
        "differences": [one.to_dict() for one in found],
        "base": {
            "arms": [one.to_dict(name) for name, one in base.items()],
            "differences": {
                name: {"n": d.n, "value": d.value, "low": d.low, "high": d.high}
                for name, d in beyond.items()
            },
        },
        "necessity": measure_necessity(gone, ~gone).to_dict(),
        "examples": [example],
    }  # fmt: skip


@pytest.fixture(scope="module")
def tested(scanned: Scanned) -> Run:
    options = options_to_dict(TransplantOptions(run=scanned.run.id))
    run = scanned.case.new_run("transplant", options)

    def job(context: RunContext) -> dict[str, Any]:
        return drawn_result(scanned.case, scanned.run)

    execute(run, job)
    return run


@pytest.fixture(scope="module")
def client(scanned: Scanned) -> Iterator[TestClient]:
    # Without Gradio's page: its clean-up task needs a server's loop.
    app = FastAPI()
    for router in routers(scanned.context):
        app.include_router(router)
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def test_the_panel_starts_empty_and_finds_the_run_of_its_scan(
    scanned: Scanned, tested: Run
) -> None:
    assert transplant_view("x", None) == {"state": None}
    assert find_transplant(scanned.case, scanned.run).id == tested.id  # type: ignore[union-attr]
    assert find_transplant(scanned.case, tested).id == tested.id  # type: ignore[union-attr]


def test_the_view_tells_patch_controls_and_base_apart(
    scanned: Scanned, tested: Run, client: TestClient
) -> None:
    view = client.get(f"{scanned.path}/transplant", headers=HEADERS).json()
    assert (view["state"], view["verdict"], view["run"]) == ("finished", "suspicious", tested.id)
    roles = [row["role"] for row in view["arms"]]
    assert roles == ["patch", "control", "control", "control", "moved", "base"]
    assert view["arms"][0]["rate"] == pytest.approx(39 / HOSTS)
    assert len(view["numbers"]) == 3 and view["numbers"][0]["beyond"]["value"] > 0.9
    assert "10 of 10 flagged samples" in view["necessity"]
    assert "“No evidence” is not “clean”." in view["limits"]
    assert view["examples"][0]["after"] == "<b>x</b>"  # text, and the page keeps it text


def test_its_pictures_are_served_by_their_hash_alone(
    scanned: Scanned, tested: Run, client: TestClient
) -> None:
    [example] = client.get(f"{scanned.path}/transplant", headers=HEADERS).json()["examples"]
    served = client.get(example["pasted"], headers=HEADERS)
    assert served.headers["content-type"] == "image/png"
    assert client.get(example["picture"], headers=HEADERS).status_code == 200
    for address in ("0" * 64, "case", "..%2f..%2fcase.json", "A" * 64):
        answer = client.get(f"/pictures/{scanned.name}/kept/{address}", headers=HEADERS)
        assert answer.status_code in (400, 404), address


def test_a_second_start_is_refused_while_one_waits(
    scanned: Scanned, tested: Run, client: TestClient
) -> None:
    options = options_to_dict(TransplantOptions(run=scanned.run.id))
    waiting = scanned.case.new_run("transplant", options, worker=True)
    try:
        answer = client.post(f"{scanned.path}/transplant", json={"force": 0}, headers=HEADERS)
        assert "under way" in answer.json()["error"]
        view = client.get(f"{scanned.path}/transplant", headers=HEADERS).json()
        assert (view["state"], view["run"]) == ("queued", waiting.id)
    finally:
        with contextlib.suppress(Exception):
            waiting.request_cancel()
        waiting.delete()


def test_a_forced_number_is_checked(scanned: Scanned, client: TestClient) -> None:
    answer = client.post(f"{scanned.path}/transplant", json={"force": -1}, headers=HEADERS)
    assert answer.status_code == 400 and "--force" in answer.json()["error"]
