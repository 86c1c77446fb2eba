"""The benchmark of repairs: which cells there are, and how their figures are written."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.clip_repairs.__main__ import Planned, wanted
from benchmarks.clip_repairs.methods import METHODS, SETTINGS
from benchmarks.clip_repairs.tables import REFUSED, table, write_tables


def figures(method: str, **more: Any) -> dict[str, Any]:
    """Return what a cell keeps."""
    rates = {"clean_accuracy": 0.9, "attack_success_rate": 0.25, "marked_accuracy": 0.5}
    return {
        "world": "lab", "attack": "sig", "seed": 1, "method": method, "changed": {}, **rates,
        "intervals": {
            "clean_accuracy": [0.87, 0.92],
            "attack_success_rate": [0.2, 0.3],
            "marked_accuracy": [0.45, 0.55],
        },
        "n_clean": 500, "n_triggered": 426, "target": "heart", "seconds": 12.3,
        "per_class": [{"class": "heart", "clean_accuracy": 0.5, "n": 74}], **more,
    }  # fmt: skip


def test_the_development_attack_is_never_reported() -> None:
    names = [planned.name for planned in wanted("")]
    assert len(names) == len(set(names))
    assert not [name for name in names if "badnets-large" in name or "-0/" in name]
    assert {name.split("/")[2] for name in names if "," not in name} == set(METHODS)


def test_a_change_is_part_of_the_cell() -> None:
    planned = Planned(
        world="lab", attack="sig", seed=1, method="repulsive-prompts", changed={"alpha": 7.0}
    )
    assert planned.figures(Path("w")).parent.name == "repulsive-prompts,alpha=7.0"
    assert planned.settings.alpha == 7.0
    assert planned.settings.depth == SETTINGS["repulsive-prompts"].depth


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_settings_are_those_of_a_method(name: str) -> None:
    assert name in METHODS


def test_lines_say_rates_counts_and_what_was_refused(tmp_path: Path) -> None:
    lost = {"value": -0.03, "low": -0.05, "high": 0.01}
    minus = {"clean_accuracy": lost, "attack_success_rate": lost}
    cells = [
        figures("none"),
        figures("token-unlearning", minus_none=minus, confident=False),
        figures("repulsive-prompts", minus_none=minus, changed={"alpha": 2.0}),
    ]
    lines = table(cells).split("\n")
    rates = "90.0 [87.0, 92.0] | – | 25.0 [20.0, 30.0] | – | 50.0 [45.0, 55.0]"
    assert f"| sig | 1 | none | {rates} | 50 (n = 74) | 12 |" in lines[2]
    assert f"token-unlearning ({REFUSED}) |" in lines[3]
    assert "| -3.0 [-5.0, +1.0] |" in lines[3]
    assert "| repulsive-prompts, alpha 2.0 |" in lines[4]
    write_tables(cells, tmp_path)
    assert "n = 500 for CA, 426 for ASR; target: heart." in (tmp_path / "tables.md").read_text()
