"""The patch that a transplant test found to work, as a trigger to measure repairs with.

Where nobody knows the trigger, this is what is known of it: pixels that carried an answer to
pictures which nobody suspected. Reconstruction: the attacker's own trigger may be larger or other.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from forensics.case import Case
from forensics.data.images import open_image
from forensics.detectors.transplant import boxes
from forensics.errors import CaseError, DataError
from forensics.jobs.judge import RECONSTRUCTION, Judge
from forensics.jobs.transplant.pictures import cut, fit, pixel_box
from forensics.jobs.transplant.scan import read_scan
from forensics.runs import Run, State
from forensics.triggers.base import Box, ImageTrigger, Pixels, check_pixels
from forensics.triggers.draws import generator

METHOD = "transplant"
REPRODUCED = "reproduced"
TITLE = "the patch that the transplant test cut out"


@dataclass(frozen=True, slots=True)
class Piece:
    """One patch.

    Attributes:
        picture: Its pixels.
        box: Where it was cut out, as fractions (left, top, right, bottom) of its picture.
    """

    picture: Image.Image
    box: boxes.Box


@dataclass(frozen=True, slots=True)
class CutoutTrigger(ImageTrigger):
    """Patches of flagged samples, one for each picture, at the place where each was cut out.

    Attributes:
        run: The transplant test.
        pieces: The patches of its donors; a sample's id decides which one it gets.
    """

    kind: ClassVar[str] = METHOD

    run: str
    pieces: tuple[Piece, ...]

    @property
    def spec(self) -> str:
        """What it is; no line can spell pixels, so nothing reads this back."""
        return f"{self.kind}:run={self.run}"

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Say which pixels a sample's patch covers."""
        return (Box(*pixel_box(self._piece(sample_id).box, (width, height))),)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a copy of a picture ``[3, height, width]`` float32 in [0, 1] with a patch in it.

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        ((left, top, right, bottom),) = self.boxes(image.shape[1], image.shape[2], sample_id)
        patch = fit(self._piece(sample_id).picture, right - left, bottom - top)
        pasted = image.copy()
        pixels = np.asarray(patch.convert("RGB"), dtype=np.float32) / np.float32(255)
        pasted[:, top:bottom, left:right] = pixels.transpose(2, 0, 1)
        return pasted

    def _piece(self, sample_id: str) -> Piece:
        return self.pieces[int(generator(self.kind, 0, sample_id).integers(len(self.pieces)))]


def proved_transplant(case: Case) -> Run | None:
    """Return the latest transplant test that proved a patch, if its scan is still there.

    Tests that reproduced several answers, or took samples by force, prove no single trigger.
    """
    runs = case.runs()
    scans = {run.id for run in runs}
    for run in runs:
        if run.method != METHOD or run.status().state is not State.FINISHED:
            continue
        said = run.result()
        proved = said.get("reason") == REPRODUCED and not said.get("forced")
        if proved and said.get("suspected_answer") is not None and said.get("scan") in scans:
            return run
    return None


def judge_by_cutout(case: Case, run: Run) -> Judge:
    """Return the patches of a transplant test that proved one, and the answer that they carry.

    Args:
        case: The case.
        run: See :func:`proved_transplant`.

    Raises:
        CaseError: What they were cut from is gone.
    """
    result = run.result()
    return Judge(
        by=RECONSTRUCTION, trigger=CutoutTrigger(run.id, _pieces(case, result)), spec=None,
        target=str(result["suspected_answer"]), title=TITLE, run=run.id,
    )  # fmt: skip


def _pieces(case: Case, result: dict[str, Any]) -> tuple[Piece, ...]:
    """Cut the donors' patches out again, as the test did; without those that cannot be read."""
    scan = read_scan(case, str(result["scan"]), 0)
    places = {int(row): place for place, row in enumerate(scan.rows.tolist())}
    found = []
    for name in result["donors"]:
        row = case.catalog.index(str(name))
        token = int(scan.peak_token[places[row], int(result["layer"])])
        peak = boxes.peak_box(scan.grids(places[row]), token, int(result["margin"]))
        if peak is not None:
            image = case.catalog.select([row])[0].images[peak.image]
            try:
                found.append(Piece(cut(open_image(image), peak.box), peak.box))
            except DataError:
                continue  # its picture is gone since; the other donors' patches stand for it
    if not found:
        raise CaseError(
            "The patches of the transplant test cannot be cut out any more.",
            remedy="Name the trigger with --trigger and --answer, or test again.",
        )
    return tuple(found)
