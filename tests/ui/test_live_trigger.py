"""The live request of the Triggers tab, answered by a real tiny CLIP."""

import base64
import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from forensics.errors import CaseError, OptionError
from forensics.jobs.clip_subjects import open_subject
from forensics.jobs.inverted import read_inversion
from forensics.jobs.live_trigger import apply_trigger
from forensics.worker.models import ModelCache
from tests.tiny_encoders import save_resnet, save_vit
from tests.ui.drawn_triggers import BUDGET, clip_case, write_inversion

CLASSES = ["disc", "ring", "star"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    root = tmp_path_factory.mktemp("live")
    case = clip_case(root, save_vit(root / "vit"), CLASSES, count=3)
    runs = {form: write_inversion(case, CLASSES, form=form) for form in ("additive", "patch")}
    return SimpleNamespace(case=case, runs=runs, models=ModelCache())


def ask(made: SimpleNamespace, **changed: Any) -> dict[str, Any]:
    form = changed.pop("form", "additive")
    sample = made.case.catalog.select([1])[0].id
    params = {"run": made.runs[form].id, "sample": sample, "class": 1, "seed": 0, "strength": 1.0}
    return apply_trigger(made.case, params | changed, made.models)


def picture(state: dict[str, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(state["picture"]))), dtype=np.int64)


def test_what_the_model_says_is_what_the_classifier_says(made: SimpleNamespace) -> None:
    reply = ask(made)
    subject = open_subject(made.case, read_inversion(made.case, made.runs["additive"].id).options,
                           made.models)  # fmt: skip
    shown = torch.from_numpy(picture(reply["after"]) / np.float32(255)).permute(2, 0, 1)[None]
    with torch.no_grad():
        expected = subject.logits(shown.float()).softmax(dim=1)[0]
    said = {one["name"]: one["probability"] for one in reply["after"]["top"]}
    for name, share in zip(subject.classes, expected.tolist(), strict=True):
        assert said[name] == pytest.approx(share, abs=1e-3)
    assert reply["after"]["target"] == said["ring"]
    assert reply["target"] == "ring"


def test_the_change_is_the_budget_times_the_strength(made: SimpleNamespace) -> None:
    for strength in (0.0, 0.5, 1.0, 2.0):
        reply = ask(made, strength=strength)
        change = np.abs(picture(reply["after"]) - picture(reply["before"])).max()
        assert change == round(255 * BUDGET * strength)
    nothing = ask(made, strength=0.0)
    assert nothing["before"]["top"] == nothing["after"]["top"]


def test_attention_comes_as_shares_before_and_after(made: SimpleNamespace) -> None:
    reply = ask(made, form="patch")
    seen = reply["attention"]
    for state in (reply["before"], reply["after"]):
        maps = np.frombuffer(base64.b64decode(state["maps"]), np.float16)
        maps = maps.reshape(seen["layers"], seen["rows"] * seen["columns"])
        assert maps.astype(float).sum(axis=1) == pytest.approx(1.0, abs=2e-2)
        assert len(state["entropy"]) == seen["layers"]
    assert reply["before"]["maps"] != reply["after"]["maps"]


def test_a_tower_without_one_pooling_token_still_classifies(tmp_path: Any) -> None:
    case = clip_case(tmp_path, save_resnet(tmp_path / "resnet"), CLASSES, count=2)
    made = SimpleNamespace(case=case, runs={"additive": write_inversion(case, CLASSES)},
                           models=ModelCache())  # fmt: skip
    reply = ask(made)
    assert (reply["attention"] is None) == bool(reply["attention_problem"])
    assert len(reply["after"]["top"]) == len(CLASSES)


@pytest.mark.parametrize("changed, error", [
    ({"strength": 9.0}, OptionError), ({"strength": float("nan")}, OptionError),
    ({"class": 7}, CaseError), ({"seed": 5}, CaseError), ({"seed": -1}, CaseError),
])  # fmt: skip
def test_nonsense_is_refused(
    made: SimpleNamespace, changed: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(made, **changed)


def test_a_model_with_other_classes_than_were_scanned_is_refused(made: SimpleNamespace) -> None:
    other = write_inversion(made.case, ["somebody", "else"], classes="disc|ring|star")
    with pytest.raises(CaseError, match="not what was scanned"):
        ask(SimpleNamespace(case=made.case, runs={"additive": other}, models=made.models))
