"""Search triggers of several classes at once, on a frozen model."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.inversion.cleanse import DynamicWeight
from forensics.inversion.forms import Form, Masked, make_form
from forensics.inversion.image_tower import Encode
from forensics.inversion.losses import resistance, rivals
from forensics.inversion.pool import Pool
from forensics.inversion.scorer import Scorer
from forensics.inversion.shortcuts import Shortcuts
from forensics.tuning.schedule import samples_of_step

Report = Callable[[int], None]
_WINDOW = 4  # batches over which success is judged before a class is left


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every search shares.

    Attributes:
        encode: Pixels to image vectors.
        scorer: Image vectors to losses.
        pool: Pictures.
        options: The schedule.
        shortcuts: What is saved.
        reference: A classifier on the same image vectors, for ``options.contrast``.
    """

    encode: Encode
    scorer: Scorer
    pool: Pool
    options: TriggerInversionOptions
    shortcuts: Shortcuts
    reference: Scorer | None = None

    @property
    def steps(self) -> int:
        """Updates of a trigger: every picture once an epoch, the last batch filled up."""
        return self.options.epochs * -(-len(self.pool) // self.batch)

    @property
    def batch(self) -> int:
        """Pictures a step."""
        return min(self.options.batch_size, len(self.pool))

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.scorer.classifier.encoder.device

    @property
    def size(self) -> tuple[int, int]:
        """Of a picture."""
        height, width = self.pool.pixels.shape[-2:]
        return int(height), int(width)


@dataclass(kw_only=True)
class Found:
    """Triggers of K classes, and how the search went.

    Attributes:
        form: With the final leaves.
        losses: ``[K, steps]`` mean loss of each batch; NaN after a class was left.
        hits: ``[K, steps]`` share of each batch that became the target.
        stopped: ``[K]`` steps that were done.
    """

    form: Form
    losses: Tensor
    hits: Tensor
    stopped: Tensor


def search(
    bench: Bench,
    targets: Sequence[int],
    seed: int,
    *,
    side: float | None = None,
    at_once: int = 64,
    report: Report | None = None,
) -> Found:
    """Minimise the mean loss over the pool for each class by itself.

    Classes share nothing but the batches: their gradients and Adam's moments are their own, so
    that searching them together changes nothing but rounding.

    Args:
        bench: Model, pool, schedule. The model must be frozen by the caller.
        targets: Classes.
        seed: Of the order of pictures, of random places and of the start.
        side: Of a patch.
        at_once: Pictures in a forward pass.
        report: Called after every step with its number; may raise to stop.
    """
    state = _State(bench, targets, seed, side, at_once)
    for step in range(bench.steps):
        if not state.active:
            break
        state.step(step)
        if report is not None:
            report(step + 1)
    return state.found


@dataclass
class _State:
    bench: Bench
    targets: Sequence[int]
    seed: int
    side: float | None
    at_once: int
    found: Found = field(init=False)
    active: list[int] = field(init=False)
    weight: DynamicWeight | None = field(init=False, default=None)
    near: dict[int, Tensor] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        bench, count = self.bench, len(self.targets)
        form = make_form(
            bench.options, count, bench.size, seed=self.seed, device=bench.device, side=self.side
        )
        blank = torch.full((count, bench.steps), torch.nan)
        self.found = Found(
            form=form,
            losses=blank,
            hits=blank.clone(),
            stopped=torch.zeros(count, dtype=torch.int64),
        )
        self.active = list(range(count))
        self.optimizer = torch.optim.Adam(form.leaves, lr=bench.options.rate)
        if bench.options.method == "neural-cleanse" and isinstance(form, Masked):
            self.weight = DynamicWeight(form)

    def step(self, step: int) -> None:
        """Take one step with one batch, then leave hopeless classes."""
        bench, form = self.bench, self.found.form
        rows = samples_of_step(step, len(bench.pool), batch_size=bench.batch, seed=self.seed)
        pixels = bench.pool.batch(rows, bench.device)
        self.optimizer.zero_grad(set_to_none=False)
        for group in self._groups():
            self._accumulate(step, group, pixels)
        with torch.no_grad():
            kept = [leaf.detach().clone() for leaf in form.leaves] if self._left() else []
            if self.weight is not None:
                self.weight.remember(self.found.hits[:, step])
            self.optimizer.step()
            for row in self._left():
                for leaf, before in zip(form.leaves, kept, strict=True):
                    leaf[row] = before[row]
        form.project()
        self._leave(step)

    def _left(self) -> list[int]:
        return [row for row in range(len(self.targets)) if row not in self.active]

    def _groups(self) -> list[slice]:
        """Cut the active classes into runs that fit into one pass."""
        each = max(1, self.at_once // self.bench.batch) if self.bench.shortcuts.batched else 1
        runs: list[slice] = []
        for row in self.active:
            if runs and runs[-1].stop == row and row - runs[-1].start < each:
                runs[-1] = slice(runs[-1].start, row + 1)
            else:
                runs.append(slice(row, row + 1))
        return runs

    def _accumulate(self, step: int, rows: slice, pixels: Tensor) -> None:
        """Add the gradients of some classes on one batch, in parts that fit into one pass."""
        count = rows.stop - rows.start
        each = max(1, self.at_once // count)
        draw = torch.Generator().manual_seed(1_000_003 * self.seed + step)
        losses, hits = torch.zeros(count), torch.zeros(count)
        for start in range(0, len(pixels), each):
            part = pixels[start : start + each]
            with self._precision():
                marked = self.found.form.mark(rows, part, draw)
                vectors = self.bench.encode(marked.flatten(0, 1))
                loss, won = self._losses(step, start, rows, vectors, len(part))
            (loss.sum() / len(pixels)).backward()  # type: ignore[no-untyped-call]
            losses += loss.detach().view(count, -1).sum(dim=1).cpu()
            hits += won.view(count, -1).sum(dim=1).cpu()
        penalty = self.found.form.penalty(rows)
        if penalty is not None:
            penalty.sum().backward()  # type: ignore[no-untyped-call]
        self.found.losses[rows, step] = losses / len(pixels)
        self.found.hits[rows, step] = hits / len(pixels)

    def _losses(
        self, step: int, start: int, rows: slice, vectors: Tensor, pictures: int
    ) -> tuple[Tensor, Tensor]:
        bench = self.bench
        aims = torch.tensor(self.targets[rows], device=vectors.device).repeat_interleave(pictures)
        among = self._among(step, rows, vectors, aims)
        loss, won = bench.scorer.losses(loss_of(bench.options), vectors, aims, among)
        if bench.reference is not None and bench.options.contrast:
            kept = resistance(bench.reference.logits(vectors), aims)
            loss = loss + bench.options.contrast * kept
        return loss, won

    def _among(self, step: int, rows: slice, vectors: Tensor, aims: Tensor) -> Tensor | None:
        """Narrow rivals down to those that were near at the last look, for each class."""
        narrow = self.bench.shortcuts.narrow
        if not narrow or narrow >= len(self.bench.scorer.classifier.classes) - 1:
            return None
        wanted = range(rows.start, rows.stop)
        if step % self.bench.shortcuts.refresh == 0 or any(row not in self.near for row in wanted):
            with torch.no_grad():
                logits = self.bench.scorer.logits(vectors.detach())
            for row, some in zip(wanted, logits.chunk(len(wanted)), strict=True):
                self.near[row] = _frequent(some, self.targets[row], narrow)
        pictures = len(vectors) // len(wanted)
        return torch.stack([self.near[row] for row in wanted]).repeat_interleave(pictures, dim=0)

    def _leave(self, step: int) -> None:
        self.found.stopped[self.active] = step + 1
        first = self.bench.shortcuts.stop_early
        if not first or step + 1 < first or (step + 1 - first) % _WINDOW:
            return
        recent = self.found.hits[:, step + 1 - _WINDOW : step + 1].mean(dim=1)
        self.active = [row for row in self.active if recent[row] >= self.bench.shortcuts.hopeless]

    def _precision(self) -> AbstractContextManager[Any]:
        if not self.bench.shortcuts.half:
            return nullcontext()
        return torch.autocast(self.bench.device.type, torch.bfloat16)


def loss_of(options: TriggerInversionOptions) -> str:
    """Name the loss: that of the options; Neural Cleanse always takes cross entropy."""
    return "ce" if options.method == "neural-cleanse" else options.loss


def _frequent(logits: Tensor, target: int, count: int) -> Tensor:
    """Return ``[count]`` the classes that are a rival most often, then those of high logits."""
    aims = torch.full((len(logits),), target, device=logits.device)
    often = torch.bincount(rivals(logits, aims), minlength=logits.shape[1]).float()
    mean = logits.mean(dim=0)
    order = often + (mean - mean.min()) / (mean.max() - mean.min() + 1e-6)
    order[target] = -torch.inf
    return order.topk(count).indices
