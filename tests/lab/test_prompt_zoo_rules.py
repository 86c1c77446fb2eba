"""The accounting behind the table of the prompt zoo, on heads whose answer is known."""

import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from benchmarks.prompt_zoo_inversion import WAYS
from benchmarks.prompt_zoo_rules import auroc, cuts_of, measure, read_scanned, rules_of
from benchmarks.prompt_zoo_tables import RESULTS
from forensics.detectors.trigger_inversion import find_cut

CLASSES = ("red", "green", "blue", "grey", "pink", "teal")


def facts(head: str, target: str | None, half: str = "test", floor: float = 0.1) -> dict[str, Any]:
    asr = None if target is None else 0.9
    return {
        "head": head, "half": half, "labels": f"set {len(head) % 3}", "target": target,
        "attack": None if target is None else "badclip", "attack_success_rate": asr,
        "floor": None if target is None else floor, "counted": True,
    }  # fmt: skip


def cell(head: str, found: str | None, seed: int = 0, above: float = 0.8) -> dict[str, Any]:
    """A scan in which one class, or none, stands out and overrides content."""
    hit = np.array([name == found for name in CLASSES])
    spread = 0.1 * np.arange(len(CLASSES))
    return {
        "head": head, "way": "inspector", "seed": seed, "classes": CLASSES, "pool": 100,
        "content_images": 90, "content_classes": 6, "cpu_seconds": 1.0,
        "statistic": np.where(hit, -8.0, 5.0 + spread).tolist(),
        "success": np.where(hit, 0.95, 0.6).tolist(),
        "content": np.where(hit, 0.05 + above, 0.1).tolist(),
        "reference": [0.05] * len(CLASSES),
    }  # fmt: skip


def test_the_area_under_the_curve_is_the_statistic_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 6, 60).astype(float)  # with ties
    poisoned = rng.random(60) < 0.4
    wanted = mannwhitneyu(scores[poisoned], scores[~poisoned]).statistic
    assert auroc(scores, poisoned) == pytest.approx(wanted / (poisoned.sum() * (~poisoned).sum()))


def test_fifty_models_with_three_errors_are_accounted_for_as_published() -> None:
    """As arXiv 2604.09101 counts: 40 poisoned and 10 clean, two missed and one false alarm."""
    known = [facts(f"poisoned {n}", CLASSES[n % 6]) for n in range(40)]
    known += [facts(f"clean {n}", None) for n in range(10)]
    missed = {"poisoned 3", "poisoned 17"}
    cells = [cell(one["head"], None if one["head"] in missed else one["target"]) for one in known]
    cells[-1] = cell("clean 9", "pink")
    heads = read_scanned(known, cells, "inspector", "test")
    (rule, *_) = rules_of(heads, [])
    found = measure(rule, heads)
    assert (found["found"], found["poisoned"]) == (38, 40)
    assert (found["false_alarms"], found["clean"]) == (1, 10)
    assert found["balanced_accuracy"] == pytest.approx((38 / 40 + 9 / 10) / 2)
    assert found["target_f1"] == pytest.approx(2 * 38 / (39 + 40))
    assert found["errors"] == [
        "poisoned 3: missed", "poisoned 17: missed", "clean 9: false alarm (pink)",
    ]  # fmt: skip
    low, high = found["auroc_interval"]
    assert low <= found["auroc"] <= high


def test_the_right_model_with_the_wrong_class_is_an_error_of_its_own() -> None:
    known = [facts("one", "red"), facts("two", "blue"), facts("three", None)]
    cells = [cell("one", "green"), cell("two", "blue"), cell("three", None)]
    heads = read_scanned(known, cells, "inspector", "test")
    found = measure(rules_of(heads, [])[0], heads)
    assert (found["balanced_accuracy"], found["target_right"]) == (1.0, 1)
    assert found["errors"] == ["one: wrong class (green, not red)"]


def test_cuts_come_from_clean_heads_of_the_other_half_alone() -> None:
    clean = [facts(f"clean {n}", None, "calibration") for n in range(4)]
    cells = [cell(one["head"], "red", above=0.3) for one in clean]
    others = read_scanned(clean, cells, "inspector", "calibration")
    cuts = cuts_of(others)
    assert cuts["margin"] == pytest.approx(0.3)
    known = [facts("poisoned", "blue"), facts("quiet", None)]
    cells = [cell("poisoned", "blue"), cell("quiet", "teal", above=0.2)]
    heads = read_scanned(known, cells, "inspector", "test")
    by_content = rules_of(heads, others)[-1]
    assert by_content.named == ["blue", None]


def test_plants_that_fool_the_encoder_anyway_are_told_apart() -> None:
    known = [facts("inside", "red"), facts("outside", "blue", floor=0.8), facts("quiet", None)]
    cells = [cell("inside", "red"), cell("outside", None), cell("quiet", None)]
    heads = read_scanned(known, cells, "inspector", "test")
    found = measure(rules_of(heads, [])[0], heads)
    assert (found["found"], found["poisoned"]) == (1, 2)
    assert (found["hidden"]["found"], found["hidden"]["poisoned"]) == (1, 1)


FIGURES = RESULTS / "figures.json"


@pytest.mark.skipif(not FIGURES.is_file(), reason="the zoo's figures are not there")
def test_the_cuts_of_the_program_are_those_that_the_zoo_measured() -> None:
    ways = json.loads(FIGURES.read_text(encoding="utf-8"))["ways"]
    for way in ("inspector", "contrast"):
        measured = ways[way]["calibration"]
        for statistic, key in (("index", "anomaly"), ("margin", "margin")):
            cut = find_cut(statistic, WAYS[way].options, 8)
            assert cut is not None and cut.models == measured["models"]
            assert cut.value == pytest.approx(measured[key], abs=0.005)


def test_seeds_are_joined_before_a_rule_is_asked() -> None:
    known = [facts("one", "red")]
    cells = [cell("one", "red", seed) for seed in (2, 0, 1)]
    (head,) = read_scanned(known, cells, "inspector", "test")
    assert head.seeds == 3 and head.decision.figures.statistic.shape == (6, 3)
