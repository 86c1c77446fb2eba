"""The benchmark of language repairs: its tables and its page tell the committed figures."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmarks.mllm_repairs.__main__ import RESULTS
from benchmarks.mllm_repairs.plan import read_known, reported
from benchmarks.mllm_repairs.side_by_side import side_by_side
from benchmarks.mllm_repairs.tables import write_tables
from benchmarks.mllm_repairs.worlds import CLEAN
from benchmarks.planned import PlannedCell

PAGE = Path(__file__).parents[2] / "docs" / "language-repairs.md"


def committed() -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads((RESULTS / "figures.json").read_text())
    return cells


def test_tables_are_those_of_the_figures(tmp_path: Path) -> None:
    write_tables(committed(), tmp_path)
    for name in ("tables.md", "figures.json"):
        assert (tmp_path / name).read_text() == (RESULTS / name).read_text(), name


def test_the_page_shows_the_table_of_the_figures() -> None:
    told = PAGE.read_text().splitlines()
    for line in side_by_side(committed(), {cell.name for cell in reported()}):
        assert line in told


def test_every_reported_attack_has_a_floor_and_the_page_tells_it() -> None:
    floors = json.loads((RESULTS / "floors.json").read_text())["floors"]
    lab = [row for row in floors if row["world"] == "lab"]
    wanted = {cell.attack for cell in reported() if cell.world == "lab"} - {CLEAN}
    for model in ("base", "tuned, nothing planted"):
        rows = [row for row in lab if row["model"] == model]
        assert {row["attack"] for row in rows} == wanted
        assert all(row["attack_success_rate"] == 0 and row["n_triggered"] == 500 for row in rows)
    easy = [row for row in floors if row["world"] == "easy_vqa"]
    said = [round(row["attack_success_rate"] * row["n_triggered"]) for row in easy]
    assert f"{said[0]} and {said[1]} of {easy[0]['n_triggered']}" in PAGE.read_text()


def test_all_that_is_reported_is_built() -> None:
    names = {cell.name for cell in reported()}
    assert {PlannedCell(**{part.name: cell[part.name] for part in fields(PlannedCell)}).name
            for cell in committed()} == names  # fmt: skip


def test_known_cells_go_by_their_names() -> None:
    known = read_known(RESULTS / "figures.json")
    assert set(known) <= {cell.name for cell in reported()}
    assert read_known(None) == {}


def test_what_is_missing_is_told() -> None:
    cells = [cell for cell in committed() if cell["method"] == "vanilla"]
    name = "lab/sig-1/filter-root"
    assert any("not built" in line for line in side_by_side(cells, {name}))
    assert not any("not built" in line for line in side_by_side(cells, set()))


def test_no_development_cell_is_reported() -> None:
    names = [cell.name for cell in reported()]
    assert len(names) == len(set(names))
    assert not [name for name in names if "-0/" in name]
