"""The repairs that are compared, each with the settings of the lab's small towers.

They were chosen on one development cell (``lab/badnets-large``, seed 0, scenes of its own), frozen,
and are the same everywhere; ``--develop`` prints that cell under each of :data:`GRID`. The papers'
own values are those of towers a hundred times as large, at CLIP's scale of 100 (here 17) and for
thousands of steps: they stay the defaults of the options.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.clip_attacks import read
from benchmarks.clip_repairs.worlds import Planted, World
from forensics.classifiers.zero_shot import ZeroShot
from forensics.encoders.base import DualEncoder, ImageClassifier
from forensics.encoders.loading import open_encoder
from forensics.encoders.prompted import PromptedEncoder
from forensics.lab.pair_language import TEMPLATES
from forensics.repairs.contrastive.clean_clip import clean_clip
from forensics.repairs.contrastive.discard_tune import discard_tune
from forensics.repairs.contrastive.fine_tuning import fine_tune
from forensics.repairs.contrastive.options import (
    CleanClipOptions,
    DiscardTuneOptions,
    PairTuningOptions,
    PerturbRecoverOptions,
)
from forensics.repairs.contrastive.pair_cosines import (
    SuspiciousPairs,
    mismatch_cosine,
    pair_cosines,
)
from forensics.repairs.contrastive.perturb_recover import perturb_recover
from forensics.repairs.contrastive.split import split_pairs
from forensics.repairs.linear_probe.options import LinearProbeOptions
from forensics.repairs.linear_probe.tuning import tune_linear_probe
from forensics.repairs.repulsive_prompts.options import (
    RepulsivePromptsOptions,
    VisualPromptsOptions,
)
from forensics.repairs.repulsive_prompts.tuning import tune_visual_prompts
from forensics.repairs.shots import read_shots
from forensics.repairs.token_unlearning.choice import find_shortcut, step_of
from forensics.repairs.token_unlearning.options import TokenUnlearningOptions
from forensics.repairs.token_unlearning.pipeline import expose, localise
from forensics.repairs.token_unlearning.unlearn import unlearn
from forensics.tuning.prompts import PromptShots


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One model to repair.

    Attributes:
        world: Its pictures.
        planted: The model and its pairs.
        folder: For checkpoints.
        seed: Of every draw.
        settings: Of the method.
    """

    world: World
    planted: Planted
    folder: Path
    seed: int
    settings: Any = None

    def subject(self) -> DualEncoder:
        """Open the model under suspicion."""
        return open_encoder(self.planted.model, device="cpu", precision="float32")

    def reference(self) -> DualEncoder:
        """Open the reference."""
        return open_encoder(self.world.reference, device="cpu", precision="float32")

    def chosen(self) -> Any:
        """Return the settings with the seed."""
        return replace(self.settings, seed=self.seed)


Repaired = tuple[ImageClassifier, dict[str, Any]]

SETTINGS: Final[dict[str, Any]] = {
    "fine-tuning": PairTuningOptions(epochs=2, batch_size=64, rate=5e-4, warmup=10),
    "clean-clip": CleanClipOptions(epochs=2, batch_size=64, rate=2e-3, warmup=10),
    "perturb-recover": PerturbRecoverOptions(epochs=2, batch_size=64, rate=5e-4, warmup=10),
    "linear-probe": LinearProbeOptions(),
    "visual-prompts": VisualPromptsOptions(depth=1, prompts=20, epochs=15, rate=0.2),
    "repulsive-prompts": RepulsivePromptsOptions(depth=1, prompts=20, epochs=15, rate=0.02),
    # Poison matches worse than benign pairs from the start: "forgotten" would end before step 1.
    "token-unlearning": TokenUnlearningOptions(
        pool_least=300, overfit_rate=1e-4, overfit_batch=64, rate=1e-4, until="margin",
        watch_every=5, curve=0, retention_rise=0.5, shown=0,
    ),
    "discard-tune": DiscardTuneOptions(epochs=2, batch_size=64, rate=5e-4, warmup=10,
                                       pool_least=300),
}  # fmt: skip

GRID: Final[dict[str, list[dict[str, Any]]]] = {
    "fine-tuning": [{"rate": rate} for rate in (5e-4, 1e-3, 2e-3)],
    "clean-clip": [{"rate": rate} for rate in (5e-4, 1e-3, 2e-3)],
    "perturb-recover": [{"rate": rate} for rate in (5e-4, 1e-3, 2e-3)],
    "discard-tune": [{"rate": rate} for rate in (2.5e-4, 5e-4, 1e-3)],
    "visual-prompts": [{"rate": rate} for rate in (0.02, 0.2, 1.0)],
    "repulsive-prompts": [
        {"alpha": 2.0},
        {"alpha": 1.0},
        {"prompts": 50},
        {"depth": 0},
        {"rate": 0.2},
        {"epochs": 25, "per_class": 64},
        {"epochs": 30, "per_class": 64, "depth": 2, "prompts": 50, "rate": 0.2, "alpha": 1.0},
    ],
    "token-unlearning": [
        {"rate": 1e-4},
        {"rate": 3e-4},
        {"rate": 3e-4, "locality": "global"},
        {"rate": 1e-3},
    ],
}

SWEEP: Final[dict[str, list[dict[str, Any]]]] = {
    "repulsive-prompts": [
        *({"alpha": alpha} for alpha in (0.0, 0.5, 1.0, 5.0)),
        *({"per_class": shots} for shots in (4, 64)),
    ],
}


def zero_shot(job: Job, encoder: DualEncoder) -> ImageClassifier:
    """Ask an encoder by sentences."""
    return ZeroShot(encoder, job.world.classes, TEMPLATES)


def leave(job: Job) -> Repaired:
    """Repair nothing."""
    return zero_shot(job, job.subject()), {}


def on_pairs(tune: Callable[..., Any]) -> Callable[[Job], Repaired]:
    """Repair on clean pairs."""

    def repair(job: Job) -> Repaired:
        encoder = job.subject()
        found = tune(encoder, job.world.clean_pairs(), job.chosen(), job.folder)
        return zero_shot(job, encoder), {"steps": len(found.losses)}

    return repair


def discard(job: Job) -> Repaired:
    """Start over from the reference."""
    reference = job.reference()
    found = discard_tune(reference, read(job.planted.pairs), job.chosen(), job.folder)
    return zero_shot(job, reference), {"steps": len(found.losses)}


def probe(job: Job) -> Repaired:
    """Put a linear layer on the image tower."""
    encoder, options = job.subject(), job.chosen()
    shots = few_shots(job, encoder, options.per_class)
    found = tune_linear_probe(encoder, job.world.classes, shots, options)
    return found.probe, {"trainable": found.trainable}


def prompts(job: Job) -> Repaired:
    """Hang prompts into the image tower."""
    encoder, options = job.subject(), job.chosen()
    asked = ZeroShot(encoder, job.world.classes, TEMPLATES)
    shots = few_shots(job, encoder, options.per_class)
    found = tune_visual_prompts(encoder, asked.vectors, shots, options, job.folder)
    prompted = PromptedEncoder(encoder, found.prompts)
    told = {"trainable": found.trainable, "cosine": float(found.log[-1, 2])}
    return zero_shot(job, prompted), told


def unlearn_tokens(job: Job) -> Repaired:
    """Unlearn few pairs; nothing is changed where there is no confident shortcut."""
    options: TokenUnlearningOptions = job.chosen()
    encoder, reference = job.subject(), job.reference()
    pairs = SuspiciousPairs(read(job.planted.pairs))
    split = split_pairs(pair_cosines(reference, pairs), options)
    exposed = expose(encoder, pairs, split, options, job.folder / "overfit")
    captions = [pairs.caption(index) for index in range(len(pairs))]
    shortcut = find_shortcut(
        exposed.gain[exposed.chosen],
        step_of(split, mismatch_cosine(reference, pairs, split.benign)),
        [captions[index] for index in exposed.pairs(split)],
        captions,
        options,
    )
    told: dict[str, Any] = {"confident": shortcut.confident, "gain": shortcut.gain,
                            "agreement": shortcut.agreement, "word": shortcut.word}  # fmt: skip
    if shortcut.confident:
        local = localise(encoder, pairs, split, exposed, options)
        benign = split.benign
        found = unlearn(encoder, pairs, local, benign, options, job.folder / "unlearn")
        told |= {"stopped": found.stopped, "steps": len(found.losses), "curve": found.curve}
    return zero_shot(job, encoder), told


def few_shots(job: Job, encoder: DualEncoder, per_class: int) -> PromptShots:
    """Take so many clean pictures of every class, or as many as there are."""
    samples = job.world.clean_pairs()
    draw, chosen = np.random.default_rng([job.seed, 16]), []
    for name in job.world.classes:
        mine = [sample for sample in samples if sample.label == name]
        chosen += [mine[place] for place in draw.permutation(len(mine))[:per_class]]
    with torch.no_grad():
        return read_shots(encoder, job.world.classes, chosen, {})


METHODS: Final[dict[str, Callable[[Job], Repaired]]] = {
    "none": leave,
    "fine-tuning": on_pairs(fine_tune),
    "clean-clip": on_pairs(clean_clip),
    "perturb-recover": on_pairs(perturb_recover),
    "linear-probe": probe,
    "visual-prompts": prompts,
    "repulsive-prompts": prompts,
    "token-unlearning": unlearn_tokens,
    "discard-tune": discard,
}
