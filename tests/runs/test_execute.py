import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from forensics.errors import Cancelled, CaseError, JobFailed, ModelError
from forensics.runs import QuietContext, Run, State, execute, reconcile
from forensics.runs.durable import read_lines
from tests.runs import toy

SLOW = {"rows": 40, "shard": 4, "pause": 0.1}


def do(run):
    return execute(run, lambda context: toy.scan(context, run.options))


@contextmanager
def process(run, *, shards):
    """Execute a run in a process of its own; yield once so many shards are done."""
    root = Path(toy.__file__).parents[2]
    child = subprocess.Popen([sys.executable, toy.__file__, run.folder], cwd=root)
    try:
        wait(lambda: run.ledger.path.exists() and lines(run) >= shards)
        yield child
    finally:
        child.kill()
        child.wait()


def lines(run):
    return run.ledger.path.read_bytes().count(b"\n")


def wait(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    run = Run.create(tmp_path_factory.mktemp("runs"), "toy", {**SLOW, "pause": 0})
    do(run)
    return (run.folder / "scan.safetensors").read_bytes()


def test_a_job_killed_half_way_is_interrupted_and_resumes_to_the_same_bytes(tmp_path, undisturbed):
    run = Run.create(tmp_path, "toy", SLOW)
    with process(run, shards=3) as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert run.status().state is State.RUNNING
    assert [changed.id for changed in reconcile(tmp_path)] == [run.id]
    assert run.status().state is State.INTERRUPTED
    kept = run.ledger.read()[0]
    run.requeue()
    do(run)
    assert (run.folder / "scan.safetensors").read_bytes() == undisturbed
    listed = [line["shard"] for line in read_lines(run.ledger.path)[0]]
    assert len(kept) >= 3 and listed == list(range(10))  # nothing was done twice
    assert run.status().attempt == 2


def test_a_killed_run_can_be_queued_again_before_anybody_put_it_right(tmp_path, undisturbed):
    run = Run.create(tmp_path, "toy", SLOW)
    with process(run, shards=2) as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert run.status().state is State.RUNNING
    run.requeue()
    do(run)
    assert (run.folder / "scan.safetensors").read_bytes() == undisturbed


def test_what_an_earlier_attempt_did_does_not_count_as_speed(tmp_path):
    run = broken_at(tmp_path, 5)
    run.requeue()
    seen = []

    def job(context):
        for done in (4, 20, 24):
            context.progress(done, 40)
        wait(lambda: run.status().done == 24)
        seen.append(run.status())
        return {}

    execute(run, job)
    assert seen[0].measured_done == 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_and_the_run_resumes_to_the_same_bytes(tmp_path, undisturbed, number):
    run = Run.create(tmp_path, "toy", SLOW)
    with process(run, shards=2) as child:
        child.send_signal(number)
        child.wait(5)
    assert run.status().state is State.CANCELLED
    run.requeue()
    do(run)
    assert (run.folder / "scan.safetensors").read_bytes() == undisturbed


def test_a_cancel_flag_stops_a_job_in_another_process(tmp_path):
    run = Run.create(tmp_path, "toy", SLOW)
    with process(run, shards=1) as child:
        run.request_cancel()
        child.wait(5)
    assert run.status().state is State.CANCELLED
    assert 1 <= run.status().done < SLOW["rows"]


def test_two_processes_cannot_execute_one_run(tmp_path):
    run = Run.create(tmp_path, "toy", SLOW)
    with process(run, shards=1) as child:
        with pytest.raises(CaseError, match=f"in the hands of process {child.pid}"):
            do(Run.open(run.folder))
        assert child.poll() is None


def test_a_run_that_only_waits_is_cancelled_at_once(tmp_path):
    run = Run.create(tmp_path, "toy", {}, worker=True)
    run.request_cancel()
    assert run.status().state is State.CANCELLED


def test_a_reused_process_id_does_not_pass_for_the_owner(tmp_path):
    run = Run.create(tmp_path, "toy", {})
    mine = replace(run.status(), state=State.RUNNING, pid=os.getpid())
    run.write_status(mine)
    assert reconcile(tmp_path) == []
    run.write_status(replace(mine, process_started=psutil.Process().create_time() - 50))
    assert [changed.id for changed in reconcile(tmp_path)] == [run.id]


def test_a_running_job_is_left_alone_by_reconcile(tmp_path):
    run = Run.create(tmp_path, "toy", SLOW)
    with process(run, shards=1):
        assert reconcile(tmp_path) == []


def test_a_run_of_another_machine_is_left_alone_while_its_heart_beats(tmp_path):
    run = Run.create(tmp_path, "toy", {})
    far = replace(run.status(), state=State.RUNNING, host="elsewhere", pid=1, process_started=1.0)
    run.write_status(replace(far, heartbeat=time.time()))
    assert reconcile(tmp_path) == []
    run.write_status(replace(far, heartbeat=time.time() - 100, queued=0.0))
    assert len(reconcile(tmp_path)) == 1


def test_a_torn_ledger_line_costs_only_its_own_shard(tmp_path, undisturbed):
    run = broken_at(tmp_path, 5)
    whole = run.ledger.path.read_bytes()
    run.ledger.path.write_bytes(whole[:-20])
    assert sorted(run.ledger.read()[0]) == [0, 1, 2, 3]
    finish(run)
    assert (run.folder / "scan.safetensors").read_bytes() == undisturbed


def test_a_corrupted_and_a_missing_shard_are_done_again(tmp_path, undisturbed):
    run = broken_at(tmp_path, 5)
    first, second = (run.folder / f"shards/00000{index}.safetensors" for index in (0, 1))
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    second.unlink()
    finish(run)
    assert (run.folder / "scan.safetensors").read_bytes() == undisturbed
    (resumed,) = [event for event in run.events() if event["kind"] == "resumed"]
    assert (resumed["shards"], resumed["dropped"]) == (3, 2)


def test_a_ledger_line_that_points_elsewhere_is_not_followed(tmp_path):
    run = broken_at(tmp_path, 2)
    text = run.ledger.path.read_text().replace("000001.safetensors", "../options.json")
    run.ledger.path.write_text(text)
    assert sorted(run.ledger.read()[0]) == [0]


def test_a_torn_event_is_skipped_and_does_not_spoil_the_next(tmp_path):
    run = Run.create(tmp_path, "toy", {})
    run.event("one")
    with (run.folder / "events.jsonl").open("ab") as file:
        file.write(b'{"kind": "to')
    run.event("two")
    assert [event["kind"] for event in run.events()] == ["one", "two"]


def test_an_exception_fails_the_run_with_a_message_and_a_traceback_in_its_folder(tmp_path):
    run = Run.create(tmp_path, "toy", {"fail_at": 2})
    with pytest.raises(JobFailed, match="row 8 broke"):
        do(run)
    assert run.status().state is State.FAILED
    assert run.status().error == "ValueError: row 8 broke"
    assert 'raise ValueError("row 8 broke")' in (run.folder / "job.log").read_text()


def test_an_input_error_keeps_its_kind_and_its_remedy(tmp_path):
    run = Run.create(tmp_path, "toy", {})

    def job(_):
        raise ModelError("No weights in /m.", remedy="Point to a folder with safetensors.")

    with pytest.raises(ModelError) as caught:
        execute(run, job)
    assert caught.value.__cause__ is None
    assert run.status().remedy == "Point to a folder with safetensors."


def test_a_second_interrupt_breaks_off_a_job_that_never_looks(tmp_path):
    run = Run.create(tmp_path, "toy", {})

    def deaf(_):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        pytest.fail("the second signal must break in")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Cancelled):
        execute(run, deaf)
    assert run.status().state is State.CANCELLED
    assert signal.getsignal(signal.SIGINT) is handler


def test_status_is_written_a_few_times_a_second_however_often_progress_is_reported(
    tmp_path, monkeypatch
):
    run = Run.create(tmp_path, "toy", {})
    written = []
    original = Run.write_status
    monkeypatch.setattr(
        Run, "write_status", lambda self, status: (written.append(status), original(self, status))
    )

    def job(context):
        for step in range(5000):
            context.progress(step, 5000)
        wait(lambda: run.status().done == 4999)
        return {}

    execute(run, job)
    assert run.status().done == 4999
    assert 3 <= len(written) < 100


def test_a_status_that_cannot_be_written_stops_the_job(tmp_path, monkeypatch):
    run = Run.create(tmp_path, "toy", {})
    original, broken = Run.write_status, threading.Event()

    def write(self, status):
        if broken.is_set() and status.state is State.RUNNING:
            raise OSError(28, "No space left on device")
        original(self, status)

    monkeypatch.setattr(Run, "write_status", write)

    def job(context):
        broken.set()
        for step in range(1000):
            context.progress(step, 1000)
            time.sleep(0.01)
        return {}

    with pytest.raises(JobFailed, match="No space left"):
        execute(run, job)


def test_a_job_works_as_a_library_in_any_folder(tmp_path, undisturbed):
    assert toy.scan(QuietContext(tmp_path), {**SLOW, "pause": 0}) == {"n": 40}
    assert (tmp_path / "scan.safetensors").read_bytes() == undisturbed


def broken_at(folder, shard):
    run = Run.create(folder, "toy", {**SLOW, "pause": 0, "fail_at": shard})
    with pytest.raises(JobFailed):
        do(run)
    return run


def finish(run):
    run.requeue()
    execute(run, lambda context: toy.scan(context, {**run.options, "fail_at": None}))
