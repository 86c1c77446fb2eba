import numpy as np
import pytest

from forensics.detectors.attention_entropy import decide, fit_layers, layer_flags, recut
from forensics.detectors.attention_entropy.scoring import flag_below, score_flags
from forensics.errors import OptionError


@pytest.mark.parametrize("mode", ["root", "code"])
def test_exactly_the_lowered_layers_and_the_poisoned_samples_are_found(plant, mode: str) -> None:
    case = plant()
    decision = decide(case.entropy, mode=mode)
    assert decision.layers == (10, 11, 12, 13, 14)
    assert (decision.flagged == case.truth).all()
    assert decision.score == pytest.approx(case.entropy[:, 10:15].mean(axis=1))
    assert decision.mixture.means == pytest.approx((3.2, 5.2), abs=0.1)
    assert decision.mixture.means[0] < decision.cut < decision.mixture.means[1]


def test_two_gaussians_at_the_code_gate_pass_the_root_rule_only() -> None:
    # Means 3 and 5, deviations just above 0.5: code separation just below 2, root 2.8.
    rng = np.random.default_rng(0)
    half = rng.normal(size=20_000)
    half = (half - half.mean()) / half.std()
    entropy = np.r_[3 + 0.505 * half, 5 + 0.505 * half][:, None]
    fits = fit_layers(entropy)
    assert fits.separation_root[0] == pytest.approx(2.8, abs=0.03)
    assert decide(entropy, mode="root", fits=fits).layers == (0,)
    assert decide(entropy, mode="code", fits=fits).layers == ()


def test_clean_samples_pass_no_gate_and_none_is_flagged(plant) -> None:
    case = plant(rate=0.0)
    for mode in ("root", "code"):
        decision = decide(case.entropy, mode=mode)
        assert (decision.layers, decision.count, decision.cut) == ((), 0, None)
        assert np.isnan(decision.score).all()
        assert np.isnan(decision.posterior).all()
        assert decision.mixture is None


@pytest.mark.parametrize("init", ["k-means", "low-tail"])
def test_the_order_of_the_samples_changes_nothing(plant, init: str) -> None:
    case = plant(gap=1.2)
    order = np.random.default_rng(9).permutation(len(case.truth))
    first = decide(case.entropy, init=init)
    again, shuffled = decide(case.entropy, init=init), decide(case.entropy[order], init=init)
    assert (first.flagged == again.flagged).all()
    assert (first.flagged[order] == shuffled.flagged).all()
    assert (first.posterior[order] == shuffled.posterior).all()
    assert first.mixture == shuffled.mixture and first.cut == shuffled.cut


def test_fits_can_be_reused_when_tau_moves(plant) -> None:
    case = plant()
    fits = fit_layers(case.entropy)
    for tau in (0.0, 1.0, 3.5):
        assert (
            decide(case.entropy, tau=tau, fits=fits).flagged
            == decide(case.entropy, tau=tau).flagged
        ).all()


def test_the_pipeline_beats_a_fixed_threshold_and_an_open_gate(plant) -> None:
    case = plant(lowered=(3, 4), gap=1.2, layers=24)
    full = score_flags(decide(case.entropy).flagged, case.truth)
    fixed = score_flags(flag_below(case.entropy), case.truth)
    open_gate = score_flags(decide(case.entropy, tau=0.0).flagged, case.truth)
    assert full.f1 > 0.9
    assert not fixed.f1 >= full.f1
    assert open_gate.precision < full.precision


def test_one_percent_of_poison_needs_the_low_tail_start(plant) -> None:
    found = {"k-means": 0, "low-tail": 0}
    for seed in range(20):
        case = plant(rate=0.01, layers=1, lowered=(0,), seed=seed)
        for init in found:
            decision = decide(case.entropy, init=init)
            found[init] += bool((decision.flagged == case.truth).mean() > 0.998)
    assert found["k-means"] <= 4
    assert found["low-tail"] >= 19


def test_the_tail_flip_is_counted_and_the_guard_keeps_those_samples() -> None:
    rng = np.random.default_rng(0)
    low, high = rng.normal(3.0, 0.6, 300), rng.normal(5.0, 0.05, 700)
    entropy = np.r_[low, high, 5.6, 5.7, 5.8][:, None]
    plain, guarded = decide(entropy), decide(entropy, high_side_guard=True)
    assert plain.high_side >= 3
    assert plain.flagged[-3:].all()
    assert not guarded.flagged[-3:].any()
    assert guarded.high_side == plain.high_side
    assert plain.count - guarded.count == plain.high_side


def test_samples_below_the_lower_mean_that_escape_are_counted() -> None:
    rng = np.random.default_rng(0)
    low, high = rng.normal(3.0, 0.05, 300), rng.normal(5.0, 0.6, 700)
    decision = decide(np.r_[low, high, 2.5, 2.4][:, None])
    assert decision.low_side >= 2
    assert not decision.flagged[-2:].any()


def test_a_sample_without_entropies_is_never_flagged_or_scored(plant) -> None:
    case = plant()
    entropy = np.vstack([np.full((3, 16), np.nan), case.entropy])
    decision = decide(entropy)
    assert not decision.flagged[:3].any()
    assert np.isnan(decision.score[:3]).all()
    assert (decision.flagged[3:] == case.truth).all()
    assert (decision.unread, decision.scanned) == (3, 1000)


def test_a_missing_value_counts_as_its_layers_mean(plant) -> None:
    case = plant()
    entropy = case.entropy.copy()
    row = int(np.flatnonzero(case.truth)[0])
    entropy[row, 12] = np.nan
    decision = decide(entropy)
    fill = np.delete(case.entropy[:, 12], row).mean()
    expected = (case.entropy[row, [10, 11, 13, 14]].sum() + fill) / 5
    assert decision.score[row] == pytest.approx(expected)
    assert decision.imputed == 1


@pytest.mark.parametrize("samples", [0, 1, 2, 3, 10])
def test_tiny_sets_are_decided_without_a_warning(samples: int) -> None:
    entropy = np.random.default_rng(0).normal(size=(samples, 4))
    decision = decide(entropy, tau=0.0)
    assert decision.flagged.shape == (samples,)
    assert 0.0 <= decision.share <= 1.0


def test_scores_that_are_all_equal_flag_nobody() -> None:
    # Two mirrored layers pass the gate, and their mean is the same for every sample.
    low = np.arange(400) % 2
    decision = decide(np.stack([2.0 + low, 3.0 - low], axis=1))
    assert decision.layers == (0, 1)
    assert (decision.count, decision.mixture, decision.cut) == (0, None, None)


def test_a_cut_by_hand_flags_what_lies_below_and_says_so(plant) -> None:
    decision = decide(plant().entropy)
    moved = recut(decision, 4.9)
    assert (moved.flagged == (decision.score < 4.9)).all()
    assert moved.manual and not decision.manual
    assert moved.cut == 4.9 and moved.mixture == decision.mixture
    assert recut(decision, -1.0).count == 0


def test_a_cut_without_scores_flags_nobody(plant) -> None:
    assert recut(decide(plant(rate=0.0).entropy), 10.0).count == 0


@pytest.mark.parametrize("cut", [float("nan"), float("inf")])
def test_a_cut_must_be_a_number(plant, cut: float) -> None:
    with pytest.raises(OptionError, match="cut"):
        recut(decide(plant().entropy), cut)


def test_tau_must_be_a_number(plant) -> None:
    with pytest.raises(OptionError, match="tau"):
        decide(plant().entropy, tau=float("nan"))


def test_fits_of_another_matrix_are_refused(plant) -> None:
    with pytest.raises(OptionError, match="16 layers"):
        decide(np.zeros((5, 3)), fits=fit_layers(plant().entropy))


def test_a_layer_alone_flags_by_its_own_mixture(plant) -> None:
    case = plant(lowered=(2,), layers=4)
    fits = fit_layers(case.entropy)
    assert (layer_flags(case.entropy, fits, 2) == case.truth).mean() > 0.995
    empty = np.full((300, 1), np.nan)
    assert not layer_flags(empty, fit_layers(empty), 0).any()


def test_single_precision_entropies_give_the_same_flags(plant) -> None:
    case = plant(gap=1.5)
    wide, narrow = decide(case.entropy), decide(case.entropy.astype(np.float32))
    assert (wide.flagged == narrow.flagged).all()


def test_the_summary_is_plain(plant) -> None:
    import json

    summary = decide(plant().entropy).summary()
    assert json.loads(json.dumps(summary, allow_nan=False))["layers"] == [10, 11, 12, 13, 14]
    assert summary["count"] == 100
