"""Make the table of natural groups that evidence fusion ranks suspected groups by.

python -m benchmarks.zoo.calibrate_fusion --work DIR

From the scanned development sets without poison alone (``dev-clean-*``): no set with a backdoor and
no set of a report is read. Of each set, the natural groups under every kind of question are
measured, and forty groups over all kinds together; each is placed among the others of its set.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import forensics.detectors
from forensics.case import Case
from forensics.detectors.answer_places import count_by_group
from forensics.detectors.answers import tabulate_answers
from forensics.detectors.evidence_fusion.calibration import TABLE, places_of_each
from forensics.detectors.evidence_fusion.candidates import question_kinds
from forensics.detectors.evidence_fusion.content import answer_words
from forensics.detectors.evidence_fusion.measures import (
    FusionInput,
    canonical_order,
    measure_groups,
    relative,
)
from forensics.detectors.evidence_fusion.natural import natural_groups
from forensics.detectors.options.evidence_fusion import CHANNELS
from forensics.jobs.attention.arrays import ARRAYS
from forensics.jobs.evidence_fusion.source import fusion_input

CALIBRATED = tuple(name for name in CHANNELS if name != "occlusion")
_FEWEST_GROUPS = 8


def main() -> None:
    """Measure all clean development sets and write the table into the package."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of built, scanned cells")
    parser.add_argument("--leave-out", default="", help="name of a set to leave out")
    parser.add_argument("--to", type=Path, default=Path(forensics.detectors.__path__[0]) / TABLE)
    args = parser.parse_args()
    sets = {
        folder.parent.name: read_set(folder)
        for folder in sorted(args.work.glob("dev-clean-*/case"))
        if folder.parent.name != args.leave_out
    }
    text = json.dumps(make_table(sets)).replace("], [", "],\n[")
    args.to.write_text(text + "\n", encoding="utf-8")


def read_set(folder: Path) -> FusionInput:
    """Read the arrays of a scanned case."""
    case = Case.open(folder)
    return fusion_input(case, case.runs("attention-entropy")[0].arrays(ARRAYS))


def make_table(sets: dict[str, FusionInput]) -> dict[str, Any]:
    """Measure the natural groups of clean sets."""
    modes: dict[str, Any] = {}
    found: dict[str, list[tuple[str, NDArray[np.float64]]]] = {"within": [], "across": []}
    for name, data in sets.items():
        for mode, values in measure_set(data):
            found[mode].append((name, values))
    for mode, parts in found.items():
        logs = np.log1p(np.concatenate([values for _, values in parts]))
        places = np.concatenate([places_of_each(v) for _, v in parts if len(v) > _FEWEST_GROUPS])
        modes[mode] = {
            "sets": sorted({name for name, _ in parts}),
            "middle": np.median(logs, axis=0).round(4).tolist(),
            "spread": logs.std(axis=0).round(4).tolist(),
            "places": places[np.lexsort(places.T)].round(3).tolist(),
        }
    return {"channels": list(CALIBRATED), "modes": modes}


def measure_set(data: FusionInput) -> list[tuple[str, NDArray[np.float64]]]:
    """Return mode and separations ``[groups, channels]`` for each kind of question and for all."""
    data = data.take(canonical_order(data, tabulate_answers(data.answers).codes))
    kinds = all_kinds(data)
    parts = [data.scanned & (kinds == kind) for kind in np.unique(kinds[data.scanned])]
    if len(parts) > 1:
        parts.append(data.scanned)
    measured = (_measure(data, np.flatnonzero(part), kinds) for part in parts)
    return [found for found in measured if found is not None]


def all_kinds(data: FusionInput) -> NDArray[np.int64]:
    """Return the kind of question of every sample, ``[N]``."""
    table = tabulate_answers(data.answers)
    size = np.bincount(data.strata[data.scanned], minlength=int(data.strata.max()) + 1)
    counts = count_by_group(np.arange(len(table.texts)), table, data.strata, data.scanned)
    return question_kinds(counts, size)[data.strata]


def _measure(
    data: FusionInput, rows: NDArray[np.int64], kinds: NDArray[np.int64]
) -> tuple[str, NDArray[np.float64]] | None:
    part, kinds = data.take(rows), kinds[rows]
    codes = tabulate_answers(part.answers).codes
    everything = np.ones(rows.size, dtype=np.bool_)
    groups = natural_groups(codes, answer_words(part.answers, kinds, everything), kinds)
    if not groups:
        return None
    columns = [
        measure_groups(relative(data, name, rows, part.strata, groups, everything), groups, kinds)
        for name in CALIBRATED
    ]
    return ("across" if np.unique(kinds).size > 1 else "within"), np.stack(columns, axis=1)


if __name__ == "__main__":
    main()
