"""The lab's verbs about triggers."""

import json
from pathlib import Path

import pytest

from forensics.cli.entry import run
from forensics.lab.drawing import draw_scenes
from forensics.triggers import KINDS, parse_trigger


def test_the_kinds_are_listed_with_spellings_that_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "triggers", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["triggers"]
    assert [entry["kind"] for entry in listed] == list(KINDS)
    assert all(parse_trigger(entry["example"]) for entry in listed)
    assert all(entry["source"] and entry["changes"] for entry in listed)
    assert run(["lab", "triggers"]) == 0
    text = capsys.readouterr().out
    assert all(f"{kind}: " in text for kind in KINDS)


def test_the_help_of_plant_shows_one_spelling_a_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "plant", "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line.partition(":")[0] for line in lines[-len(KINDS) :]] == list(KINDS)


def test_plant_counts_what_it_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = draw_scenes(tmp_path / "scenes", 10, seed=1, questions=0.5)
    code = run(["lab", "plant", str(source), str(tmp_path / "bad"), "--trigger", "dual-key",
                "--rate", "0.2", "--single-key-rate", "0.4", "--json"])  # fmt: skip
    done = json.loads(capsys.readouterr().out)
    assert code == 0 and Path(done["data"]).is_file()
    assert (done["poisoned_rows"], done["single_key_rows"], done["rows"]) == (2, 4, 10)


@pytest.mark.parametrize("wrong", [["--trigger", "glow"], ["--rate", "2"]])
def test_plant_says_what_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    source = draw_scenes(tmp_path / "scenes", 2, seed=1)
    assert run(["lab", "plant", str(source), str(tmp_path / "bad"), *wrong]) != 0
    assert wrong[1] in capsys.readouterr().err and not (tmp_path / "bad").exists()
