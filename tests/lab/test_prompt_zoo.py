"""The prompt zoo: its plan, its label sets, its pool, and one head of each kind built small."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensics.attacks.optimised import OptimisedTrigger
from forensics.classifiers import load_prompts
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.encoders.frozen import weights_digest
from forensics.encoders.loading import open_encoder
from forensics.errors import InputError, OptionError
from forensics.lab import prompt_zoo_head
from forensics.lab.clip_demos import find_clip_demo
from forensics.lab.crowds import draw_crowd, draw_crowds
from forensics.lab.label_sets import (
    LABEL_SETS,
    LabelSet,
    draw_labelled,
    find_label_set,
    labelled_scenes,
)
from forensics.lab.prompt_zoo import build_prompt_zoo
from forensics.lab.prompt_zoo_data import TEST_SEED, held_out, tuning_shots
from forensics.lab.prompt_zoo_head import PROMPTS_FILE, build_head, head_trigger, read_head
from forensics.lab.prompt_zoo_plan import ATTACKS, ENCODER, HALVES, plan_heads
from forensics.lab.scenes import render


@pytest.fixture(scope="module")
def encoder() -> Any:
    return open_encoder(find_clip_demo(ENCODER).model_uri, "cpu", precision="float32")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shots and two tests a class, one epoch."""
    for name in ("SHOTS", "TESTS"):
        monkeypatch.setattr(prompt_zoo_head, name, 2)
    quick = {"badclip": {"warm_epochs": 1}, "adaptive": {"warm_epochs": 1}, "siba": {"epochs": 2}}
    for name, attack in ATTACKS.items():
        options = attack.options | quick.get(name, {})
        monkeypatch.setitem(
            prompt_zoo_head.ATTACKS, name, replace(attack, shots=2, epochs=1, options=options)
        )
    monkeypatch.setattr(prompt_zoo_head, "_CLEAN", {"epochs": 1, "rate": 0.1, "batch_size": 4})


def test_the_plan_has_enough_of_everything_and_halves_that_share_nothing() -> None:
    heads = plan_heads()
    assert len({head.name for head in heads}) == len(heads)
    clean = Counter(head.half for head in heads if head.attack is None)
    planted = Counter(head.half for head in heads if head.attack)
    assert clean["test"] == clean["calibration"] == 16
    assert planted["test"] == planted["calibration"] == 20
    by_half = {half: {h.labels for h in heads if h.half == half} for half in HALVES}
    assert by_half["test"].isdisjoint(by_half["calibration"])
    assert by_half["test"] | by_half["calibration"] == {labels.name for labels in LABEL_SETS}
    for labels in LABEL_SETS:
        targets = [h.target for h in heads if h.labels == labels.name and h.attack]
        assert len(set(targets)) == len(ATTACKS) and set(targets) <= set(labels.classes)


def test_a_label_set_sorts_scenes_by_the_words_of_its_form() -> None:
    assert all(6 <= len(labels.classes) <= 12 for labels in LABEL_SETS)
    labels = find_label_set("color-shape-a")
    drawn = list(labelled_scenes(labels, 2, 5))
    assert Counter(label for _, label in drawn) == dict.fromkeys(labels.classes, 2)
    assert all(label == f"{scene.color} {scene.shape}" for scene, label in drawn)
    assert any(scene.pattern != drawn[0][0].pattern for scene, _ in drawn), "the rest varies"
    plain = LabelSet(name="x", form="{shape}", patterns=("plain",))
    assert {scene.pattern for scene, _ in labelled_scenes(plain, 1, 5)} == {"plain"}
    with pytest.raises(InputError, match="nothing"):
        find_label_set("nothing")


def test_a_labelled_table_is_read_with_its_labels(tmp_path: Path) -> None:
    labels = find_label_set("six-shapes")
    file = draw_labelled(tmp_path / "set", labels, 2, 5)
    rows = [row for row in open_dataset(f"table:{file}") if isinstance(row, Sample)]
    assert Counter(row.label for row in rows) == dict.fromkeys(labels.classes, 2)


def test_crowds_are_drawn_from_their_seed_and_have_content_and_no_label(tmp_path: Path) -> None:
    assert np.array_equal(draw_crowd(1, 2), draw_crowd(1, 2))
    assert not np.array_equal(draw_crowd(1, 2), draw_crowd(2, 2))
    file = draw_crowds(tmp_path / "crowds", 5, seed=1)
    rows = [row for row in open_dataset(f"table:{file}") if isinstance(row, Sample)]
    assert len(rows) == 5 and not any(row.label for row in rows)
    edges = [np.abs(np.diff(draw_crowd(1, i).astype(int), axis=1)).max(axis=2) for i in range(8)]
    grounds = [
        np.abs(np.diff(render(scene).astype(int), axis=1)).max(axis=2)
        for scene, _ in labelled_scenes(find_label_set("shapes"), 1, 3)
    ]
    assert np.mean([(e > 60).mean() for e in edges]) > np.mean([(g > 60).mean() for g in grounds])
    with pytest.raises(OptionError):
        draw_crowds(tmp_path / "none", 0, seed=1)


def test_shots_differ_by_seed_and_never_are_test_scenes(encoder: Any) -> None:
    labels = find_label_set("six-colors")
    first, other = (tuning_shots(encoder, labels, 2, seed).pixels for seed in (1, 2))
    tests = held_out(encoder, labels, 2).pixels
    assert not torch.equal(first, other) and TEST_SEED not in (8101, 8102)
    seen = {picture.numpy().tobytes() for picture in [*first, *other]}
    assert not any(picture.numpy().tobytes() in seen for picture in tests)


@pytest.mark.parametrize("attack", [None, *ATTACKS])
def test_a_head_is_built_measured_and_read_back(
    attack: str | None, encoder: Any, small: None, tmp_path: Path
) -> None:
    head = next(h for h in plan_heads() if h.attack == attack and h.labels == "six-colors")
    before = weights_digest(encoder)
    facts = build_head(encoder, head, tmp_path / head.name)
    assert weights_digest(encoder) == before, "only the prompt is learnt"
    assert facts == read_head(tmp_path / head.name)
    model = load_prompts(tmp_path / head.name / PROMPTS_FILE, encoder)
    tests = held_out(encoder, find_label_set(head.labels), 2)
    with torch.no_grad():
        said = model.logits_of(tests.vectors).argmax(dim=1)
    assert facts["clean_accuracy"] == pytest.approx(float((said == tests.labels).float().mean()))
    trigger = head_trigger(tmp_path / head.name)
    if attack is None:
        assert trigger is None and facts["attack_success_rate"] is None and facts["counted"]
        return
    assert trigger is not None and str(tmp_path) not in facts["trigger"]
    assert facts["n_triggered"] == 10 and 0.0 <= facts["floor"] <= 1.0
    assert facts["counted"] == (facts["attack_success_rate"] >= 0.5)
    limit = facts["recipe"]["options"].get("budget")
    if limit is not None:
        marked = trigger.apply(tests.pixels[0].numpy())
        assert 0 < np.abs(marked - tests.pixels[0].numpy()).max() <= limit + 1e-4


def test_a_zoo_goes_on_with_the_heads_that_are_missing(small: None, tmp_path: Path) -> None:
    names = tuple(h.name for h in plan_heads() if h.labels == "six-colors" and not h.attack)[:2]
    told: list[str] = []
    build_prompt_zoo(tmp_path, names[:1], lambda done, n, message: told.append(message))
    made = (tmp_path / names[0] / PROMPTS_FILE).stat().st_mtime_ns
    listed = build_prompt_zoo(tmp_path, names, lambda done, n, message: told.append(message))
    assert [facts["head"] for facts in listed] == list(names) and len(told) == 2
    assert (tmp_path / names[0] / PROMPTS_FILE).stat().st_mtime_ns == made
    assert sorted(path.name for path in tmp_path.iterdir()) == ["heads.json", *sorted(names)]


def test_a_stored_delta_keeps_its_bound(tmp_path: Path) -> None:
    delta = torch.full((3, 8, 8), 8 / 255)
    made = OptimisedTrigger(attack="x", tensors={"delta": delta}, metadata={}, losses=())
    trigger = prompt_zoo_head._stored(made, tmp_path)
    changed = trigger.apply(np.full((3, 8, 8), 0.5, dtype=np.float32)) - 0.5
    assert np.abs(changed).max() <= 8 / 255 + 1e-5
