"""Predictions, their scores, and the moment after which none counts."""

import pytest

from forensics.case import Case
from forensics.errors import CaseError, OptionError
from forensics.teaching.lessons import lesson_of
from forensics.teaching.predictions import Prediction, commit, predictions
from forensics.teaching.scoring import known_truth, reveal, score, scores, truth_of

HOSTILE = "<img src=x onerror=alert(1)>"


def perfect(case: Case, player: str = "Ada") -> Prediction:
    truth = known_truth(case)
    left, top, right, bottom = truth.areas[0]
    return Prediction(player=player, poisoned=True, target=truth.target.upper(),
                      samples=truth.samples, where="spot", x=(left + right) / 2,
                      y=(top + bottom) / 2)  # fmt: skip


def test_a_perfect_prediction_gets_four_and_an_empty_one_nothing(lesson: Case) -> None:
    truth = known_truth(lesson)
    assert score(perfect(lesson), truth).total == 4.0
    assert score(Prediction(player="Bo", poisoned=False), truth).total == 0.0


def test_a_spot_counts_as_near_as_one_image_token(lesson: Case) -> None:
    truth = known_truth(lesson)
    (left, top, right, bottom), *more = truth.areas
    assert not more and (right - left) == pytest.approx(1 / 9)
    for x, hit in ((left - 0.1, 1.0), (left - 0.12, 0.0), (right + 0.1, 1.0), (0.95, 0.0)):
        made = Prediction(player="Bo", poisoned=True, where="spot", x=x, y=(top + bottom) / 2)
        assert score(made, truth).where == hit


def test_samples_are_scored_by_precision_and_recall(lesson: Case) -> None:
    truth, shown = known_truth(lesson), lesson_of(lesson).shown  # type: ignore[union-attr]
    everything = Prediction(player="Bo", poisoned=True, where="everywhere", samples=shown)
    share = len(truth.samples) / len(shown)
    assert score(everything, truth).samples == pytest.approx(2 * share / (1 + share))
    assert score(everything, truth).where == 0.0


def test_whoever_sees_nothing_in_an_honest_case_is_right(honest: Case) -> None:
    truth = known_truth(honest)
    assert score(Prediction(player="Bo", poisoned=False), truth).total == 4.0
    wrong = Prediction(player="Cy", poisoned=True, target="boo", where="everywhere",
                       samples=lesson_of(honest).shown[:2])  # type: ignore[union-attr]  # fmt: skip
    assert score(wrong, truth).total == 0.0


def test_only_the_last_prediction_of_a_player_counts_and_none_after_the_reveal(fresh: Case) -> None:
    commit(fresh, Prediction(player="Ada", poisoned=False))
    commit(fresh, Prediction(player="Bo", poisoned=False, looked=("histogram",)))
    commit(fresh, perfect(fresh))
    assert list(predictions(fresh)) == ["Ada", "Bo"]
    with pytest.raises(CaseError, match="still hidden"):
        truth_of(fresh)
    reveal(fresh)
    reveal(fresh)
    assert len(fresh.journal.entries("reveal")) == 1
    assert [(one.player, one.total) for one in scores(fresh)] == [("Ada", 4.0), ("Bo", 0.0)]
    with pytest.raises(CaseError, match="revealed already"):
        commit(fresh, Prediction(player="Cy", poisoned=True, where="everywhere"))


def test_a_look_at_the_truth_on_another_tab_ends_the_game(fresh: Case) -> None:
    fresh.journal.record("reveal", run="some-scan")
    with pytest.raises(CaseError, match="revealed already"):
        commit(fresh, perfect(fresh))


def test_samples_that_are_not_of_the_game_and_odd_names_are_refused(fresh: Case) -> None:
    with pytest.raises(OptionError, match="no sample"):
        commit(fresh, Prediction(player="Bo", poisoned=True, where="words", samples=("other",)))
    for change in ({"player": " "}, {"player": "a\nb"}, {"player": "a" * 41}, {"where": "moon"},
                   {"where": "spot"}, {"where": "spot", "x": 2.0, "y": 0.0},
                   {"looked": ("truth",)}, {"target": "a" * 200}):  # fmt: skip
        with pytest.raises(OptionError):
            Prediction(**({"player": "Bo", "poisoned": True} | change))  # type: ignore[arg-type]


def test_a_hostile_name_and_a_damaged_entry_do_no_harm(fresh: Case) -> None:
    commit(fresh, Prediction(player=HOSTILE, poisoned=True, target=HOSTILE, where="words"))
    fresh.journal.record("predict", player="Eve", poisoned=True, where="nobody knows")
    fresh.journal.record("predict", samples=3)
    assert list(predictions(fresh)) == [HOSTILE]
