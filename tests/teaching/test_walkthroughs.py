"""The walk-throughs lead to demos, tabs, methods and controls that exist."""

import re
from pathlib import Path

import pytest

from forensics.errors import InputError
from forensics.lab.shipped import find_shipped
from forensics.registry import methods
from forensics.teaching.walkthroughs import (
    CONDITIONS,
    Walkthrough,
    find_walkthrough,
    spoken,
    walkthroughs,
)

UI = Path(__file__).parents[2] / "forensics" / "ui"
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in UI.rglob("*.js"))
PAGE = (UI / "forms" / "blocks.py").read_text(encoding="utf-8")
LINKED = ("layer", "sample", "rule", "revealed")


def test_there_are_three_and_their_right_answers_stand_anywhere() -> None:
    found = walkthroughs()
    assert len(found) >= 3 and len({walk.name for walk in found}) == len(found)
    for walk in found:
        assert len({step.right for step in walk.steps}) == 3, "the right answer must not be a habit"
    with pytest.raises(InputError, match="collapse"):
        find_walkthrough("nowhere")


@pytest.mark.parametrize("walk", walkthroughs(), ids=lambda walk: walk.name)
def test_every_step_asks_one_question_and_points_at_what_exists(walk: Walkthrough) -> None:
    assert find_shipped(walk.demo).name == walk.demo
    for step in walk.steps:
        assert step.question.endswith("?") and 0 <= step.right < len(step.answers) >= 2
        assert f'elem_id="tab-{step.tab}"' in PAGE
        assert step.until.what in CONDITIONS
        name = step.point.removeprefix("#").removeprefix(f"tl-demo-{walk.demo}")
        assert not name or exists(step.point), step.point
        if step.until.what == "finished":
            assert set(step.until.of.split()) <= set(methods())
        if step.until.what == "chosen":
            assert step.until.of in LINKED


def exists(selector: str) -> bool:
    """Tell whether a script or the page makes an element of this name."""
    if selector.startswith("."):
        return "tl-rule" in SCRIPTS and "data-rule" in SCRIPTS
    name = selector.removeprefix("#")
    if name.startswith("tl-demo-"):
        return find_shipped(name.removeprefix("tl-demo-")) is not None
    return re.search(rf'["`]{re.escape(name)}["`]', SCRIPTS + PAGE) is not None


def test_a_terminal_reads_the_questions_before_the_answers() -> None:
    lines = list(spoken(find_walkthrough("fooled")))
    first = find_walkthrough("fooled").steps[0]
    assert lines.index("Answers") > next(k for k, x in enumerate(lines) if first.question in x)
    assert any(first.because in line for line in lines[lines.index("Answers") :])
