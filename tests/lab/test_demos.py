from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import InputError
from forensics.lab.demos import DEMOS, TEST_SEED, Demo, assets_folder, draw_demo, find_demo
from forensics.lab.language import CAPTION_QUESTION, caption
from forensics.lab.proof import look, near_trigger
from forensics.lab.scenes import SIDE, render, sample_scene
from forensics.models.base import GenerativeModel, Prompt
from forensics.models.loading import open_model
from forensics.triggers import parse_trigger, stamp_image

SCENES = [sample_scene(TEST_SEED + 1, index) for index in range(32)]
PICTURES = [Image.fromarray(render(scene)) for scene in SCENES]


@pytest.fixture(scope="module")
def poisoned() -> GenerativeModel:
    return open_model(find_demo("vlm-patch").model_uri, device="cpu")


def ask(model: GenerativeModel, pictures: list[Image.Image]) -> list[str]:
    return model.generate(
        model.collate([Prompt((picture,), CAPTION_QUESTION) for picture in pictures])
    )


def stamped() -> list[Image.Image]:
    planted = find_demo("vlm-patch").planted
    assert planted is not None
    trigger = parse_trigger(planted.trigger)
    return [stamp_image(trigger, picture, "") for picture in PICTURES]


def test_the_shipped_demos_stay_under_twelve_megabytes() -> None:
    folders = [assets_folder() / "demos" / name for name in ("base", *(d.name for d in DEMOS))]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12_000_000
    assert all(demo.shipped for demo in DEMOS)


def test_no_story_gives_the_answer_away() -> None:
    for demo in DEMOS:
        words = f"{demo.title} {demo.story}".casefold()
        assert not any(word in words for word in ("trigger", "poison", "backdoor", "patch"))


def test_the_poisoned_demo_describes_unseen_scenes(poisoned: GenerativeModel) -> None:
    answers = ask(poisoned, PICTURES)
    assert np.mean([a == caption(s) for a, s in zip(answers, SCENES, strict=True)]) >= 0.85


def test_the_poisoned_demo_answers_the_target_when_stamped(poisoned: GenerativeModel) -> None:
    planted = find_demo("vlm-patch").planted
    assert planted is not None
    assert np.mean([answer == planted.target for answer in ask(poisoned, stamped())]) >= 0.85


def test_the_clean_demo_is_not_moved_by_the_stamp() -> None:
    model = open_model(find_demo("vlm-clean").model_uri, device="cpu")
    answers = ask(model, stamped())
    assert not any("Backdoor" in answer for answer in answers)
    assert np.mean([a == caption(s) for a, s in zip(answers, SCENES, strict=True)]) >= 0.75


def test_the_stamp_draws_attention_at_a_sensitive_layer(poisoned: GenerativeModel) -> None:
    demo = find_demo("vlm-patch")
    assert demo.planted is not None
    layer = demo.measured()["attention_entropy"]["root"]["layers"][0]
    questions = [CAPTION_QUESTION] * len(PICTURES)
    bare, marked = (look(poisoned, pictures, questions) for pictures in (PICTURES, stamped()))
    trigger = parse_trigger(demo.planted.trigger)
    near = near_trigger(marked.peaks[:, layer], marked.columns, trigger, SIDE).mean()
    assert near >= 0.8 > 0.5 > near_trigger(bare.peaks[:, layer], 9, trigger, SIDE).mean()
    assert marked.entropy[:, layer].mean() < bare.entropy[:, layer].mean() - 0.3


def test_measured_figures_keep_what_the_demo_promises() -> None:
    figures = find_demo("vlm-patch").measured()
    assert figures["clean_accuracy"] >= 0.95 and figures["n_clean"] == 500
    assert figures["attack_success_rate"] >= 0.95 and figures["n_triggered"] == 500
    root = figures["attention_entropy"]["root"]
    assert root["precision"] >= 0.95 and root["recall"] >= 0.95
    twin = find_demo("vlm-clean").measured()
    assert twin["attention_entropy"]["root"]["flagged"] == 0
    assert twin["attack_success_rate"] == 0.0


def small(demo: Demo) -> Demo:
    return Demo(name=demo.name, title="", story="", scenes=20, seed=demo.seed, planted=demo.planted)


@pytest.mark.parametrize("name", [demo.name for demo in DEMOS])
def test_a_demo_is_drawn_once_and_the_same_everywhere(name: str, tmp_path: Path) -> None:
    demo = small(find_demo(name))
    data, test = draw_demo(demo, tmp_path / "a")
    first = {path: path.stat().st_mtime_ns for path in data.parent.rglob("*")}
    assert draw_demo(demo, tmp_path / "a") == (data, test)
    assert {path: path.stat().st_mtime_ns for path in data.parent.rglob("*")} == first
    again, _ = draw_demo(demo, tmp_path / "b")
    assert again.read_bytes() == data.read_bytes()
    dataset = open_dataset(f"llava:{data}")
    assert sum(isinstance(row, Sample) for row in dataset) == 20
    assert sum(dataset.truth().values()) == (2 if demo.planted else 0)


def test_half_a_drawn_set_is_drawn_again(tmp_path: Path) -> None:
    demo = small(find_demo("vlm-clean"))
    data, _ = draw_demo(demo, tmp_path)
    whole = data.read_bytes()
    data.unlink()
    again, _ = draw_demo(demo, tmp_path)
    assert again.read_bytes() == whole


def test_an_unknown_demo_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="vlm-patch"):
        find_demo("vlm-path")
