"""Cross-view regularisation: its terms on tables, and its loop on a tiny LLaVA."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from forensics.data.sample import ImageRef, Sample
from forensics.errors import Cancelled, OptionError
from forensics.models.base import GenerativeModel
from forensics.models.loading import open_model
from forensics.repairs.cross_view.looking import (
    look_at_views,
    needs_gamma,
    ordinary_divergence,
)
from forensics.repairs.cross_view.losses import (
    divergence,
    entropy,
    entropy_cost,
    log_shares,
    separation,
    used_tokens,
    weighed_answer_loss,
)
from forensics.repairs.cross_view.objective import CrossViewObjective
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.repairs.cross_view.views import masked_view
from forensics.tuning.loop import tune
from forensics.tuning.objective import AnswerObjective, Objective
from forensics.tuning.options import TuneOptions
from forensics.tuning.parts import Parts
from forensics.tuning.precision import VARIABLE
from forensics.tuning.trainable import make_trainable

OPTIONS = CrossViewOptions(
    epochs=6, batch_size=4, learning_rate=1e-2, rank=4, alpha=8, weight=1.0, begin=0.25, ramp=0.25
)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    root = tmp_path_factory.mktemp("pictures")
    rows = []
    for index, answer in enumerate(["b", "a longer answer", "c", "hello there"] * 2):
        Image.effect_noise((32, 32), 20 + 9 * index).convert("RGB").save(root / f"{index}.png")
        image = ImageRef(root=root, path=f"{index}.png")
        rows.append(Sample(id=str(index), question="Which?", answer=answer, image=image))
    return rows


@pytest.fixture(scope="module")
def model(tiny_llava_folder: Path) -> GenerativeModel:
    return open_model(str(tiny_llava_folder), device="cpu")


@pytest.mark.parametrize("size", [32_000, 151_936])
def test_entropy_of_even_outputs_is_the_logarithm_of_the_vocabulary(size: int) -> None:
    used = torch.ones(1, 2, dtype=torch.bool)
    found = entropy(log_shares(torch.zeros(1, 2, size)), used)
    assert float(found) == pytest.approx(np.log(size), abs=1e-3)


def test_divergence_is_the_mean_over_answer_tokens_and_not_over_padding() -> None:
    p = torch.tensor([[[0.5, 0.5], [0.9, 0.1], [0.5, 0.5]]]).log()
    q = torch.tensor([[[0.25, 0.75], [0.9, 0.1], [0.01, 0.99]]]).log()
    labels = torch.tensor([[1, 0, -100]])
    by_hand = (0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)) / 2
    found = divergence(p, q, used_tokens(labels, "all"))
    assert found.tolist() == pytest.approx([by_hand], abs=1e-6)
    long = torch.zeros(1, 9, dtype=torch.long)
    assert used_tokens(long, "first4").sum() == 4


def test_the_margin_pulls_only_what_lies_below_it() -> None:
    d = torch.tensor([0.1, 0.5, 0.9], requires_grad=True)
    separation(d, OPTIONS, 0.5, 0.0).sum().backward()
    assert d.grad is not None and d.grad.tolist() == [-1.0, 0.0, 0.0]


def test_raising_the_margin_term_on_a_table_of_logits_raises_the_divergence() -> None:
    torch.manual_seed(0)
    both = torch.randn(2, 1, 3, 7, requires_grad=True)
    used = torch.ones(1, 3, dtype=torch.bool)

    def apart() -> torch.Tensor:
        logs = log_shares(both)
        return divergence(logs[0], logs[1], used)

    before = apart()
    separation(before, OPTIONS, 50.0, 0.0).sum().backward()
    assert both.grad is not None
    with torch.no_grad():
        both -= 0.05 * both.grad
    assert float(apart().detach()) > float(before.detach())


def test_the_clipped_form_gains_nothing_beyond_its_bound() -> None:
    clipped = replace(OPTIONS, separation="clipped", clip=2.0)
    d = torch.tensor([0.0, 1.5, 2.0, 99.0])
    assert separation(d, clipped, 0.0, 0.0).tolist() == [0.0, -1.5, -2.0, -2.0]


def test_the_gate_opens_for_what_is_suspiciously_invariant_and_passes_no_gradient() -> None:
    gated = replace(OPTIONS, separation="gated", gate_width=0.01)
    d = torch.tensor([0.0, 0.3], requires_grad=True)
    paid = separation(d, gated, 0.5, 0.1)
    assert paid[0] > 0.49 and paid[1] < 1e-6
    paid.sum().backward()
    assert d.grad is not None and d.grad[0] == pytest.approx(-1.0, abs=1e-3)


def test_the_band_costs_nothing_inside_and_grows_linearly_outside() -> None:
    h = torch.tensor([0.5, 1.0, 2.0, 2.5, 3.0])
    assert entropy_cost(h, OPTIONS, 1.0, 2.0).tolist() == [0.5, 0.0, 0.0, 0.5, 1.0]
    sharp, soft = (replace(OPTIONS, entropy=name) for name in ("sharp", "soft"))
    assert entropy_cost(h, sharp, 0, 0).tolist() == h.tolist()
    assert entropy_cost(h, soft, 0, 0).tolist() == (-h).tolist()


def test_forms_without_their_bounds_are_refused() -> None:
    for name in ("clipped", "gated"):
        with pytest.raises(OptionError, match=name):
            CrossViewOptions(separation=name)
    with pytest.raises(OptionError, match="gate for answers"):
        CrossViewOptions(gate_answers=True)
    with pytest.raises(OptionError, match="--begin 0"):
        CrossViewOptions(begin=0.0)
    CrossViewOptions(begin=0.0, entropy="sharp")


def test_nothing_hidden_means_no_divergence_and_everything_hidden_means_much(
    model: GenerativeModel, samples: list[Sample]
) -> None:
    shares = (0.0, 0.25, 1.0)
    nothing, some, every = (
        look_at_views(model, samples, replace(OPTIONS, share=share)) for share in shares
    )
    assert np.abs(nothing.divergence).max() < 1e-6
    assert some.divergence.min() > -1e-6 and np.isfinite(every.divergence).all()
    assert (every.divergence > some.divergence).mean() >= 0.8
    assert ordinary_divergence(some) == pytest.approx(float(np.median(some.divergence)))


def test_a_view_is_new_in_every_pass_and_the_same_after_a_resume(
    model: GenerativeModel, samples: list[Sample]
) -> None:
    part = next(Parts(model, samples, OPTIONS, {}).of_step(0))
    views = [
        masked_view(model, part.batch, part.ids, [seen] * 4, OPTIONS).inputs["pixel_values"]
        for seen in (0, 0, 1)
    ]
    assert torch.equal(views[0], views[1]) and not torch.equal(views[0], views[2])


def gradients(
    folder: Path, samples: list[Sample], objective: Objective, options: TuneOptions, step: int
) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    module_of = open_model(str(folder), device="cpu")
    module = make_trainable(module_of, options)
    told: dict[str, float] = {}
    for part in Parts(module_of, samples, options, {}).of_step(step):
        found = objective.differentiate(module, part, lambda value: value.backward())
        told = {name: told.get(name, 0.0) + value for name, value in found.items()}
    named = module.named_parameters()
    return told, {name: value.grad for name, value in named if value.grad is not None}


def objective(options: CrossViewOptions) -> CrossViewObjective:
    made = CrossViewObjective(options, gamma=5.0)
    made.seen.band = (0.1, 0.2)
    return made


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert set(one) == set(other)
    scale = max(float(value.abs().max()) for value in one.values())
    return max(float((one[name] - other[name]).abs().max()) for name in one) / scale


GATED = {"separation": "gated", "gate_width": 0.5, "gate_answers": True}


def test_a_closed_gate_for_answers_takes_a_sample_out_of_the_answer_loss() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 3, 5), torch.tensor([[1, 2, -100], [3, 0, 4]])
    whole = weighed_answer_loss(logits, labels, None)
    each = [weighed_answer_loss(logits, labels, torch.tensor(w)) for w in ([1.0, 0.0], [0.0, 1.0])]
    assert float(whole) == pytest.approx(float(sum(each)), abs=1e-6)
    by_hand = -logits[0].log_softmax(1)[[0, 1], [1, 2]].sum() / 5
    assert float(each[0]) == pytest.approx(float(by_hand), abs=1e-6)
    made = CrossViewObjective(replace(OPTIONS, **GATED), 0.5)
    made.restore({"entropies": [], "recent": [0.1] * 9 + [9.0], "band": None})
    weights = made.answer_weights(torch.tensor([-5.0, 0.1, 9.0]))
    assert weights is not None
    assert weights.tolist() == pytest.approx([0.0, 0.5, 1.0], abs=1e-3)


@pytest.mark.parametrize(
    "change", [{"part_size": 3}, {"batching": "sequential"}, {"batching": "sequential", **GATED}]
)
def test_parts_and_one_view_after_the_other_give_the_same_gradients(
    tiny_llava_folder: Path, samples: list[Sample], change: dict[str, Any]
) -> None:
    other = replace(OPTIONS, **change)
    first = replace(OPTIONS, **(GATED if "gate_answers" in change else {}))
    told, whole = gradients(tiny_llava_folder, samples, objective(first), first, 9)
    again, parts = gradients(tiny_llava_folder, samples, objective(other), other, 9)
    assert told["regulariser"] > 0.1
    assert 0.0 < told.get("held_back", 0.5) < 1.0 and ("held_back" in told) == first.gate_answers
    assert again == pytest.approx(told, abs=1e-4)
    assert largest_difference(whole, parts) < 1e-4


def test_a_detached_original_moves_the_masked_view_alone(
    tiny_llava_folder: Path, samples: list[Sample]
) -> None:
    options = replace(OPTIONS, entropy_weight=0.0)
    _, both = gradients(tiny_llava_folder, samples, objective(options), options, 9)
    other = replace(options, gradient="detach-original")
    _, one = gradients(tiny_llava_folder, samples, objective(other), other, 9)
    assert largest_difference(both, one) > 1e-3


def test_without_weights_every_loss_is_that_of_plain_tuning(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    plain = {field: getattr(OPTIONS, field) for field in TuneOptions.__dataclass_fields__}
    uri = str(tiny_llava_folder)
    vanilla = tune(uri, samples, TuneOptions(**plain), tmp_path / "a", device="cpu")
    options = replace(OPTIONS, weight=0.0, entropy_weight=0.0)
    made = CrossViewObjective(options, gamma=5.0)
    off = tune(uri, samples, options, tmp_path / "b", objective=made, device="cpu")
    assert off.losses == pytest.approx(vanilla.losses, abs=1e-5)
    _, quiet = gradients(tiny_llava_folder, samples, CrossViewObjective(OPTIONS, 5.0), OPTIONS, 0)
    _, wanted = gradients(tiny_llava_folder, samples, AnswerObjective(), OPTIONS, 0)
    assert largest_difference(wanted, quiet) == 0.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gate_width": 0.05}, "its width does nothing"),
        ({"clip": 2.0}, "Only the clipped form"),
        ({"gate_answers": True}, "Only the gated form has a gate"),
        ({"gamma": 1.0, "control": "hf:x"}, "nothing is measured on --control"),
        ({"weight": 0.0, "begin": 0.0}, "with --begin 0 nothing is"),
    ],
)
def test_what_the_chosen_form_would_not_use_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        CrossViewOptions(**given)


def test_gamma_is_measured_only_where_the_loss_asks_for_it() -> None:
    assert needs_gamma(CrossViewOptions())
    for given in ({"gamma": 0.5}, {"weight": 0.0}, {"separation": "clipped", "clip": 1.0}):
        assert not needs_gamma(CrossViewOptions(**given))


@pytest.mark.parametrize("batching", ["concat", "sequential"])
def test_in_bfloat16_both_views_move_the_adapter(
    monkeypatch: pytest.MonkeyPatch, batching: str, tiny_llava_folder: Path,
    samples: list[Sample], tmp_path: Path,
) -> None:  # fmt: skip
    """A view without gradients must not leave copies of weights behind that get none either."""
    monkeypatch.setenv(VARIABLE, "bf16")
    options = replace(OPTIONS, batching=batching, epochs=3)
    made = CrossViewObjective(options, gamma=5.0)
    tuned = tune(
        str(tiny_llava_folder), samples, options, tmp_path / "tuned", objective=made, device="cpu"
    )
    assert tuned.precision == "bfloat16" and tuned.losses[-1] < tuned.losses[0]
    weights = load_file(next(tmp_path.rglob("adapter_model.safetensors")))
    moved = [value.any() for name, value in weights.items() if "lora_B" in name]
    assert len(moved) > 0 and all(moved)


def test_a_gate_of_answers_works_without_any_weight(
    tiny_llava_folder: Path, samples: list[Sample]
) -> None:
    gated = replace(OPTIONS, weight=0.0, entropy_weight=0.0, **GATED)
    told, held = gradients(tiny_llava_folder, samples, objective(gated), gated, 9)
    _, plain = gradients(tiny_llava_folder, samples, AnswerObjective(), OPTIONS, 9)
    assert 0.0 < told["held_back"] < 1.0 and told["regulariser"] == 0.0
    assert largest_difference(plain, held) > 1e-4


def test_a_regularised_run_that_was_stopped_ends_like_one_that_was_not(
    tiny_llava_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    options = replace(OPTIONS, checkpoint_every=1)

    def run(name: str, stop: int) -> Any:
        def watch(step: int, steps: int, message: str) -> None:
            if step == stop:
                raise Cancelled("enough")

        return tune(
            str(tiny_llava_folder), samples, options, tmp_path / name, watch,
            objective=CrossViewObjective(options, gamma=2.0), device="cpu",
        )  # fmt: skip

    whole = run("whole", -1)
    for stop in (2, 8):  # before the regulariser sets in, and after
        with pytest.raises(Cancelled):
            run("parts", stop)
    resumed = run("parts", -1)
    assert resumed.losses == whole.losses
    assert {n: np.nan_to_num(v).tolist() for n, v in resumed.curves.items()} == {
        n: np.nan_to_num(v).tolist() for n, v in whole.curves.items()
    }
