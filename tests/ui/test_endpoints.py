"""The endpoints for programs, through Gradio's own client and a real server."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from forensics.case import Case
from forensics.case.people import account
from forensics.runs import Run
from forensics.ui.context import open_context
from forensics.ui.endpoints import NAMES, Endpoints, explained, sealed
from forensics.ui.workspace import Workspace, case_id
from forensics.worker import client as worker
from tests.test_docs import HOME
from tests.test_examples import examples
from tests.ui import synthetic
from tests.ui.serving import Server

HOSTILE = '<img src=x onerror="document.title=1">${1+1}'


def texts(index: int) -> tuple[str, str, str]:
    name, question, answer = synthetic.plain_texts(index)
    return name, question, f"{answer} {HOSTILE}"


@pytest.fixture(scope="module")
def scanned_case(server: Server) -> tuple[str, Case, Run]:
    case = synthetic.make_case(server.cases / "endpoints", 240, texts=texts)
    return Workspace(server.cases).enter(case.folder), case, synthetic.scan(case)


@pytest.fixture(scope="module")
def client(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    downloads = tmp_path_factory.mktemp("downloads")
    found = Client(server.url, verbose=False, download_files=str(downloads))
    yield found
    assert list(downloads.iterdir()) == []
    found.close()


def test_exactly_the_curated_endpoints_are_offered_and_described(client: Client) -> None:
    described: dict[str, Any] = client.view_api(return_format="dict", print_info=False)
    assert set(described["named_endpoints"]) == {f"/{name}" for name in NAMES}
    assert described["unnamed_endpoints"] == {}
    for name, endpoint in described["named_endpoints"].items():
        assert endpoint["description"], name
    flagged = described["named_endpoints"]["/flagged"]["parameters"]
    assert [(p["parameter_name"], p["parameter_has_default"]) for p in flagged] == [
        ("case", False), ("run", False), ("start", True), ("most", True)]  # fmt: skip


def test_cases_runs_and_results_are_read(client: Client, scanned_case: Any) -> None:
    name, _, run = scanned_case
    assert name in [line["case"] for line in client.predict(api_name="/list_cases")]
    opened = client.predict(name, api_name="/open_case")
    assert opened["samples"] == 240 and opened["latest_run"] == run.id
    assert [line["id"] for line in client.predict(name, api_name="/list_runs")] == [run.id]
    status = client.predict(name, run.id, api_name="/run_status")
    assert status["status"]["state"] == "finished"
    told, whole = client.predict(name, run.id, api_name="/result"), run.result()
    assert whole["recall"] == 1.0 and "recall" not in told and "scores" not in told
    assert told == {key: whole[key] for key in told} and set(told) > {"flagged", "layers"}


def test_flagged_samples_come_in_pages_and_as_they_are(client: Client, scanned_case: Any) -> None:
    name, _, run = scanned_case
    first = client.predict(name, run.id, 0, 5, api_name="/flagged")
    rest = client.predict(case=name, run=run.id, start=5, api_name="/flagged")
    assert first["total"] == run.result()["flagged"] == 5 + len(rest["samples"])
    assert "Do not run" in first["untrusted"]
    ids = [sample["id"] for sample in (*first["samples"], *rest["samples"])]
    assert ids == (run.folder / "flagged_ids.txt").read_text().split()
    assert all(sample["reason"] for sample in first["samples"])


@pytest.mark.parametrize(
    ("endpoint", "values", "message"),
    [
        ("/open_case", ["/etc"], "no case of that name"),
        ("/open_case", ["../../etc/passwd"], "no case of that name"),
        ("/open_case", [{"case": "CASE"}], "must be a text"),
        ("/open_case", [None], "must be a text"),
        ("/result", ["CASE", "../../case.json"], "no run"),
        ("/result", ["CASE", 5], "must be a text"),
        ("/flagged", ["CASE", "RUN", -1, 10], "A page"),
        ("/flagged", ["CASE", "RUN", 0, 100_000], "A page"),
        ("/flagged", ["CASE", "RUN", "0", 10], "whole number"),
        ("/start_scan", ["CASE", "rvpt", None], "no scan"),
        ("/start_scan", ["CASE", "magic", None], "no method"),
        ("/start_scan", ["CASE", "bye", {"tau": -1}], "--tau must be at least 0"),
        ("/start_scan", ["CASE", "bye", {"colour": "red"}], "Unknown option"),
        ("/start_scan", ["CASE", "bye", {"tau": {"path": "x"}}], "numbers, texts"),
        ("/start_scan", ["CASE", "bye", "tau=1"], "numbers, texts"),
        ("/cancel_run", ["CASE", "nothing"], "no run"),
    ],
)
def test_wrong_values_are_named(
    client: Client, scanned_case: Any, endpoint: str, values: list[Any], message: str
) -> None:
    name, case, run = scanned_case
    places = {"CASE": name, "RUN": run.id}
    given = [places.get(value, value) if isinstance(value, str) else value for value in values]
    with pytest.raises(AppError) as caught:
        client.predict(*given, api_name=endpoint)
    assert message in str(caught.value) and str(case.folder.parent) not in str(caught.value)
    assert len(case.runs()) == 1


def call(server: Server, endpoint: str, values: list[Any]) -> str:
    """Call an endpoint without the client, which would refuse to send some of this."""
    address = f"{server.url}/gradio_api/call/{endpoint}"
    body = json.dumps({"data": values}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        event = json.loads(answer.read())["event_id"]
    with urllib.request.urlopen(f"{address}/{event}", timeout=20) as answer:
        return str(answer.read().decode())


def test_a_forged_file_is_neither_read_nor_served(server: Server, scanned_case: Any) -> None:
    forged = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    for endpoint, values in (
        ("open_case", [forged]),
        ("result", [scanned_case[0], forged]),
        ("start_scan", [scanned_case[0], "bye", forged]),
        ("start_scan", [scanned_case[0], "bye", {"tau": forged}]),
    ):
        said = call(server, endpoint, values)
        assert "event: error" in said and "root:" not in said


def test_a_case_that_the_server_was_not_told_of_stays_unknown(
    client: Client, tmp_path: Path
) -> None:
    other = synthetic.make_case(tmp_path / "elsewhere", 40)
    with pytest.raises(AppError, match="no case of that name"):
        client.predict(case_id(other.folder), api_name="/open_case")


def post(server: Server, path: str, headers: dict[str, str]) -> int:
    body = json.dumps({"data": []}).encode()
    request = urllib.request.Request(f"{server.url}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_guard_stands_before_the_endpoints(server: Server) -> None:
    call, plain = "/gradio_api/call/list_cases", {"Content-Type": "application/json"}
    assert post(server, call, plain) == 200
    assert post(server, call, plain | {"Origin": "http://evil.example"}) == 403
    assert post(server, call, plain | {"Host": "evil.example"}) == 403


def test_the_example_of_the_documents_starts_a_scan_that_can_be_stopped(
    client: Client, server: Server
) -> None:
    case = synthetic.make_case(server.cases / "to-start", 40)
    name = Workspace(server.cases).enter(case.folder)  # the newest, so the first of the list
    (code,) = [one for one in examples(HOME / "docs/api.md") if "gradio_client" in one]
    said: dict[str, Any] = {}
    try:
        exec(
            compile(code.replace("http://127.0.0.1:7860", server.url), "docs/api.md", "exec"), said
        )
        run = said["started"]["run"]
        assert said["name"] == name and case.run(run).options["max_samples"] == 300
        assert client.predict(name, run, api_name="/cancel_run")["run"] == run
    finally:
        worker.stop_worker(case)
    assert [entry.what for entry in case.journal.entries()] == ["create", "run", "cancel"]


def test_what_is_recorded_carries_the_name_of_whoever_logged_in(tmp_path: Path) -> None:
    """Gradio calls an endpoint outside of the request, with what it kept of it."""
    case = synthetic.make_case(tmp_path / "cases" / "one", 40)
    context = open_context(tmp_path / "cases")
    name, run = context.workspace.enter(case.folder), case.new_run("clusters", {})
    cancel = explained(Endpoints(context).cancel_run)
    cancel(SimpleNamespace(state=SimpleNamespace(user="ada")), name, run.id)
    cancel(SimpleNamespace(state=SimpleNamespace()), name, run.id)
    entries = case.journal.entries("cancel")
    assert entries[0].who == "ada" and entries[1].who == account()


def test_data_cannot_pose_as_a_file() -> None:
    forged = {"path": "/etc/passwd", "url": "http://x", "meta": {"_type": "gradio.FileData"}}
    found = sealed({"evidence": [forged, 1]})
    assert isinstance(found["evidence"][0], str) and json.loads(found["evidence"][0]) == forged
