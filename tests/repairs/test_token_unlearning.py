"""Token unlearning (reconstruction): what each stage must show on a tiny poisoned CLIP."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensics.encoders.base import DualEncoder
from forensics.encoders.frozen import weights_digest
from forensics.errors import DataError, NotApplicable
from forensics.jobs.contrastive_repairs.shown import auroc
from forensics.registry import find_method
from forensics.repairs.contrastive.copies import copy_of
from forensics.repairs.contrastive.options import SplitOptions
from forensics.repairs.contrastive.pair_cosines import (
    SuspiciousPairs,
    mismatch_cosine,
    pair_cosines,
)
from forensics.repairs.contrastive.split import Split, split_pairs
from forensics.repairs.token_unlearning.captions import encode_without, read_captions, token_texts
from forensics.repairs.token_unlearning.choice import (
    before_overfitting,
    find_shortcut,
    scores_of,
    step_of,
    top,
)
from forensics.repairs.token_unlearning.cost import sample_steps
from forensics.repairs.token_unlearning.importance import (
    keep_top,
    patch_importance,
    token_importance,
)
from forensics.repairs.token_unlearning.loss import unlearning_loss
from forensics.repairs.token_unlearning.options import TokenUnlearningOptions
from forensics.repairs.token_unlearning.patches import grid_of
from forensics.repairs.token_unlearning.pipeline import Exposed, expose, localise
from forensics.repairs.token_unlearning.unlearn import unlearn
from tests.pair_case import TARGET, World, draw_pairs, make_world, read_pairs

SMALL = TokenUnlearningOptions(
    pool_least=40, overfit_epochs=3, overfit_rate=1e-4, overfit_batch=20, k=8, steps=6,
    batch_size=16, rate=3e-4, watch_every=2, retention_rise=100.0, checkpoint_every=0,
    patch_share=0.2, shown=2,
)  # fmt: skip


def with_(**changed: Any) -> TokenUnlearningOptions:
    from dataclasses import replace

    return replace(SMALL, **changed)


class Stages:
    """The stages on one model and its pairs."""

    def __init__(self, world: World, model: str, table: Path) -> None:
        self.pairs = SuspiciousPairs(read_pairs(table))
        self.model, self.reference = world.open(model), world.open("reference")
        with table.open() as file:
            self.bad = np.array([row["poisoned"] == "true" for row in csv.DictReader(file)])
        self.split: Split = split_pairs(pair_cosines(self.reference, self.pairs), SMALL)

    def expose(self, folder: Path, options: TokenUnlearningOptions = SMALL) -> Exposed:
        return expose(self.model, self.pairs, self.split, options, folder)

    def shortcut(self, exposed: Exposed) -> Any:
        captions = [self.pairs.caption(index) for index in range(len(self.pairs))]
        mine = [captions[index] for index in exposed.pairs(self.split)]
        wide = step_of(self.split, mismatch_cosine(self.reference, self.pairs, self.split.benign))
        return find_shortcut(exposed.gain[exposed.chosen], wide, mine, captions, SMALL)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def poisoned(world: World) -> Stages:
    return Stages(world, "poisoned", world.pairs)


@pytest.fixture(scope="module")
def exposed(poisoned: Stages, tmp_path_factory: pytest.TempPathFactory) -> Exposed:
    return poisoned.expose(tmp_path_factory.mktemp("overfit"))


def test_poison_with_a_wrong_caption_matches_badly_and_poison_with_its_own_does_not(
    world: World, poisoned: Stages, tmp_path: Path
) -> None:
    assert auroc(-poisoned.split.cosines, poisoned.bad) > 0.8
    assert poisoned.bad[poisoned.split.suspicious].sum() == poisoned.bad.sum() == 14
    assert not set(poisoned.split.suspicious) & set(poisoned.split.benign)
    table = draw_pairs(tmp_path / "consistent", 96, 4, 12, consistent=True)
    same = Stages(world, "poisoned", table)
    target = np.array([pair.label == TARGET for pair in same.pairs.samples])
    found = auroc(-same.split.cosines[target], same.bad[target])
    assert target.sum() == 24 and 0.2 < found < 0.8


def test_sizes_of_the_split() -> None:
    cosines = np.linspace(0, 1, 1000, dtype=np.float32)
    split = split_pairs(cosines, SplitOptions(pool_least=20, pool_share=0.05))
    assert split.suspicious.tolist() == list(range(50)) and split.benign[0] == 500
    rest = split_pairs(cosines, SplitOptions(pool_least=20, pool_share=0.05, benign="rest"))
    assert rest.benign.tolist() == list(range(50, 1000))
    cosines[:10] = np.nan
    capped = split_pairs(cosines[:30], SplitOptions())
    assert capped.suspicious.tolist() == list(range(10, 20)), "half of what can be read"
    with pytest.raises(DataError, match="3 of 13"):
        split_pairs(cosines[:13], SplitOptions())


def test_the_copy_alone_is_overfitted_and_few_pairs_are_chosen(
    poisoned: Stages, exposed: Exposed, world: World
) -> None:
    assert weights_digest(poisoned.model) == weights_digest(world.open("poisoned"))
    assert exposed.history.shape == (4, 40) and len(exposed.chosen) == SMALL.k
    earlier = top(before_overfitting(exposed.history, poisoned.split), SMALL.k)
    precision = [
        poisoned.bad[poisoned.split.suspicious[places]].mean()
        for places in (earlier, exposed.chosen)
    ]
    assert precision[1] >= precision[0] and precision[1] >= 0.9
    found = poisoned.shortcut(exposed)
    assert found.confident and found.word == TARGET and found.agreement == 1.0


def test_a_clean_model_has_no_confident_shortcut(world: World, tmp_path: Path) -> None:
    clean = Stages(world, "clean", world.clean_pairs)
    found = clean.shortcut(clean.expose(tmp_path))
    assert not found.confident and found.gain < SMALL.least_gain


def test_every_score_ranks_by_what_it_says(poisoned: Stages, exposed: Exposed) -> None:
    history, split = exposed.history, poisoned.split
    last = scores_of(history, split, with_(score="final-cos"))
    assert np.array_equal(last, history[-1].astype(float))
    reached = history >= np.median(split.cosines[split.benign])
    soon = scores_of(history, split, with_(score="epochs"))
    assert soon[reached[0]].min() > soon[~reached.any(axis=0)].max()
    above = scores_of(history, split, with_(score="inbatch"))
    assert 0 < (above >= 0).sum() <= 4, "two of forty, in two batches"
    assert len(top(np.array([1.0, np.nan, 3.0]), 5)) == 2


def test_unlearning_takes_the_chosen_pairs_apart_and_starts_from_the_suspicious_weights(
    poisoned: Stages, exposed: Exposed, tmp_path: Path
) -> None:
    tuned = copy_of(poisoned.model)
    assert weights_digest(tuned) == weights_digest(poisoned.model)
    local = localise(tuned, poisoned.pairs, poisoned.split, exposed, SMALL)
    seen: list[str] = []

    def observe(encoder: DualEncoder) -> list[float]:
        seen.append(weights_digest(encoder))
        return [1.0]

    every_step = with_(until="steps")  # when it stops of itself is another test's concern
    found = unlearn(tuned, poisoned.pairs, local, poisoned.split.benign, every_step, tmp_path,
                    observe=observe)  # fmt: skip
    steps, whole, parts, kept = np.array(found.curve)[:, :4].T
    assert steps.tolist() == [0, 2, 4, 6] and len(found.losses) == 6
    assert (np.diff(whole) < 0).all() and (np.diff(parts) < 0).all()
    assert whole[0] - whole[-1] > 2 * (kept[0] - kept[-1])
    assert seen[0] == weights_digest(poisoned.model) and len(set(seen)) == 4
    assert found.benign <= len(poisoned.split.benign)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_sign_of_the_gradient(
    sign: float, poisoned: Stages, exposed: Exposed, tmp_path: Path
) -> None:
    options = with_(steps=1, retain_weight=0.0, unlearn_weight=sign, watch_every=1,
                    batch_size=16)  # fmt: skip
    tuned = copy_of(poisoned.model)
    local = localise(tuned, poisoned.pairs, poisoned.split, exposed, options)
    found = unlearn(tuned, poisoned.pairs, local, poisoned.split.benign, options, tmp_path)
    before, after = (row[2] for row in found.curve)
    assert (after - before) * sign < 0


def test_it_stops_where_the_chosen_pairs_are_forgotten_or_benign_ones_suffer(
    poisoned: Stages, exposed: Exposed, tmp_path: Path
) -> None:
    def stopped(**changed: Any) -> tuple[str, int]:
        options = with_(watch_every=1, **changed)
        tuned = copy_of(poisoned.model)
        local = localise(tuned, poisoned.pairs, poisoned.split, exposed, options)
        found = unlearn(tuned, poisoned.pairs, local, poisoned.split.benign, options, tmp_path)
        return found.stopped, len(found.losses)

    why, steps = stopped(rate=3e-3)
    assert why == "forgotten" and steps < 6
    assert stopped(rate=3e-3, retention_rise=0.0, loss="plain", retain_weight=0.0)[1] < 6
    assert stopped(rate=1e-9, steps=2) == ("steps", 2)
    assert stopped(rate=3e-3, until="steps")[0] == "steps"
    assert stopped(rate=3e-3, until="margin", margin=0.3)[0] == "margin"


@pytest.mark.parametrize("locality", ["text", "image", "both", "global"])
def test_locality_decides_what_is_left_of_a_pair(
    locality: str, poisoned: Stages, exposed: Exposed, tmp_path: Path
) -> None:
    options = with_(locality=locality)
    if locality in ("image", "both"):
        exposed = poisoned.expose(tmp_path, with_(locality=locality, overfit_epochs=1))
        assert exposed.patches.shape == (8, 16)
    local = localise(poisoned.model, poisoned.pairs, poisoned.split, exposed, options)
    places = exposed.pairs(poisoned.split)
    pixels, _ = poisoned.pairs.pictures(poisoned.model).batch(places.tolist())
    content = local.captions.content.sum(dim=1)
    left = content - local.dropped.sum(dim=1)
    if locality in ("text", "both"):
        assert torch.equal(left, torch.ceil(0.3 * content - 1e-6).long())
    else:
        assert not local.dropped.any()
    changed = (local.pixels != pixels).any(dim=1).float().mean(dim=(1, 2))
    wanted = 0.75 if locality in ("image", "both") else 0.0  # 4 of 16 patches stay
    assert torch.allclose(changed, torch.full_like(changed, wanted), atol=0.02)


def test_tokens_are_weighed_by_what_similarity_loses(poisoned: Stages) -> None:
    model = poisoned.model
    captions = read_captions(model, ["green here", "a"])
    assert captions.content.sum(dim=1).tolist() == [10, 1]
    assert "".join(token_texts(model, captions, 0)).replace("Ġ", " ") == "green here"
    pixels, _ = poisoned.pairs.pictures(model).batch([0, 1])
    found = token_importance(model, pixels, captions)
    with torch.no_grad():
        image = model.encode_image(pixels)
        alone = torch.zeros_like(captions.content)
        alone[0, 3] = True
        lost = image[0] @ (encode_without(model, captions, torch.zeros_like(alone))
                           - encode_without(model, captions, alone))[0]  # fmt: skip
    assert float(found[0, 3]) == pytest.approx(float(lost), abs=1e-5)
    assert not found[~captions.content].any()
    slopes = token_importance(model, pixels, captions, how="grad-x-embedding")
    assert slopes.shape == found.shape and not slopes[~captions.content].any()
    kept = keep_top(found, captions.content, 0.3)
    assert kept.sum(dim=1).tolist() == [3, 1] and not (kept & ~captions.content).any()


def test_no_picture_need_be_shown(poisoned: Stages) -> None:
    model = poisoned.model
    pixels, texts = poisoned.pairs.pictures(model).batch([0, 1])
    captions, grid = read_captions(model, texts), grid_of(model)
    assert patch_importance(model, pixels, captions, grid).shape == (2, grid.count)
    assert patch_importance(model, pixels[:0], captions.part([]), grid).shape == (0, grid.count)


def test_padding_inside_a_caption_is_refused_where_it_would_end_it(poisoned: Stages) -> None:
    from dataclasses import replace

    captions = read_captions(poisoned.model, ["green here"])
    dropped = captions.content.clone()
    padded = encode_without(poisoned.model, captions, dropped, "pad")
    assert padded.shape == (1, 32)
    with pytest.raises(NotApplicable, match="end token"):
        encode_without(poisoned.model, replace(captions, pad=captions.end), dropped, "pad")


def test_the_losses_in_closed_form() -> None:
    cosines = torch.tensor([0.4, -0.2])
    assert float(unlearning_loss(cosines)) == pytest.approx(0.2)
    assert float(unlearning_loss(cosines, "plain")) == pytest.approx(0.1)
    assert float(unlearning_loss(cosines, "push")) == pytest.approx((1.96 + 0.64) / 2)
    assert float(unlearning_loss(cosines, "hinge", 0.3)) == pytest.approx(0.05)


def test_it_costs_less_than_a_fiftieth_of_cleanclip_and_says_so() -> None:
    found = sample_steps(500_000, TokenUnlearningOptions())
    assert found["overfit"] == 25_000 and found["unlearn"] == 19_200
    assert (found["overfit"] + found["unlearn"]) / (250_000 * 10) < 0.02
    quick = sample_steps(500_000, TokenUnlearningOptions(overfit_epochs=3, steps=100))
    assert (quick["overfit"] + quick["unlearn"]) / (250_000 * 10) < 0.01


def test_it_carries_the_label() -> None:
    spec = find_method("ubt")
    assert spec.reconstruction and spec.title.endswith("(reconstruction)")
