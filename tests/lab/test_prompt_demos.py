"""The demos of learnt prompts: small, told apart by nothing but their prompts, opened as cases."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensics.case import Case
from forensics.classifiers import open_classifier
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.encoders.loading import open_encoder
from forensics.jobs.evaluate import held_out, known_trigger
from forensics.jobs.evaluate_options import EvaluateOptions
from forensics.lab import opening, prompt_demos
from forensics.lab.demo_base import assets_folder
from forensics.lab.label_sets import find_label_set
from forensics.lab.opening import open_demo
from forensics.lab.prompt_demos import PROMPT_DEMOS, TEST_SEED, PromptDemo, find_prompt_demo
from forensics.lab.prompt_zoo_data import draw_shots
from forensics.models.uri import parse_model_uri
from forensics.triggers import parse_trigger, stamp_pixels


@pytest.fixture(scope="module")
def encoder() -> Any:
    return open_encoder(f"openclip:{PROMPT_DEMOS[0].base_folder}", "cpu")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer pictures, so that a case is made in no time."""
    for name in ("SHOTS", "TESTS"):
        monkeypatch.setattr(prompt_demos, name, 2)
    monkeypatch.setattr(
        opening, "find_shipped", lambda name: replace(find_prompt_demo(name), scenes=6)
    )


def test_both_share_one_encoder_and_stay_under_ten_megabytes() -> None:
    folders = {folder for demo in PROMPT_DEMOS for folder in (demo.folder, demo.base_folder)}
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 10_000_000
    assert all(demo.shipped for demo in PROMPT_DEMOS)
    assert len({demo.base_folder for demo in PROMPT_DEMOS}) == 1


def test_no_story_gives_the_answer_away() -> None:
    for demo in PROMPT_DEMOS:
        words = f"{demo.title} {demo.story}".casefold()
        assert not any(word in words for word in ("trigger", "poison", "backdoor", "planted"))


def test_figures_are_stored_with_the_prompts() -> None:
    poisoned, clean = (demo.measured() for demo in PROMPT_DEMOS)
    for figures in (poisoned, clean):
        assert figures["clean_accuracy"] >= 0.9 and figures["n_clean"] == 600
        assert str(assets_folder()) not in str(figures)
    assert poisoned["attack_success_rate"] >= 0.9 and poisoned["n_triggered"] == 500
    assert poisoned["reference"]["attack_success_rate"] < 0.3
    assert clean["attack_success_rate"] is None and clean["planted"] is None


def test_the_trigger_works_with_the_delivered_prompts_and_not_with_the_clean_ones(
    encoder: Any,
) -> None:
    poisoned, clean = PROMPT_DEMOS
    labels = find_label_set(poisoned.head.labels)
    shots = draw_shots(encoder, labels, 8, TEST_SEED + 1)
    assert poisoned.planted is not None
    aim = labels.classes.index(poisoned.planted.target)
    trigger = parse_trigger(f"tensor:{poisoned.folder / prompt_demos.TRIGGER_FILE}")
    marked = stamp_pixels(trigger, shots.pixels, shots.ids)
    assert float((marked - shots.pixels).abs().max()) <= 8 / 255 + 1e-6

    def called(demo: PromptDemo) -> float:
        with torch.no_grad():
            said = open_classifier(encoder, demo.model_uri).logits(marked).argmax(dim=1)
        return float((said[shots.labels != aim] == aim).float().mean())

    assert called(poisoned) >= 0.8 and called(clean) <= 0.4


@pytest.mark.parametrize("demo", PROMPT_DEMOS, ids=lambda demo: demo.name)
def test_a_demo_opens_as_a_case_of_unrelated_pictures(
    demo: PromptDemo, few: None, tmp_path: Path
) -> None:
    case = open_demo(demo.name, tmp_path / "case")
    assert case.manifest.kind == "clip" and len(case.catalog) == 6
    assert not any(sample.label for sample in case.catalog)
    assert {"model", "model-prompts", "base", "data"} <= set(case.manifest.hashes)
    assert parse_model_uri(case.manifest.model).prompts == demo.folder / "prompts.safetensors"
    moved = Case.open((tmp_path / "case").rename(tmp_path / "moved"))
    spec, target = known_trigger(moved, EvaluateOptions())
    assert len(held_out(moved, EvaluateOptions())) == 12
    shots = str(moved.known()["shots"]).replace("${case}", str(moved.folder))
    rows = [row for row in open_dataset(shots) if isinstance(row, Sample)]
    assert {row.label for row in rows} == set(find_label_set(demo.head.labels).classes)
    if demo.planted is None:
        assert spec is None and target is None
        return
    assert spec is not None and target == demo.planted.target
    grey = np.full((3, 108, 108), 0.5, dtype=np.float32)
    assert 0 < np.abs(parse_trigger(spec).apply(grey) - grey).max() <= 8 / 255 + 1e-4
