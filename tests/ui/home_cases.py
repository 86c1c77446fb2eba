"""Cases for Home: scans to compare, a run that others build on, what is damaged, a CLIP case."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forensics.case import Case
from forensics.jobs.flag_tables import flagged_rows
from forensics.runs import Run, execute
from tests.ui import synthetic

FEWER, OTHERS = 5, 3  # flags that the second scan leaves out, and those it has besides


def second_scan(case: Case, first: Run, tau: float = 2.5) -> Run:
    """Scan again with another gate, and flag a few other samples."""
    run = synthetic.scan(case, tau=tau)
    flagged = set(flagged_rows(first, len(case.catalog)).tolist())
    left = sorted(flagged)[FEWER:]
    others = [row for row in range(len(case.catalog)) if row not in flagged][:OTHERS]
    path = run.folder / "scores.parquet"
    table = pq.read_table(path)
    chosen = np.isin(np.asarray(table["row"]), [*left, *others])
    place = table.schema.get_field_index("flagged")
    pq.write_table(table.set_column(place, "flagged", pa.array(chosen)), path)
    return run


def allocation_on(case: Case, scan: Run) -> Run:
    """Finish a run that decided from another one's arrays."""
    run = case.new_run("attention-allocation", {"tau": 3.0})
    result = {"verdict": "no evidence", "arrays_run": scan.id, "n": 10, "seconds": 0.2}
    execute(run, lambda _context: result)
    return run


def repair(case: Case, rate: float) -> Run:
    """Finish a repair with an attack success rate after it."""
    run = case.new_run("random-drop", {"share": 0.2})
    before = _rates(0.96, 0.99)
    result = {
        "before": before,
        "after": _rates(0.95, rate),
        "controls": {},
        "seconds": 60.0,
        "judged_by": "measured",
        "sentence": "Repaired.",
        "trainable_parameters": 1,
    }
    execute(run, lambda _context: result)
    return run


def _rates(accuracy: float, success: float) -> dict[str, object]:
    intervals = {
        "clean_accuracy": [accuracy - 0.02, accuracy + 0.02],
        "attack_success_rate": [max(0, success - 0.05), min(1, success + 0.05)],
    }
    return {"clean_accuracy": accuracy, "attack_success_rate": success, "n_clean": 300,
            "n_triggered": 250, "intervals": intervals}  # fmt: skip


def damage_result(run: Run) -> None:
    """Cut a result in two, as a full disk does."""
    path = run.folder / "result.json"
    path.write_text(path.read_text()[:20])


def damage_options(run: Run) -> None:
    """Lose the options of a run."""
    (run.folder / "options.json").write_text("{")


def damage_arrays(run: Run) -> None:
    """Lose what was measured, and nothing else."""
    (run.folder / "attention.safetensors").write_bytes(b"\x08")


def damage_case(case: Case) -> None:
    """Lose the description of a case."""
    (case.folder / "case.json").write_text(json.dumps({"schema": 999}))


def make_clip_case(folder: Path) -> Case:
    """Make a case whose model is a CLIP by its configuration; nothing was run on it."""
    made = synthetic.make_case(folder, 12, title="A small CLIP")
    path = made.folder / "case.json"
    described = json.loads(path.read_text())
    path.write_text(json.dumps(described | {"kind": "clip"}))
    return Case.open(folder)


def listing(root: Path) -> list[str]:
    """Return what lies in a folder, to tell that nothing was deleted."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))
