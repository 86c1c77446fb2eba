import json

import numpy as np
import pytest

from forensics.detectors.attention_entropy import comparable_entropy, fit_layers
from forensics.errors import OptionError


def test_code_layers_are_among_the_root_layers_on_a_thousand_random_fits() -> None:
    rng = np.random.default_rng(0)
    gap = rng.uniform(0, 3, 1000)
    rate = rng.uniform(0.02, 0.6, 1000)
    low = rng.random((300, 1000)) < rate
    entropy = rng.normal(5.2, 0.25, (300, 1000)) - low * rng.normal(gap, 0.2, (300, 1000))
    fits = fit_layers(entropy)
    root, code = fits.sensitive("root", 2.0), fits.sensitive("code", 2.0)
    assert set(code) < set(root)
    assert 50 < len(code) < len(root) < 1000


def test_the_root_gate_includes_tau_and_the_code_gate_excludes_it() -> None:
    fits = fit_layers(np.random.default_rng(0).normal(size=(300, 2)))
    root, code = float(fits.separation_root[0]), float(fits.separation_code[0])
    assert 0 in fits.sensitive("root", root)
    assert 0 not in fits.sensitive("code", code)


def test_missing_values_are_replaced_by_their_layers_mean_and_counted(plant) -> None:
    case = plant()
    entropy = case.entropy.copy()
    entropy[:7, 3], entropy[7, 3] = np.nan, np.inf
    fits = fit_layers(entropy)
    assert fits.missing.tolist() == [0, 0, 0, 8] + [0] * 12
    assert fits.fill[3] == pytest.approx(case.entropy[8:, 3].mean())
    filled = np.where(np.isfinite(entropy), entropy, fits.fill)
    assert fits.means == pytest.approx(fit_layers(filled).means, abs=1e-9)


def test_samples_without_any_value_are_left_out(plant) -> None:
    case = plant()
    entropy = np.vstack([case.entropy, np.full((40, 16), np.nan)])
    fits = fit_layers(entropy)
    assert (fits.samples, fits.unread, fits.missing.sum()) == (1000, 40, 0)
    assert (fits.means == fit_layers(case.entropy).means).all()


@pytest.mark.parametrize(
    ("entropy", "state"),
    [
        (np.full((300, 1), 3.0), "constant"),
        (np.full((300, 1), np.nan), "empty"),
        (np.zeros((0, 1)), "empty"),
        (np.array([[1.0]]), "too few"),
        (np.array([[1.0], [2.0]]), "ok"),
        (np.array([[1.0], [1.0 + 1e-12]] * 50), "ok"),
        (np.array([[2.0], [3.0]] * 50), "ok"),
    ],
)
@pytest.mark.parametrize("init", ["k-means", "low-tail"])
def test_degenerate_layers_have_a_state_instead_of_a_crash(entropy, state: str, init: str) -> None:
    fits = fit_layers(entropy, init=init)
    assert fits.state == (state,)
    assert np.isnan(fits.separation_root[0]) == (state != "ok")
    json.dumps(fits.to_dict(), allow_nan=False)


def test_a_dead_layer_does_not_touch_its_neighbours(plant) -> None:
    case = plant()
    entropy = case.entropy.copy()
    entropy[:, 0], entropy[:, 5] = np.nan, 1.0
    fits, whole = fit_layers(entropy), fit_layers(case.entropy)
    assert (fits.state[0], fits.state[5]) == ("empty", "constant")
    assert (fits.means[10:] == whole.means[10:]).all()
    assert fits.sensitive("root", 2.0) == (10, 11, 12, 13, 14)


def test_a_matrix_without_layers_or_of_another_shape() -> None:
    assert fit_layers(np.zeros((5, 0))).layers == 0
    with pytest.raises(OptionError, match="samples, layers"):
        fit_layers(np.zeros(5))


@pytest.mark.parametrize("bad", ["init", "mode", "scale"])
def test_unknown_choices_are_refused_with_the_known_ones(bad: str) -> None:
    entropy = np.zeros((3, 1))
    with pytest.raises(OptionError, match=r"must be one of .*, not 'other'"):
        if bad == "init":
            fit_layers(entropy, init="other")
        elif bad == "mode":
            fit_layers(entropy).sensitive("other", 2.0)
        else:
            comparable_entropy(entropy, np.ones(3), "other")


def test_entropies_are_scaled_only_where_token_counts_differ() -> None:
    entropy = np.log(np.array([[64.0], [256.0]]))
    same, unit = comparable_entropy(entropy, [256, 256])
    assert (same == entropy).all() and unit == "nat"
    scaled, unit = comparable_entropy(entropy, [64, 256])
    assert scaled == pytest.approx(1.0) and unit == "of ln T"
    assert comparable_entropy(entropy, [64, 256], "never")[1] == "nat"


def test_a_failed_sample_does_not_make_token_counts_differ() -> None:
    entropy = np.array([[3.0], [np.nan]])
    assert comparable_entropy(entropy, [64, 0])[1] == "nat"
    assert np.isnan(comparable_entropy(entropy, [64, 0], "always")[0][1, 0])
