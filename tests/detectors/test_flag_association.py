"""The permutation test of flags against answers, and the strata that it permutes within."""

import numpy as np
import pytest

from forensics.detectors.answers import AnswerTable, tabulate_answers
from forensics.detectors.flag_association import associate_flags
from forensics.detectors.strata import question_templates, residuals, stratify


def drawn(seed: int, n: int = 600) -> tuple[np.ndarray, AnswerTable, np.ndarray]:
    """Draw flags, answers and strata that have nothing to do with each other within strata."""
    random = np.random.default_rng(seed)
    strata = random.integers(0, 3, n)
    # Both depend on the stratum: without strata they would be associated.
    flags = random.random((n, 4)) < (0.05 + 0.2 * strata[:, None])
    answers = [f"a{stratum}{random.integers(0, 4)}" for stratum in strata]
    return flags, tabulate_answers(answers), strata


def test_p_values_are_uniform_without_an_association() -> None:
    smallest = []
    for seed in range(80):
        found = associate_flags(*drawn(seed), permutations=99, seed=seed)
        smallest.append(found.p_value.min())
    # Kolmogorov and Smirnov's distance; 0.15 is the 5 % point of 80 uniform numbers.
    ordered = np.sort(smallest)
    steps = np.arange(1, 81) / 80
    assert np.abs(ordered - steps + 1 / 160).max() < 0.15
    assert np.mean(ordered <= 0.05) < 0.13


def test_strata_take_out_what_kinds_of_questions_explain() -> None:
    flags, table, strata = drawn(3)
    one = np.zeros_like(strata)
    assert associate_flags(flags, table, one).p_value.min() == pytest.approx(0.002)
    assert associate_flags(flags, table, strata).p_value.min() > 0.05


def test_an_answer_among_the_flags_is_named_with_its_effect() -> None:
    flags, table, strata = drawn(5)
    answers = [table.texts[code] for code in table.codes]
    for place in np.flatnonzero(flags[:, 2])[::2]:
        answers[place] = "alien"
    table = tabulate_answers(answers)
    found = associate_flags(flags, table, strata)
    assert table.texts[found.answer[2]] == "alien"
    assert found.p_value[2] == pytest.approx(0.002)
    assert found.share[2] == pytest.approx(0.5, abs=0.01)
    assert found.excess[2] > 0.3
    assert found.statistics.shape == (found.candidates.size, 4)


def test_the_order_of_samples_changes_nothing() -> None:
    flags, table, strata = drawn(7)
    order = np.random.default_rng(0).permutation(strata.size)
    one = associate_flags(flags, table, strata)
    moved = AnswerTable(table.codes[order], table.texts)
    two = associate_flags(flags[order], moved, strata[order])
    np.testing.assert_array_equal(one.p_values, two.p_values)
    np.testing.assert_array_equal(one.answer, two.answer)


def test_unscanned_samples_do_not_count() -> None:
    flags, table, strata = drawn(9)
    scanned = np.arange(strata.size) < 400
    part = AnswerTable(table.codes[:400], table.texts)
    one = associate_flags(flags, table, strata, scanned=scanned)
    two = associate_flags(flags[:400], part, strata[:400])
    np.testing.assert_array_equal(one.p_values, two.p_values)


@pytest.mark.parametrize("answers", [[None] * 50, [f"free text {i}" for i in range(50)]])
def test_without_a_repeated_answer_there_is_nothing_to_test(answers: list[str | None]) -> None:
    flags = np.arange(50)[:, None] < 10
    found = associate_flags(flags, tabulate_answers(answers), np.zeros(50, dtype=np.int64))
    assert found.p_value.tolist() == [1.0]
    assert found.answer.tolist() == [-1]


def test_templates_mask_rare_words_and_keep_kinds_apart() -> None:
    shapes = ["star", "cross", "ring", "moon"] + [f"shape{chr(97 + i)}" for i in range(20)]
    yes_no = [f"Is there a {shapes[i % 24]}?" for i in range(240)]
    asked = yes_no + ["What is the color of the triangle?"] * 100 + ["What is the red shape?"] * 100
    templates = question_templates(asked)
    assert set(templates[:240]) == {"is there a *"}
    assert templates[240] != templates[340]
    assert np.unique(stratify(asked, np.full(440, 64))).size == 3
    tokens = np.where(np.arange(440) < 120, 64, 128)
    assert np.unique(stratify(asked, tokens)).size == 4


def test_small_strata_are_merged() -> None:
    asked = ["what color is it"] * 100 + ["where is it now"] * 5 + ["how many are there"] * 6
    assert np.bincount(stratify(asked, np.full(111, 64))).tolist() == [100, 11]


def test_residuals_are_in_spreads_of_the_stratum() -> None:
    random = np.random.default_rng(0)
    strata = np.repeat([0, 1], 500)
    values = np.where(strata == 0, 2.0, 4.0) + random.normal(size=1000) * np.where(strata, 0.1, 0.5)
    left = residuals(values[:, None], strata)[:, 0]
    for stratum in (0, 1):
        assert np.median(left[strata == stratum]) == pytest.approx(0.0)
        assert left[strata == stratum].std() == pytest.approx(1.0, abs=0.1)
    floored = residuals(values[:, None], strata, 0.3)[:, 0]
    assert floored[strata == 1].std() == pytest.approx(1 / 3, abs=0.05)


def test_a_stratum_that_does_not_vary_or_was_not_read_gives_no_residuals() -> None:
    values = np.array([[1.0, np.nan]] * 4 + [[2.0, 3.0]] * 4)
    left = residuals(values, np.repeat([0, 1], 4))
    assert left[:, 0].tolist() == [0.0] * 8
    assert np.isnan(left[:4, 1]).all()
