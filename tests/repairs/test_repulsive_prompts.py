"""RVPT: the testable assertions of its specification, on tiny towers with random weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch

from forensics.classifiers import ZeroShot
from forensics.encoders.blocks.native import open_native
from forensics.encoders.frozen import weights_digest
from forensics.encoders.loading import open_encoder
from forensics.encoders.prompted import PromptedEncoder
from forensics.errors import Cancelled, DataError, NotApplicable, OptionError
from forensics.repairs.repulsive_prompts.loss import cosines, repelling_loss
from forensics.repairs.repulsive_prompts.options import (
    RepulsivePromptsOptions,
    VisualPromptsOptions,
)
from forensics.repairs.repulsive_prompts.tuning import (
    CHECKPOINT,
    first_block,
    rate_of,
    start_prompts,
    tune_visual_prompts,
)
from forensics.tuning.prompts import PromptShots
from tests.encoders.towers import TOWERS, WITH_CLASS_TOKEN, WITHOUT_CLASS_TOKEN
from tests.tiny_encoders import CLASSES, save_resnet

OPTIONS = RepulsivePromptsOptions(
    depth=1, prompts=4, epochs=3, batch_size=4, rate=0.05, warmup_epochs=0
)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("encoders")
    opened = {name: open_encoder(str(save(place / name)), "cpu") for name, save in TOWERS.items()}
    for encoder in opened.values():
        # Steps amplify rounding, by some processors past any bound: what is compared are two ways.
        encoder.module.double()
    return opened


def drawn_shots(count: int = 9) -> PromptShots:
    draw = torch.Generator().manual_seed(0)
    return PromptShots(
        pixels=torch.randint(0, 256, (count, 3, 32, 32), generator=draw, dtype=torch.uint8),
        labels=torch.arange(count) % len(CLASSES),
        ids=tuple(f"shot-{index}" for index in range(count)),
    )


def tuned(encoder: Any, options: VisualPromptsOptions = OPTIONS, **more: Any) -> Any:
    vectors = ZeroShot(encoder, CLASSES).vectors
    return tune_visual_prompts(encoder, vectors, drawn_shots(), options, **more)


@pytest.mark.parametrize("name", WITH_CLASS_TOKEN)
def test_reuse_changes_no_number_of_the_curve(name: str, encoders: dict[str, Any]) -> None:
    fast, slow = tuned(encoders[name]), tuned(encoders[name], replace(OPTIONS, reuse=False))
    assert fast.log.shape == (9, 3)
    assert np.allclose(fast.log, slow.log, atol=1e-4)
    assert torch.allclose(fast.prompts.vectors, slow.prompts.vectors, atol=1e-4)
    assert float(np.abs(np.diff(fast.log[:, 0])).max()) > 1e-3


@pytest.mark.parametrize("change", [{"augmentation": "crop-flip"}, {"last_token": "after"}])
def test_nor_with_other_options(change: dict[str, str], encoders: dict[str, Any]) -> None:
    options = replace(OPTIONS, **change)
    fast = tuned(encoders["vit"], options)
    slow = tuned(encoders["vit"], replace(options, reuse=False))
    assert np.allclose(fast.log, slow.log, atol=1e-4)
    assert not np.allclose(fast.log, tuned(encoders["vit"]).log, atol=1e-4)


def test_features_that_find_no_room_are_read_anew(
    encoders: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tuned(encoders["vit"])
    needed = "forensics.repairs.repulsive_prompts.forwards.bytes_needed"
    monkeypatch.setattr(needed, lambda *_: 1 << 60)
    assert np.allclose(kept.log, tuned(encoders["vit"]).log, atol=1e-5)


def test_only_prompts_are_tuned(encoders: dict[str, Any]) -> None:
    """Spec, test 1."""
    encoder = encoders["vit"]
    before = weights_digest(encoder)
    found = tuned(encoder)
    assert weights_digest(encoder) == before
    assert all(parameter.grad is None for parameter in encoder.module.parameters())
    start = start_prompts(PromptedEncoder(encoder, found.prompts).tower, 1, OPTIONS)
    assert found.trainable == start.numel() == 2 * 4 * 32
    assert float((found.prompts.vectors - start).abs().max()) > 1e-3
    assert found.parameters == sum(p.numel() for p in encoder.module.parameters())


def test_counts_of_a_vit_b_32() -> None:
    """Spec, test 1: 9 blocks x 50 prompts x 768, 0.23 % of the whole CLIP; nothing is allocated."""
    config = open_clip.get_model_config("ViT-B-32")
    with torch.device("meta"):
        module = open_clip.CLIP(**config)
    tower = open_native(module.visual)
    options = RepulsivePromptsOptions()
    first = first_block(options, len(tower.blocks))
    prompts = start_prompts(tower, first, options)
    assert (first, tuple(prompts.shape)) == (3, (9, 50, 768))
    assert prompts.numel() == 345_600
    assert prompts.std() == pytest.approx(0.02, rel=0.01)
    whole = sum(parameter.numel() for parameter in module.parameters())
    assert f"{prompts.numel() / whole:.2%}" == "0.23%"


def test_repulsion_turns_features_away(encoders: dict[str, Any]) -> None:
    """Spec, test 4: in [-1, 1], and the mean cosine falls; plain prompts do not make it fall so."""
    options = replace(OPTIONS, epochs=12, rate=0.5, batch_size=9)
    away = tuned(encoders["vit"], options).log[:, 2]
    plain = tuned(encoders["vit"], replace(options, alpha=0.0)).log[:, 2]
    assert float(np.abs(away).max()) <= 1 and away[-1] < away[0] - 0.03
    assert away[-1] < plain[-1] - 0.03
    assert away[0] == plain[0]


def test_the_loss_is_a_mean_of_cosines_with_a_floor() -> None:
    features = torch.tensor([[[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [0.0, 1.0]]])
    reference = torch.tensor([[[1.0, 0.0], [0.0, -1.0]], [[0.0, 1.0], [0.0, -1.0]]])
    cosine = cosines(features, reference)
    assert cosine.tolist() == [0.5, -1.0]  # per picture, over two depths
    assert float(repelling_loss(cosine)) == -0.25
    assert float(repelling_loss(cosine, margin=0.0)) == 0.25
    assert float(repelling_loss(cosine, margin=1.0)) == 1.0


def test_a_margin_of_one_is_plain_prompts(encoders: dict[str, Any]) -> None:
    plain = VisualPromptsOptions(
        depth=1, prompts=4, epochs=3, batch_size=4, rate=0.05, warmup_epochs=0
    )
    vpt = tuned(encoders["vit"], plain)
    zero = tuned(encoders["vit"], replace(OPTIONS, alpha=0.0))
    barred = tuned(encoders["vit"], replace(OPTIONS, margin=1.0))
    assert np.array_equal(vpt.log, zero.log)
    assert np.array_equal(vpt.log[:, 0], vpt.log[:, 1])
    assert torch.equal(vpt.prompts.vectors, zero.prompts.vectors)
    assert torch.allclose(vpt.prompts.vectors, barred.prompts.vectors, atol=1e-6)
    assert not torch.allclose(vpt.prompts.vectors, tuned(encoders["vit"]).prompts.vectors)


@pytest.mark.parametrize("name", WITHOUT_CLASS_TOKEN)
def test_towers_without_a_class_token(name: str, encoders: dict[str, Any]) -> None:
    with pytest.raises(NotApplicable, match="pools no class token") as caught:
        tuned(encoders[name])
    assert "pooled" in caught.value.remedy
    fast = tuned(encoders[name], replace(OPTIONS, pooled=True))
    slow = tuned(encoders[name], replace(OPTIONS, pooled=True, reuse=False))
    assert np.allclose(fast.log, slow.log, atol=1e-4)
    assert tuned(encoders[name], VisualPromptsOptions(depth=1, epochs=1)).log.shape == (1, 3)


def test_towers_without_blocks(tmp_path: Path) -> None:
    resnet = open_encoder(str(save_resnet(tmp_path / "resnet")), "cpu")
    with pytest.raises(NotApplicable, match="no transformer blocks"):
        tuned(resnet)


@pytest.mark.parametrize("stop", [2, 5])
def test_a_stopped_run_goes_on_to_the_same_prompts(
    stop: int, encoders: dict[str, Any], tmp_path: Path
) -> None:
    options = replace(OPTIONS, checkpoint_every=2)
    whole = tuned(encoders["vit"], options)

    def halt(step: int, steps: int, message: str) -> None:
        assert steps == 9 and "cosine" in message
        if step == stop:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        tuned(encoders["vit"], options, out=tmp_path, progress=halt)
    asked: list[int] = []
    again = tuned(
        encoders["vit"], options, out=tmp_path, progress=lambda step, *_: asked.append(step)
    )
    assert asked[0] == (3 if stop == 2 else 5)
    assert np.array_equal(again.log, whole.log)
    assert torch.equal(again.prompts.vectors, whole.prompts.vectors)
    other = tuned(encoders["vit"], replace(options, seed=1), out=tmp_path)
    assert not np.array_equal(other.log[:2], whole.log[:2])
    assert (tmp_path / CHECKPOINT).exists()


def test_depth_and_prompted_layers(encoders: dict[str, Any]) -> None:
    assert first_block(RepulsivePromptsOptions(), 12) == 3
    assert first_block(RepulsivePromptsOptions(prompted_layers=9), 24) == 15
    assert tuned(encoders["vit"], replace(OPTIONS, prompted_layers=3)).prompts.first == 0
    for wrong in (replace(OPTIONS, depth=3), replace(OPTIONS, prompted_layers=4)):
        with pytest.raises(OptionError) as caught:
            tuned(encoders["vit"], wrong)
        assert "0 to 2" in caught.value.remedy


def test_the_rate_warms_up_and_falls() -> None:
    options = RepulsivePromptsOptions(epochs=4, batch_size=4)
    rates = [rate_of(step, 8, options) for step in range(8)]
    assert rates[:3] == [1e-5, 1e-5, 0.002] and rates[2] == rates[3]
    assert sorted(rates[2:], reverse=True) == rates[2:] and rates[-1] < 0.0011


def test_without_pictures_there_is_nothing_to_tune(encoders: dict[str, Any]) -> None:
    none = PromptShots(pixels=torch.zeros(0, 3, 32, 32), labels=torch.zeros(0).long(), ids=())
    vectors = ZeroShot(encoders["vit"], CLASSES).vectors
    with pytest.raises(DataError):
        tune_visual_prompts(encoders["vit"], vectors, none, OPTIONS)
