"""Contrastive tuning: the loss, what it learns, and that a resume changes nothing."""

import math
from pathlib import Path

import pytest
import torch

from forensics.data.open import open_dataset
from forensics.data.sample import ImageRef, Sample
from forensics.encoders.loading import open_encoder
from forensics.errors import DataError
from forensics.lab.pairs import draw_pairs
from forensics.tuning.contrastive import forget, info_nce, tune_pairs
from forensics.tuning.options import ContrastiveOptions
from forensics.tuning.schedule import rate_factor, samples_of_step
from tests.tiny_encoders import save_open_clip, vit_config

OPTIONS = ContrastiveOptions(epochs=2, batch_size=8, learning_rate=2e-3, checkpoint_every=2)


class Stopped(Exception):
    """Stands for a killed run."""


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    data = draw_pairs(tmp_path_factory.mktemp("pairs") / "set", 24, seed=1)
    return [row for row in open_dataset(f"table:{data}") if isinstance(row, Sample)]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"openclip:{save_open_clip(tmp_path_factory.mktemp('clip') / 'vit', vit_config())}"


def test_the_loss_of_pairs_that_cannot_be_told_apart_is_the_log_of_their_number() -> None:
    same = torch.nn.functional.normalize(torch.ones(6, 4), dim=1)
    assert float(info_nce(same, same, 30.0)) == pytest.approx(math.log(6))
    assert float(info_nce(torch.eye(6), torch.eye(6), 100.0)) == pytest.approx(0.0, abs=1e-6)


def test_the_loss_is_the_one_of_open_clip() -> None:
    from open_clip.loss import ClipLoss

    image, text = (
        torch.nn.functional.normalize(torch.randn(7, 5, generator=torch.Generator().manual_seed(k)))
        for k in (0, 1)
    )
    theirs = ClipLoss()(image, text, torch.tensor(20.0))
    assert float(info_nce(image, text, 20.0)) == pytest.approx(float(theirs), abs=1e-6)


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    pairs: list[Sample], start: str, tmp_path: Path
) -> None:
    whole, halved = open_encoder(start, device="cpu"), open_encoder(start, device="cpu")
    done = tune_pairs(whole, pairs, OPTIONS, tmp_path / "whole")
    assert done.steps == len(done.losses) == 6 and done.samples == 24 and not done.skipped

    def stop(step: int, _steps: int, _message: str) -> None:
        if step == 3:
            raise Stopped

    with pytest.raises(Stopped):
        tune_pairs(halved, pairs, OPTIONS, tmp_path / "halved", stop)
    again = open_encoder(start, device="cpu")
    rest = tune_pairs(again, pairs, OPTIONS, tmp_path / "halved")
    assert rest.losses == done.losses
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, again.module.state_dict()[name]), name
    assert not again.module.training
    forget(tmp_path / "halved")
    assert not list((tmp_path / "halved").iterdir())


def test_pairs_are_learnt_and_the_scale_stays_below_a_hundred(
    pairs: list[Sample], start: str, tmp_path: Path
) -> None:
    encoder = open_encoder(start, device="cpu")
    options = ContrastiveOptions(epochs=30, batch_size=12, learning_rate=2e-3, checkpoint_every=0)
    done = tune_pairs(encoder, pairs[:12], options, tmp_path)
    assert done.losses[-1] < 0.6 * done.losses[0]
    assert encoder.logit_scale <= 100.0001
    assert not (tmp_path / "tuning.pt").exists()


def test_a_broken_picture_costs_its_pair_alone(
    pairs: list[Sample], start: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    bad = Sample(
        id="bad", answer="a heart", image=ImageRef(root=tmp_path, path="broken.png"), label="heart"
    )
    mute = Sample(id="mute", image=pairs[0].image)
    options = ContrastiveOptions(epochs=1, batch_size=5, checkpoint_every=0)
    done = tune_pairs(open_encoder(start, device="cpu"), [*pairs[:8], bad, mute], options, tmp_path)
    assert set(done.skipped) == {"bad", "mute"}
    assert done.samples == 9 and all(math.isfinite(loss) for loss in done.losses)
    with pytest.raises(DataError):
        tune_pairs(open_encoder(start, device="cpu"), [mute], options, tmp_path)


def test_every_sample_comes_once_an_epoch_in_an_order_of_its_own() -> None:
    taken = [i for step in range(10) for i in samples_of_step(step, 20, batch_size=4, seed=3)]
    assert sorted(taken[:20]) == sorted(taken[20:]) == list(range(20))
    assert taken[:20] != taken[20:]


def test_the_rate_rises_then_falls() -> None:
    rates = [rate_factor(step, 100, warmup=0.1, schedule="cosine") for step in range(100)]
    assert rates[:10] == sorted(rates[:10]) and max(rates) == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] < 0.01
