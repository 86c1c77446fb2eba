"""Separability over the layers: one line a measure, and the gate."""

from collections.abc import Callable

from markupsafe import Markup

from forensics.report.blocks import LayerChart, Series
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

HEIGHT = 230
SIDE = 4  # of a point, half
MOST_MARKED = 40  # layers with a point each; beyond that lines alone
Scale = Callable[[float], float]


def draw_layers(block: LayerChart, figure: str) -> Drawn:
    """Draw it; the read-out tells every layer's values."""
    n = max(len(one.values) for one in block.series)
    values = [value for one in block.series for value in one.values if value is not None]
    top = 1.1 * max([*values, block.gate or 0.0, 0.1])
    floor, inner = HEIGHT - BOTTOM, WIDTH - LEFT - RIGHT

    def across(layer: float) -> float:
        return LEFT + (layer + 0.5) / n * inner

    def up(value: float) -> float:
        return floor - value / top * (floor - TOP)

    parts = [line(LEFT, floor, WIDTH - RIGHT, floor, "axis"), *_grid(top, up)]
    for layer in block.used:
        parts.append(tag("rect", x=across(layer) - inner / n / 2, y=TOP, width=inner / n,
                         height=floor - TOP, cls="used"))  # fmt: skip
    if block.gate is not None:
        parts.append(line(LEFT, up(block.gate), WIDTH - RIGHT, up(block.gate), "cut"))
    for place, one in enumerate(block.series):
        parts += _series(one, place, across, up)
    parts += [word(across(layer), floor + 15, str(layer), anchor="middle")
              for layer in range(0, n, max(1, -(-n // 16)))]  # fmt: skip
    parts += [word((LEFT + WIDTH - RIGHT) / 2, floor + 30, "layer", "name", "middle"),
              tag("line", x1=LEFT, x2=LEFT, y1=TOP, y2=floor, cls="guide")]  # fmt: skip
    return Drawn(
        drawing=picture(HEIGHT, text_of(block), *parts, figure=figure), said=text_of(block),
        left=LEFT / WIDTH, right=1 - RIGHT / WIDTH, labels=tuple(_labels(block, n)),
        head=("layer", *(one.label for one in block.series)),
        values=tuple((layer, *(one.values[layer] for one in block.series)) for layer in range(n)),
        legend=tuple((f"series-{place}", one.label) for place, one in enumerate(block.series))
        + ((("gate", f"gate {block.gate:g}"),) if block.gate is not None else ()),
    )  # fmt: skip


def text_of(block: LayerChart) -> str:
    """Say in words what the chart shows."""
    used = ", ".join(map(str, block.used)) or "none"
    best = max((value, layer) for layer, value in enumerate(block.series[0].values)
               if value is not None)  # fmt: skip
    return (
        f"By {block.series[0].label}, layer {best[1]} separates best ({best[0]:.2f}). "
        f"Layers used: {used}."
    )


def _series(one: Series, place: int, across: Scale, up: Scale) -> list[Markup]:
    parts, cls = [], f"series-{place}"
    runs: list[list[str]] = [[]]
    for layer, value in enumerate(one.values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{across(layer):.1f},{up(value):.1f}")
    parts += [tag("polyline", points=" ".join(run), cls=f"curve {cls}") for run in runs if run]
    if len(one.values) <= MOST_MARKED:
        parts += [mark(across(layer), up(value), place)
                  for layer, value in enumerate(one.values) if value is not None]  # fmt: skip
    return parts


def mark(x: float, y: float, place: int) -> Markup:
    """Return a point whose shape, not its colour alone, says what it belongs to."""
    cls = f"point series-{place}"
    if place == 0:
        return tag("circle", cx=x, cy=y, r=SIDE, cls=cls)
    if place == 1:
        return tag("rect", x=x - SIDE, y=y - SIDE, width=2 * SIDE, height=2 * SIDE, cls=cls)
    corners = ((0, -SIDE - 1), (SIDE + 1, 0), (0, SIDE + 1), (-SIDE - 1, 0))
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return tag("polygon", points=points, cls=cls)


def _grid(top: float, up: Scale) -> list[Markup]:
    parts = []
    for value in ticks(0, top, 4):
        parts += [line(LEFT, up(value), WIDTH - RIGHT, up(value), "grid"),
                  word(LEFT - 6, up(value) + 4, f"{value:g}", anchor="end")]  # fmt: skip
    return parts


def _labels(block: LayerChart, n: int) -> list[str]:
    def told(one: Series, layer: int) -> str:
        value = one.values[layer]
        return f"{one.label} {'no fit' if value is None else f'{value:.2f}'}"

    return [f"layer {layer}: " + "; ".join(told(one, layer) for one in block.series)
            for layer in range(n)]  # fmt: skip
