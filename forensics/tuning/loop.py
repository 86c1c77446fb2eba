"""The fine-tuning loop."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.models.base import GenerativeModel, prompt_of
from forensics.models.loading import open_model
from forensics.tuning.answers import AnswerBatch, answer_loss, append_answers
from forensics.tuning.checkpoint import Checkpoint
from forensics.tuning.options import LORA, TuneOptions
from forensics.tuning.schedule import mixed_precision, rate_factor, samples_of_step
from forensics.tuning.trainable import make_trainable, save_tuned, trainable_parameters

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneResult:
    """What a tuning run made.

    Attributes:
        uri: Opens the tuned model.
        folder: Adapter or model folder.
        steps: Optimizer steps in all.
        losses: Mean loss of every step, nats a token.
        samples: Samples tuned on.
        skipped: Samples without answer or readable image: id -> reason.
        trainable_parameters: How many numbers were tuned.
        seconds: Wall time of this call (after a resume: of its part).
    """

    uri: str
    folder: Path
    steps: int
    losses: tuple[float, ...]
    samples: int
    skipped: dict[str, str]
    trainable_parameters: int
    seconds: float


def tune(
    model_uri: str,
    samples: Sequence[Sample],
    options: TuneOptions,
    out: Path,
    progress: Progress | None = None,
    *,
    device: str = "auto",
) -> TuneResult:
    """Fine-tune a model to answer each sample's question with its answer.

    The loss is the cross entropy of the answer tokens alone. The same inputs, options and machine
    give the same weights, whether the run was interrupted or not: a checkpoint in ``out`` is
    picked up if it belongs to the same options.

    Args:
        model_uri: The base, see :mod:`forensics.models.uri`.
        samples: With answers; rows without answer or readable image are skipped and counted.
        options: See :class:`TuneOptions`.
        out: Folder for the adapter or model, and for the checkpoint.
        progress: Called with (step, steps, message) after every step; may raise to stop.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        DataError: No sample has question, answer and image.
    """
    started = time.monotonic()
    usable, skipped = _usable(samples)
    model = open_model(model_uri, device=device)
    module = make_trainable(model, options)
    parameters = trainable_parameters(module)
    steps = max(1, round(options.epochs * len(usable) / options.batch_size))
    optimizer = torch.optim.AdamW(
        parameters, lr=options.learning_rate, weight_decay=options.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: rate_factor(step, steps, warmup=options.warmup, schedule=options.schedule),
    )
    checkpoint = Checkpoint(out, options, model_uri, [sample.id for sample in usable])
    losses = checkpoint.restore(module, optimizer, schedule)
    previous = _faster_attention(model)
    module.train()
    for step in range(len(losses), steps):
        chosen = samples_of_step(
            step, len(usable), batch_size=options.batch_size, seed=options.seed
        )
        batch = _batch(model, usable, chosen, skipped)
        if batch is not None:
            losses.append(_step(module, batch, parameters, optimizer, model.device))
        else:
            losses.append(float("nan"))
        schedule.step()
        if options.checkpoint_every and (step + 1) % options.checkpoint_every == 0:
            checkpoint.save(module, optimizer, schedule, losses)
        if progress is not None:
            progress(step + 1, steps, f"loss {losses[-1]:.4f}")
    module.eval()
    model.module.set_attn_implementation(previous)
    folder = save_tuned(module, model, options, out)
    checkpoint.remove()
    uri = f"hf:{_bare(model_uri)}+adapter:{folder}" if options.method == LORA else str(folder)
    return TuneResult(
        uri=uri,
        folder=folder,
        steps=steps,
        losses=tuple(losses),
        samples=len(usable),
        skipped=skipped,
        trainable_parameters=sum(parameter.numel() for parameter in parameters),
        seconds=time.monotonic() - started,
    )


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


def _batch(
    model: GenerativeModel, samples: list[Sample], chosen: list[int], skipped: dict[str, str]
) -> AnswerBatch | None:
    prompts, answers = [], []
    for sample in (samples[index] for index in chosen):
        try:
            assert sample.answer is not None
            images = [open_image(image) for image in sample.images]
        except DataError as error:
            # One broken image must not end a run of hours; the result names it.
            skipped[sample.id] = str(error)
            continue
        prompts.append(prompt_of(sample, images))
        answers.append(sample.answer)
    if not prompts:
        return None
    return append_answers(model.collate(prompts), answers, model)


def _step(
    module: Any,
    batch: AnswerBatch,
    parameters: list[torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    device: torch.device,
) -> float:
    with mixed_precision(device):
        loss = answer_loss(module, batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return float(loss.detach())


def _faster_attention(model: GenerativeModel) -> str:
    """Switch a model on the CPU to plain attention; return the setting to go back to."""
    previous: str = model.module.config._attn_implementation
    if model.device.type == "cpu":
        # The backward pass of sdpa's CPU kernel took half of a step; plain products a tenth.
        model.module.set_attn_implementation("eager")
    return previous


def _bare(model_uri: str) -> str:
    return model_uri.removeprefix("hf:")
