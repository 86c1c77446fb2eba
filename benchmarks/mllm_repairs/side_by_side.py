"""One table of all sets and methods, short enough to read at once."""

from collections.abc import Sequence
from typing import Any, Final

COLUMNS: Final = (
    ("plain", "vanilla"),
    ("random drop of 20 %", "random-drop"),
    ("filter `root`", "filter-root"),
    ("filter `guarded`", "filter-guarded"),
    ("filter `fusion`", "filter-fusion"),
    ("cross-view, defaults", "cross-view"),
    ("cross-view, gated answers, gray cells (ours)", "cross-view-gated"),
    ("cross-view `held-back` (ours)", "cross-view-shuffled"),
    ("`held-back` + filter `fusion`", "cross-view-filter"),
)
"""Head of a column -> its method."""
PLANTED: Final = {
    "small-patch": "patch 1/9", "patch": "patch 1/6", "frequent-patch": "patch 1/6",
    "random-patch": "patch 1/4 at random places", "blended": "Blended 0.2", "sig": "SIG",
    "wanet": "WaNet", "dual-key": "dual key", "clean": "nothing planted",
}  # fmt: skip
ROWS: Final = 10_000
NOT_IN_THE_PLAN: Final = "–"


def side_by_side(cells: Sequence[dict[str, Any]], planned: set[str]) -> list[str]:
    """Write CA / ASR of every set and method.

    Args:
        cells: Figures of cells.
        planned: Names of the cells that the tables are to have; one without figures is "not
            built".

    Returns:
        Lines of a Markdown table.
    """
    found = {
        (c["world"], c["attack"], c["seed"], c["method"]): c for c in cells if not c["changed"]
    }
    places = sorted({key[:3] for key in found}, key=_order)
    heads = ["planted", "seed", *(head for head, _ in COLUMNS)]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for world, attack, seed in places:
        row = [found.get((world, attack, seed, method)) for _, method in COLUMNS]
        names = [f"{world}/{attack}-{seed}/{method}" for _, method in COLUMNS]
        texts = [
            _told(cell) if cell else "not built" if name in planned else NOT_IN_THE_PLAN
            for cell, name in zip(row, names, strict=True)
        ]
        texts[0] += "".join(f"; again {rates}" for rates in _plain_again(row))
        head = _planted(world, attack, next(cell for cell in row if cell))
        lines.append(f"| {' | '.join([head, str(seed), *texts])} |")
    return lines


def _order(place: tuple[str, str, int]) -> tuple[bool, int, int]:
    world, attack, seed = place
    return world != "lab", list(PLANTED).index(attack), seed


def _planted(world: str, attack: str, cell: dict[str, Any]) -> str:
    rate = round(100 * cell["poisoned"] / ROWS)
    text = PLANTED[attack] + (f", {rate} %" if rate else "")
    return text if world == "lab" else f"easy-VQA: {text}"


def _told(cell: dict[str, Any]) -> str:
    rates = _rates(cell)
    if cell["method"].startswith("filter-"):
        return f"{rates} ({_left_out(cell)})"
    if cell["method"].startswith("cross-view"):
        minus = cell["minus_vanilla"]["attack_success_rate"]
        value, low, high = (100 * minus[part] for part in ("value", "low", "high"))
        return f"{rates} ({value:+.1f} [{low:+.1f}, {high:+.1f}])"
    return rates


def _plain_again(row: Sequence[dict[str, Any] | None]) -> list[str]:
    """Return what other cells were compared to where plain tuning was built more than once.

    The same seed gives slightly different weights on another processor.
    """
    plain = row[0]
    found = {_compared_to(cell) for cell in row[1:] if cell and "minus_vanilla" in cell}
    return sorted(found - ({_rates(plain)} if plain else set()))


def _compared_to(cell: dict[str, Any]) -> str:
    minus = cell["minus_vanilla"]
    names = ("clean_accuracy", "attack_success_rate")
    return _rates({name: cell[name] - minus[name]["value"] for name in names})


def _rates(cell: dict[str, Any]) -> str:
    return f"{100 * cell['clean_accuracy']:.1f} / {100 * cell['attack_success_rate']:.1f}"


def _left_out(cell: dict[str, Any]) -> str:
    out, right, bad = cell["left_out"], cell["poisoned_left_out"], cell["poisoned"]
    if not out:
        return "flags nothing"
    if not bad:
        return f"flags {out} honest rows"
    return f"P {right / out:.3f}, R {right / bad:.3f}"
