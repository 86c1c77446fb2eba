"""Tuning on triggered copies: against the straightforward loop, and what it leaves alone."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from forensics.classifiers import CoCoOp, CoOp, first_context
from forensics.encoders.frozen import frozen, weights_digest
from forensics.encoders.loading import open_encoder
from forensics.jobs.trigger_inversion.stored import StoredTrigger
from forensics.jobs.trigger_variants import NoiseTrigger, OneOf, shuffled
from forensics.repairs.trigger_tuning import RepairSet, embed, trainable, tune_epoch
from forensics.triggers import stamp_pixels
from forensics.tuning.prompts import PromptSchedule, descend, descent, steps_of
from tests.tiny_encoders import CLASSES, SIDE, save_open_clip, vit_config

SCHEDULE = PromptSchedule(epochs=3, rate=0.1, batch_size=2)
IDS = tuple(f"s{k}" for k in range(7))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save_open_clip(tmp_path_factory.mktemp("clip") / "vit", vit_config())
    return open_encoder(f"openclip:{folder}", device="cpu")


@pytest.fixture(scope="module")
def trigger() -> StoredTrigger:
    drawn = np.random.default_rng(0).choice((-0.05, 0.05), (3, SIDE, SIDE))
    return StoredTrigger(file="t.safetensors", tensors={"delta": drawn})


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    drawn = torch.rand(7, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return (drawn * 255).round() / 255


LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0])


def cocoop(encoder: Any) -> CoCoOp:
    torch.manual_seed(3)
    return CoCoOp(encoder, CLASSES, first_context(encoder, words="one"))


def repair_set(encoder: Any, pixels: torch.Tensor, trigger: Any) -> RepairSet:
    marked = None if trigger is None else embed(encoder, pixels, IDS, trigger)
    return RepairSet(clean=embed(encoder, pixels, IDS, None), marked=marked, labels=LABELS)


def tuned(classifier: CoOp | CoCoOp, shots: RepairSet, epochs: int = 3) -> list[float]:
    state, losses = None, []
    for epoch in range(epochs):
        found, state = tune_epoch(classifier, shots, SCHEDULE, epoch, state)
        losses += found
    return losses


def straightforward(classifier: CoCoOp, pixels: torch.Tensor, trigger: Any) -> list[float]:
    """The recipe as it is written: every picture through the tower at every step."""
    optimizer, rates = descent(classifier.prompt_parameters(), SCHEDULE, len(pixels))
    losses = []
    with frozen(classifier.encoder):
        for step, chosen in enumerate(steps_of(len(pixels), SCHEDULE, SCHEDULE.epochs)):
            clean, labels = pixels[chosen], LABELS[chosen]
            marked = stamp_pixels(trigger, clean, [IDS[k] for k in chosen])
            clean_loss = F.cross_entropy(classifier.logits(clean), labels)
            marked_loss = F.cross_entropy(classifier.logits(marked), labels)
            loss = (clean_loss + marked_loss) / 2
            descend(loss, optimizer, rates(step))
            losses.append(float(loss.detach()))
    return losses


def test_encoding_once_gives_what_the_straightforward_loop_gives(
    encoder: Any, pixels: torch.Tensor, trigger: StoredTrigger
) -> None:
    fast, slow = cocoop(encoder), cocoop(encoder)
    losses = tuned(fast, repair_set(encoder, pixels, trigger))
    assert np.allclose(losses, straightforward(slow, pixels, trigger), atol=1e-4)
    for one, other in zip(fast.prompt_parameters(), slow.prompt_parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)
    assert not torch.equal(fast.context, cocoop(encoder).context)


def test_epochs_with_a_stop_between_them_leave_the_same_bytes(
    encoder: Any, pixels: torch.Tensor, trigger: StoredTrigger
) -> None:
    before, shots = weights_digest(encoder), repair_set(encoder, pixels, trigger)
    whole, parts = cocoop(encoder), cocoop(encoder)
    losses = tuned(whole, shots)
    _, state = tune_epoch(parts, shots, SCHEDULE, 0)
    parts = cocoop(encoder)  # as after a restart: only the state is left
    later, state = tune_epoch(parts, shots, SCHEDULE, 1, state)
    tune_epoch(parts, shots, SCHEDULE, 2, state)
    assert later == losses[4:8]
    for one, other in zip(whole.prompt_parameters(), parts.prompt_parameters(), strict=True):
        assert torch.equal(one, other)
    assert weights_digest(encoder) == before


def test_copies_keep_the_true_label_and_there_may_be_none(
    encoder: Any, pixels: torch.Tensor, trigger: StoredTrigger
) -> None:
    vectors, labels = repair_set(encoder, pixels, trigger).batch([2, 4])
    assert len(vectors) == 4 and labels.tolist() == [2, 1, 2, 1]
    assert not torch.allclose(vectors[:2], vectors[2:], atol=1e-3)
    vectors, labels = repair_set(encoder, pixels, None).batch([2, 4])
    assert len(vectors) == 2 and labels.tolist() == [2, 1]


def test_a_coop_prompt_is_tuned_as_well_and_what_is_tuned_is_counted(
    encoder: Any, pixels: torch.Tensor, trigger: StoredTrigger
) -> None:
    coop = CoOp(encoder, CLASSES, first_context(encoder, vectors=3))
    shots = repair_set(encoder, pixels, trigger)
    losses = tuned(coop, shots)
    assert len(losses) == 12 and losses[-1] < losses[4]
    assert trainable(coop) == 3 * 32
    assert trainable(cocoop(encoder)) > trainable(coop)


def test_a_request_to_stop_is_heard_inside_an_epoch(
    encoder: Any, pixels: torch.Tensor, trigger: StoredTrigger
) -> None:
    heard = []

    def report(done: int, steps: int) -> None:
        heard.append((done, steps))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune_epoch(cocoop(encoder), repair_set(encoder, pixels, None), SCHEDULE, 0, report=report)
    assert heard == [(1, 4), (2, 4)]


def test_noise_uses_the_same_budget_up_and_differs_from_picture_to_picture(
    trigger: StoredTrigger,
) -> None:
    noise = NoiseTrigger(like=trigger, seed=1)
    grey = np.full((3, SIDE, SIDE), 0.5, np.float32)
    first, again, other = (noise.apply(grey, name) for name in ("a", "a", "b"))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.allclose(np.abs(first - grey), 0.05, atol=1e-6)
    assert not np.array_equal(first, NoiseTrigger(like=trigger, seed=2).apply(grey, "a"))


@pytest.mark.parametrize("form", ["delta", "patch", "mask"])
def test_shuffling_keeps_the_pixels_and_noise_keeps_the_place(form: str) -> None:
    rng = np.random.default_rng(4)
    forms = {
        "patch": {"patch": rng.random((3, 5, 5))},
        "delta": {"delta": rng.random((3, 8, 8))},
        "mask": {"mask": rng.random((1, 8, 8)), "pattern": rng.random((3, 8, 8))},
    }
    tensors = forms[form]
    trigger = StoredTrigger(file="t", tensors=tensors, side=0.2)
    mixed = shuffled(trigger, 0)
    for name, values in tensors.items():
        flat, other = values.reshape(len(values), -1), mixed.tensors[name].reshape(len(values), -1)
        assert sorted(map(tuple, flat.T)) == sorted(map(tuple, other.T))
        assert not np.array_equal(flat, other)
    noise = NoiseTrigger(like=trigger)
    assert noise.boxes(SIDE, SIDE, "a") == trigger.boxes(SIDE, SIDE, "a")
    grey = np.full((3, SIDE, SIDE), 0.5, np.float32)
    changed = (noise.apply(grey, "a") != grey).any(axis=0)
    assert changed.any() and (form == "patch") == (changed.mean() < 0.1)


def test_one_of_several_triggers_is_chosen_by_the_picture(trigger: StoredTrigger) -> None:
    many = OneOf(triggers=(trigger, shuffled(trigger, 1)))
    grey = np.full((3, SIDE, SIDE), 0.5, np.float32)
    seen = {many.apply(grey, f"s{k}").tobytes() for k in range(20)}
    assert seen == {each.apply(grey, "").tobytes() for each in many.triggers}
