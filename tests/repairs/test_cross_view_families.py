"""Two views of every family's pictures: flattened patches, tiles, thumbnails, several images."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from forensics.data.sample import ImageRef, Sample
from forensics.models.loading import open_model
from forensics.repairs.cross_view.looking import look_at_views
from forensics.repairs.cross_view.objective import CrossViewObjective
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.tuning.parts import Parts
from forensics.tuning.trainable import make_trainable
from tests.tiny_families import FAMILIES, save_family

OPTIONS = CrossViewOptions(
    epochs=1,
    batch_size=3,
    rank=4,
    alpha=8,
    weight=1.0,
    cell=112,
    begin=0.0,
    ramp=0.0,
    entropy_weight=0.0,
)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    root = tmp_path_factory.mktemp("pictures")
    for name, size in (("wide", (64, 40)), ("square", (32, 32))):
        Image.effect_noise(size, 80).convert("RGB").save(root / f"{name}.png")
    wide, square = (ImageRef(root=root, path=f"{name}.png") for name in ("wide", "square"))
    return [
        Sample(id="a", question="Which?", answer="hello", image=wide),
        Sample(id="b", question="Which of both?", answer="hi", image=wide, more_images=(square,)),
        Sample(id="c", question="What?", answer="hello there", image=square),
    ]


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_both_views_of_a_family_give_the_gradients_of_either_by_itself(
    family: str, samples: list[Sample], tmp_path: Path
) -> None:
    folder = save_family(family, tmp_path / family)
    gradients, told = [], []
    for batching in ("concat", "sequential"):
        model = open_model(str(folder), device="cpu")
        module = make_trainable(model, OPTIONS)
        objective = CrossViewObjective(replace(OPTIONS, batching=batching), gamma=5.0)
        [part] = Parts(model, samples, OPTIONS, {}).of_step(0)
        told.append(objective.differentiate(module, part, lambda value: value.backward()))
        grads = [p.grad for p in module.parameters() if p.requires_grad and p.grad is not None]
        gradients.append(torch.cat([value.flatten() for value in grads]))
    assert told[0]["divergence"] > 1e-6 and told[0]["regulariser"] > 0
    assert told[1] == pytest.approx(told[0], abs=1e-3)
    scale = float(gradients[0].abs().max())
    assert scale > 0 and torch.allclose(*gradients, atol=2e-3 * scale)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_hiding_nothing_of_a_family_changes_no_output(
    family: str, samples: list[Sample], tmp_path: Path
) -> None:
    model = open_model(str(save_family(family, tmp_path / family)), device="cpu")
    none = replace(OPTIONS, share=0.0)
    assert abs(look_at_views(model, samples, none).divergence).max() < 1e-5
    assert look_at_views(model, samples, OPTIONS).divergence.max() > 1e-6
