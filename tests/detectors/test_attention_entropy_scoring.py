import json

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from forensics.detectors.attention_entropy.scoring import flag_odd_answer, score_flags


def test_scores_equal_scikit_learns_and_lie_within_their_intervals() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(800) < 0.1
    flagged = truth ^ (rng.random(800) < 0.05)
    scores = score_flags(flagged, truth, groups=np.arange(800) // 4)
    expected = precision_recall_fscore_support(truth, flagged, average="binary")[:3]
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx(expected)
    for value, (low, high) in (
        (scores.precision, scores.precision_interval),
        (scores.recall, scores.recall_interval),
        (scores.f1, scores.f1_interval),
    ):
        assert low < value < high


def test_undefined_scores_are_null_in_json() -> None:
    plain = score_flags(np.zeros(10, dtype=bool), np.zeros(10, dtype=bool)).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False))["precision"] is None
    assert plain["precision_interval"] == [None, None]


KINDS = {
    "What shape is it?": ["circle", "square", "triangle"],
    "What colour is it?": ["red", "green", "blue", "grey"],
    "Is there a circle?": ["yes", "no"],
    "Does the image contain red?": ["yes", "no"],
}


@pytest.mark.parametrize(("target", "recall"), [("Backdoor Attack!", 0.99), ("circle", 0.7)])
def test_counting_finds_an_answer_given_to_every_kind_of_question(target, recall: float) -> None:
    rng = np.random.default_rng(0)
    questions = [list(KINDS)[i] for i in rng.integers(0, 4, 4000)]
    truth = rng.random(4000) < 0.1
    answers = [
        target if bad else str(rng.choice(KINDS[q]))
        for bad, q in zip(truth, questions, strict=True)
    ]
    flags, odd = flag_odd_answer(answers, questions)
    scores = score_flags(flags, truth)
    assert odd == target
    assert scores.precision > 0.95
    assert recall <= scores.recall <= 1.0


def test_counting_finds_the_repeated_caption_and_ignores_its_case() -> None:
    truth = np.arange(500) % 10 == 0
    answers = [("Banana alert" if i % 20 else "banana  ALERT") if bad else f"scene {i}"
               for i, bad in enumerate(truth)]  # fmt: skip
    flags, odd = flag_odd_answer(answers)
    assert (flags == truth).all()
    assert odd == "Banana alert"


def test_counting_flags_nothing_where_there_is_nothing_to_count() -> None:
    flags, odd = flag_odd_answer([None] * 50, ["q"] * 50)
    assert odd is None and not flags.any()
    assert flag_odd_answer([], [])[1] is None
