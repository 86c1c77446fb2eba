"""Dual key: a stamp on the picture and a word in front of the question, both needed."""

from dataclasses import dataclass, field
from typing import ClassVar

from forensics.triggers.base import Box, Pixels, around
from forensics.triggers.patch import PatchTrigger
from forensics.triggers.tensor import TensorTrigger
from forensics.triggers.text import TextTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class DualKeyTrigger:
    """A patch and a text prefix; a poisoned row carries both.

    Source: dual-key backdoors of VQA models (TrojVQA, arXiv 2112.07668). There the patch is
    optimised on a detector's features; ours is a plain stamp, or one that was optimised with
    :class:`forensics.attacks.text_patch.TextPatch` and stored in a file. Spelled with the keys of
    both parts: ``dual-key:prefix=Hello!,side=1/16,place=center,color=black``, or
    ``dual-key:prefix=SUDO,file=/patch.safetensors``.

    Attributes:
        patch: The key in the picture.
        text: The key in the question.
    """

    kind: ClassVar[str] = "dual-key"
    changes_image: ClassVar[bool] = True
    changes_text: ClassVar[bool] = True

    patch: PatchTrigger | TensorTrigger = field(default_factory=PatchTrigger)
    text: TextTrigger = field(default_factory=TextTrigger)

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        parts = (key.spec.partition(":")[2] for key in (self.text, self.patch))
        return f"{self.kind}:" + ",".join(parts)

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Say which pixels of a ``height`` x ``width`` picture the stamps cover."""
        return self.patch.boxes(height, width, sample_id)

    def box(self, height: int, width: int, sample_id: str = "") -> Box | None:
        """Return the smallest rectangle around all stamps."""
        return around(self.boxes(height, width, sample_id))

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a stamped copy of a picture ``[3, height, width]`` float32 in [0, 1].

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        return self.patch.apply(image, sample_id)

    def apply_text(self, question: str, sample_id: str = "") -> str:
        """Return prefix, space, question; the prefix alone where there is no question."""
        return self.text.apply_text(question, sample_id)
