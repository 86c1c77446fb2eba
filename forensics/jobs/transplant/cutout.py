"""The patch that a transplant test found to work, as a trigger to measure repairs with.

Where nobody knows the trigger, this is what is known of it: pixels that carried an answer to
pictures which nobody suspected. Reconstruction: the attacker's own trigger may be larger or other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image

from forensics.detectors.transplant import boxes
from forensics.jobs.transplant.pictures import fit, pixel_box
from forensics.triggers.base import Box, ImageTrigger, Pixels, check_pixels
from forensics.triggers.draws import generator

WHOLE: boxes.Box = (0.0, 0.0, 1.0, 1.0)
Frames = Mapping[tuple[int, int], boxes.Box]


@dataclass(frozen=True, slots=True)
class Piece:
    """One patch.

    Attributes:
        picture: Its pixels.
        box: Where it was cut out, as fractions (left, top, right, bottom) of its picture.
        frame: Part of that picture that the model sees.
    """

    picture: Image.Image
    box: boxes.Box
    frame: boxes.Box


@dataclass(frozen=True, slots=True)
class CutoutTrigger(ImageTrigger):
    """Patches of flagged samples, one for each picture, at the place where each was cut out.

    A place is one of the frame that the model sees, as in the test itself: at the same image
    tokens of a picture of any shape.

    Attributes:
        run: The transplant test.
        pieces: The patches of its donors; a sample's id decides which one it gets.
        frames: (width, height) of a picture -> the part of it that the model sees; all of it where
            the size is not named.
    """

    kind: ClassVar[str] = "transplant"

    run: str
    pieces: tuple[Piece, ...]
    frames: Frames

    @property
    def spec(self) -> str:
        """What it is; no line can spell pixels, so nothing reads this back."""
        return f"{self.kind}:run={self.run}"

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Say which pixels a sample's patch covers."""
        piece = self._piece(sample_id)
        where = boxes.move_box(piece.box, piece.frame, self.frames.get((width, height), WHOLE))
        return (Box(*pixel_box(where, (width, height))),)

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
