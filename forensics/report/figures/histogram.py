"""A histogram of flagged and other samples, with the cut and the fitted mixture."""

import math
from collections.abc import Callable

from markupsafe import Markup

from forensics.report.blocks import Component, Histogram
from forensics.report.figures.drawn import Drawn
from forensics.report.figures.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    line,
    picture,
    tag,
    ticks,
    word,
)
from forensics.report.words import MINUS

Scale = Callable[[float], float]
HEIGHT = 230
POINTS = 160


def draw_histogram(block: Histogram, figure: str) -> Drawn:
    """Draw it; the read-out tells every bin's counts."""
    low, high = block.edges[0], block.edges[-1]
    highest = max(a + b for a, b in zip(block.flagged, block.kept, strict=True)) or 1
    floor = HEIGHT - BOTTOM

    def across(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def up(count: float) -> float:
        return floor - count / highest * (floor - TOP)

    parts = [*_grid(highest, up), *_bars(block, across, up), *_curve(block, across, up),
             *_axis(low, high, across, floor, block.unit)]  # fmt: skip
    if block.cut is not None and low <= block.cut <= high:
        parts.append(line(across(block.cut), TOP, across(block.cut), floor, "cut"))
    parts.append(tag("line", x1=LEFT, x2=LEFT, y1=TOP, y2=floor, cls="guide"))
    return Drawn(
        drawing=picture(HEIGHT, text_of(block), *parts, figure=figure),
        left=LEFT / WIDTH, right=1 - RIGHT / WIDTH, labels=tuple(_labels(block)),
        said=text_of(block), head=("from", "to", "flagged", "other samples"),
        values=tuple(zip(block.edges, block.edges[1:], block.flagged, block.kept, strict=False)),
    )  # fmt: skip


def text_of(block: Histogram) -> str:
    """Say in words what the histogram shows."""
    flagged, kept = sum(block.flagged), sum(block.kept)
    low, high = written(block.edges[0]), written(block.edges[-1])
    told = f"{flagged:,} flagged and {kept:,} other samples from {low} to {high}{_unit(block.unit)}"
    return told + ("." if block.cut is None else f", cut at {written(block.cut)}.")


def written(value: float) -> str:
    """Write a number of the axis."""
    return f"{value:.3g}".replace("-", MINUS)


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _labels(block: Histogram) -> list[str]:
    unit = _unit(block.unit)
    return [
        f"{written(low)} to {written(high)}{unit}: {flagged:,} flagged, {kept:,} others"
        for low, high, flagged, kept in zip(
            block.edges, block.edges[1:], block.flagged, block.kept, strict=False
        )
    ]


def _bars(block: Histogram, across: Scale, up: Scale) -> list[Markup]:
    parts = []
    for i, (flagged, kept) in enumerate(zip(block.flagged, block.kept, strict=True)):
        x, width = across(block.edges[i]), across(block.edges[i + 1]) - across(block.edges[i])
        for count, base, cls in ((kept, 0, "kept"), (flagged, kept, "flag")):
            if count:
                parts.append(tag("rect", x=x + 0.4, y=up(base + count), width=max(0.6, width - 0.8),
                                 height=up(base) - up(base + count), cls=cls))  # fmt: skip
    return parts


def _curve(block: Histogram, across: Scale, up: Scale) -> list[Markup]:
    n = sum(block.flagged) + sum(block.kept)
    scale = n * (block.edges[1] - block.edges[0])
    low, high = block.edges[0], block.edges[-1]
    drawn = []
    for part in block.components:
        if not part.sd > 0:
            continue
        xs = [low + (high - low) * i / (POINTS - 1) for i in range(POINTS)]
        points = " ".join(
            f"{across(x):.1f},{max(TOP, up(scale * density(part, x))):.1f}" for x in xs
        )
        drawn.append(tag("polyline", points=points, cls="fit"))
    return drawn


def density(part: Component, x: float) -> float:
    """Return the density of one weighted Gaussian."""
    z = (x - part.mean) / part.sd
    return part.weight * math.exp(-0.5 * z * z) / (part.sd * math.sqrt(2 * math.pi))


def _grid(highest: int, up: Scale) -> list[Markup]:
    parts = []
    for value in ticks(0, highest, 4):
        if value == int(value):
            parts.append(line(LEFT, up(value), WIDTH - RIGHT, up(value), "grid"))
            parts.append(word(LEFT - 6, up(value) + 4, f"{int(value):,}", anchor="end"))
    return parts


def _axis(low: float, high: float, across: Scale, floor: float, unit: str) -> list[Markup]:
    parts = [line(LEFT, floor, WIDTH - RIGHT, floor, "axis")]
    for value in ticks(low, high, 6):
        parts.append(word(across(value), floor + 15, written(value),
                          anchor="middle"))  # fmt: skip
    parts.append(word((LEFT + WIDTH - RIGHT) / 2, floor + 30, unit, "name", "middle"))
    return parts
