import numpy as np
import pytest

from forensics.statistics.dawid_skene import agree

RATES = ((0.95, 0.02), (0.9, 0.05), (0.55, 0.45), (0.5, 0.5), (0.6, 0.45), (0.5, 0.4), (0.9, 0.03))


def annotate(seed: int, samples: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Three good annotators among seven; a rate is P(yes | yes), P(yes | no)."""
    rng = np.random.default_rng(seed)
    truth = rng.random(samples) < 0.2
    votes = np.stack([rng.random(samples) < np.where(truth, *rate) for rate in RATES], axis=1)
    return truth, votes


@pytest.mark.parametrize("seed", range(5))
def test_labels_come_out_better_than_by_majority(seed: int) -> None:
    truth, votes = annotate(seed)
    found = agree(votes)
    wrong_majority = ((votes.mean(axis=1) > 0.5) != truth).mean()
    wrong = ((found.posterior > 0.5) != truth).mean()
    assert wrong < 0.03 and wrong < wrong_majority / 2
    assert found.converged


def test_confusion_and_share_are_estimated() -> None:
    _, votes = annotate(0, 20_000)
    found = agree(votes)
    assert found.prior == pytest.approx(0.2, abs=0.02)
    estimated = found.confusion[:, ::-1, 1]  # P(yes | yes), P(yes | no)
    assert estimated == pytest.approx(np.array(RATES), abs=0.03)


def test_the_order_of_samples_and_annotators_does_not_matter() -> None:
    _, votes = annotate(1)
    plain = agree(votes)
    order = np.random.default_rng(0).permutation(len(votes))
    assert (agree(votes[order]).posterior == plain.posterior[order]).all()
    assert agree(votes[:, ::-1]).posterior == pytest.approx(plain.posterior, abs=1e-9)


def test_one_annotator_is_taken_at_its_word() -> None:
    votes = np.zeros((100, 1), dtype=bool)
    votes[:10] = True
    assert ((agree(votes).posterior > 0.5) == votes[:, 0]).all()


@pytest.mark.parametrize("said", [False, True])
def test_when_all_say_the_same_so_does_the_consensus(said: bool) -> None:
    assert ((agree(np.full((50, 4), said)).posterior > 0.5) == said).all()


def test_the_likelihood_never_falls() -> None:
    _, votes = annotate(2)
    steps = [agree(votes, max_iterations=n, smoothing=1e-9).log_likelihood for n in range(1, 15)]
    assert (np.diff(steps) >= -1e-9).all()
