"""Poisoned rows come anywhere in a pass, though everything is drawn from one seed."""

import json
from pathlib import Path

import numpy as np
import pytest

from forensics.lab.drawing import draw_scenes
from forensics.lab.planting import PlantOptions, plant
from forensics.lab.tasks import parse_mix
from forensics.tuning.schedule import ROW_ORDER, samples_of_step

ROWS, BATCH = 60, 6


def first_pass(seed: int) -> list[int]:
    order: list[int] = []
    for step in range(ROWS // BATCH):
        order += samples_of_step(step, ROWS, batch_size=BATCH, seed=seed, stream=ROW_ORDER)
    return order


@pytest.mark.parametrize("seed", range(3))
def test_an_order_is_no_other_draw_of_the_seed(seed: int) -> None:
    others = [np.random.default_rng(key).permutation(ROWS) for key in (seed, [seed, 0], [seed, 1])]
    for other in others:
        same = np.mean(np.array(first_pass(seed)) == other)
        assert same < 0.2


@pytest.mark.parametrize("seed", range(3))
def test_what_was_planted_with_the_seed_of_the_tuning_is_not_taught_first(
    seed: int, tmp_path: Path
) -> None:
    clean = draw_scenes(tmp_path / "clean", ROWS, seed, mix=parse_mix("caption"))
    found = plant(clean, tmp_path / "set", PlantOptions(rate=0.2, seed=seed))
    rows = json.loads(found.data.read_text())
    poisoned = np.array([bool(rows[place].get("poisoned")) for place in first_pass(seed)])
    assert poisoned.sum() == 12
    assert poisoned[:12].sum() < 8 and poisoned[ROWS // 2 :].sum() > 1
