"""Let every detector decide every scanned cell; decisions are kept until code or arrays change."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import forensics
from benchmarks.zoo.build import Bench
from benchmarks.zoo.cells import Cell
from benchmarks.zoo.scan import case_of, scan
from forensics.api.running import run_method
from forensics.case import Case
from forensics.detectors.attention_entropy import AttentionEntropyOptions
from forensics.detectors.attention_entropy.scoring import flag_odd_answer, score_flags
from forensics.jobs.attention.arrays import ARRAYS, AttentionArrays, load_arrays
from forensics.jobs.attention.result import decide_case
from forensics.registry import find_method

ENTROPY_MODES = ("root", "code", "guarded")
OTHERS = ("attention-allocation", "evidence-fusion")


@cache
def code_key() -> str:
    """Hash the source of everything that decides."""
    package = Path(forensics.__file__).parent
    rooms = ("detectors", "statistics", "jobs/attention", "jobs/attention_allocation",
             "jobs/evidence_fusion")  # fmt: skip
    parts = [path for room in rooms for path in (package / room).rglob("*")]
    content = [path.read_bytes() for path in sorted(set(parts)) if path.suffix in (".py", ".json")]
    return hashlib.sha256(b"\0".join(content)).hexdigest()


def decide_cell(cell: Cell, bench: Bench) -> dict[str, Any]:
    """Return what every detector says about a cell.

    Returns:
        ``detectors``: name -> ``flagged``, ``verdict`` and, for poisoned cells, ``scores``; with
        the cell's facts and measured rates.
    """
    folder = scan(cell, bench)
    arrays_key = hashlib.sha256((folder / ARRAYS).read_bytes()).hexdigest()
    key = hashlib.sha256(f"{code_key()}{arrays_key}".encode()).hexdigest()[:16]
    kept = bench.folder(cell) / "decided.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text())
        if found["key"] == key:
            return found
    case = case_of(cell, bench)
    arrays = load_arrays(folder)
    built = json.loads((bench.folder(cell) / "built.json").read_text())
    decided = {
        "key": key,
        "cell": cell.name,
        "facts": cell.facts(),
        "measured": {name: built[name] for name in built if name not in ("key", "facts")},
        "detectors": _entropy(case, arrays) | _counting(case, arrays) | _others(case),
    }
    kept.write_text(json.dumps(decided, indent=1) + "\n")
    return decided


def _entropy(case: Case, arrays: AttentionArrays) -> dict[str, Any]:
    found = {}
    for mode in ENTROPY_MODES:
        said = decide_case(case, arrays, AttentionEntropyOptions(mode=mode))
        found[mode] = {
            "flagged": said.chosen.count,
            "verdict": said.verdict.verdict,
            "reason": said.verdict.reason,
            "scores": _scores(case, arrays, said.chosen.flagged),
        }
    return found


def _counting(case: Case, arrays: AttentionArrays) -> dict[str, Any]:
    answers, questions = (
        list(column[arrays.rows]) for column in (case.catalog.answers, case.catalog.questions)
    )
    flagged, answer = flag_odd_answer(answers, questions)
    scores = _scores(case, arrays, flagged)
    return {"answers-only": {"flagged": int(flagged.sum()), "answer": answer, "scores": scores}}


def _others(case: Case) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for method in OTHERS:
        result = run_method(case, find_method(method), {}).result
        scores = result.get("scores") or {}
        for mode, said in result["modes"].items():
            name = method if mode == "fusion" else f"{method} {mode}"
            found[name] = {
                "flagged": said["count"],
                "verdict": said["verdict"],
                "reason": said["reason"],
                "scores": scores.get(mode),
            }
        if "drop_one" in result:
            found[method]["drop_one"] = result["drop_one"]
            found[method]["answer"] = result["accepted_answer"]
    return found


def _scores(case: Case, arrays: AttentionArrays, flagged: Any) -> dict[str, Any] | None:
    """Score against the truth; the interval is bootstrapped over images."""
    if not case.has_truth:
        return None
    known = case.truth()
    ids, images = case.catalog.ids[arrays.rows], case.catalog.column("image")[arrays.rows]
    truth = np.array([known.get(name, False) for name in ids])
    groups = np.unique(images.astype(str), return_inverse=True)[1]
    return score_flags(np.asarray(flagged), truth, groups).to_dict()
