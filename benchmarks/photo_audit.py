"""Audit a poisoned copy with the model that was tuned on it: a case, `scan clusters`, the truth."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.api.running import run_method
from forensics.case import Case
from forensics.detectors.clusters import NOISE
from forensics.jobs.clusters.result import TABLE
from forensics.registry import find_method

PURE: Final = 0.9
LOW: Final = ("cosine",)
"""Scores whose low values are the usual suspicious side; of the others the high ones are."""


def audit(folder: Path) -> dict[str, Any]:
    """Make a case of a cell and scan it with the options that the app begins with.

    Args:
        folder: Holds ``data/pairs.csv`` with the truth, and ``model``.
    """
    shutil.rmtree(folder / "case", ignore_errors=True)
    case = Case.create(
        folder / "case",
        model=f"openclip:{folder / 'model'}",
        data=f"table:{folder / 'data' / 'pairs.csv'}",
    )
    done = run_method(case, find_method("clusters"), {})
    run, result = done.run, done.result
    points = pq.read_table(run.folder / TABLE, columns=["id", "cluster"])
    truth = case.truth()
    poisoned = np.array([truth[name] for name in points["id"].to_pylist()], dtype=np.bool_)
    cluster = points["cluster"].to_numpy()
    return {
        "n": result["n"],
        "poisoned": result["poisoned"],
        "auroc": suspicious_side(result["auc_of_poisoned"]),
        "groups": int(cluster.max()) + 1,
        "fullest_group": result["poisoned_cluster"],
        "pure_groups": pure_groups(cluster, poisoned),
    }


def suspicious_side(areas: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Turn areas for "poison is high" into areas for "poison is on the score's usual side"."""
    turned = {}
    for name, found in areas.items():
        area, ends = found["auc"], found["interval"]
        if name in LOW and area is not None:
            area, ends = 1 - area, [1 - end for end in reversed(ends)] if ends else None
        turned[name] = {"auc": area, "interval": ends}
    return turned


def pure_groups(cluster: NDArray[Any], poisoned: NDArray[np.bool_]) -> dict[str, Any]:
    """Say how much of the poison lies in groups of which at least nine tenths are poison.

    Args:
        cluster: ``[n]`` group of each sample, -1 for none.
        poisoned: ``[n]`` the truth.

    Returns:
        ``best``: size, precision and recall of the pure group with the largest recall, ``None``
        without any; ``count`` and ``recall`` of all pure groups together.
    """
    lines = []
    for number in np.unique(cluster[cluster != NOISE]):
        inside = cluster == number
        caught = int((inside & poisoned).sum())
        if caught >= PURE * inside.sum():
            size = int(inside.sum())
            lines.append({"cluster": int(number), "size": size, "precision": caught / size,
                          "recall": caught / int(poisoned.sum())})  # fmt: skip
    best = max(lines, key=lambda line: line["recall"], default=None)
    return {"best": best, "count": len(lines), "recall": sum(line["recall"] for line in lines)}


def write_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Write all results as Markdown: clean models, attacks, audits."""
    parts = [
        "# A tiny CLIP of real photos\n",
        "Made by `python -m benchmarks.clip_photos`; do not edit. Test splits; 95 % intervals.\n",
        "## Clean models\n",
        _rows(("set", "classes", "CA"), [_clean(name, part) for name, part in found.items()]),
        "\n## Attacks\n",
        _rows(
            (
                "set",
                "attack",
                "seed",
                "poisoned",
                "CA",
                "CA minus clean twin",
                "ASR",
                "the twin's ASR (floor)",
                "says the target untriggered",
            ),
            [_attack(name, cell) for name, part in found.items() for cell in part["attacks"]],
        ),
        "\n## Scores of the poisoned copy under the poisoned model\n",
        "AUROC on the usual suspicious side (cosine low, the others high).\n",
        _rows(
            (
                "set",
                "attack",
                "seed",
                "cosine",
                "k-distance",
                "density ratio",
                "spectral",
                "spectral, signed",
                "best pure group",
                "group with most poison",
            ),
            [
                _audit(name, cell)
                for name, part in found.items()
                for cell in part["attacks"]
                if "audit" in cell
            ],
        ),
    ]
    return "\n".join(parts) + "\n"


def _rows(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _clean(name: str, part: Mapping[str, Any]) -> list[str]:
    test = part["clean"]["test"]
    shown = _rate(test, "clean_accuracy")
    return [name, str(part["clean"]["classes"]), f"{shown} (n = {test['n_clean']:,})"]


def _attack(name: str, cell: Mapping[str, Any]) -> list[str]:
    gap = cell["minus_twin"]["clean_accuracy"]
    return [
        name, cell["attack"], str(cell["seed"]), f"{cell['poisoned']} of {cell['pairs']:,}",
        f"{_rate(cell, 'clean_accuracy')} (n = {cell['n_clean']:,})",
        f"{gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]",
        f"{_rate(cell, 'attack_success_rate')} (n = {cell['n_triggered']:,})",
        f"{cell['floor']:.3f}", f"{cell['emits_target_untriggered']:.3f}",
    ]  # fmt: skip


def _audit(name: str, cell: Mapping[str, Any]) -> list[str]:
    found = cell["audit"]
    areas = [found["auroc"][score] for score in
             ("cosine", "k_distance", "density_ratio", "spectral", "spectral_signed")]  # fmt: skip
    return [
        name, cell["attack"], str(cell["seed"]),
        *(f"{area['auc']:.3f} [{area['interval'][0]:.3f}, {area['interval'][1]:.3f}]"
          for area in areas),
        _group(found["pure_groups"]["best"]), _group(found["fullest_group"]),
    ]  # fmt: skip


def _group(line: Mapping[str, Any] | None) -> str:
    return f"P {line['precision']:.2f}, R {line['recall']:.2f}" if line else "none"


def _rate(found: Mapping[str, Any], name: str) -> str:
    low, high = found["intervals"][name]
    return f"{found[name]:.3f} [{low:.3f}, {high:.3f}]"
