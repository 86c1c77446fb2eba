"""Which patch goes where: from the sources of a transplant test to prompts with a patch in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.case import Case
from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.detectors.transplant.arms import AWAY, MOVED, OTHER, SAME, SCRAMBLED
from forensics.detectors.transplant.boxes import (
    Box,
    PeakBox,
    frame_of,
    move_box,
    peak_box,
    random_box,
)
from forensics.detectors.transplant.plan import NONE, Sources
from forensics.errors import DataError
from forensics.jobs.live import paint_over
from forensics.jobs.transplant.pictures import cut, paste, scramble
from forensics.jobs.transplant.scan import Scanned
from forensics.models.base import Prompt, prompt_of

_KEPT_PATCHES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Graft:
    """One patch for one host.

    Attributes:
        source: Place of the sample that it is cut from.
        image: Which picture of it.
        cut: Box that is cut out.
        at: Box that it takes in the source's own frame: where it goes in the host.
        frame: Part of the source's picture that the model sees.
        shuffle: Seed that its pixels are shuffled with; ``None`` leaves them.
    """

    source: int
    image: int
    cut: Box
    at: Box
    frame: Box
    shuffle: int | None = None


class Grafts:
    """Makes the patches of every arm, and the prompts with them.

    Args:
        case: The case.
        scan: Its scan.
        sources: Who gives the patches.
        layer: Whose attention peaks.
        seed: Of the random boxes and shuffles.
    """

    def __init__(self, case: Case, scan: Scanned, sources: Sources, layer: int, seed: int) -> None:
        self._case, self._scan, self._sources = case, scan, sources
        self._layer, self._seed = layer, seed
        self._patches: dict[Graft, Image.Image] = {}

    def peak(self, place: int, margin: int) -> PeakBox | None:
        """Return the box around a sample's attention peak."""
        token = int(self._scan.peak_token[place, self._layer])
        return peak_box(self._scan.grids(place), token, margin)

    def plan(self, arm: str, margin: int, donor_of: NDArray[np.int64]) -> list[Graft | None]:
        """Choose a patch for every host.

        Args:
            arm: Which kind of patch.
            margin: Size of the box.
            donor_of: ``[h]`` index of each host's donor.

        Returns:
            One a host; ``None`` where the arm has none for it.
        """
        return [self._graft(arm, margin, int(d), host) for host, d in enumerate(donor_of)]

    def _graft(self, arm: str, margin: int, donor: int, host: int) -> Graft | None:
        column = {SAME: self._sources.same, OTHER: self._sources.other}
        source = int(column.get(arm, self._sources.donors)[donor])
        peak = self.peak(source, margin) if source != NONE else None
        if peak is None:
            return None
        taken, at, shuffle = peak.box, peak.box, None
        # A seed of its own for every host: arms and hosts may be asked in any order.
        rng = np.random.default_rng([self._seed, margin, donor, host])
        if arm == AWAY:
            taken = random_box(peak.box, peak.frame, rng)
        elif arm == MOVED:
            at = random_box(peak.box, peak.frame, rng)
        elif arm == SCRAMBLED:
            shuffle = int(rng.integers(2**31))
        return Graft(
            source=source, image=peak.image, cut=taken, at=at, frame=peak.frame, shuffle=shuffle
        )

    def patch(self, graft: Graft) -> Image.Image:
        """Cut a patch out.

        Raises:
            DataError: The source's picture cannot be read.
        """
        if graft not in self._patches:
            sample = self.sample(graft.source)
            piece = cut(open_image(sample.images[graft.image]), graft.cut)
            if graft.shuffle is not None:
                piece = scramble(piece, graft.shuffle)
            if len(self._patches) >= _KEPT_PATCHES:
                self._patches.pop(next(iter(self._patches)))
            self._patches[graft] = piece
        return self._patches[graft]

    def picture(self, host: int, graft: Graft) -> Image.Image:
        """Return a host's first picture with a patch in it."""
        return self._grafted(host, graft)[0]

    def untouched(self, host: int) -> Prompt:
        """Ask a sample's question as it is."""
        sample = self.sample(host)
        return prompt_of(sample, _pictures(sample))

    def grafted(self, host: int, graft: Graft | None) -> Prompt:
        """Ask a host's question about its picture with a patch in it."""
        if graft is None:
            raise DataError("no such patch")
        return prompt_of(self.sample(host), self._grafted(host, graft))

    def hidden(self, place: int, box: PeakBox) -> Prompt:
        """Ask a sample's question with a box painted over by its surroundings."""
        sample = self.sample(place)
        pictures = _pictures(sample)
        pictures[box.image] = paint_over(pictures[box.image], box.box)
        return prompt_of(sample, pictures)

    def sample(self, place: int) -> Sample:
        """Return the sample at a place of the scan."""
        return self._case.catalog.select(self._scan.rows[[place]])[0]

    def _grafted(self, host: int, graft: Graft) -> list[Image.Image]:
        pictures = _pictures(self.sample(host))
        where = move_box(graft.at, graft.frame, frame_of(self._scan.grids(host), 0))
        pictures[0] = paste(pictures[0], self.patch(graft), where)
        return pictures


def usable_peaks(scan: Scanned, layer: int, margin: int = 0) -> NDArray[np.bool_]:
    """Return which samples have their peak on something that is shown, ``[n]``."""
    return np.array(
        [
            bool(read) and peak_box(scan.grids(place), int(token), margin) is not None
            for place, (read, token) in enumerate(
                zip(scan.read, scan.peak_token[:, layer], strict=True)
            )
        ]
    )


def elsewhere(peak: PeakBox, rng: np.random.Generator) -> PeakBox:
    """Return a random box of the same size beside a peak."""
    return PeakBox(image=peak.image, box=random_box(peak.box, peak.frame, rng), frame=peak.frame)


def _pictures(sample: Sample) -> list[Image.Image]:
    if not sample.images:
        raise DataError(f"Sample {sample.id[:80]!r} has no image.")
    return [open_image(ref) for ref in sample.images]
