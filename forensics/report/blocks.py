"""What sections of the report are made of: tables, figures, galleries and lines.

Blocks hold raw values. The page puts them into words and drawings; the JSON twin writes them as
they are, so both say the same.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

CellKind = Literal["text", "count", "number", "share", "p", "rate", "difference", "verdict", "code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A measured share, or a difference of two, with what it rests on.

    Attributes:
        value: In [0, 1]; a difference in [-1, 1]; ``None`` if it was not measured.
        n: Samples behind it.
        low: Lower end of the 95 % interval; ``None`` where none was computed.
        high: Its upper end.
    """

    value: float | None
    n: int | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: ``kind`` says how its raw values are put into words."""

    key: str
    title: str
    kind: CellKind = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of raw values, one for each column; the page can sort them."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Sentences, one each; those of an ``alert`` must not be overlooked."""

    key: str
    title: str
    items: tuple[str, ...]
    alert: bool = False
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One Gaussian of a mixture: weight in [0, 1], mean and standard deviation."""

    weight: float
    mean: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts of flagged and other samples in bins of equal width.

    Attributes:
        edges: One more than bins; empty without values.
        flagged: Flagged samples of each bin.
        kept: The other samples of each bin.
        cut: Where the flagged side begins; ``None`` without one.
        components: The fitted mixture over all samples; empty without one.
        unit: Of the values.
    """

    key: str
    title: str
    unit: str
    edges: tuple[float, ...]
    flagged: tuple[int, ...]
    kept: tuple[int, ...]
    cut: float | None = None
    components: tuple[Component, ...] = ()
    note: str = ""
    kind: Literal["histogram"] = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One measure over the layers; ``None`` where a layer has no fit."""

    key: str
    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerChart:
    """Separability of every layer, and the gate that it has to pass."""

    key: str
    title: str
    series: tuple[Series, ...]
    gate: float | None
    used: tuple[int, ...] = ()
    note: str = ""
    kind: Literal["layers"] = "layers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of a chart of rates or scores.

    Attributes:
        label: What was measured.
        rate: How large it is.
        role: ``main``, ``control`` or ``base``: how it is drawn.
        mark: A value to compare with, drawn as a tick; ``None`` without one.
        note: A few words behind it.
    """

    label: str
    rate: Rate
    role: Literal["main", "control", "base"] = "main"
    mark: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Rows of rates with their intervals, on one scale from 0 to ``top``."""

    key: str
    title: str
    bars: tuple[Bar, ...]
    top: float = 1.0
    unit: Literal["share", "number"] = "share"
    cut: float | None = None
    mark: str = ""
    note: str = ""
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One model on the frontier: its attack success and its clean accuracy."""

    label: str
    attack_success_rate: Rate
    clean_accuracy: Rate
    role: Literal["before", "after", "control", "base"] = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """Clean accuracy against attack success of models that were measured alike."""

    key: str
    title: str
    points: tuple[Point, ...]
    note: str = ""
    kind: Literal["frontier"] = "frontier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One measure over the steps of a tuning; steps and values are of one length."""

    label: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Losses over the steps of a tuning, thinned out."""

    key: str
    title: str
    lines: tuple[Line, ...]
    unit: str = ""
    note: str = ""
    kind: Literal["curves"] = "curves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spots:
    """Samples of one group in a map: places in [0, 1], the first axis to the right, then up."""

    label: str
    places: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """Samples in a plane by group, thinned out; at most as many groups as have a mark."""

    key: str
    title: str
    groups: tuple[Spots, ...]
    note: str = ""
    kind: Literal["map"] = "map"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that this program encoded; the twin has its hash and size instead of its bytes."""

    data: bytes = field(repr=False)
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Hash of the encoded bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def media(self) -> str:
        """Media type."""
        return "image/png" if self.data.startswith(b"\x89PNG") else "image/jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One sample or trigger with its pictures.

    Attributes:
        name: Id of the sample, or name of the class.
        pictures: In the order shown; ``None`` where one is not at hand.
        facts: Names and texts below, in order.
    """

    name: str
    pictures: tuple[Picture | None, ...]
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Samples or triggers in a grid."""

    key: str
    title: str
    items: tuple[Shown, ...]
    note: str = ""
    captions: tuple[str, ...] = ()
    kind: Literal["gallery"] = "gallery"


Block = Table | Lines | Histogram | LayerChart | BarChart | Frontier | Curves | Map | Gallery
