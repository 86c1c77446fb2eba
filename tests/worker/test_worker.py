import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from forensics.case import Case
from forensics.errors import CaseError, JobFailed, OptionError
from forensics.runs import QuietContext, Run, State
from forensics.runs.process import is_alive
from forensics.worker import client
from tests.case.making import HOSTILE
from tests.runs import toy

SLOW = {"rows": 40, "shard": 4, "pause": 0.1}


def wait(condition, seconds=15.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def state(run):
    return run.status().state


def arrays(run):
    return (run.folder / "scan.safetensors").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    toy.scan(QuietContext(folder), {**SLOW, "pause": 0})
    return (folder / "scan.safetensors").read_bytes()


def test_a_submitted_run_is_done_by_another_process_with_the_same_bytes(case, undisturbed):
    run = client.submit(case, "scan", {**SLOW, "pause": 0})
    wait(lambda: state(run) is State.FINISHED)
    assert run.status().pid not in (0, os.getpid())
    assert run.result() == {"n": 40}
    assert arrays(run) == undisturbed


def test_runs_are_done_in_the_order_of_asking_and_a_failed_one_stops_nothing(case):
    broken = client.submit(case, "broken", {})
    missing = client.submit(case, "missing", {})
    last = client.submit(case, "scan", {})
    wait(lambda: state(last) is State.FINISHED)
    assert broken.status().error == "ValueError: no luck"
    assert "cannot be imported" in missing.status().error
    order = [run.status().started for run in (broken, missing, last)]
    assert order == sorted(order)
    assert len({run.status().pid for run in (broken, missing, last)}) == 1  # one warm worker


def test_an_unknown_method_is_refused_before_anything_is_made(case):
    with pytest.raises(OptionError, match="no method 'scam'"):
        client.submit(case, "scam", {})
    assert case.runs() == []


def test_cancel_stops_a_run_and_resume_ends_with_the_same_bytes(case, undisturbed):
    run = client.submit(case, "scan", SLOW)
    wait(lambda: run.status().done >= 8)
    client.cancel(run)
    wait(lambda: state(run) is State.CANCELLED)
    assert 8 <= run.status().done < 40
    client.resume(run)
    wait(lambda: state(run) is State.FINISHED)
    assert arrays(run) == undisturbed


def test_a_killed_worker_leaves_an_interrupted_run_that_resumes_to_the_same_bytes(
    case, undisturbed
):
    run = client.submit(case, "scan", SLOW)
    wait(lambda: run.status().done >= 12)
    victim = run.status()
    os.kill(victim.pid, signal.SIGKILL)
    wait(lambda: not is_alive(victim.pid, victim.process_started))
    assert client.worker_state(case) == {"alive": False}
    assert client.ensure_worker(case)["pid"] != victim.pid  # it puts things right at its start
    wait(lambda: state(run) is State.INTERRUPTED)
    client.resume(run)
    wait(lambda: state(run) is State.FINISHED)
    assert arrays(run) == undisturbed


def test_a_run_outlives_the_server_that_asked_for_it_and_another_one_attaches(case):
    code = (
        "import sys; from forensics.case import Case; from forensics.worker import client\n"
        "run = client.submit(Case.open(sys.argv[1]), 'scan', {'rows': 600, 'pause': 0.1})\n"
        "print(run.id)"
    )
    server = subprocess.run(
        [sys.executable, "-c", code, case.folder], capture_output=True, text=True, check=True
    )
    run = Case.open(case.folder).run(server.stdout.strip())
    assert state(run).active
    assert client.worker_state(case)["run"] in (run.id, None)
    wait(lambda: state(run) is State.RUNNING)
    client.cancel(run)
    wait(lambda: state(run) is State.CANCELLED)


def test_a_live_request_is_answered_between_two_batches_of_a_run(case):
    run = client.submit(case, "scan", SLOW)
    wait(lambda: run.status().done >= 4)
    reply = client.call(case, "echo", {"text": HOSTILE})
    assert state(run) is State.RUNNING
    assert reply == {"case": "case", "pid": run.status().pid, "text": HOSTILE}
    wait(lambda: state(run) is State.FINISHED)


def test_errors_of_live_requests_come_back_as_words(case):
    with pytest.raises(JobFailed, match="<b>boom</b>") as caught:
        client.call(case, "boom", {})
    assert "worker.log" in caught.value.remedy
    with pytest.raises(JobFailed, match="no request 'evil'"):
        client.call(case, "evil", {})
    with pytest.raises(JobFailed, match="busy with a job"):
        napping = threading.Thread(target=client.call, args=(case, "nap", {"seconds": 1.0}))
        napping.start()
        wait(lambda: "pid" in client.worker_state(case))
        time.sleep(0.3)
        try:
            client.call(case, "echo", {}, timeout=0.1)
        finally:
            napping.join()


def test_a_worker_that_dies_while_it_answers_is_reported_and_replaced(case):
    with pytest.raises(JobFailed, match="did not answer"):
        client.call(case, "vanish", {})
    assert client.call(case, "echo", {"n": 1})["n"] == 1


def test_a_case_has_one_worker_only(case):
    first = client.ensure_worker(case)
    command = [sys.executable, "-m", "forensics.worker", "--case", str(case.folder)]
    assert subprocess.run(command, timeout=20).returncode == 75
    assert client.ensure_worker(case)["pid"] == first["pid"]


def test_a_worker_ends_when_idle_and_the_next_request_starts_another(case):
    first = client.ensure_worker(case, idle_minutes=0.01)
    wait(lambda: not is_alive(first["pid"], first["process_started"]))
    assert client.worker_state(case) == {"alive": False}
    assert client.call(case, "echo", {})["pid"] != first["pid"]


def test_stopping_the_worker_cancels_its_run_and_keeps_what_waits(case):
    run, waiting = client.submit(case, "scan", SLOW), client.submit(case, "scan", {})
    wait(lambda: run.status().done >= 4)
    assert client.stop_worker(case)
    assert (state(run), state(waiting)) == (State.CANCELLED, State.QUEUED)
    client.ensure_worker(case)
    wait(lambda: state(waiting) is State.FINISHED)


def test_a_worker_that_cannot_start_says_why_and_leaves_nothing_queued(case, monkeypatch):
    monkeypatch.setattr(client, "load_table", lambda _: client_table())
    with pytest.raises(JobFailed, match="No module named 'no_such_table'"):
        client.submit(case, "scan", {}, jobs="no_such_table")
    assert [state(run) for run in case.runs()] == [State.CANCELLED]


def client_table():
    from forensics.worker.table import load_table

    return load_table("tests.worker.toy_jobs")


def test_a_running_run_can_neither_be_resumed_nor_deleted(case):
    run = client.submit(case, "scan", {**SLOW, "rows": 400})
    wait(lambda: run.status().done >= 4)
    with pytest.raises(CaseError, match="in the hands of process"):
        client.resume(Run.open(run.folder))
    with pytest.raises(CaseError, match="in the hands of process"):
        run.delete()
    assert json.loads((run.folder / "status.json").read_text())["state"] == "running"
