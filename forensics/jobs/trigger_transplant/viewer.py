"""Show pictures to a classifier, shard by shard; a shard that was done is not done again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.detectors.transplant.trigger_plan import NONE
from forensics.errors import DataError
from forensics.jobs.clip_subjects import Classifier
from forensics.runs import RunContext
from forensics.triggers import Trigger, stamp_pixels

SHARD = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a classifier sees in pictures.

    Attributes:
        classes: ``[n]`` likeliest class; -1 where the picture cannot be read.
        probability: ``[n]`` of it, 0..1; 0 where it cannot be read.
    """

    classes: NDArray[np.int64]
    probability: NDArray[np.float64]

    @property
    def read(self) -> NDArray[np.bool_]:
        """``[n]`` pictures that could be read."""
        return np.asarray(self.classes != NONE)

    def at(self, places: NDArray[np.int64]) -> "Seen":
        """Return what it sees in some of them."""
        return Seen(classes=self.classes[places], probability=self.probability[places])


class Viewer:
    """Asks a classifier about pictures and keeps finished shards in the run.

    Stages must come in the same order with the same pictures after a resume.

    Args:
        context: Of the run.
        batch_size: Pictures in one pass.
        total: Pictures in all, an estimate for the progress bar.
    """

    def __init__(self, context: RunContext, *, batch_size: int, total: int) -> None:
        self._context, self._batch_size, self.total = context, batch_size, total
        self._finished = context.finished_shards()
        self._shards = self.shown = 0

    def look(
        self,
        stage: str,
        samples: Sequence[Sample],
        classifier: Callable[[], Classifier],
        triggers: Sequence[Trigger | None] | None = None,
    ) -> Seen:
        """Show pictures, each with a trigger of its own or none.

        Args:
            stage: What for; shown, and kept with the shards.
            samples: ``[n]``.
            classifier: Opens the model; called only if something is left to show.
            triggers: ``[n]``; none at all if left out.

        Raises:
            Cancelled: The user asked to stop; finished shards stay.
        """
        marks = list(triggers) if triggers is not None else [None] * len(samples)
        found = [
            self._shard(stage, samples[low : low + SHARD], marks[low : low + SHARD], classifier)
            for low in range(0, len(samples), SHARD)
        ]
        return Seen(
            classes=np.concatenate([classes for classes, _ in found]).astype(np.int64),
            probability=np.concatenate([shares for _, shares in found]).astype(np.float64),
        )

    def _shard(
        self,
        stage: str,
        samples: Sequence[Sample],
        marks: Sequence[Trigger | None],
        classifier: Callable[[], Classifier],
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        number, begin = self._shards, self.shown
        self._shards, self.shown = number + 1, begin + len(samples)
        shard = self._finished.get(number)
        if shard is None or shard.get("stage") != stage:
            arrays = self._view(stage, begin, samples, marks, classifier())
            self._context.commit_shard(number, arrays, start=begin, stop=self.shown, stage=stage)
        self._context.progress(self.shown, max(self.total, self.shown), stage)
        left = self._context.load_shard(number)
        return left["classes"], left["probability"]

    def _view(
        self,
        stage: str,
        begin: int,
        samples: Sequence[Sample],
        marks: Sequence[Trigger | None],
        classifier: Classifier,
    ) -> dict[str, NDArray[np.generic]]:
        classes = np.full(len(samples), NONE, dtype=np.int64)
        probability = np.zeros(len(samples), dtype=np.float64)
        for low in range(0, len(samples), self._batch_size):
            self._context.progress(begin + low, max(self.total, begin), stage)
            places = range(low, min(low + self._batch_size, len(samples)))
            read, pixels = fitted(classifier, samples, places, marks)
            if pixels is None:
                continue
            with torch.no_grad():
                shares, said = classifier.logits(pixels).softmax(dim=1).max(dim=1)
            classes[read], probability[read] = said.cpu().numpy(), shares.cpu().numpy()
        return {"classes": classes, "probability": probability}


def fitted(
    classifier: Classifier,
    samples: Sequence[Sample],
    places: Sequence[int],
    marks: Sequence[Trigger | None],
) -> tuple[list[int], torch.Tensor | None]:
    """Open pictures, fit them to the model and put their triggers on.

    Returns:
        The places that could be read, and their pixels ``[m, 3, height, width]`` in [0, 1].
    """
    read, pictures = [], []
    for place in places:
        image = samples[place].image
        try:
            if image is not None:
                pictures.append(open_image(image))
                read.append(place)
        except DataError:
            continue  # stays -1: counted as not asked about
    if not read:
        return [], None
    pixels = classifier.encoder.pixels(pictures)
    shown = []
    for row, place in enumerate(read):
        mark = marks[place]
        own = pixels[row : row + 1]
        shown.append(own if mark is None else stamp_pixels(mark, own, [samples[place].id]))
    return read, torch.cat(shown)
