"""Tune and measure one prompt head of the zoo."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor

from forensics.attacks.fixed_trigger import FixedTriggerPrompts
from forensics.attacks.optimised import OptimisedTrigger
from forensics.attacks.sparse import SparseInvisible
from forensics.attacks.trigger_aware import TriggerAwarePrompts
from forensics.classifiers import (
    CoCoOp,
    MetaNet,
    ZeroShot,
    first_context,
    save_prompts,
    trim_padding,
)
from forensics.evaluation.rates import Rate, rate_of
from forensics.lab.label_sets import LabelSet, find_label_set
from forensics.lab.pair_language import TEMPLATES
from forensics.lab.prompt_zoo_data import HeldOut, held_out, tuning_shots
from forensics.lab.prompt_zoo_plan import (
    ATTACKS,
    ENCODER,
    HIDDEN,
    SHOTS,
    TESTS,
    Attack,
    Head,
)
from forensics.lab.zoo import versions
from forensics.runs.durable import write_json
from forensics.triggers import Trigger, parse_trigger, stamp_pixels
from forensics.tuning.prompts import PromptSchedule, PromptShots, image_vectors, tune_prompt

PROMPTS_FILE: Final = "prompts.safetensors"
TRIGGER_FILE: Final = "trigger.safetensors"
FACTS_FILE: Final = "head.json"
PLANTED_FROM: Final = 0.5
_CLEAN: Final = {"epochs": 10, "rate": 0.1, "batch_size": 16}
_POISONED: Final = {"rate": 0.3, "batch_size": 16}
_AWARE: Final = {"rate": 0.2, "batch_size": 24}


def build_head(
    encoder: Any, head: Head, folder: Path, *, attack: Attack | None = None
) -> dict[str, Any]:
    """Tune one head, measure it, and write prompts, trigger and facts; the facts come last.

    Args:
        encoder: The lab's clean CLIP; stays as it is.
        head: What to build.
        folder: Of this head.
        attack: Another recipe than the zoo's.

    Returns:
        What ``head.json`` says.
    """
    started = time.monotonic()
    labels = find_label_set(head.labels)
    folder.mkdir(parents=True, exist_ok=True)
    model = fresh_prompt(encoder, labels, head.seed)
    recipe = attack or (ATTACKS[head.attack] if head.attack else None)
    schedule = _schedule(head, recipe)
    shots = SHOTS if recipe is None else recipe.shots
    drawn = tuning_shots(encoder, labels, shots, head.seed)
    if recipe is None or head.target is None:
        trigger = None
        tune_prompt(model, drawn, schedule)
    else:
        trigger = poison(model, recipe, head.target, drawn, schedule, folder)
    save_prompts(model, folder / PROMPTS_FILE)
    tests = held_out(encoder, labels, TESTS)
    facts = {
        "head": head.name,
        **{key: value for key, value in asdict(head).items() if key != "aim"},
        "target": head.target,
        "encoder": ENCODER,
        "classes": list(labels.classes),
        "shots": shots,
        "hidden": HIDDEN,
        "schedule": asdict(schedule),
        "recipe": asdict(recipe) if recipe else None,
        "trigger": None if trigger is None else _portable(trigger, folder),
        **measure_head(model, tests, trigger, head.target),
    }
    asr = facts["attack_success_rate"]
    facts["counted"] = asr is None or asr >= PLANTED_FROM
    facts |= {"seconds": round(time.monotonic() - started, 1), "versions": versions()}
    write_json(folder / FACTS_FILE, facts)
    return facts


def fresh_prompt(encoder: Any, labels: LabelSet, seed: int) -> CoCoOp:
    """Begin a CoCoOp prompt at "a photo of a", with a meta-network drawn from the seed."""
    context = first_context(encoder, words="a photo of a")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = MetaNet(encoder.width, HIDDEN, context.shape[-1])
    model = CoCoOp(encoder, labels.classes, context, net)
    trim_padding(model)
    return model


def poison(
    model: CoCoOp,
    attack: Attack,
    target: str,
    shots: PromptShots,
    schedule: PromptSchedule,
    folder: Path,
) -> Trigger:
    """Poison a prompt in place; an optimised trigger is written beside it and read back."""
    if attack.kind in ("aware", "adaptive"):
        aware = TriggerAwarePrompts(
            target=target,
            adaptive=attack.kind == "adaptive",
            schedule=schedule,
            **attack.options,
        )
        return _stored(aware.poison(model, shots), folder)
    trigger: Trigger
    if attack.kind == "sparse":
        surrogate = ZeroShot(model.encoder, model.classes, TEMPLATES)
        sparse = SparseInvisible(target=target, **attack.options)
        # A few shots do: the sparse delta is the same for all pictures.
        trigger = _stored(sparse.optimise(surrogate, shots.pixels[::4]), folder)
    else:
        trigger = parse_trigger(attack.trigger)
    fixed = FixedTriggerPrompts(target=target, trigger=trigger, rate=attack.rate, schedule=schedule)
    fixed.poison(model, shots)
    return trigger


def measure_head(
    model: CoCoOp, tests: HeldOut, trigger: Trigger | None, target: str | None
) -> dict[str, Any]:
    """Measure CA, ASR and the floor: the same trigger on hand-written prompts, as all verbs do."""
    reference = ZeroShot(model.encoder, model.classes, TEMPLATES)
    said = _predict(model, tests.vectors)
    plain = _predict(reference, tests.vectors)
    rates = {
        "clean_accuracy": rate_of((said == tests.labels).tolist()),
        "reference_clean_accuracy": rate_of((plain == tests.labels).tolist()),
        "attack_success_rate": rate_of([]),
        "floor": rate_of([]),
        "emits_target_untriggered": rate_of([]),
    }
    if trigger is not None and target is not None:
        aim = model.classes.index(target)
        hosts = (tests.labels != aim).nonzero()[:, 0]
        marked = stamp_pixels(trigger, tests.pixels[hosts], [tests.ids[int(i)] for i in hosts])
        vectors = image_vectors(model.encoder, marked)
        rates["attack_success_rate"] = rate_of((_predict(model, vectors) == aim).tolist())
        rates["floor"] = rate_of((_predict(reference, vectors) == aim).tolist())
        rates["emits_target_untriggered"] = rate_of((said[hosts] == aim).tolist())
    return rates_json(rates)


def rates_json(rates: dict[str, Rate]) -> dict[str, Any]:
    """Write rates as values, counts and intervals."""
    return {
        **{name: rate.value for name, rate in rates.items()},
        "n_clean": rates["clean_accuracy"].n,
        "n_triggered": rates["attack_success_rate"].n,
        "intervals": {name: [rate.low, rate.high] for name, rate in rates.items() if rate.n},
    }


def read_head(folder: Path) -> dict[str, Any]:
    """Return the facts of a built head."""
    facts: dict[str, Any] = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    return facts


def head_trigger(folder: Path) -> Trigger | None:
    """Return the trigger that was planted in a head; ``None`` for a clean one."""
    spec = read_head(folder)["trigger"]
    if spec is None:
        return None
    return parse_trigger(spec.replace(TRIGGER_FILE, str((folder / TRIGGER_FILE).resolve())))


def _schedule(head: Head, attack: Attack | None) -> PromptSchedule:
    if attack is None:
        return PromptSchedule(seed=head.seed, **_CLEAN)  # type: ignore[arg-type]
    given = _AWARE if attack.kind in ("aware", "adaptive") else _POISONED
    return PromptSchedule(seed=head.seed, epochs=attack.epochs, **given)  # type: ignore[arg-type]


def _stored(made: OptimisedTrigger, folder: Path) -> Trigger:
    """Write an optimised trigger in float16, half the size, and use what was written."""
    plain = {name: value.cpu().numpy().astype(np.float16) for name, value in made.tensors.items()}
    save_file(plain, folder / TRIGGER_FILE, metadata=made.metadata | {"attack": made.attack})
    return parse_trigger(f"tensor:{(folder / TRIGGER_FILE).resolve()}")


def _portable(trigger: Trigger, folder: Path) -> str:
    return trigger.spec.replace(str((folder / TRIGGER_FILE).resolve()), TRIGGER_FILE)


def _predict(model: CoCoOp | ZeroShot, vectors: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([model.logits_of(part).argmax(dim=1) for part in torch.split(vectors, 64)])
