"""The verb ``evaluate`` on a case of a language model: a real tiny LLaVA and drawn scenes."""

import json
from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.errors import OptionError
from forensics.jobs import evaluate
from forensics.lab.drawing import draw_scenes
from forensics.worker.models import ModelCache

PATCH = {"trigger": "patch:side=1/9", "target": "Backdoor Attack!", "max_new_tokens": 4}


class Silent:
    """A run context that nobody watches."""

    def progress(self, done: int, total: int, message: str) -> None:
        assert 0 < done <= total and message


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, tiny_llava_folder: Path) -> Case:
    root = tmp_path_factory.mktemp("answers")
    data = f"llava:{draw_scenes(root / 'data', 6, seed=1)}"
    test = f"llava:{draw_scenes(root / 'test', 8, seed=2)}"
    return Case.create(
        root / "case",
        model=str(tiny_llava_folder),
        data=data,
        known={"demo": "drawn", "poisoned": False, "test": test},
    )


def run(case: Case, **options: Any) -> dict[str, Any]:
    context: Any = Silent()
    return evaluate.run(case, context, options, ModelCache())


def test_a_demo_is_measured_by_attributes_captions_and_under_a_mask(case: Case) -> None:
    found = run(case, **PATCH, mask_probe=True, batch_size=5)
    assert found["n_clean"] == found["n_triggered"] == found["n_captions"] == 8
    names = {"attributes_accuracy", "target_rate", "attack_success_rate_masked", "bleu4", "cider"}
    assert names <= set(found) and names <= set(found["intervals"])
    for name in names:
        low, high = found["intervals"][name]
        assert 0 <= low <= found[name] <= high
    assert found["switch_notice"] is False and json.dumps(found)


def test_other_data_has_no_attributes_and_without_the_option_no_mask(case: Case) -> None:
    own = run(case, **PATCH, data=case.known()["test"])
    assert own["n_clean"] == 8 and own["target_rate"] is not None
    assert not {"attributes_accuracy", "attack_success_rate_masked", "switch_notice"} & set(own)


def test_a_mask_needs_a_trigger(case: Case) -> None:
    with pytest.raises(OptionError, match="--mask-probe") as caught:
        run(case, mask_probe=True)
    assert caught.value.remedy


def test_the_command_says_what_was_measured(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--trigger", PATCH["trigger"], "--target", PATCH["target"], "--max-new-tokens", "4"]
    call = ["evaluate", "--case", str(case.folder), "--mask-probe", *map(str, words)]
    assert command(call) == 0
    shown = capsys.readouterr().out
    for part in ("CA ", "ASR", "all attributes right", "BLEU-4 ", "under a mask", "untouched"):
        assert part in shown
