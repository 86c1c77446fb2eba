"""What a figure leaves on the page: a drawing, a read-out, its values."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure, ready for the page.

    Attributes:
        drawing: SVG.
        said: What it shows, in a sentence.
        left: Where its first zone begins, as a share of the drawing's width.
        right: Where its last zone ends.
        labels: What each zone says when it is pointed at; zones have equal widths.
        head: Heads of the table of values; empty without one.
        values: Its rows.
        legend: Role and name of what is drawn, for the line below.
    """

    drawing: Markup
    said: str
    left: float = 0.0
    right: float = 1.0
    labels: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    values: tuple[tuple[Any, ...], ...] = ()
    legend: tuple[tuple[str, str], ...] = ()

    @property
    def points(self) -> dict[str, Any]:
        """What the script of the page needs to tell a zone when it is pointed at."""
        return {"left": round(self.left, 4), "right": round(self.right, 4), "labels": self.labels}
