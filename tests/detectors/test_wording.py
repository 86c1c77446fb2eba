import doctest

import pytest

from forensics.detectors import wording
from forensics.detectors.question_groups import question_group


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(wording).failed == 0


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.004, "0.4 %"), (0.5, "50 %"), (0.996, "99.6 %"), (1.0, "100 %")],
)
def test_a_percentage_is_0_or_100_only_when_exact(share: float, text: str) -> None:
    assert wording.percent(share) == text


def test_long_answers_are_cut_and_put_on_one_line() -> None:
    assert wording.quote("a\n b\t c") == "“a b c”"
    assert len(wording.quote("x" * 500)) == 62


def test_questions_are_alike_by_their_first_three_words() -> None:
    assert question_group("What COLOUR is the 3rd shape?") == question_group("what colour is it")
    assert question_group("") == ""
