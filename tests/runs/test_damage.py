"""Runs that cannot be read: told apart from those that can, whatever was damaged."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from forensics.runs import Run, execute
from forensics.runs.damage import damage, damaged_runs
from forensics.runs.listing import list_runs
from forensics.runs.references import builders, builds_on
from forensics.runs.whole import is_whole


def finished(folder: Path, result: dict[str, object] | None = None) -> Run:
    run = Run.create(folder, "attention-entropy", {"tau": 2.0})
    save_file({"entropy": np.ones((4, 3), np.float32)}, run.folder / "attention.safetensors")
    execute(run, lambda _context: result or {"verdict": "suspicious"})
    return run


@pytest.mark.parametrize("length", [0, 4, 8, 20, -1])
def test_a_file_that_was_cut_off_is_not_whole(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x": np.arange(10.0), "y": np.zeros((2, 2), np.int8)}, path)
    assert is_whole(path)
    content = path.read_bytes()
    path.write_bytes(content[:length])
    assert not is_whole(path)


@pytest.mark.parametrize(
    "content", [b"\xff" * 64, b"\x02" + bytes(7) + b"[]", b"\x04" + bytes(7) + b"null"]
)
def test_what_is_no_file_of_arrays_is_not_whole(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    assert not is_whole(path)
    assert not is_whole(tmp_path / "not there")


@pytest.mark.parametrize(("name", "content"), [
    ("options.json", b"{"), ("options.json", b"[]"), ("result.json", b'{"verdict": "susp'),
    ("result.json", b"[]"), ("attention.safetensors", b"\x08"),
])  # fmt: skip
def test_a_damaged_run_is_told_apart_and_mended_by_itself(
    tmp_path: Path, name: str, content: bytes
) -> None:
    good, bad = finished(tmp_path), finished(tmp_path)
    path = bad.folder / name
    whole = path.read_bytes()
    path.write_bytes(content)
    assert [run.id for run in list_runs(tmp_path)] == [good.id]
    (lost,) = damaged_runs(tmp_path)
    assert (lost.id, bool(lost.reason)) == (bad.id, True)
    path.write_bytes(whole)
    assert len(list_runs(tmp_path)) == 2
    assert damage(bad.folder) == ""


def test_a_finished_run_without_a_result_is_damaged_and_a_waiting_one_is_not(
    tmp_path: Path,
) -> None:
    bad = finished(tmp_path)
    waiting = Run.create(tmp_path, "attention-entropy", {})
    (bad.folder / "result.json").unlink()
    assert [run.id for run in damaged_runs(tmp_path)] == [bad.id]
    assert [run.id for run in list_runs(tmp_path)] == [waiting.id]
    assert {run.id for run in list_runs(tmp_path, damaged=True)} == {bad.id, waiting.id}


def test_a_damaged_run_is_cleared_away_whole(tmp_path: Path) -> None:
    bad = finished(tmp_path)
    (bad.folder / "options.json").unlink()
    (lost,) = damaged_runs(tmp_path)
    assert lost.disk_use() > 0
    lost.delete()
    assert list(tmp_path.iterdir()) == []


def test_a_run_builds_on_those_that_options_or_result_name(tmp_path: Path) -> None:
    scan = finished(tmp_path)
    other = finished(tmp_path)
    by_result = finished(tmp_path, {"arrays_run": scan.id, "parts": [{"of": other.id}]})
    by_option = Run.create(tmp_path, "filter-retune", {"run": scan.id})
    assert builds_on(by_result) == {scan.id, other.id}
    assert builds_on(by_option) == {scan.id}
    everything = [scan, other, by_result, by_option]
    assert {run.id for run in builders(scan, everything)} == {by_result.id, by_option.id}
    assert builders(by_option, everything) == []
