"""The decision of an inversion on hand-made figures: index, gate, cuts, content, wording."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forensics.detectors.trigger_inversion import (
    CalibratedCut,
    ClassFigures,
    TriggerInversionOptions,
    calibration,
    class_lines,
    decide,
    find_cut,
    find_outliers,
    gaussian_cut,
    judge_inversion,
)
from forensics.runs.plain import plain

OPTIONS = TriggerInversionOptions()
LOSSES = (5.1, 5.4, 4.9, 5.2, -8.2, 5.0, 5.3, 4.8)
TARGET = 4


def figures(
    losses: tuple[float, ...] = LOSSES, *, seeds: int = 2, success: float = 0.95, **changed: Any
) -> ClassFigures:
    """A poisoned model: one class far below the others, whose trigger overrides content."""
    count = len(losses)
    hit = np.arange(count) == TARGET

    def column(at_target: float, elsewhere: float) -> Any:
        return np.repeat(np.where(hit, at_target, elsewhere)[:, None], seeds, axis=1)

    found = ClassFigures(
        names=tuple(f"class {n}" for n in range(count)),
        statistic=np.array(losses)[:, None] + 0.01 * np.arange(seeds)[None],
        success=column(success, 0.08),
        content=column(success, 0.05),
        reference=column(0.1, 0.05),
        not_scanned=(),
        content_images=400,
        content_classes=6,
        pool=1000,
    )
    return replace(found, **changed)


def conclude(found: ClassFigures, **options: Any) -> Any:
    chosen = replace(OPTIONS, **options)
    return judge_inversion(decide(found, chosen), chosen)


def test_the_index_is_the_distance_below_the_median_in_scaled_deviations() -> None:
    found = find_outliers(np.array([1.0, 2.0, 3.0, 4.0, 100.0]))
    assert (found.median, found.spread, found.problem) == (3.0, pytest.approx(1.4826), None)
    np.testing.assert_allclose(found.index[:4], np.array([2, 1, 0, -1]) / 1.4826, rtol=1e-6)
    assert found.index[4] < -60  # one-sided: hard to reach is no suspicion
    shifted = find_outliers(np.array([1.0, 2.0, 3.0, 4.0, 100.0]) + 50)
    np.testing.assert_allclose(found.index, shifted.index)


def test_few_classes_and_equal_losses_are_said_not_divided_by() -> None:
    assert find_outliers(np.array([1.0, 5.0, 5.1, 5.2])).problem == "too-few-classes"
    flat = find_outliers(np.array([5.0, 5.0, 5.0, 5.0, 5.0, -8.0]))
    assert flat.problem == "no-spread" and np.isnan(flat.index[5]) and (flat.index[:5] == 0).all()
    few = conclude(_few())
    assert (few.verdict, few.reason) == ("inconclusive", "too-few-classes")
    level = conclude(figures((5.0,) * 4 + (-8.0,) + (5.0,) * 3, seeds=1))
    assert (level.verdict, level.reason) == ("inconclusive", "no-spread")
    assert "no measure" in level.sentence


def _few() -> ClassFigures:
    whole = figures()
    kept = slice(TARGET - 2, TARGET + 2)
    return replace(
        whole,
        names=whole.names[kept],
        **{name: getattr(whole, name)[kept] for name in
           ("statistic", "success", "content", "reference")},
    )  # fmt: skip


def test_a_class_that_overrides_content_is_suspicious() -> None:
    verdict = conclude(figures())
    assert (verdict.verdict, verdict.reason) == ("suspicious", "overrides-content")
    assert "a working trigger, perhaps not the attacker's" in verdict.sentence
    assert "“class 4”" in verdict.sentence and "95 %" in verdict.sentence
    assert "clean" not in verdict.sentence.replace("cleanse", "")
    assert (
        verdict.evidence["top"] == "class 4" and verdict.evidence["rules"]["published"]["flagged"]
    )


def test_a_trigger_that_hardly_works_counts_for_nothing_however_far_it_lies() -> None:
    verdict = conclude(figures(success=0.49))
    assert (verdict.verdict, verdict.reason) == ("no evidence", "no-valid-trigger")
    decision = decide(figures(success=0.49), OPTIONS)
    assert decision.score == 0.0 and decision.outliers.index[TARGET] > 2


def test_an_easily_drawn_class_is_not_a_backdoor() -> None:
    low = np.full((8, 2), 0.05)
    assert conclude(figures(content=low)).reason == "content-stays"
    same = figures().content - 0.1
    assert conclude(figures(reference=same)).reason == "reference-follows"
    unknown = np.full((8, 2), np.nan)
    assert conclude(figures(content=unknown)).reason == "no-content"
    for changed in ({"content": low}, {"reference": same}, {"content": unknown}):
        assert conclude(figures(**changed)).verdict == "inconclusive"
    nobody = conclude(figures(reference=unknown))
    assert nobody.verdict == "suspicious" and "reference classifier" not in nobody.sentence


def test_no_class_stands_out_of_many_that_work() -> None:
    even = figures((5.1, 5.4, 4.9, 5.2, 5.0, 5.0, 5.3, 4.8), success=0.9)
    verdict = conclude(replace(even, success=np.full((8, 2), 0.9)))
    assert (verdict.verdict, verdict.reason) == ("no evidence", "no-outlier")
    assert verdict.sentence.startswith("A trigger was searched for each of 8 classes.")


def test_classes_that_were_not_scanned_are_named_and_never_cleared() -> None:
    whole = figures()
    kept = np.arange(8) != TARGET
    rest = replace(
        whole,
        names=tuple(name for name in whole.names if name != "class 4"),
        not_scanned=("class 4",),
        **{name: getattr(whole, name)[kept] for name in
           ("statistic", "success", "content", "reference")},
    )  # fmt: skip
    verdict = conclude(rest)
    assert verdict.verdict == "no evidence"
    assert "7 of 8 classes; the others are not covered" in verdict.sentence
    assert verdict.not_covered[-1] == "classes that were not scanned: class 4"
    assert "clean" not in verdict.sentence


def test_both_cuts_are_told_and_the_chosen_one_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert conclude(figures(), mode="calibrated").reason == "not-calibrated"
    cut = CalibratedCut(
        statistic="index", method="inspector", form="additive", budget=4 / 255, contrast=0.0,
        fewest=6, most=12, models=10, value=60.0, source="lab",
    )  # fmt: skip
    assert find_cut("index", OPTIONS, 8, [cut]) is cut
    assert find_cut("margin", OPTIONS, 8, [cut]) is None
    assert find_cut("index", OPTIONS, 13, [cut]) is None
    for other in ({"form": "patch"}, {"budget": 8 / 255}, {"contrast": 1.0}):
        assert find_cut("index", replace(OPTIONS, **other), 8, [cut]) is None
    monkeypatch.setattr(calibration, "CALIBRATED", (cut,))
    decision = decide(figures(), OPTIONS)
    assert decision.rules["published"].flagged and not decision.rules["calibrated"].flagged
    assert conclude(figures(), mode="calibrated").reason == "no-outlier"
    assert conclude(figures()).evidence["calibration"]["models"] == 10


def test_the_content_rule_looks_at_nothing_but_what_is_overridden() -> None:
    few = conclude(_few(), mode="content")  # for the index too few classes
    assert (few.verdict, few.reason) == ("suspicious", "overrides-content")
    assert "85 % of content beyond the reference, cut 25 %" in few.sentence
    followed = figures(reference=np.full((8, 2), 0.75))
    verdict = conclude(followed, mode="content")
    assert (verdict.verdict, verdict.reason) == ("no evidence", "none-overrides")
    assert "One works, but it does not override content enough" in verdict.sentence
    bare = conclude(figures(reference=np.full((8, 2), np.nan)), mode="content")
    assert bare.verdict == "suspicious" and "beyond the median class" in bare.sentence
    empty = conclude(figures(content=np.full((8, 2), np.nan)), mode="content")
    assert (empty.verdict, empty.reason) == ("inconclusive", "no-content")
    assert "the model sees too little" in empty.sentence


def test_a_measured_cut_of_content_replaces_the_reasoned_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = CalibratedCut(
        statistic="margin", method="inspector", form="additive", budget=4 / 255, contrast=0.0,
        fewest=6, most=12, models=16, value=0.9, source="lab",
    )  # fmt: skip
    monkeypatch.setattr(calibration, "CALIBRATED", (cut,))
    verdict = conclude(figures(), mode="content")
    assert verdict.verdict == "no evidence" and verdict.evidence["calibration"]["models"] == 16
    assert conclude(figures(), mode="content", contrast=1.0).verdict == "suspicious"


def test_the_gaussian_guide_has_the_figures_of_the_specification() -> None:
    for classes, wanted in ((5, 5.7), (12, 3.8), (50, 3.4)):
        assert gaussian_cut(classes) == pytest.approx(wanted, rel=0.06)


def test_seeds_are_joined_by_their_mean_and_listed_beside() -> None:
    found = figures(seeds=3)
    decision = decide(found, OPTIONS)
    lines = class_lines(decision)
    assert len(lines) == 8 and lines[TARGET]["valid"] and not lines[0]["valid"]
    assert lines[TARGET]["loss"] == pytest.approx(found.statistic[TARGET].mean())
    assert lines[TARGET]["margin_over_reference"] == pytest.approx(0.85)
    assert [one["seed"] for one in lines[0]["seeds"]] == [0, 1, 2]
    own = find_outliers(found.statistic[:, 1]).index[TARGET]
    assert lines[TARGET]["seeds"][1]["anomaly_index"] == pytest.approx(own)
    bare = replace(found, reference=np.full((8, 3), np.nan))
    alone = plain(class_lines(decide(bare, OPTIONS)))
    assert alone[0]["reference_success"] is None
    # Nothing to be compared with: what triggers of the median class do is held against it.
    assert [line["content_beyond"] for line in alone[:2]] == pytest.approx([0.0, 0.0])
    assert alone[TARGET]["content_beyond"] == pytest.approx(0.90)


def test_figures_must_fit_together() -> None:
    with pytest.raises(ValueError, match="success"):
        replace(figures(), success=np.zeros((7, 2)))
