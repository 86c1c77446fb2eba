"""CleanCLIP, PAR and starting over: losses in closed form, views, and what is left as it is."""

from pathlib import Path
from typing import Any

import pytest
import torch

from forensics.encoders.frozen import weights_digest
from forensics.encoders.loading import open_encoder
from forensics.repairs.contrastive.clean_clip import CleanClipLoss, find_view
from forensics.repairs.contrastive.copies import copy_of
from forensics.repairs.contrastive.discard_tune import discard_tune
from forensics.repairs.contrastive.options import (
    CleanClipOptions,
    DiscardTuneOptions,
    PairTuningOptions,
    PerturbRecoverOptions,
)
from forensics.repairs.contrastive.perturb_recover import (
    PerturbRecoverLoss,
    bounded_distance,
    perturb_recover,
)
from forensics.repairs.contrastive.schedule import tuning_options
from forensics.repairs.contrastive.views import view_captions, view_pictures
from forensics.tuning.contrastive import InfoNCE
from tests.pair_case import draw_pairs, read_pairs
from tests.tiny_encoders import save_open_clip, vit_config

TEXTS = ["red here", "a green thing on top", "blue", "yellow below the line"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save_open_clip(tmp_path_factory.mktemp("clip") / "vit", vit_config())
    return open_encoder(f"openclip:{folder}", device="cpu", precision="float32")


def pictures() -> torch.Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_views_are_drawn_from_seed_and_step_alone() -> None:
    pixels, state = pictures(), torch.random.get_rng_state()
    one, again, other = (view_pictures(pixels, seed=1, step=step) for step in (3, 3, 4))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert one.shape == pixels.shape and one.min() >= 0 and one.max() <= 1
    assert torch.equal(state, torch.random.get_rng_state()), "other draws are not disturbed"
    worded = [view_captions(TEXTS, seed=1, step=step) for step in range(20)]
    assert worded[3] == view_captions(TEXTS, seed=1, step=3) and len({*map(tuple, worded)}) > 5
    for captions in worded:
        assert captions[2] == "blue"
        for plain, changed in zip(TEXTS, captions, strict=True):
            assert changed and set(changed.split()) <= set(plain.split())


def test_cleanclip_without_views_is_clip_and_its_views_look_one_way(encoder: Any) -> None:
    pixels = pictures()
    plain = float(InfoNCE()(encoder, pixels, TEXTS, 0).detach())
    only = CleanClipLoss(CleanClipOptions(view_weight=0.0))(encoder, pixels, TEXTS, 0)
    assert float(only.detach()) == pytest.approx(plain, rel=1e-3)
    both = CleanClipLoss(CleanClipOptions())(encoder, pixels, TEXTS, 0)
    assert float(both.detach()) > plain
    own, views = torch.eye(3), torch.eye(3)[[0, 0, 0]]
    assert float(find_view(own, views, 5.0)) == pytest.approx(float(torch.log(torch.tensor(3.0))))
    assert float(find_view(views, own, 50.0)) == pytest.approx(100 / 3, rel=1e-3)


def test_par_pushes_away_up_to_a_bound_and_leaves_the_scale(encoder: Any, tmp_path: Path) -> None:
    old = torch.eye(2, 4)
    near = torch.tensor([[0.8, 0.6, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]], requires_grad=True)
    distance = bounded_distance(near, old, 2.15)
    assert float(distance.detach()) == pytest.approx(0.2)  # (0.04 + 0.36) / 2
    far = (-old).clone().requires_grad_(True)
    beyond = bounded_distance(far, old, 2.15)
    beyond.backward()
    assert float(beyond.detach()) == 0.0 and not far.grad.any()

    options = PerturbRecoverOptions(epochs=2, batch_size=4, rate=1e-3, warmup=1)
    loss = PerturbRecoverLoss(copy_of(encoder), options)
    same = loss(encoder, pictures(), TEXTS, 0)
    plain = float(InfoNCE()(encoder, pictures(), TEXTS, 0).detach())
    assert float(same.detach()) == pytest.approx(plain, abs=1e-5), "nothing has moved yet"
    pairs = read_pairs(draw_pairs(tmp_path / "pairs", 12, 1))
    tuned = copy_of(encoder)
    perturb_recover(tuned, pairs, options, tmp_path / "par")
    assert tuned.logit_scale == pytest.approx(encoder.logit_scale, abs=1e-4)
    assert weights_digest(tuned) != weights_digest(encoder)


def test_starting_over_trains_on_the_benign_half(encoder: Any, tmp_path: Path) -> None:
    pairs = read_pairs(draw_pairs(tmp_path / "pairs", 12, 1))
    options = DiscardTuneOptions(epochs=1, batch_size=3, warmup=1, pool_least=2)
    reference = copy_of(encoder)
    found = discard_tune(reference, pairs, options, tmp_path / "new")
    assert found.samples == 6 and len(found.losses) == 2


def test_warm_up_is_told_in_steps() -> None:
    found = tuning_options(PairTuningOptions(), 100_000)
    steps = round(found.epochs * 100_000 / found.batch_size)
    assert round(found.warmup * steps) == 50 and found.schedule == "cosine"
    few = tuning_options(PairTuningOptions(), 10)
    assert few.batch_size == 10 and few.warmup == 1.0
