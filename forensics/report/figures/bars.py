"""Rates as bars with their 95 % intervals, each with its words and numbers above it."""

from collections.abc import Callable

from markupsafe import Markup

from forensics.report.blocks import Bar, BarChart
from forensics.report.figures.drawn import Drawn
from forensics.report.figures.svg import WIDTH, line, picture, tag, ticks, word
from forensics.report.words import NONE, around, shown, value_of

ROW, THICK, EDGE = 40, 12, 4
LONGEST = {"share": 54, "number": 30}  # characters of a label that leave room for its numbers


def draw_bars(block: BarChart, figure: str) -> Drawn:
    """Draw it; every number stands beside its bar."""
    floor = len(block.bars) * ROW + 4

    def across(value: float) -> float:
        return EDGE + min(1.0, max(0.0, value / block.top)) * (WIDTH - 2 * EDGE)

    parts = [line(across(value), 2, across(value), floor, "grid")
             for value in ticks(0, block.top, 4)]  # fmt: skip
    for place, bar in enumerate(block.bars):
        parts += _row(block, bar, place * ROW, across)
    if block.cut is not None:
        parts.append(line(across(block.cut), 2, across(block.cut), floor, "cut"))
    for value in ticks(0, block.top, 4):
        text = f"{100 * value:.0f} %" if block.unit == "share" else f"{value:g}"
        anchor = "start" if value == 0 else "end" if value > 0.97 * block.top else "middle"
        parts.append(word(across(value), floor + 15, text, anchor=anchor))
    return Drawn(drawing=picture(floor + 22, text_of(block), *parts, figure=figure), said="")


def text_of(block: BarChart) -> str:
    """Say in words what the chart shows."""
    return "; ".join(f"{shown(bar.label)}: {_numbers(block, bar)}" for bar in block.bars) + "."


def _numbers(block: BarChart, bar: Bar) -> str:
    if block.unit == "number":
        value = NONE if bar.rate.value is None else f"{bar.rate.value:.1f}"
        mark = "" if bar.mark is None else f" (natural groups at most {bar.mark:.1f})"
        return f"{bar.note or value}" if bar.rate.value is None else f"{value}{mark}"
    behind = around(bar.rate)
    return f"{value_of(bar.rate)} ({behind})" if behind else value_of(bar.rate)


def _row(block: BarChart, bar: Bar, y: float, across: Callable[[float], float]) -> list[Markup]:
    label = shown(bar.label)
    longest = LONGEST[block.unit]
    label = label if len(label) <= longest else f"{label[: longest - 1]}…"
    middle = y + 18 + THICK / 2
    parts = [
        word(EDGE, y + 13, label, "label"),
        word(WIDTH - EDGE, y + 13, _short(block, bar), "label number", "end"),
        tag("rect", x=EDGE, y=y + 18, width=WIDTH - 2 * EDGE, height=THICK, cls="track"),
    ]
    if bar.rate.value is None:
        return parts
    end = across(bar.rate.value)
    parts.append(tag("rect", x=EDGE, y=y + 18, width=max(1.5, end - EDGE), height=THICK,
                     cls=f"bar {bar.role}"))  # fmt: skip
    if bar.rate.low is not None and bar.rate.high is not None:
        low, high = across(bar.rate.low), across(bar.rate.high)
        parts += [line(low, middle, high, middle, "whisker"),
                  line(low, middle - 4, low, middle + 4, "whisker"),
                  line(high, middle - 4, high, middle + 4, "whisker")]  # fmt: skip
    if bar.mark is not None:
        parts.append(line(across(bar.mark), y + 15, across(bar.mark), y + 21 + THICK, "mark"))
    return parts


def _short(block: BarChart, bar: Bar) -> str:
    if block.unit == "number" or bar.rate.value is None:
        return _numbers(block, bar)[:44]
    n = "" if bar.rate.n is None else f" of {bar.rate.n:,}"
    return f"{value_of(bar.rate)}{n}"
