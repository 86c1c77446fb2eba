import numpy as np
import pytest

from forensics.detectors.attention_entropy import decide, explain_samples, fit_layers
from forensics.detectors.wording import place


def explain(case, **changes):
    n, layers = case.entropy.shape
    fits = fit_layers(case.entropy)
    arguments = {
        "tokens": np.full(n, 64),
        "peak_token": np.full((n, layers), 27),
        "top2_mass": np.where(case.truth[:, None], 0.71, 0.08) * np.ones(layers),
        "questions": case.questions,
        "where": lambda index, token: place(*divmod(token, 8), 8, 8),
    }
    return explain_samples(decide(case.entropy, fits=fits), fits, **(arguments | changes))


def test_a_flagged_sample_says_where_and_how_far_below(plant) -> None:
    case = plant(layers=4, lowered=(1,))
    reasons = explain(case)
    row = int(np.flatnonzero(case.truth)[0])
    score = reasons.decision.score
    spread = np.median(np.abs(score - np.median(score)))
    expected = (np.median(score) - score[row]) / spread
    assert reasons.reason(row) == (
        f"71 % of the attention on 2 of 64 patches at the centre; entropy {score[row]:.2f}, "
        f"{expected:.1f} MAD below the median of its question group"
    )


@pytest.mark.parametrize(
    ("token", "where"),
    [(0, "at the top left"), (7, "at the top right"), (59, "at the bottom"), (24, "at the left")],
)
def test_the_place_is_named_by_thirds_of_the_grid(plant, token: int, where: str) -> None:
    case = plant(layers=4, lowered=(1,))
    peaks = np.full(case.entropy.shape, token)
    assert where in explain(case, peak_token=peaks).reason(0)


def test_a_sample_is_compared_with_its_own_kind_of_question(plant) -> None:
    case = plant(layers=4, lowered=(1,))
    shifted = case.entropy.copy()
    odd = np.arange(1000) % 2 == 1
    shifted[odd, 1] -= 0.5
    questions = ["Is there a star?" if o else "Describe the image." for o in odd]
    fits = fit_layers(shifted)
    reasons = explain_samples(
        decide(shifted, fits=fits), fits, tokens=np.full(1000, 64),
        peak_token=np.zeros((1000, 4)), top2_mass=np.ones((1000, 4)), questions=questions,
    )  # fmt: skip
    clean = ~case.truth
    assert abs(np.median(reasons.deviation[odd & clean])) < 0.3
    assert abs(np.median(reasons.deviation[~odd & clean])) < 0.3


def test_an_unread_sample_and_a_scan_without_layers_say_so(plant) -> None:
    case = plant(layers=4, lowered=(1,), rate=0.0)
    mass = np.full(case.entropy.shape, 0.2)
    mass[0] = np.nan
    reasons = explain(case, top2_mass=mass)
    assert reasons.reason(0).startswith("Not scanned")
    assert "no layer separates" in reasons.reason(1)


def test_a_token_that_lies_nowhere_leaves_the_place_out(plant) -> None:
    case = plant(layers=4, lowered=(1,))
    assert "patches;" in explain(case, where=None).reason(0)
    assert "patches;" in explain(case, where=lambda index, token: "").reason(0)
