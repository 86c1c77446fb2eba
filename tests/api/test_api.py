"""``import forensics as fx``: light, typed, and the way that the command line goes itself."""

import ast
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.cli.entry import run as command
from forensics.runs.context import WatchedContext
from tests.make_case import MakeCase


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, forensics\n"
        "assert 'scan' in dir(forensics)\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'sqlalchemy', 'click'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_reading_a_case_with_it_imports_no_torch(make_case: MakeCase) -> None:
    folder = str(make_case(4).folder)
    code = (
        "import sys, forensics as fx\n"
        f"assert fx.show({folder!r}).n == 4 and fx.demos()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_name_is_there_once_for_people_and_once_for_type_checkers() -> None:
    source = ast.parse(Path(str(fx.__file__)).read_text(encoding="utf-8"))
    checked = next(node for node in source.body if isinstance(node, ast.If))
    imported = {
        alias.name: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == fx._HOME
    assert sorted(fx.__all__) == sorted({*imported, "__version__"})
    for name in fx.__all__:
        assert getattr(fx, name).__doc__
    with pytest.raises(AttributeError, match="no_such_name"):
        fx.no_such_name  # noqa: B018


def test_a_scan_says_what_the_command_says(
    make_case: MakeCase, capsys: pytest.CaptureFixture[str]
) -> None:
    case = make_case(40)
    told: list[fx.Progress] = []
    run = fx.scan(case.folder, "bye", batch_size=8, tau=0.0, progress=told.append)
    assert run.method == "attention-entropy" and run.options["tau"] == 0.0
    assert told[-1].state == "finished" and told[-1].done == told[-1].total == 40
    assert run.result == fx.open_run(case, method="bye").result == run.run.result()
    capsys.readouterr()
    flags = ["--batch-size", "8", "--tau", "0", "--json"]
    assert command(["scan", "bye", "--case", str(case.folder), *flags]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    same = ("verdict", "reason", "sentence", "n", "flagged", "scores")
    assert {key: said[key] for key in same} == {key: run.result[key] for key in same}
    assert [entry.what for entry in case.journal.entries()] == ["create", "run", "run"]


def test_flagged_samples_are_read_a_page_at_a_time(make_case: MakeCase) -> None:
    run = fx.scan(make_case(40), "bye", batch_size=8, tau=0.0)
    listed = (run.folder / run.result["flagged_ids_file"]).read_text().split()
    first, rest = run.flagged(most=2), run.flagged(start=2)
    assert first.total == rest.total == len(listed) > 2
    assert [sample.id for sample in (*first.samples, *rest.samples)] == listed
    assert all(sample.reason and sample.score is not None for sample in first.samples)
    assert run.flagged(start=len(listed)).samples == ()
    with pytest.raises(fx.ForensicsError, match="page"):
        run.flagged(most=0)


def test_a_case_is_shown_as_the_command_shows_it(
    make_case: MakeCase, capsys: pytest.CaptureFixture[str]
) -> None:
    case = make_case(6)
    facts = fx.show(case)
    capsys.readouterr()
    assert command(["case", "show", str(case.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == facts.to_dict()
    assert facts.n == 6 and facts.runs == () and set(facts.hashes) == {"data", "model", "pictures"}


def test_ctrl_c_cancels_the_run_and_it_goes_on_from_there(
    make_case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(20)
    tell = WatchedContext.progress

    def press(context: WatchedContext, done: int, total: int, message: str = "") -> None:
        if done == 7:  # once, in the middle of the job: a listener's thread may come after its end
            signal.raise_signal(signal.SIGINT)
        tell(context, done, total, message)

    with monkeypatch.context() as pressing, pytest.raises(fx.Cancelled):
        pressing.setattr(WatchedContext, "progress", press)
        fx.scan(case, "bye", batch_size=1, progress=lambda _: None)
    stopped = case.runs()[0]
    assert stopped.status().state == "cancelled"
    run = fx.scan(case, "bye", resume=stopped.id)
    assert run.id == stopped.id and run.result["n"] == 20


def test_a_broken_listener_is_heard_of_after_the_run(make_case: MakeCase) -> None:
    case = make_case(4)

    def broken(progress: fx.Progress) -> None:
        raise ZeroDivisionError(progress.text)

    with pytest.raises(ZeroDivisionError):
        fx.scan(case, "bye", progress=broken)
    assert fx.open_run(case).result["n"] == 4


def test_what_does_not_fit_is_refused_before_a_run_is_made(make_case: MakeCase) -> None:
    case = make_case(4)
    with pytest.raises(fx.ForensicsError, match="'repair', not 'scan'"):
        fx.scan(case, "rvpt")
    with pytest.raises(fx.ForensicsError, match="no_such_option"):
        fx.scan(case, "bye", no_such_option=1)
    with pytest.raises(fx.ForensicsError, match="CLIP"):
        fx.scan(case, "clip-inspector")
    with pytest.raises(fx.ForensicsError, match="needs a model"):
        fx.new_case(case.folder / "x", data="llava:/x.json")
    with pytest.raises(fx.ForensicsError, match="no finished run of attention-entropy"):
        fx.transplant(case)
    assert [run.method for run in case.runs()] == ["transplant"]


def test_exports_say_where_they_are(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case(40)
    run = fx.scan(case, "bye", batch_size=8, tau=0.0)
    ids = fx.export_ids(case, tmp_path / "flagged.jsonl", run=run, which="flagged", use_flags=True)
    assert ids.path.read_text().count("\n") == ids.facts["written"] == run.result["flagged"]
    data = fx.export_dataset(case, tmp_path / "clean" / "set.json", run=run.id, use_flags=True)
    assert len(json.loads(data.path.read_text())) == data.facts["kept"] == 40 - run.flagged().total
    report = fx.export_report(case, tmp_path / "report.html")
    assert report.path.read_text().startswith("<!doctype html>") and report.facts["runs"] == 1
