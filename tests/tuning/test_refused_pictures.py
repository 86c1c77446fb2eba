"""A picture that can be read and that a processor refuses costs its sample alone."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from forensics.data.sample import ImageRef, Sample
from forensics.errors import Cancelled
from forensics.evaluation.answers import measure_answers
from forensics.models.accepting import collate_accepted
from forensics.models.base import prompt_of
from forensics.models.loading import open_model
from forensics.repairs.cross_view.looking import look_at_views
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.triggers import parse_trigger
from forensics.tuning.loop import tune
from forensics.tuning.options import TuneOptions
from forensics.tuning.parts import Parts
from tests.tiny_families import save_family

OPTIONS = TuneOptions(
    epochs=2, batch_size=4, rank=4, alpha=8, learning_rate=1e-3, checkpoint_every=1
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen2.5-VL: its processor takes no picture 200 times as long as it is wide."""
    return save_family("qwen2_5_vl", tmp_path_factory.mktemp("models") / "qwen")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    root = tmp_path_factory.mktemp("pictures")
    rows = []
    for name, size in (("a", (32, 32)), ("line", (1, 300)), ("b", (40, 32)), ("c", (32, 48))):
        Image.effect_noise(size, 80).convert("RGB").save(root / f"{name}.png")
        image = ImageRef(root=root, path=f"{name}.png")
        rows.append(Sample(id=name, question="Which?", answer=f"answer {name}", image=image))
    return rows


def test_what_is_accepted_is_collated(folder: Path, samples: list[Sample]) -> None:
    model = open_model(str(folder), device="cpu")
    pictures = [Image.open(s.image.root / s.image.path) for s in samples if s.image is not None]
    prompts = [prompt_of(s, [p]) for s, p in zip(samples, pictures, strict=True)]
    batch, kept, refused = collate_accepted(model, prompts)
    assert batch is not None and len(batch.grids) == 3 and kept == [0, 2, 3]
    assert list(refused) == [1] and "aspect ratio" in refused[1]
    assert collate_accepted(model, prompts[1:2])[:2] == (None, [])
    assert collate_accepted(model, []) == (None, [], {})


@pytest.mark.parametrize("part_size", [0, 1, 2])
def test_the_shares_of_a_step_are_of_what_is_used(
    folder: Path, samples: list[Sample], part_size: int
) -> None:
    model = open_model(str(folder), device="cpu")
    skipped: dict[str, str] = {}
    parts = list(Parts(model, samples, replace(OPTIONS, part_size=part_size), skipped).of_step(0))
    assert sorted(name for part in parts for name in part.ids) == ["a", "b", "c"]
    assert sum(part.token_share for part in parts) == pytest.approx(1.0)
    assert sum(part.sample_share for part in parts) == pytest.approx(1.0)
    assert "aspect ratio" in skipped["line"]


def test_tuning_names_it_though_it_was_met_before_a_stop(
    folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    def stop(step: int, steps: int, message: str) -> None:
        if step == steps - 1:
            raise Cancelled("enough")

    options = replace(OPTIONS, batch_size=2)
    with pytest.raises(Cancelled):
        tune(str(folder), samples, options, tmp_path, stop, device="cpu")
    # What is left is one step, which may not meet the picture again.
    result = tune(str(folder), samples, options, tmp_path, device="cpu")
    assert list(result.skipped) == ["line"] and result.samples == 3
    assert len(result.losses) == result.steps and result.seconds > 0


def test_measuring_and_looking_go_on_without_it(folder: Path, samples: list[Sample]) -> None:
    model = open_model(str(folder), device="cpu")
    stamp = parse_trigger("patch:side=1/4,color=black")
    found = measure_answers(model, samples, stamp, "circle", batch_size=4, max_new_tokens=2)
    assert list(found.said.skipped) == ["line"] and found.clean_accuracy.n == 3
    views = look_at_views(model, samples, CrossViewOptions(cell=112))
    assert views.ids == ("a", "b", "c") and len(views.divergence) == 3
