"""Inversion of a whole model: a map over shards of classes, and what the shards make together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.encoders.frozen import frozen
from forensics.inversion.forms import Masked, read_sides
from forensics.inversion.image_tower import Encode, image_encoder
from forensics.inversion.losses import losses_of, resistance
from forensics.inversion.pool import CleanView, Pool, look
from forensics.inversion.scorer import Scorer, VectorClassifier
from forensics.inversion.search import Bench, Found, Report, loss_of, search
from forensics.inversion.shortcuts import Shortcuts, choose_shortcuts

Arrays = dict[str, NDArray[Any]]
AT_ONCE = {"cpu": 64, "cuda": 1024}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """One unit of work: some classes, one seed, one side.

    Attributes:
        classes: Indices in the model's list.
        seed: Of the search.
        side: Of a patch, or ``None``.
    """

    classes: tuple[int, ...]
    seed: int
    side: float | None


class Inversion:
    """A model made ready to be searched.

    Args:
        classifier: Under suspicion; nothing in it changes.
        pool: Unlabelled pictures.
        options: What is looked for.
        reference: What the same triggers are shown to for comparison.
        shortcuts: Instead of the set that the options name.
    """

    def __init__(
        self,
        classifier: VectorClassifier,
        pool: Pool,
        options: TriggerInversionOptions,
        *,
        reference: VectorClassifier | None = None,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.classifier, self.pool, self.options = classifier, pool, options
        kind = classifier.encoder.device.type
        self.shortcuts = shortcuts or choose_shortcuts(
            options.shortcuts, kind, len(classifier.classes)
        )
        self.at_once = options.at_once or AT_ONCE.get(kind, AT_ONCE["cpu"])
        self.reference = reference
        with self._still():
            scorer = Scorer(classifier, self.shortcuts)
            encode = image_encoder(classifier.encoder, self.shortcuts.pooled_only)
            beside = reference is not None and reference.encoder is classifier.encoder
            self.bench = Bench(
                encode=encode, scorer=scorer, pool=pool, options=options, shortcuts=self.shortcuts,
                reference=Scorer(reference, self.shortcuts) if reference and beside else None,
            )  # fmt: skip
            self.judges = _judges(reference, classifier, encode, self.shortcuts)

    def look(self) -> CleanView:
        """Ask the model about the pool without a trigger."""
        with self._still():
            return look(self.pool, self.bench.encode, self.bench.scorer, self.at_once)

    def plan(self, classes: Sequence[int]) -> list[ShardPlan]:
        """Cut the work into shards; independent of each other and of where a scan is stopped."""
        sides = read_sides(self.options.sides) if self.options.form == "patch" else [None]
        if self.options.method == "neural-cleanse":
            sides = [None]
        each = max(1, self.at_once // self.bench.batch) if self.shortcuts.batched else 1
        seeds = range(self.options.seed, self.options.seed + self.options.seeds)
        return [
            ShardPlan(classes=tuple(classes[start : start + each]), seed=seed, side=side)
            for side in sides
            for seed in seeds
            for start in range(0, len(classes), each)
        ]

    def invert(self, shard: ShardPlan, report: Report | None = None) -> Arrays:
        """Search and judge the triggers of one shard.

        Returns:
            ``classes [K]``, ``losses`` and ``hits [K, steps]`` of the batches, ``stopped [K]``,
            ``pool_loss [K]`` (what is minimised, on
            the whole pool), ``marked [K, n]`` predictions under the trigger, with a reference
            ``marked_reference [K, n]``, ``size [K]`` of a mask, and ``trigger_*``: its tensors.
        """
        with self._still():
            while True:
                try:
                    return self._invert(shard, report)
                except torch.OutOfMemoryError:
                    if self.at_once <= 1:
                        raise
                    torch.cuda.empty_cache()
                    self.at_once = max(1, self.at_once // 2)

    def _invert(self, shard: ShardPlan, report: Report | None) -> Arrays:
        found = search(
            self.bench, shard.classes, shard.seed, side=shard.side, at_once=self.at_once,
            report=report,
        )  # fmt: skip
        judged = [self._judge(found, row, target, shard.seed)
                  for row, target in enumerate(shard.classes)]  # fmt: skip
        arrays: dict[str, Tensor] = {
            "classes": torch.tensor(shard.classes),
            "losses": found.losses,
            "hits": found.hits,
            "stopped": found.stopped,
        }
        arrays |= {name: torch.stack([one[name] for one in judged]) for name in judged[0]}
        if isinstance(found.form, Masked):
            arrays["size"] = found.form.sizes(slice(None)).detach()
        arrays |= {f"trigger_{name}": value for name, value in found.form.tensors().items()}
        return {name: value.cpu().numpy() for name, value in arrays.items()}

    def _judge(self, found: Found, row: int, target: int, seed: int) -> dict[str, Tensor]:
        """Show one trigger on the whole pool, to the model and to the reference; full precision."""
        device, kind = self.bench.device, loss_of(self.options)
        draw = torch.Generator().manual_seed(2_000_003 * seed + 1)
        losses, names = [], [name for name, _, _ in self.judges]
        marked: dict[str, list[Tensor]] = {name: [] for name in names}
        with torch.no_grad():
            for start in range(0, len(self.pool), self.at_once):
                rows = range(start, min(start + self.at_once, len(self.pool)))
                pixels = found.form.mark(
                    slice(row, row + 1), self.pool.batch(rows, device), draw
                )[0]  # fmt: skip
                vectors = self.bench.encode(pixels)
                for name, encode, scorer in self.judges:
                    seen = vectors if encode is self.bench.encode else encode(pixels)
                    logits = scorer.logits(seen)
                    marked[name].append(logits.argmax(dim=1).to(torch.int32))
                    aims = torch.full((len(rows),), target, device=device)
                    if name == "marked":
                        losses.append(losses_of(kind, logits, aims))
                    elif self.options.contrast and self.bench.reference is not None:
                        losses.append(self.options.contrast * resistance(logits, aims))
        judged = {name: torch.cat(parts) for name, parts in marked.items()}
        return judged | {"pool_loss": torch.cat(losses).sum() / len(self.pool)}

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Let nothing of the models take part in gradients."""
        both: list[Any] = [self.classifier, self.reference]
        heads = [one for one in both if isinstance(one, torch.nn.Module)]
        learnt = [(p, p.requires_grad) for head in heads for p in head.parameters()]
        with frozen(self.classifier.encoder):
            for parameter, _ in learnt:
                parameter.requires_grad_(False)
            try:
                yield
            finally:
                for parameter, needed in learnt:
                    parameter.requires_grad_(needed)


def _judges(
    reference: VectorClassifier | None,
    classifier: VectorClassifier,
    encode: Encode,
    shortcuts: Shortcuts,
) -> list[tuple[str, Encode, Scorer]]:
    """List who says what a marked picture shows; the model itself first."""
    listed = [("marked", encode, Scorer(classifier, shortcuts))]
    if reference is not None:
        same = reference.encoder is classifier.encoder
        own = encode if same else image_encoder(reference.encoder, shortcuts.pooled_only)
        listed.append(("marked_reference", own, Scorer(reference, shortcuts)))
    return listed


def invert_all(
    inversion: Inversion, classes: Sequence[int], progress: Callable[[int, int], None] | None = None
) -> list[tuple[ShardPlan, Arrays]]:
    """Invert every shard, one after the other: what a job does, without a ledger."""
    shards = inversion.plan(classes)
    done = []
    for number, shard in enumerate(shards):
        done.append((shard, inversion.invert(shard)))
        if progress is not None:
            progress(number + 1, len(shards))
    return done
