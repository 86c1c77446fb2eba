"""A word in front of the question."""

from dataclasses import dataclass
from typing import ClassVar, Final

from forensics.errors import OptionError
from forensics.triggers.base import Box, Pixels, check_pixels
from forensics.triggers.spelling import write_text

_LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTrigger:
    """Put a fixed text and a space in front of the question; no pixel changes.

    Source: the text key of dual-key attacks (arXiv 2112.07668), alone. The default text is ours.

    Attributes:
        prefix: One line of at most 200 characters; outer spaces are cut off.
    """

    kind: ClassVar[str] = "text"
    changes_image: ClassVar[bool] = False
    changes_text: ClassVar[bool] = True

    prefix: str = "Hello!"

    def __post_init__(self) -> None:
        prefix = self.prefix.strip()
        if not prefix or len(prefix) > _LONGEST or not prefix.isprintable():
            raise OptionError(
                f"Trigger prefix cannot be {self.prefix[:_LONGEST]!r}.",
                remedy=f"Give one line of 1 to {_LONGEST} printable characters.",
            )
        if "<image>" in prefix:
            raise OptionError(
                "Trigger prefix cannot hold <image>.",
                remedy="That word stands for the picture; choose another text.",
            )
        object.__setattr__(self, "prefix", prefix)

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        return f"{self.kind}:prefix={write_text(self.prefix)}"

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Nothing: the trigger is not in the picture."""
        return ()

    def box(self, height: int, width: int, sample_id: str = "") -> Box | None:
        """Return ``None``: the trigger is not in the picture."""
        return None

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return an unchanged copy of a picture ``[3, height, width]`` float32 in [0, 1].

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        return image.copy()

    def apply_text(self, question: str, sample_id: str = "") -> str:
        """Return prefix, space, question; the prefix alone where there is no question."""
        return f"{self.prefix} {question}" if question.strip() else self.prefix
