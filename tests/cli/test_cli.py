import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.cli.entry import VERBS, run
from forensics.cli.output import printable
from tests.make_case import MakeCase


@pytest.fixture
def forensics(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any, str]]:
    """Run the command in this process; return exit code, JSON or text, and stderr."""

    def call(*arguments: str | Path) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        output: Any = captured.out
        return code, json.loads(output) if "--json" in arguments else output, captured.err

    return call


Call = Callable[..., tuple[int, Any, str]]


@pytest.mark.parametrize("verb", [[], *([verb] for verb in VERBS), ["scan", "bye"],
                                  ["case", "new"], ["export", "ids"]])  # fmt: skip
def test_every_verb_explains_itself(forensics: Call, verb: list[str]) -> None:
    code, text, _ = forensics(*verb, "--help")
    assert code == 0 and "Usage: forensics" in text


def test_a_case_goes_from_data_to_kept_ids(
    forensics: Call,
    make_case: MakeCase,
    tmp_path: Path,
) -> None:
    made = make_case(40)
    code, scan, _ = forensics("scan", "bye", "--case", made.folder, "--batch-size", "8", "--json")
    assert code == 0
    assert {"run", "method", "verdict", "reason", "n", "flagged", "flagged_ids_file", "seconds",
            "samples_per_second", "precision", "recall", "f1"} <= set(scan)  # fmt: skip
    assert scan["n"] == 40 and Path(scan["flagged_ids_file"]).is_file()
    code, shown, _ = forensics("case", "show", made.folder, "--json")
    assert shown["runs"][0]["run"] == scan["run"] and shown["n"] == 40
    code, out, _ = forensics("export", "ids", "--case", made.folder, "--to", tmp_path / "k.csv",
                             "--json")  # fmt: skip
    assert (code, out["written"] + out["flagged"]) == (0, 40)
    cleaned = tmp_path / "clean" / "set.json"
    code, out, _ = forensics("export", "dataset", "--case", made.folder, "--to", cleaned, "--json")
    assert code == 0 and len(json.loads(cleaned.read_text())) == out["kept"] == 40
    assert [entry.what for entry in Case.open(made.folder).journal.entries()] == [
        "create", "run", "export ids", "export dataset"]  # fmt: skip


def test_nothing_is_removed_on_a_verdict_that_is_not_suspicious(
    forensics: Call,
    make_case: MakeCase,
    tmp_path: Path,
) -> None:
    made = make_case(40)
    # tau 0 flags somebody in any set; fewer than 200 samples are never called suspicious.
    _, scan, _ = forensics("scan", "bye", "--case", made.folder, "--tau", "0", "--json")
    assert scan["flagged"] > 0 and scan["verdict"] != "suspicious"
    _, kept, _ = forensics("export", "ids", "--case", made.folder, "--to", tmp_path / "a.jsonl",
                           "--json")  # fmt: skip
    assert kept["written"] == 40
    _, kept, _ = forensics("export", "ids", "--case", made.folder, "--to", tmp_path / "b.jsonl",
                           "--use-flags", "--json")  # fmt: skip
    assert kept["written"] == 40 - scan["flagged"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan", "bye", "--case", "nowhere"], "nowhere"),
        (["scan", "bye", "--case", "CASE", "--tau", "-1"], "--tau must be at least 0"),
        (["scan", "bye", "--case", "CASE", "--colour", "red"], "--colour"),
        (["scan", "magic", "--case", "CASE"], "magic"),
        (["case", "new", "CASE", "--model", "x", "--data", "y"], "CASE"),
        (["case", "new", "NEW", "--data", "y"], "--model"),
        (["case", "new", "NEW", "--model", "/no/model", "--data", "DATA"], "/no/model"),
        (["export", "ids", "--case", "CASE", "--to", "x.csv"], "no finished run"),
        (["evaluate", "--case", "CASE", "--trigger", "patch:side=1/8"], "--target"),
        (["evaluate", "--case", "CASE", "--trigger", "magic:", "--target", "x"], "magic"),
        (["tune", "--case", "CASE"], "no base"),
        (["nonsense"], "nonsense"),
    ],
)
def test_what_the_user_gets_wrong_is_named_and_leaves_with_2(
    forensics: Call,
    make_case: MakeCase,
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    made = make_case(4)
    places = {"CASE": str(made.folder), "NEW": str(tmp_path / "new"),
              "DATA": f"llava:{tmp_path / 'one' / 'set.json'}"}  # fmt: skip
    code, _, errors = forensics(*[places.get(word, word) for word in arguments])
    assert code == 2
    assert places.get(message, message) in errors
    assert "Traceback" not in errors


def test_a_base_alone_is_tuned_and_what_came_of_it_is_scanned_and_measured(
    forensics: Call,
    tiny_llava_folder: Path,
    make_case: MakeCase,
    tmp_path: Path,
) -> None:
    data = f"llava:{make_case(12).folder.parent / 'set.json'}"
    folder = tmp_path / "case"
    code, _, _ = forensics("case", "new", folder, "--base", tiny_llava_folder, "--data", data)
    assert code == 0
    code, _, errors = forensics("scan", "bye", "--case", folder)
    assert code == 2 and "forensics tune" in errors
    code, tuned, _ = forensics("tune", "--case", folder, "--epochs", "2", "--batch-size", "4",
                               "--rank", "2", "--json")  # fmt: skip
    assert code == 0 and tuned["steps"] == 6 and tuned["last_loss"] < tuned["first_loss"]
    code, scan, _ = forensics("scan", "bye", "--case", folder, "--json")
    assert code == 0 and scan["n"] == 12
    attack = ["--trigger", "patch:side=1/4", "--target", "thing 0", "--max-new-tokens", "4"]
    code, measured, _ = forensics("evaluate", "--case", folder, *attack, "--json")
    assert code == 0
    assert 0 < measured["n_triggered"] < measured["n_clean"] == 9, "targets and poison left out"
    assert tuned["run"] in measured["model"]


def test_a_scan_killed_half_way_resumes_to_the_same_files(
    forensics: Call,
    make_case: MakeCase,
) -> None:
    made = make_case(160)
    command = [sys.executable, "-m", "forensics", "scan", "bye", "--case", str(made.folder),
               "--batch-size", "1"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ledger: list[Path] = []
    while not (ledger and ledger[0].read_text().count("\n") >= 2):
        assert process.poll() is None, "the scan ended before it could be killed"
        time.sleep(0.01)
        ledger = list(made.runs_dir.glob("*/ledger.jsonl"))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    killed = ledger[0].parent
    assert not (killed / "result.json").exists()
    code, resumed, _ = forensics("scan", "bye", "--case", made.folder, "--resume", killed.name,
                                 "--json")  # fmt: skip
    assert code == 0 and resumed["run"] == killed.name and resumed["n"] == 160
    _, whole, _ = forensics("scan", "bye", "--case", made.folder, "--batch-size", "1", "--json")
    undisturbed = made.runs_dir / whole["run"]
    for name in ("attention.safetensors", "maps.safetensors", "scores.parquet", "flagged_ids.txt"):
        assert (killed / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_hostile_text_reaches_the_terminal_without_its_control_characters() -> None:
    assert printable("a\x1b[2Jb\x07\nc\td") == "a\ufffd[2Jb\ufffd\nc\td"


def test_doctor_and_methods_answer_in_json(forensics: Call) -> None:
    _, report, _ = forensics("doctor", "--json")
    assert report["packages"]["torch"] and report["missing"] == []
    _, listed, _ = forensics("methods", "--json")
    assert "attention-entropy" in {method["name"] for method in listed["methods"]}
