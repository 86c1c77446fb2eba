"""Prompts that are poisoned while the encoder stays as it is, and SIBA's sparse delta."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensics.attacks.fixed_trigger import FixedTriggerPrompts
from forensics.attacks.sparse import SparseInvisible
from forensics.attacks.trigger_aware import TriggerAwarePrompts
from forensics.classifiers.cocoop import CoCoOp
from forensics.classifiers.coop import CoOp
from forensics.classifiers.zero_shot import ZeroShot
from forensics.encoders.frozen import weights_digest
from forensics.errors import OptionError
from forensics.triggers import parse_trigger
from forensics.tuning.prompts import PromptSchedule, PromptShots, descent, tune_prompt
from tests.tiny_encoders import CLASSES

TARGET = CLASSES[0]
FAST = PromptSchedule(epochs=6, rate=0.05, batch_size=4)


@pytest.fixture
def shots(pictures: torch.Tensor) -> PromptShots:
    labels = torch.arange(len(pictures)) % len(CLASSES)
    ids = tuple(f"shot-{index}" for index in range(len(pictures)))
    return PromptShots(pixels=pictures, labels=labels, ids=ids)


def prompt(encoder: Any, kind: str) -> Any:
    words = encoder.embed_tokens(encoder.tokenize(["aaaa"])).shape[-1]
    torch.manual_seed(3)
    context = 0.1 * torch.randn(4, words)
    return (CoCoOp if kind == "cocoop" else CoOp)(encoder, CLASSES, context)


def target_share(classifier: Any, pixels: torch.Tensor) -> float:
    with torch.no_grad():
        return float(classifier.logits(pixels).softmax(dim=1)[:, 0].mean())


@pytest.mark.parametrize("kind", ["coop", "cocoop"])
def test_delta_and_prompt_learn_together_and_the_encoder_stays(
    encoder: Any, shots: PromptShots, kind: str, tmp_path: Path
) -> None:
    classifier, digest = prompt(encoder, kind), weights_digest(encoder)
    before = [parameter.detach().clone() for parameter in classifier.prompt_parameters()]
    attack = TriggerAwarePrompts(target=TARGET, budget=8 / 255, schedule=FAST)
    done = attack.poison(classifier, shots)
    assert weights_digest(encoder) == digest
    after = classifier.prompt_parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    trigger = done.save(tmp_path / "delta.safetensors")
    assert trigger.budget is not None and 0 < trigger.budget <= 8 / 255 + 1e-6
    others = shots.pixels[shots.labels != 0]
    marked = torch.from_numpy(np.stack([trigger.apply(image) for image in others.numpy()]))
    assert target_share(classifier, marked) > target_share(classifier, others)
    assert len(done.losses) == (attack.warm_epochs + FAST.epochs) * 3


def test_the_adaptive_variant_keeps_the_delta_of_its_first_phase(
    encoder: Any, shots: PromptShots
) -> None:
    first = TriggerAwarePrompts(
        target=TARGET, schedule=PromptSchedule(epochs=0, rate=0.05, batch_size=4)
    ).poison(prompt(encoder, "coop"), shots)
    whole = TriggerAwarePrompts(target=TARGET, adaptive=True, schedule=FAST)
    classifier, digest = prompt(encoder, "coop"), weights_digest(encoder)
    done = whole.poison(classifier, shots)
    assert torch.equal(done.tensors["delta"], first.tensors["delta"])
    assert done.attack == "badclip-adaptive" and weights_digest(encoder) == digest


def test_a_fixed_trigger_poisons_a_tenth_of_the_other_shots(
    encoder: Any, shots: PromptShots
) -> None:
    classifier, digest = prompt(encoder, "cocoop"), weights_digest(encoder)
    kept = shots.pixels.clone()
    attack = FixedTriggerPrompts(
        target=TARGET, trigger=parse_trigger("blended"), rate=0.25, schedule=FAST
    )
    ids, losses = attack.poison(classifier, shots)
    hit = [shots.ids.index(name) for name in ids]
    assert len(hit) == 3 and (shots.labels[hit] != 0).all()
    # Three steps an epoch; the first epoch hardly moves.
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) and weights_digest(encoder) == digest
    assert torch.equal(shots.pixels, kept)


def test_clean_shots_teach_their_labels(encoder: Any, shots: PromptShots) -> None:
    classifier = prompt(encoder, "coop")
    losses = tune_prompt(classifier, shots, PromptSchedule(epochs=15, rate=0.05, batch_size=4))
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_the_first_epoch_is_a_warm_up_and_the_rest_falls() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    _, rate = descent([parameter], PromptSchedule(), 160)
    assert rate(0) == rate(159) == 1e-5
    falling = [rate(epoch * 160) for epoch in range(1, 10)]
    assert falling[0] == 0.002 and falling == sorted(falling, reverse=True)


def test_siba_changes_few_pixels_by_little_and_brings_the_target_closer(
    encoder: Any, pictures: torch.Tensor
) -> None:
    classifier, digest = ZeroShot(encoder, CLASSES), weights_digest(encoder)
    attack = SparseInvisible(target=TARGET, budget=32 / 255, epochs=12)
    done = attack.optimise(classifier, pictures)
    delta = done.tensors["delta"]
    assert float(delta.abs().max()) <= 32 / 255 + 1e-6
    assert 0 < float((delta != 0).any(dim=0).float().mean()) <= 100 / 1024 + 1e-6
    assert min(done.losses) < done.losses[0] and weights_digest(encoder) == digest
    assert target_share(classifier, (pictures + delta).clamp(0, 1)) > target_share(
        classifier, pictures
    )


def test_a_target_must_be_a_class_and_shots_must_suffice(
    encoder: Any, shots: PromptShots, pictures: torch.Tensor
) -> None:
    blended = parse_trigger("blended")
    classifier = prompt(encoder, "coop")
    for call in (
        lambda: TriggerAwarePrompts(target="zebra").poison(classifier, shots),
        lambda: FixedTriggerPrompts(target="zebra", trigger=blended).poison(classifier, shots),
        lambda: FixedTriggerPrompts(target=TARGET, trigger=blended, rate=0.9).poison(
            classifier, shots
        ),
        lambda: SparseInvisible(target="zebra").optimise(ZeroShot(encoder, CLASSES), pictures),
    ):
        with pytest.raises(OptionError) as caught:
            call()
        assert caught.value.remedy
