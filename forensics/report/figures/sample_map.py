"""A map of samples: a small mark each, its shape and colour by group."""

from markupsafe import Markup

from forensics.report.blocks import Map
from forensics.report.figures.drawn import Drawn
from forensics.report.figures.svg import WIDTH, picture, tag

HEIGHT = 340
EDGE = 10
SIZE = 3.2
GROUPS = 5  # with a mark of their own; what lies in no group comes last and is drawn first


def draw_map(block: Map, figure: str) -> Drawn:
    """Draw it; marks of small groups lie above those of large ones."""
    parts: list[Markup] = []
    roles = [f"series-{place}" if place < GROUPS else "series-rest"
             for place in range(len(block.groups))]  # fmt: skip
    for place in sorted(range(len(block.groups)), key=lambda k: -len(block.groups[k].places)):
        for x, y in block.groups[place].places:
            left = EDGE + x * (WIDTH - 2 * EDGE)
            top = HEIGHT - EDGE - y * (HEIGHT - 2 * EDGE)
            parts.append(_mark(left, top, place, f"point {roles[place]}"))
    said = text_of(block)
    return Drawn(
        drawing=picture(HEIGHT, said, *parts, figure=figure), said="",
        legend=tuple((role, group.label) for role, group in zip(roles, block.groups, strict=True)
                     if group.places),
    )  # fmt: skip


def text_of(block: Map) -> str:
    """Say in words what the map shows."""
    total = sum(len(group.places) for group in block.groups)
    return (
        f"{total:,} samples: "
        + "; ".join(group.label for group in block.groups if group.places)
        + "."
    )


def _mark(x: float, y: float, place: int, cls: str) -> Markup:
    size = SIZE if place < GROUPS else SIZE / 2
    corners = {
        1: ((-size, -size), (size, -size), (size, size), (-size, size)),
        2: ((0, -size - 1), (size + 1, 0), (0, size + 1), (-size - 1, 0)),
        3: ((0, -size - 1), (size + 1, size), (-size - 1, size)),
        4: ((0, size + 1), (size + 1, -size), (-size - 1, -size)),
    }.get(place)
    if corners is None:
        return tag("circle", cx=x, cy=y, r=size, cls=cls)
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return tag("polygon", points=points, cls=cls)
