"""Losses over the steps of a tuning: one line a measure."""

from forensics.report.blocks import Curves
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

HEIGHT = 220


def draw_curves(block: Curves, figure: str) -> Drawn:
    """Draw it; the sentence tells first and last values."""
    values = [value for one in block.lines for value in one.values]
    last = max((one.steps[-1] for one in block.lines), default=1.0) or 1.0
    low, high = min([0.0, *values]), max([*values, 1e-9])
    floor, inner = HEIGHT - BOTTOM, WIDTH - LEFT - RIGHT

    def across(step: float) -> float:
        return LEFT + step / last * inner

    def up(value: float) -> float:
        return floor - (value - low) / ((high - low) or 1.0) * (floor - TOP)

    parts = [line(LEFT, floor, WIDTH - RIGHT, floor, "axis")]
    for value in ticks(low, high, 4):
        parts += [line(LEFT, up(value), WIDTH - RIGHT, up(value), "grid"),
                  word(LEFT - 6, up(value) + 4, f"{value:g}", anchor="end")]  # fmt: skip
    for step in ticks(0, last, 5):
        parts.append(word(across(step), floor + 15, f"{step:g}", anchor="middle"))
    for place, one in enumerate(block.lines):
        points = " ".join(f"{across(s):.1f},{up(v):.1f}"
                          for s, v in zip(one.steps, one.values, strict=True))  # fmt: skip
        parts.append(tag("polyline", points=points, cls=f"curve series-{min(place, 4)}"))
    parts.append(word((LEFT + WIDTH - RIGHT) / 2, floor + 30, "step", "name", "middle"))
    said = text_of(block)
    return Drawn(
        drawing=picture(HEIGHT, said, *parts, figure=figure), said=said,
        legend=tuple((f"series-{min(place, 4)}", one.label)
                     for place, one in enumerate(block.lines)),
    )  # fmt: skip


def text_of(block: Curves) -> str:
    """Say in words what the chart shows."""
    told = [f"{one.label}: {one.values[0]:.3g} at first, {one.values[-1]:.3g} at last"
            for one in block.lines if one.values]  # fmt: skip
    return f"{'; '.join(told) or 'No losses were kept'}."
