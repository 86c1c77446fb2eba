"""What is compared: which samples each method leaves out, and which loss it is tuned with.

Cross-view is reported with those settings that were chosen on the development seed (``--develop``),
which is in no table; on some sets with an earlier choice and with the defaults as well. Everything
else is the recipe of plain tuning.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from benchmarks.mllm_repairs.worlds import BASE, World
from benchmarks.zoo.scan import run_once
from forensics.case import Case
from forensics.data.sample import Sample
from forensics.detectors.attention_entropy import AttentionEntropyOptions
from forensics.jobs.attention.arrays import load_arrays
from forensics.jobs.attention.result import decide_case
from forensics.jobs.flag_files import SCORES
from forensics.jobs.language_repair.flagged import without_random
from forensics.models.loading import open_model
from forensics.registry import find_method
from forensics.repairs.cross_view.looking import (
    calibration_samples,
    look_at_views,
    needs_gamma,
    ordinary_divergence,
)
from forensics.repairs.cross_view.objective import CrossViewObjective
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.runs.durable import write_bytes

SCAN: Final = {"max_maps": 64}
FILTERS: Final = ("root", "guarded", "fusion")
GATED: Final[dict[str, Any]] = {"weight": 0.01, "share": 0.75, "separation": "gated",
                                "gate_answers": True}  # fmt: skip
GRAY: Final[dict[str, Any]] = {**GATED, "gate_width": 0.05, "gate_quantile": 0.2}
"""Chosen on models that read all their poison first: hidden cells are gray, the gate is wide."""
CHOSEN: Final[dict[str, Any]] = find_method("cross-view").variant("held-back")
"""Of what was tried on the development seed, the setting with the lowest ASR."""
VIEWS: Final[dict[str, dict[str, Any]]] = {
    "cross-view": {},
    "cross-view-gated": GRAY,
    "cross-view-shuffled": CHOSEN,
    "cross-view-filter": CHOSEN,
}
"""Methods that tune with two views -> what they change in its options."""
METHODS: Final = (
    "vanilla", "random-drop", *(f"filter-{name}" for name in FILTERS), "cross-view-shuffled",
    "cross-view-filter",
)  # fmt: skip
CROSS_VIEW_FILTER: Final = "fusion"
FEW: Final = ("vanilla", "filter-guarded", "cross-view-gated", "cross-view-shuffled")
"""Those that are compared on easy-VQA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A poisoned set and the model that plain tuning makes of it.

    Attributes:
        world: Recipe and test samples.
        folder: Of this attack and seed; holds the case.
        data: LLaVA JSON.
        rows: Its samples.
        seed: Of everything.
        vanilla: URI of the plainly tuned model.
    """

    world: World
    folder: Path
    data: Path
    rows: list[Sample]
    seed: int
    vanilla: str


def keep(path: Path, value: Any) -> None:
    """Keep a result; a file that is there is whole, though somebody pulls the plug."""
    write_bytes(path, json.dumps(value, indent=1).encode() + b"\n")


def kept_rows(method: str, subject: Subject) -> list[Sample]:
    """Return what a method tunes on."""
    if method == "random-drop":
        return without_random(subject.rows, 0.2, subject.seed).kept
    name = _detector(method)
    out = set() if name is None else flagged(name, subject)
    return [row for row in subject.rows if row.id not in out]


def is_settled(method: str, subject: Subject) -> bool:
    """Tell whether it is known what a method leaves out, without a scan of the tuned model."""
    name = _detector(method)
    return name is None or _flags(name, subject).is_file()


def _detector(method: str) -> str | None:
    if method == "cross-view-filter":
        return CROSS_VIEW_FILTER
    return method.removeprefix("filter-") if method.startswith("filter-") else None


def _flags(name: str, subject: Subject) -> Path:
    return subject.folder / f"flagged-{name}.json"


def flagged(name: str, subject: Subject) -> set[str]:
    """Return the ids that a detector flags; kept, as a scan takes minutes."""
    kept = _flags(name, subject)
    if kept.is_file():
        return set(json.loads(kept.read_text()))
    found = _fusion(subject) if name == "fusion" else _entropy(subject, name)
    keep(kept, sorted(found))
    return found


def view_options(method: str, subject: Subject, changed: dict[str, Any]) -> CrossViewOptions:
    """Return the settings of a method with two views, on top of the recipe."""
    recipe = asdict(subject.world.recipe(subject.seed))
    return CrossViewOptions(**(recipe | VIEWS[method] | changed))


def objective(subject: Subject, options: CrossViewOptions) -> CrossViewObjective:
    """Return the loss, gamma measured on the plainly tuned model."""
    shaped = (options.share, options.cell, options.fill, options.mask_count, options.answer_tokens)
    kept = subject.folder / f"gamma-{'-'.join(map(str, shaped))}.json"
    if not needs_gamma(options):
        return CrossViewObjective(options, options.gamma or 0.0)
    if not kept.is_file():
        samples = calibration_samples(subject.rows, options)
        views = look_at_views(open_model(subject.vanilla, device="cpu"), samples, options)
        keep(kept, {"gamma": ordinary_divergence(views)})
    return CrossViewObjective(options, json.loads(kept.read_text())["gamma"])


def _case(subject: Subject) -> Case:
    place = subject.folder / "case"
    if (place / "case.json").is_file():
        return Case.open(place)
    return Case.create(place, model=subject.vanilla, base=str(BASE), data=f"llava:{subject.data}")


def _entropy(subject: Subject, mode: str) -> set[str]:
    case = _case(subject)
    arrays = load_arrays(run_once(case, "attention-entropy", SCAN).folder)
    said = decide_case(case, arrays, AttentionEntropyOptions(mode=mode))
    ids = case.catalog.ids[arrays.rows]
    return {str(name) for name in ids[np.asarray(said.chosen.flagged)]}


def _fusion(subject: Subject) -> set[str]:
    case = _case(subject)
    run_once(case, "attention-entropy", SCAN)
    table = pq.read_table(run_once(case, "evidence-fusion", {}).path(SCORES))
    chosen = table.column("flagged").to_numpy(zero_copy_only=False)
    return {str(name) for name in np.asarray(table.column("id").to_pylist())[chosen]}
