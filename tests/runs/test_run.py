import json
import os
import re
import time

import numpy as np
import pytest

from forensics.errors import CaseError
from forensics.runs import Run, State, execute, list_runs, next_queued, progress_view
from forensics.runs.status import Status
from tests.runs.toy import scan


def test_a_run_id_says_when_and_what_and_sorts_by_time(tmp_path):
    runs = [Run.create(tmp_path, "attention-entropy", {}) for _ in range(3)]
    assert all(re.fullmatch(r"\d{8}-\d{6}-attention-entropy-[0-9a-f]{4}", run.id) for run in runs)
    assert [run.id for run in list_runs(tmp_path)] == [run.id for run in reversed(runs)]


@pytest.mark.parametrize("method", ["", "../x", "A b", "a/b", "a" * 60])
def test_a_method_name_that_is_no_name_makes_no_folder(tmp_path, method):
    with pytest.raises(CaseError):
        Run.create(tmp_path, method, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..", "x", "20261121-081530-bye-3f2a/..", "20261121-081530-B-3f"])
def test_a_folder_whose_name_is_no_run_id_is_refused(tmp_path, name):
    with pytest.raises(CaseError):
        Run.open(tmp_path / name)


def test_options_with_numpy_values_and_html_come_back_as_plain_text(tmp_path):
    options = {"tau": np.float32(0.5), "note": "<b>ü</b> ${x} \ud800", "layers": np.arange(2)}
    run = Run.open(Run.create(tmp_path, "bye", options).folder)
    assert run.options == {"tau": 0.5, "note": "<b>ü</b> ${x} ?", "layers": [0, 1]}


def test_nan_in_a_result_becomes_null_and_the_file_is_strict_json(tmp_path):
    run = Run.create(tmp_path, "bye", {})
    execute(run, lambda _: {"bsi": float("nan"), "best": np.float64("inf"), "n": np.int64(3)})
    assert run.result() == {"bsi": None, "best": None, "n": 3}
    json.loads((run.folder / "result.json").read_text(), parse_constant=pytest.fail)


def test_a_finished_run_keeps_result_arrays_events_and_who_did_it(tmp_path):
    run = Run.create(tmp_path, "toy", {"rows": 10})
    execute(run, lambda context: scan(context, run.options))
    status = run.status()
    assert (status.state, status.done, status.total) == (State.FINISHED, 10, 10)
    assert (status.pid, status.attempt) == (os.getpid(), 1)
    assert run.arrays("scan.safetensors")["values"].shape == (10, 3)
    assert [event["kind"] for event in run.events()] == ["started", "finished"]
    lines = [json.loads(line) for line in run.ledger.path.read_text().splitlines()]
    assert [line["batch_size"] for line in lines] == [4, 4, 4]
    assert list((run.folder / "shards").iterdir()) == []  # all in the result; no bytes kept twice


def test_a_finished_run_is_not_executed_again(tmp_path):
    run = Run.create(tmp_path, "bye", {})
    execute(run, lambda _: {"n": 1})
    with pytest.raises(CaseError, match="finished cannot become running"):
        execute(run, lambda _: {"n": 2})
    assert run.result() == {"n": 1}


def test_a_damaged_status_reads_as_failed_and_does_not_hide_other_runs(tmp_path):
    whole, broken = Run.create(tmp_path, "bye", {}), Run.create(tmp_path, "bye", {})
    (broken.folder / "status.json").write_text('{"schema": 1, "state": "dancing"}')
    assert broken.status().state is State.FAILED
    assert "dancing" in broken.status().error
    assert {run.id for run in list_runs(tmp_path)} == {whole.id, broken.id}


def test_the_queue_gives_the_longest_waiting_run_of_the_worker_first(tmp_path):
    Run.create(tmp_path, "own", {})
    first = Run.create(tmp_path, "bye", {}, worker=True)
    Run.create(tmp_path, "bye", {}, worker=True)
    found = next_queued(tmp_path)
    assert found is not None and found.id == first.id


def test_deleting_a_run_frees_its_bytes_but_not_while_it_is_held(tmp_path):
    run = Run.create(tmp_path, "bye", {})
    assert run.disk_use() > 100
    with run.hold(), pytest.raises(CaseError, match="in the hands of process"):
        Run.open(run.folder).delete()
    run.delete()
    assert list(tmp_path.iterdir()) == []


def test_run_files_are_for_their_owner_only(tmp_path):
    run = Run.create(tmp_path, "bye", {})
    assert run.folder.stat().st_mode & 0o077 == 0
    assert (run.folder / "options.json").stat().st_mode & 0o077 == 0


def test_progress_is_counted_from_where_the_attempt_began():
    now = time.time()
    status = Status(
        state=State.RUNNING, done=60, total=100, started=now - 20, measured_from=now - 10,
        measured_done=40, updated=now, heartbeat=now,
    )  # fmt: skip
    view = progress_view(status, now)
    assert (view.rate, view.remaining, view.fraction) == (pytest.approx(2), pytest.approx(20), 0.6)
    assert view.text == "Running · 60 of 100 · 2 per second · 20 s left"


def test_progress_of_a_silent_process_is_called_stalled():
    status = Status(state=State.RUNNING, started=0.5, heartbeat=100.0)
    assert progress_view(status, now=120.0).stalled
    assert not progress_view(status, now=110.0).stalled
