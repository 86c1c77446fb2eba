"""The form's choice of turns reaches the case, and the page says what was not read."""

import json
from pathlib import Path

import pytest

from forensics.ui.context import open_context
from forensics.ui.forms.actions import create_case
from forensics.ui.views.case import case_view
from tests.case.making import make_model
from tests.data.builders import turns, write_image

pytest.importorskip("gradio")


@pytest.mark.parametrize("chosen", ["first", "each"])
def test_the_choice_of_turns_reaches_the_case(
    chosen: str, workspace_root: Path, tmp_path: Path
) -> None:
    write_image(tmp_path / "a.png")
    later = [{"from": "human", "value": "Sure?"}, {"from": "gpt", "value": "Yes"}]
    rows = [{"image": "a.png", "conversations": [*turns(), *later]}]
    (tmp_path / "d.json").write_text(json.dumps(rows))
    context = open_context(workspace_root)
    model = str(make_model(tmp_path / "model"))
    said = create_case(context, "", model, f"llava:{tmp_path}/d.json", "", turns=chosen)  # type: ignore[arg-type]
    view = case_view(said["case"], context.case(said["case"]), [])
    assert (view["turns"], view["samples"]) == (chosen, 1 if chosen == "first" else 2)
    assert bool(view["unread"]) == (chosen == "first")
