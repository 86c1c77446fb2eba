"""Clean accuracy against attack success: a point a model, numbered, with its intervals."""

from collections.abc import Callable

from markupsafe import Markup

from forensics.report.blocks import Frontier, Point
from forensics.report.figures.drawn import Drawn
from forensics.report.figures.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    WIDTH,
    line,
    picture,
    tag,
    ticks,
    word,
)
from forensics.report.words import shown, value_of

Scale = Callable[[float], float]
HEIGHT = 320
RADIUS = 8
HEAD = 30  # room above the plot


def draw_frontier(block: Frontier, figure: str) -> Drawn:
    """Draw it; points are numbered, for names would lie over each other."""
    measured = [pair for pair in enumerate(block.points, start=1) if _is_measured(pair[1])]
    floor = HEIGHT - BOTTOM

    def across(rate: float) -> float:
        return LEFT + rate * (WIDTH - LEFT - RIGHT)

    def up(rate: float) -> float:
        return floor - rate * (floor - HEAD)

    parts = []
    for value in ticks(0, 1, 5):
        text = f"{100 * value:.0f} %"
        parts += [line(LEFT, up(value), WIDTH - RIGHT, up(value), "grid"),
                  line(across(value), HEAD, across(value), floor, "grid"),
                  word(LEFT - 6, up(value) + 4, text, anchor="end"),
                  word(across(value), floor + 15, text,
                       anchor="end" if value == 1 else "middle")]  # fmt: skip
    parts.append(word((LEFT + WIDTH - RIGHT) / 2, floor + 30, "attack success (less is better)",
                      "name", "middle"))  # fmt: skip
    parts.append(word(0, HEAD - 12, "clean accuracy (more is better)", "name"))
    for _, point in measured:
        parts += _whiskers(point, across, up)
    for number, point in measured:
        parts += _point(number, point, across, up)
    said = "; ".join(_told(number, point) for number, point in measured)
    return Drawn(
        drawing=picture(HEIGHT, f"{said}.", *parts, figure=figure), said="",
        legend=tuple((f"role-{point.role}", _told(number, point)) for number, point in measured),
    )  # fmt: skip


def _is_measured(point: Point) -> bool:
    return None not in (point.attack_success_rate.value, point.clean_accuracy.value)


def _told(number: int, point: Point) -> str:
    return (
        f"{number} {shown(point.label)}: ASR {value_of(point.attack_success_rate)}, "
        f"CA {value_of(point.clean_accuracy)}"
    )


def _point(number: int, point: Point, across: Scale, up: Scale) -> list[Markup]:
    x = across(point.attack_success_rate.value or 0.0)
    y = up(point.clean_accuracy.value or 0.0)
    cls = f"spot role-{point.role}"
    if point.role == "before":
        shape = tag("rect", x=x - RADIUS, y=y - RADIUS, width=2 * RADIUS, height=2 * RADIUS,
                    cls=cls)  # fmt: skip
    else:
        shape = tag("circle", cx=x, cy=y, r=RADIUS, cls=cls)
    return [shape, word(x, y + 4, str(number), "in-spot", "middle")]


def _whiskers(point: Point, across: Scale, up: Scale) -> list[Markup]:
    asr, ca = point.attack_success_rate, point.clean_accuracy
    x, y = across(asr.value or 0.0), up(ca.value or 0.0)
    parts = []
    if asr.low is not None and asr.high is not None:
        parts.append(line(across(asr.low), y, across(asr.high), y, "whisker"))
    if ca.low is not None and ca.high is not None:
        parts.append(line(x, up(ca.low), x, up(ca.high), "whisker"))
    return parts
