"""The fine-tuning loop, one for plain tuning and for every repair that tunes."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.models.base import GenerativeModel
from forensics.models.loading import open_model
from forensics.tuning.checkpoint import Checkpoint
from forensics.tuning.compute import accelerator_for, save_memory
from forensics.tuning.objective import AnswerObjective, Objective
from forensics.tuning.options import LORA, TuneOptions
from forensics.tuning.parts import Parts
from forensics.tuning.precision import Precision, precision_on
from forensics.tuning.schedule import rate_factor
from forensics.tuning.trainable import (
    is_adapter,
    make_trainable,
    refuse_adapter,
    save_tuned,
    trainable_parameters,
)

Progress = Callable[[int, int, str], None]
Watch = Callable[[GenerativeModel, Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneResult:
    """What a tuning run made.

    Attributes:
        uri: Opens the tuned model.
        folder: Adapter or model folder.
        steps: Optimizer steps in all.
        losses: Mean loss of every step, nats a token; NaN for a step without readable pictures.
        curves: What else the objective tells of every step: name -> one number a step.
        samples: Samples tuned on.
        skipped: Samples without answer, or without a picture that can be read and that the model's
            processor accepts: id -> reason.
        trainable_parameters: How many numbers were tuned.
        precision: What gradients were computed in; of the last attempt, if there were several.
        seconds: Wall time, of all attempts up to their last checkpoint and of this call.
    """

    uri: str
    folder: Path
    steps: int
    losses: tuple[float, ...]
    curves: dict[str, list[float]]
    samples: int
    skipped: dict[str, str]
    trainable_parameters: int
    precision: Precision
    seconds: float


def tune(
    model_uri: str,
    samples: Sequence[Sample],
    options: TuneOptions,
    out: Path,
    progress: Progress | None = None,
    *,
    objective: Objective | None = None,
    adapter: Path | None = None,
    ready: Watch | None = None,
    device: str = "auto",
) -> TuneResult:
    """Fine-tune a model to answer each sample's question with its answer.

    Without an objective of its own the loss is the cross entropy of the answer tokens alone. The
    same inputs, options and machine give the same weights, whether the run was interrupted or
    not: a checkpoint in ``out`` is picked up if it belongs to the same options.

    Args:
        model_uri: What to start from, see :mod:`forensics.models.uri`.
        samples: With answers; rows without answer or readable image are skipped and counted.
        options: See :class:`TuneOptions`.
        out: Folder for the adapter or model, and for the checkpoint.
        progress: Called with (step, steps, message) after every step; may raise to stop.
        objective: What every step minimises.
        adapter: Go on with this adapter in place of a fresh one.
        ready: Called once with the model and what will be trained, before anything changes; may
            raise to refuse.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        DataError: No sample has question, answer and image.
    """
    usable, skipped = _usable(samples)
    if options.method == LORA and adapter is None:
        refuse_adapter(model_uri)
    model = open_model(model_uri, device=device)
    module = make_trainable(model, options, adapter)
    if ready is not None:
        ready(model, module)
    parts = Parts(model, usable, options, skipped)
    training = _Training(
        model, module, options, objective or AnswerObjective(), parts.steps, skipped
    )
    checkpoint = Checkpoint(
        out, options, model_uri, [sample.id for sample in usable],
        {**training.objective.facts, **({"adapter": str(adapter)} if adapter else {})},
    )  # fmt: skip
    training.restore(checkpoint)
    with training:
        for step in range(len(training.losses), parts.steps):
            training.step(parts, step)
            if options.checkpoint_every and (step + 1) % options.checkpoint_every == 0:
                training.save(checkpoint)
            if progress is not None:
                progress(step + 1, parts.steps, training.message(step, parts.steps))
    folder = save_tuned(module, model, out)
    checkpoint.remove()
    uri = f"hf:{_bare(model_uri)}+adapter:{folder}" if is_adapter(module) else str(folder)
    return TuneResult(
        uri=uri,
        folder=folder,
        steps=parts.steps,
        losses=tuple(training.losses),
        curves=training.curves,
        samples=len({sample.id for sample in usable} - set(skipped)),
        skipped=skipped,
        trainable_parameters=sum(parameter.numel() for parameter in training.parameters),
        precision=precision_on(model.device),
        seconds=training.seconds(),
    )


class _Training:
    """Everything that changes from step to step."""

    def __init__(
        self,
        model: GenerativeModel,
        module: Any,
        options: TuneOptions,
        objective: Objective,
        steps: int,
        skipped: dict[str, str],
    ) -> None:
        self.objective = objective
        self._skipped = skipped
        self._began, self._earlier = time.monotonic(), 0.0
        self.losses: list[float] = []
        self.curves: dict[str, list[float]] = {}
        self._model, self._module = model, module
        self.parameters = trainable_parameters(module)
        self._accelerator = accelerator_for(model.device)
        self._optimizer = torch.optim.AdamW(
            self.parameters, lr=options.learning_rate, weight_decay=options.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer,
            lambda step: rate_factor(step, steps, warmup=options.warmup, schedule=options.schedule),
        )
        if options.save_memory:
            save_memory(module)

    def __enter__(self) -> None:
        self._previous: str = self._model.module.config._attn_implementation
        if self._model.device.type == "cpu":
            # The backward pass of sdpa's CPU kernel took half of a step; plain products a tenth.
            self._model.module.set_attn_implementation("eager")
        self._module.train()

    def __exit__(self, *raised: object) -> None:
        self._module.eval()
        self._model.module.set_attn_implementation(self._previous)

    def step(self, parts: Parts, step: int) -> None:
        """Do one step of the optimizer, or none where no picture of it can be read."""
        self._optimizer.zero_grad(set_to_none=True)
        told: dict[str, float] = {}
        for part in parts.of_step(step):
            with self._accelerator.autocast():
                found = self.objective.differentiate(self._module, part, self._accelerator.backward)
            for name, value in found.items():
                told[name] = told.get(name, 0.0) + value
        if told:
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self._optimizer.step()
        self._schedule.step()
        self._note(told)

    def _note(self, told: dict[str, float]) -> None:
        self.losses.append(told.pop("loss", math.nan))
        for name in {*self.curves, *told}:
            curve = self.curves.setdefault(name, [])
            curve += [math.nan] * (len(self.losses) - 1 - len(curve))
            curve.append(told.get(name, math.nan))

    def message(self, step: int, steps: int) -> str:
        """Say where the run is, in the form that a live curve is read from."""
        return f"step {step + 1} of {steps}, loss {self.losses[-1]:.4f}"

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep everything."""
        checkpoint.save(
            self._module,
            self._optimizer,
            self._schedule,
            self.losses,
            state={"objective": self.objective.state(), "curves": self.curves,
                   "skipped": dict(self._skipped), "seconds": self.seconds()},
        )  # fmt: skip

    def seconds(self) -> float:
        """Return how long it worked, earlier attempts included."""
        return self._earlier + time.monotonic() - self._began

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint, if there is one of this run."""
        state: dict[str, Any] = {}
        self.losses = checkpoint.restore(self._module, self._optimizer, self._schedule, state=state)
        if state:
            self.objective.restore(state["objective"])
            self.curves = dict(state["curves"])
            self._skipped.update(state.get("skipped", {}))
            self._earlier = float(state.get("seconds", 0.0))


def _usable(samples: Sequence[Sample]) -> tuple[list[Sample], dict[str, str]]:
    usable = [sample for sample in samples if sample.answer and sample.image is not None]
    kept = {sample.id for sample in usable}
    skipped = {s.id: "no answer or no image" for s in samples if s.id not in kept}
    if not usable:
        raise DataError(
            f"None of {len(samples)} samples has both an answer and an image.",
            remedy="Fine-tuning needs pairs of question and answer about an image.",
        )
    return usable, skipped


def _bare(model_uri: str) -> str:
    return model_uri.removeprefix("hf:")
