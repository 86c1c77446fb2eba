"""The command line that does again what a run did."""

import shlex
from pathlib import Path

from forensics.export.command import command_line
from forensics.runs import Run


def test_only_what_differs_is_told_and_everything_is_quoted(tmp_path: Path) -> None:
    hostile = "imagefolder:/a b; rm -rf $HOME"
    options = {"epochs": 3, "rate": 0.002, "reuse": False, "pooled": True, "shots": hostile}
    run = Run.create(tmp_path, "repulsive-prompts", options)
    told = command_line(run)
    assert told is not None
    words = shlex.split(told)
    assert words[:5] == ["forensics", "repair", "repulsive-prompts", "--case", "CASE"]
    assert words[words.index("--epochs") + 1] == "3"
    assert words[words.index("--shots") + 1] == hostile
    assert {"--no-reuse", "--pooled"} <= set(words)
    assert "--rate" not in words, "it is the default"


def test_the_command_of_an_unknown_method_is_not_made_up(tmp_path: Path) -> None:
    assert command_line(Run.create(tmp_path, "from-elsewhere", {})) is None


def test_verbs_without_a_choice_of_methods_name_none(tmp_path: Path) -> None:
    for method in ("transplant", "trigger-transplant", "evaluate", "tune"):
        told = command_line(Run.create(tmp_path, method, {}))
        assert told == f"forensics {method.removeprefix('trigger-')} --case CASE"
