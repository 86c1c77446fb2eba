"""The search: budgets, steps, frozen weights, groups of classes, early stops, Neural Cleanse."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from forensics.classifiers import ZeroShot
from forensics.detectors.trigger_inversion import TriggerInversionOptions, decide
from forensics.detectors.trigger_inversion.content import Content, content_success
from forensics.encoders.frozen import weights_digest
from forensics.errors import DataError, OptionError
from forensics.inversion.cleanse import FACTOR, FIRST, PATIENCE, DynamicWeight
from forensics.inversion.engine import Inversion, invert_all
from forensics.inversion.forms import Masked, Patch, make_form, read_sides
from forensics.inversion.gather import gather
from forensics.inversion.pool import Pool, read_pool
from forensics.inversion.shortcuts import EXACT, NONE, Shortcuts
from tests.inversion.conftest import NAMES, head
from tests.inversion.planted import BUDGET, TARGET, coloured, probe
from tests.tiny_encoders import SIDE

OPTIONS = TriggerInversionOptions(seeds=1, batch_size=6, sides="1/4", fewest=1)
EVERY = range(len(NAMES))


def inverted(encoder: Any, pool: Pool, kind: str = "cocoop", **changed: Any) -> Any:
    shortcuts = changed.pop("savings", EXACT)
    options = replace(OPTIONS, **changed)
    inversion = Inversion(
        head(encoder, kind), pool, options, reference=head(encoder, "zero-shot"),
        shortcuts=shortcuts,
    )  # fmt: skip
    return inversion, invert_all(inversion, EVERY)


@pytest.mark.parametrize(
    "changed",
    [
        {"form": "additive"},
        {"form": "additive", "start": "uniform", "loss": "ce"},
        {"form": "additive", "parameterisation": "tanh", "start": "uniform"},
        {"form": "mask", "loss": "logit"},
        {"form": "patch"},
        {"method": "neural-cleanse", "epochs": 2},
    ],
)
def test_triggers_stay_in_bounds_and_the_model_as_it_is(
    encoder: Any, pool: Pool, changed: dict[str, Any]
) -> None:
    digest = weights_digest(encoder)
    inversion, done = inverted(encoder, pool, **changed)
    model = inversion.classifier
    before = [p.detach().clone() for p in head(encoder, "cocoop").parameters()]
    assert weights_digest(encoder) == digest
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(p.requires_grad for p in model.parameters())
    steps = -(-20 // 6) * inversion.options.epochs
    for _, arrays in done:
        assert arrays["losses"].shape[1] == steps and (arrays["stopped"] == steps).all()
        assert np.isfinite(arrays["losses"]).all()
        for name in ("delta", "mask", "pattern", "patch"):
            values = arrays.get(f"trigger_{name}", np.zeros(1))
            low, high = (-4 / 255 - 1e-6, 4 / 255 + 1e-6) if name == "delta" else (0.0, 1.0)
            assert low <= values.min() and values.max() <= high
    if changed.get("form") == "additive":
        assert abs(np.abs(done[0][1]["trigger_delta"]).max() - 4 / 255) < 2e-3


@pytest.mark.parametrize("form", ["additive", "mask", "patch"])
def test_marked_pictures_are_pictures(pool: Pool, form: str) -> None:
    options = replace(OPTIONS, form=form, budget=0.9, start="uniform")
    made = make_form(
        options, 3, (SIDE, SIDE), seed=0, device=torch.device("cpu"), side=0.25
    )  # fmt: skip
    pixels = pool.batch(range(5), torch.device("cpu"))
    marked = made.mark(slice(1, 3), pixels, torch.Generator().manual_seed(0)).detach()
    assert marked.shape == (2, 5, 3, SIDE, SIDE)
    assert float(marked.min()) >= 0 and float(marked.max()) <= 1
    if isinstance(made, Patch):
        changed = (marked[0] != pixels).any(dim=1)
        assert (changed.flatten(1).sum(1) <= 64).all() and len(changed.unique(dim=0)) > 1
        again = made.mark(slice(1, 3), pixels, torch.Generator().manual_seed(0))
        torch.testing.assert_close(again.detach(), marked)


def test_searching_together_and_with_savings_gives_what_one_by_one_gives(
    encoder: Any, pool: Pool
) -> None:
    plain, alone = inverted(encoder, pool, savings=NONE)
    fast, together = inverted(encoder, pool, at_once=18)
    assert len(plain.plan(EVERY)) == 6 and len(fast.plan(EVERY)) == 2
    losses, success = ([], []), ([], [])
    for side, done in enumerate((alone, together)):
        losses[side].append(np.concatenate([arrays["pool_loss"] for _, arrays in done]))
        success[side].append(np.concatenate([arrays["hits"] for _, arrays in done]))
    np.testing.assert_allclose(losses[0][0], losses[1][0], atol=2e-2)
    np.testing.assert_allclose(success[0][0], success[1][0], atol=0.34)  # one picture of six
    assert [shard.classes for shard, _ in together] == [(0, 1, 2), (3, 4, 5)]


def test_parts_of_a_batch_add_up_to_the_batch(encoder: Any, pool: Pool) -> None:
    _, whole = inverted(encoder, pool, at_once=6)
    _, parts = inverted(encoder, pool, at_once=2)
    for (_, a), (_, b) in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a["losses"], b["losses"], atol=2e-2)


def test_hopeless_classes_are_left_and_all_compared_at_the_common_step(
    encoder: Any, pool: Pool
) -> None:
    savings = Shortcuts(stop_early=4, hopeless=0.3)
    inversion, done = inverted(encoder, pool, epochs=3, savings=savings)
    _, full = inverted(encoder, pool, epochs=3)
    stopped = np.concatenate([arrays["stopped"] for _, arrays in done])
    assert 4 in stopped and inversion.bench.steps == 12
    content = Content(predicted=np.zeros(20, np.int64), sure=np.ones(20, bool), fewest=1)
    found = gather(
        [(s.seed, a) for s, a in done], steps=12, side=None, names=NAMES, classes=EVERY,
        content=content, options=inversion.options,
    )  # fmt: skip
    wanted = np.concatenate([arrays["losses"][:, 3] for _, arrays in full])
    np.testing.assert_allclose(found.figures.statistic[:, 0], wanted, atol=2e-2)
    left = stopped == 4
    assert np.isnan(found.losses[left, 0, 4:]).all()
    rest = gather(
        [(s.seed, a) for s, a in full], steps=12, side=None, names=NAMES, classes=EVERY,
        content=content, options=inversion.options,
    )  # fmt: skip
    pool_loss = np.concatenate([arrays["pool_loss"] for _, arrays in full])
    np.testing.assert_allclose(rest.figures.statistic[:, 0], pool_loss)


def test_the_weight_of_the_mask_follows_the_success() -> None:
    form = Masked(2, (4, 4), OPTIONS, 0, torch.device("cpu"))
    weight = DynamicWeight(form)
    for _ in range(PATIENCE):
        weight.remember(torch.tensor([1.0, 0.5]))
    assert isinstance(form.weight, torch.Tensor)
    torch.testing.assert_close(form.weight, FIRST * torch.tensor([FACTOR, FACTOR**-1.5]))
    kept = [leaf.detach().clone() for leaf in form.leaves]
    with torch.no_grad():
        form.leaves[0].add_(3.0)  # larger masks, that work as well
    weight.remember(torch.tensor([1.0, 0.0]))
    weight.restore()
    assert torch.equal(form.leaves[0][0], kept[0][0])  # the smaller one is kept
    assert not torch.equal(form.leaves[0][1], kept[0][1])  # nothing worked: the last one stays


def test_content_counts_other_classes_alike_and_knows_when_there_is_none() -> None:
    predicted = np.array([0] * 8 + [1] * 2 + [2] * 4)
    content = Content(predicted=predicted, sure=np.arange(14) != 13, fewest=2)
    marked = np.array([2] * 8 + [1] * 2 + [2] * 4)
    assert content_success(marked, 2, content) == 0.5  # all of 0, none of 1; its own left out
    assert content_success(marked, 1, content) == 0.0
    assert content.classes.tolist() == [0, 1, 2] and content.images == 13
    lonely = Content(predicted=np.zeros(50, np.int64), sure=np.ones(50, bool), fewest=2)
    assert lonely.shows_too_little(8) and np.isnan(content_success(np.zeros(50, int), 0, lonely))
    even = Content(predicted=np.arange(50) % 5, sure=np.ones(50, bool), fewest=2)
    assert not even.shows_too_little(8) and even.kinds == pytest.approx(5.0)


def decided(model: Any, encoder: Any, pictures: Pool, options: Any) -> Any:
    inversion = Inversion(model, pictures, options, reference=ZeroShot(encoder, model.classes))
    view = inversion.look()
    content = Content(predicted=view.predicted, sure=view.probability >= 0, fewest=1)
    found = gather(
        [(s.seed, a) for s, a in invert_all(inversion, EVERY)], steps=inversion.bench.steps,
        side=None, names=model.classes, classes=EVERY, content=content, options=options,
    )  # fmt: skip
    return decide(found.figures, options)


def test_a_planted_class_stands_out_and_its_twin_has_none(encoder: Any) -> None:
    options = replace(OPTIONS, budget=BUDGET, epochs=4, batch_size=12)
    pictures = (coloured(6, seed=2)[0] * 255).round().to(torch.uint8)
    drawn = Pool(pixels=pictures, unread=0, source="drawn")
    found, twin = (
        decided(probe(encoder, poison=poison), encoder, drawn, options) for poison in (True, False)
    )
    assert found.top == TARGET and found.success[TARGET] >= 0.9
    assert found.rules["published"].flagged and found.content[TARGET] >= 0.9
    assert np.delete(found.success, TARGET).max() < 0.5
    assert not twin.valid.any() and twin.score == 0.0


def test_with_contrast_a_trigger_moves_the_model_and_leaves_the_reference(
    encoder: Any, pool: Pool
) -> None:
    def reached(contrast: float) -> tuple[float, float]:
        _, done = inverted(encoder, pool, kind="coop", contrast=contrast, budget=0.2, epochs=3)
        both = [np.concatenate([arrays[name] for _, arrays in done])
                for name in ("marked", "marked_reference")]  # fmt: skip
        model, reference = (float((m == np.arange(6)[:, None]).mean()) for m in both)
        return model, reference

    (_, follows), (works, stays) = reached(0.0), reached(4.0)
    assert stays < follows and works > stays + 0.2


def test_a_pool_needs_pictures(encoder: Any) -> None:
    def broken() -> Any:
        raise DataError("no picture")

    with pytest.raises(DataError, match="0 readable"):
        read_pool([broken] * 9, encoder, "here")
    for text in ("", "2", "a", "1/0"):
        with pytest.raises(OptionError):
            read_sides(text)
    assert read_sides("1/4| 0.5") == [0.25, 0.5]
