import numpy as np
import pytest

from forensics.errors import OptionError
from forensics.lab.proof import near_trigger, score_rules
from forensics.triggers import parse_trigger


def test_rules_are_scored_against_the_truth() -> None:
    rng = np.random.default_rng(0)
    entropy = rng.normal(4.0, 0.05, (400, 4))
    entropy[:40, 2] -= 1.5
    ids = [str(index) for index in range(400)]
    # Two of the forty that collapse are innocent, and one poisoned sample does not collapse.
    truth = {sample_id: 2 <= int(sample_id) <= 40 for sample_id in ids}
    for rule in score_rules(entropy, ids, truth).values():
        assert rule["layers"] == [2] and rule["flagged"] == 40 and rule["poisoned"] == 39
        assert rule["precision"] == pytest.approx(38 / 40)
        assert rule["recall"] == pytest.approx(38 / 39)


def test_nothing_flagged_has_no_precision() -> None:
    entropy = np.random.default_rng(0).normal(4.0, 0.05, (400, 4))
    ids = [str(index) for index in range(400)]
    for rule in score_rules(entropy, ids, {}).values():
        assert rule["flagged"] == 0
        assert rule["precision"] is None and rule["recall"] is None and rule["f1"] is None


@pytest.mark.parametrize(
    ("spec", "near"),
    [
        ("patch:side=1/9,place=center", {(3, 3), (3, 4), (4, 4), (5, 5)}),
        ("patch:side=1/9,place=corner", {(7, 7), (7, 8), (8, 8)}),
    ],
)
def test_near_means_within_one_token_of_the_box(spec: str, near: set[tuple[int, int]]) -> None:
    found = near_trigger(np.arange(81), 9, parse_trigger(spec), 108).reshape(9, 9)
    assert all(found[cell] for cell in near)
    assert found.sum() == (9 if "center" in spec else 4)


def test_a_trigger_across_four_tokens_has_sixteen_near() -> None:
    found = near_trigger(np.arange(64), 8, parse_trigger("patch:side=1/16,place=center"), 96)
    assert found.sum() == 16


def test_near_any_of_several_stamps_is_near() -> None:
    trigger = parse_trigger("patch:side=1/9,place=dual")
    found = near_trigger(np.arange(81), 9, trigger, 108).reshape(9, 9)
    assert found[4, 2] and found[4, 6] and not found[4, 4].any()
    assert np.array_equal(found, found[:, ::-1])


@pytest.mark.parametrize("spec", ["blended", "text"])
def test_nothing_is_near_a_trigger_that_is_not_local(spec: str) -> None:
    with pytest.raises(OptionError, match="not local"):
        near_trigger(np.arange(81), 9, parse_trigger(spec), 108)
