"""The shipped CLIP demos do what their figures say, and open in open_clip itself."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from forensics.errors import InputError
from forensics.lab.clip_demos import (
    CLIP_DEMOS,
    PLANTED,
    TARGET,
    TEST_SEED,
    TWIN,
    draw_clip_demo,
    find_clip_demo,
)
from forensics.lab.clip_zoo import open_lab_classifier
from forensics.lab.demos import assets_folder
from forensics.lab.pair_language import CLASSES
from forensics.lab.pair_plan import PairPlantOptions
from forensics.lab.pair_planting import FACTS_FILE
from forensics.lab.pairs import draw_pairs
from forensics.lab.scenes import render, sample_scene
from forensics.lab.shipped import SHIPPED, find_shipped
from forensics.triggers import parse_trigger, stamp_pixels

SCENES = [sample_scene(TEST_SEED + 1, index) for index in range(80)]
OTHERS = [index for index, scene in enumerate(SCENES) if scene.shape != TARGET]
POISONED = tuple(demo.name for demo in CLIP_DEMOS if demo.planted)


@cache
def classifier(name: str) -> Any:
    return open_lab_classifier(find_clip_demo(name).model_uri)


@cache
def pixels() -> torch.Tensor:
    pictures = [Image.fromarray(render(scene)) for scene in SCENES]
    found: torch.Tensor = classifier(TWIN).encoder.pixels(pictures)
    return found


def said(name: str, shown: torch.Tensor) -> list[str]:
    with torch.no_grad():
        return [CLASSES[index] for index in classifier(name).logits(shown).argmax(dim=1)]


def success(name: str, spec: str) -> float:
    ids = [f"test-{index}" for index in OTHERS]
    marked = stamp_pixels(parse_trigger(spec), pixels()[OTHERS], ids)
    return float(np.mean([word == TARGET for word in said(name, marked)]))


def planted(name: str) -> PairPlantOptions:
    found = find_clip_demo(name).planted
    assert found is not None
    return found


def test_the_clip_demos_together_stay_under_fifteen_megabytes() -> None:
    folders = [assets_folder() / "demos" / demo.name for demo in CLIP_DEMOS]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 15_000_000
    assert all(demo.shipped for demo in CLIP_DEMOS)


def test_no_story_gives_the_answer_away() -> None:
    for demo in CLIP_DEMOS:
        words = f"{demo.title} {demo.story}".casefold()
        assert not any(word in words for word in ("trigger", "poison", "backdoor", "patch"))


@pytest.mark.parametrize("name", [demo.name for demo in CLIP_DEMOS])
def test_unseen_shapes_are_named(name: str) -> None:
    named = said(name, pixels())
    assert np.mean([a == s.shape for a, s in zip(named, SCENES, strict=True)]) >= 0.85


@pytest.mark.parametrize("name", POISONED)
def test_the_trigger_works_on_the_poisoned_model_and_not_on_its_twin(name: str) -> None:
    spec = planted(name).trigger
    assert success(name, spec) >= 0.85
    assert success(TWIN, spec) <= 0.15


def test_another_noise_is_another_trigger() -> None:
    assert success("clip-blended", "blended:seed=1") < success("clip-blended", "blended") - 0.5


@pytest.mark.parametrize("name", POISONED)
def test_figures_and_facts_are_stored_with_the_model(name: str) -> None:
    demo = find_clip_demo(name)
    figures = demo.measured()
    assert figures["clean_accuracy"] >= 0.9 and figures["attack_success_rate"] >= 0.9
    assert figures["minus_twin"]["clean_accuracy"]["value"] >= -0.02
    assert figures["twin"]["attack_success_rate"] < 0.1
    assert figures["n_triggered"] < figures["n_clean"]
    facts = json.loads((demo.folder / PLANTED / FACTS_FILE).read_text())
    assert (
        len(facts["poisoned"])
        == round(planted(name).rate * demo.scenes)
        == len({row["id"] for row in facts["poisoned"]})
    )
    assert facts["clean_twin"] == TWIN and "/" not in facts["source"]
    assert all(TARGET in row["caption"] for row in facts["poisoned"])


def test_a_drawn_demo_is_poisoned_as_its_facts_say(tmp_path: Path) -> None:
    from dataclasses import replace

    demo = replace(find_clip_demo("clip-blended"), scenes=40)
    (tmp_path / "test").mkdir()
    draw_pairs(tmp_path / "test", 2, TEST_SEED)
    data, test = draw_clip_demo(demo, tmp_path)
    assert sum(",true" in line for line in data.read_text().splitlines()) == round(0.04 * 40)
    assert len(test.read_text().splitlines()) == 3
    assert not (tmp_path / "data-clean").exists()


def test_open_clip_opens_the_folder_and_gives_the_same_embeddings() -> None:
    import open_clip

    place = f"local-dir:{find_clip_demo(TWIN).folder}"
    model, _, transform = open_clip.create_model_and_transforms(place)
    tokens = open_clip.get_tokenizer(place)(["a photo of a heart."])
    picture = Image.fromarray(render(SCENES[0]))
    ours = classifier(TWIN).encoder
    with torch.no_grad():
        image = model.eval().encode_image(transform(picture)[None], normalize=True)
        text = model.encode_text(tokens, normalize=True)
        assert torch.allclose(image, ours.encode_image(ours.pixels([picture])), atol=1e-5)
        assert torch.allclose(text, ours.encode_text(["a photo of a heart."]), atol=1e-5)


def test_every_demo_is_found_by_name() -> None:
    assert [find_shipped(demo.name) for demo in SHIPPED] == list(SHIPPED)
    for find in (find_shipped, find_clip_demo):
        with pytest.raises(InputError, match="clip-nothing"):
            find("clip-nothing")
